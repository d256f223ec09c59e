/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/mt.h"

#include <antigone/lineage.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dna/rcrs.h"

/* IUPAC letters by mask: bit 1 A, 2 C, 4 G, 8 T. */
static const char iupac[] = "?ACMGRSVTWYHKDBN";

static uint8_t mask_of(char c) {
    const char *at = c && c != '?' ? strchr(iupac, c) : NULL;

    return c == 'U' ? 8 : at ? (uint8_t)(at - iupac) : 0;
}

static uint32_t read_number(atg_str *s) {
    uint32_t n = 0;
    size_t i = 0;

    while (i < s->n && i < 6 && s->p[i] >= '0' && s->p[i] <= '9')
        n = n * 10 + (uint32_t)(s->p[i++] - '0');
    s->p += i;
    s->n -= i;
    return n;
}

uint8_t mt_reference(uint16_t pos, uint16_t ins) {
    return ins ? MT_GAP : pos == 3107 ? 15 : mask_of(rcrs_base(pos));
}

static char upper(char c) {
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return c;
}

/* "C", "-", "del"; a small letter is a base that is there in a part of the molecules only. */
static const char *read_base(atg_str s, uint8_t *ret) {
    uint8_t base;

    if (atg_str_eq(s, ATG_STR("-")) || atg_str_eq_nocase(s, ATG_STR("del"))) {
        *ret = MT_GAP;
        return NULL;
    }
    if (s.n != 1)
        return "write one base behind the position, or \"-\" for a deletion";
    if (s.p[0] == 'd')
        return "write \"-\" for a deletion, D for A, G or T";
    base = mask_of(upper(s.p[0]));
    if (!base)
        return "this is no base";
    *ret = s.p[0] == upper(s.p[0]) ? base : base | MT_GAP;
    return NULL;
}

const char *mt_site_read(atg_str text, mt_site *ret) {
    uint8_t stated = 0, mask = 0;
    uint32_t pos, ins = 0;
    const char *why;
    atg_str s = atg_str_trim(text);

    if (s.n && s.p[0] >= 'A' && s.p[0] <= 'Z') {
        stated = mask_of(s.p[0]);
        s.p++;
        s.n--;
    }
    pos = read_number(&s);
    if (pos < 1 || pos > MT_LENGTH)
        return "the position is not in 1 to 16569";
    if (s.n && s.p[0] == '.') {
        s.p++;
        s.n--;
        ins = read_number(&s);
        if (ins < 1 || ins > 99)
            return "number the bases that are inserted from 1 to 99";
    }
    why = read_base(s, &mask);
    if (why)
        return why;
    if (stated && (ins || !(stated & mt_reference((uint16_t)pos, 0))))
        return "the letter before the position is not what rCRS has there";
    if (mask == mt_reference((uint16_t)pos, (uint16_t)ins))
        return "rCRS has the same there, so this is no difference";
    *ret = (mt_site){(uint16_t)pos, (uint16_t)ins, mask};
    return NULL;
}

void mt_site_write(mt_site site, char ret[MT_TEXT_MAX]) {
    char base = iupac[site.mask & 15], number[4] = "";

    if (site.mask == MT_GAP)
        base = '-';
    else if (site.mask & MT_GAP)
        base = (char)(base - 'A' + 'a');
    if (site.ins)
        (void)snprintf(number, sizeof(number), ".%u", site.ins % 100U);
    (void)snprintf(ret, MT_TEXT_MAX, "%u%s%c", site.pos, number, base);
}

bool mt_site_ignored(mt_site site) {
    static const struct { uint16_t from, to; } poly_c[] = {{303, 309}, {568, 573}, {16184, 16193}};

    if (site.pos == 3107)
        return true;
    for (size_t i = 0; i < sizeof(poly_c) / sizeof(*poly_c); i++)
        if (site.pos >= poly_c[i].from && site.pos <= poly_c[i].to &&
            (site.ins ? (site.mask & 2) != 0 : (site.mask & MT_GAP) != 0))
            return true;
    return false;
}

static int site_order(mt_site x, mt_site y) {
    return x.pos != y.pos ? x.pos - y.pos : x.ins - y.ins;
}

static int site_cmp(const void *a, const void *b) {
    return site_order(*(const mt_site *)a, *(const mt_site *)b);
}

static int range_cmp(const void *a, const void *b) {
    const struct atg_mt_range *x = a, *y = b;

    return x->from != y->from ? x->from - y->from : x->to - y->to;
}

static bool was_read(const atg_mt *mt, uint16_t pos) {
    for (uint32_t i = 0; i < mt->n_ranges; i++)
        if (pos >= mt->ranges[i].from && pos <= mt->ranges[i].to)
            return true;
    return false;
}

static uint32_t sites_of(const atg_mt *mt, mt_site *ret) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < mt->n_diffs && n < MT_DIFFS_MAX; i++)
        n += mt_site_read(mt->diffs[i], &ret[n]) == NULL;
    return n;
}

/* Ranges in order, a wrapped one cut in two, touching ones joined. */
static int parse_ranges(uint32_t n, const struct atg_mt_range *ranges, struct atg_mt_range *ret,
                        uint32_t *ret_n, atg_err *err) {
    struct atg_mt_range cut[2 * MT_RANGES_MAX];
    uint32_t k = 0, m = 0;

    if (n > MT_RANGES_MAX)
        return atg_fail(err, ATG_ELIMIT, "More than %d ranges of mtDNA", MT_RANGES_MAX);
    for (uint32_t i = 0; i < n; i++) {
        struct atg_mt_range r = ranges[i];

        if (r.from < 1 || r.to < 1 || r.from > MT_LENGTH || r.to > MT_LENGTH)
            return atg_fail(err, ATG_EPARSE, "The mtDNA range %u-%u is not within 1-16569", r.from,
                            r.to);
        if (r.from <= r.to) {
            cut[k++] = r;
        } else {
            cut[k++] = (struct atg_mt_range){r.from, MT_LENGTH};
            cut[k++] = (struct atg_mt_range){1, r.to};
        }
    }
    qsort(cut, k, sizeof(*cut), range_cmp);
    for (uint32_t i = 0; i < k; i++) {
        if (m && cut[i].from <= ret[m - 1].to + 1)
            ret[m - 1].to = cut[i].to > ret[m - 1].to ? cut[i].to : ret[m - 1].to;
        else
            ret[m++] = cut[i];
    }
    *ret_n = m;
    return ATG_OK;
}

static int make_mt(atg_arena *arena, uint32_t n_ranges, const struct atg_mt_range *ranges,
                   uint32_t n, const mt_site *sites, atg_mt *ret) {
    struct atg_mt_range *r = ATG_GET(arena, struct atg_mt_range, n_ranges);
    atg_str *diffs = ATG_GET(arena, atg_str, n);
    char text[MT_TEXT_MAX];

    if (!r || !diffs)
        return ATG_ENOMEM;
    if (n_ranges)
        memcpy(r, ranges, n_ranges * sizeof(*r));
    for (uint32_t i = 0; i < n; i++) {
        mt_site_write(sites[i], text);
        diffs[i] = atg_arena_str(arena, atg_str_of(text));
        if (!diffs[i].p)
            return ATG_ENOMEM;
    }
    *ret = (atg_mt){n_ranges, r, n, diffs};
    return ATG_OK;
}

static int parse_sites(const atg_mt *in, mt_site *ret, atg_err *err) {
    if (in->n_diffs > MT_DIFFS_MAX)
        return atg_fail(err, ATG_ELIMIT, "More than %d mtDNA differences", MT_DIFFS_MAX);
    for (uint32_t i = 0; i < in->n_diffs; i++) {
        const char *why = mt_site_read(in->diffs[i], &ret[i]);

        if (!why && !was_read(in, ret[i].pos))
            why = in->n_ranges ? "it lies outside the ranges that were read"
                               : "name the ranges that were read, such as 16024-16365";
        if (why)
            return atg_fail(err, ATG_EPARSE, "mtDNA difference \"%.*s\": %s",
                            in->diffs[i].n < 40 ? (int)in->diffs[i].n : 40, in->diffs[i].p, why);
    }
    qsort(ret, in->n_diffs, sizeof(*ret), site_cmp);
    for (uint32_t i = 1; i < in->n_diffs; i++)
        if (site_order(ret[i - 1], ret[i]) == 0)
            return atg_fail(err, ATG_EPARSE, "mtDNA position %u has two entries; keep one",
                            ret[i].pos);
    return ATG_OK;
}

int atg_mt_parse(atg_arena *arena, uint32_t n_ranges, const struct atg_mt_range *ranges,
                 uint32_t n_diffs, const atg_str *diffs, atg_mt *ret, atg_err *err) {
    struct atg_mt_range clean[2 * MT_RANGES_MAX];
    mt_site sites[MT_DIFFS_MAX];
    uint32_t n_clean = 0;
    int rc = parse_ranges(n_ranges, ranges, clean, &n_clean, err);

    if (!rc)
        rc = parse_sites(&(atg_mt){n_clean, clean, n_diffs, diffs}, sites, err);
    if (rc)
        return rc;
    rc = make_mt(arena, n_clean, clean, n_diffs, sites, ret);
    return rc ? atg_fail(err, rc, "Out of memory for an mtDNA haplotype") : rc;
}

/* Two haplotypes side by side, one position at a time. */
typedef struct walk {
    mt_site x[MT_DIFFS_MAX], y[MT_DIFFS_MAX];
    uint32_t nx, ny, i, j;
} walk;

static void walk_start(walk *w, const atg_mt *x, const atg_mt *y) {
    w->nx = sites_of(x, w->x);
    w->ny = sites_of(y, w->y);
    w->i = w->j = 0;
}

/* The next place where one of them differs from rCRS, with what each has there. */
static bool walk_next(walk *w, mt_site *ret_x, mt_site *ret_y) {
    int order;

    if (w->i == w->nx && w->j == w->ny)
        return false;
    order = w->i == w->nx ? 1 : w->j == w->ny ? -1 : site_order(w->x[w->i], w->y[w->j]);
    *ret_x = *ret_y = order <= 0 ? w->x[w->i] : w->y[w->j];
    if (order < 0)
        ret_y->mask = mt_reference(ret_y->pos, ret_y->ins);
    else if (order > 0)
        ret_x->mask = mt_reference(ret_x->pos, ret_x->ins);
    else
        *ret_y = w->y[w->j];
    w->i += order <= 0;
    w->j += order >= 0;
    return true;
}

/* Neighbours that came or went together are one difference. */
static bool same_event(mt_site last, mt_site now) {
    if (now.ins)
        return last.ins && last.pos == now.pos;
    return !last.ins && last.mask == MT_GAP && now.mask == MT_GAP && last.pos + 1 == now.pos;
}

static uint32_t positions_in_both(const atg_mt *x, const atg_mt *y) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->n_ranges; i++)
        for (uint32_t j = 0; j < y->n_ranges; j++) {
            int from = x->ranges[i].from, to = x->ranges[i].to;

            from = from > y->ranges[j].from ? from : y->ranges[j].from;
            to = to < y->ranges[j].to ? to : y->ranges[j].to;
            n += to >= from ? (uint32_t)(to - from + 1) : 0;
        }
    return n;
}

void atg_mt_compare(const atg_mt *x, const atg_mt *y, atg_lineage_cmp *ret) {
    atg_lineage_cmp cmp = {.n_compared = positions_in_both(x, y)};
    mt_site sx, sy, last_x = {0}, last_y = {0};
    walk w;

    walk_start(&w, x, y);
    while (cmp.n_compared && walk_next(&w, &sx, &sy)) {
        if (sx.mask & sy.mask || mt_site_ignored(sx) || mt_site_ignored(sy) ||
            !was_read(x, sx.pos) || !was_read(y, sx.pos))
            continue;
        cmp.n_steps += !same_event(last_x, sx) && !same_event(last_y, sy);
        last_x = sx;
        last_y = sy;
    }
    *ret = cmp;
}

int mt_union(atg_arena *arena, const atg_mt *x, const atg_mt *y, atg_mt *ret, atg_err *err) {
    struct atg_mt_range all[2 * MT_RANGES_MAX], clean[2 * MT_RANGES_MAX];
    mt_site sites[2 * MT_DIFFS_MAX], sx, sy;
    uint32_t n_clean = 0, n = 0;
    walk w;
    int rc;

    if (x->n_ranges + y->n_ranges > MT_RANGES_MAX)
        return atg_fail(err, ATG_ELIMIT, "More than %d ranges of mtDNA", MT_RANGES_MAX);
    for (uint32_t i = 0; i < x->n_ranges + y->n_ranges; i++)
        all[i] = i < x->n_ranges ? x->ranges[i] : y->ranges[i - x->n_ranges];
    rc = parse_ranges(x->n_ranges + y->n_ranges, all, clean, &n_clean, err);
    if (rc)
        return rc;
    walk_start(&w, x, y);
    while (walk_next(&w, &sx, &sy)) {
        bool by_x = was_read(x, sx.pos), by_y = was_read(y, sx.pos);

        sx.mask = (uint8_t)((by_x ? sx.mask : 0) | (by_y ? sy.mask : 0));
        if (sx.mask != mt_reference(sx.pos, sx.ins))
            sites[n++] = sx;
    }
    rc = n > MT_DIFFS_MAX ? ATG_ELIMIT : make_mt(arena, n_clean, clean, n, sites, ret);
    return rc ? atg_fail(err, rc, "The mtDNA haplotypes of one body are too large together") : rc;
}
