/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/profile.h"

#include <string.h>

static int nomem(profile_set *set) {
    return atg_fail(set->err, ATG_ENOMEM, "Out of memory reading profiles");
}

int profile_set_open(profile_set *set, atg_arena *arena, atg_notes *notes, atg_err *err) {
    *set = (profile_set){.arena = arena, .notes = notes, .err = err};
    set->keys = map_new();
    set->spellings = map_new();
    if (set->keys && set->spellings)
        return ATG_OK;
    profile_set_close(set);
    return nomem(set);
}

void profile_set_close(profile_set *set) {
    map_free(set->keys);
    map_free(set->spellings);
    set->keys = set->spellings = NULL;
}

/* Give `*to` what a further row says; false when they differ. */
static bool agree(atg_str *to, atg_str from) {
    if (to->n == 0)
        *to = from;
    return from.n == 0 || atg_str_eq(*to, from);
}

static int join(profile_set *set, profile *p, const atg_profile_row *row) {
    atg_profile_row *old = &p->row;
    const char *what = NULL;

    if (old->sex && row->sex && old->sex != row->sex)
        what = "sex";
    else if (!agree(&old->body, row->body))
        what = "body";
    else if (!agree(&old->father, row->father))
        what = "father";
    else if (!agree(&old->mother, row->mother))
        what = "mother";
    else if (!agree(&old->missing, row->missing))
        what = "missing person";
    else if (old->own != row->own)
        what = "type";
    else if (old->staff != row->staff)
        what = "staff mark";
    if (what)
        return atg_fail_at(set->err, ATG_EPARSE, row->line, 1,
                           "%.*s has another %s here than in line %u; correct one of them, or give "
                           "two persons different names",
                           ATG_FMT(row->id), what, old->line);
    if (!old->sex)
        old->sex = row->sex;
    return ATG_OK;
}

static int append(profile_set *set, profile *p) {
    if (set->n == set->cap) {
        uint32_t cap = set->cap ? set->cap * 2 : 64;
        profile **wider = ATG_GET(set->arena, profile *, cap);

        if (!wider)
            return nomem(set);
        for (uint32_t i = 0; i < set->n; i++)
            wider[i] = set->profiles[i];
        set->profiles = wider;
        set->cap = cap;
    }
    set->profiles[set->n++] = p;
    return ATG_OK;
}

/* In a long table one person's rows stand together. */
static profile *last_again(const profile_set *set, const atg_profile_row *row) {
    profile *p = set->n ? set->profiles[set->n - 1] : NULL;

    return p && atg_str_eq(p->row.id, row->id) && atg_str_eq(p->row.family, row->family) &&
                   p->row.own == row->own
               ? p
               : NULL;
}

int profile_set_row(profile_set *set, const atg_profile_row *row, profile **ret) {
    profile *p = last_again(set, row);

    if (p) {
        *ret = p;
        return join(set, p, row);
    }

    /* No text of a table holds the separator. */
    atg_str key = atg_arena_printf(set->arena, "%.*s\x1f%.*s%s", ATG_FMT(row->family),
                                   ATG_FMT(row->id), row->own ? "\x1f" : "");
    int64_t old = key.p ? map_get(set->keys, key) : -1;

    if (!key.p)
        return nomem(set);
    if (old >= 0) {
        *ret = set->profiles[old];
        return join(set, *ret, row);
    }
    p = ATG_GET(set->arena, profile, 1);
    if (!p || map_add(set->keys, key, set->n) || append(set, p))
        return nomem(set);
    p->row = *row;
    *ret = p;
    return ATG_OK;
}

int profile_set_marker(profile_set *set, atg_str name, uint32_t line, uint32_t col, uint16_t *ret) {
    int64_t at = map_get(set->spellings, name);
    uint32_t i = 0;

    if (at >= 0) {
        *ret = (uint16_t)at;
        return ATG_OK;
    }
    if (name.n == 0 || name.n > ATG_LABEL_MAX)
        return atg_fail_at(set->err, ATG_EPARSE, line, col,
                           "A marker's name has 1 to %d bytes; this has %zu", ATG_LABEL_MAX,
                           name.n);
    while (i < set->n_markers && !atg_marker_same_name(set->markers[i], name))
        i++;
    if (i == ATG_MARKERS_MAX)
        return atg_fail_at(set->err, ATG_ELIMIT, line, col, "More than %d markers",
                           ATG_MARKERS_MAX);
    if (map_add(set->spellings, name, i))
        return nomem(set);
    if (i == set->n_markers)
        set->markers[set->n_markers++] = name;
    *ret = (uint16_t)i;
    return ATG_OK;
}

static atg_str second(const struct atg_profile_call *c) {
    return c->b.n ? c->b : c->a;
}

static bool same_call(const struct atg_profile_call *x, const struct atg_profile_call *y) {
    atg_str xb = second(x), yb = second(y);

    return (atg_str_eq(x->a, y->a) && atg_str_eq(xb, yb)) ||
           (atg_str_eq(x->a, yb) && atg_str_eq(xb, y->a));
}

static int grow(profile_set *set, profile *p) {
    uint32_t cap = p->cap ? p->cap * 2 : 32;
    struct atg_profile_call *calls = ATG_GET(set->arena, struct atg_profile_call, cap);
    uint16_t *markers = ATG_GET(set->arena, uint16_t, cap);

    if (!calls || !markers)
        return nomem(set);
    if (p->n) {
        memcpy(calls, p->calls, p->n * sizeof(*calls));
        memcpy(markers, p->markers, p->n * sizeof(*markers));
    }
    p->calls = calls;
    p->markers = markers;
    p->cap = cap;
    return ATG_OK;
}

static int meet_again(profile_set *set, profile *p, const struct atg_profile_call *old,
                      const struct atg_profile_call *call) {
    atg_str x = second(call), y = second(old);

    if (!same_call(old, call))
        return atg_fail_at(set->err, ATG_EPARSE, call->line, call->col,
                           "%.*s has %.*s/%.*s at %.*s here and %.*s/%.*s in line %u; keep the "
                           "right one",
                           ATG_FMT(p->row.id), ATG_FMT(call->a), ATG_FMT(x), ATG_FMT(call->marker),
                           ATG_FMT(old->a), ATG_FMT(y), old->line);
    if (!p->merged)
        atg_note(set->notes, set->arena,
                 "%.*s stands in lines %u and %u with the same genotypes; they are taken once",
                 ATG_FMT(p->row.id), old->line, call->line);
    p->merged = true;
    return ATG_OK;
}

int profile_add(profile_set *set, profile *p, uint16_t marker,
                const struct atg_profile_call *call) {
    int rc;

    for (uint32_t i = 0; i < p->n; i++)
        if (p->markers[i] == marker)
            return meet_again(set, p, &p->calls[i], call);
    rc = p->n == p->cap ? grow(set, p) : ATG_OK;
    if (rc)
        return rc;
    p->calls[p->n] = *call;
    p->markers[p->n++] = marker;
    return ATG_OK;
}

/* The number of amelogenin among the markers, or -1. */
static int find_amelogenin(const profile_set *set) {
    for (uint32_t i = 0; i < set->n_markers; i++)
        if (atg_marker_usual_chrom(set->markers[i]) == ATG_CHROM_AMELOGENIN)
            return (int)i;
    return -1;
}

/* Male or female by amelogenin, or unknown. */
static atg_sex shown_sex(const profile *p, int amelogenin) {
    for (uint32_t i = 0; i < p->n; i++) {
        const struct atg_profile_call *c = &p->calls[i];

        if (p->markers[i] != amelogenin)
            continue;
        if (atg_str_eq(c->a, ATG_STR("Y")) || atg_str_eq(c->b, ATG_STR("Y")))
            return ATG_SEX_MALE;
        return atg_str_eq(c->b, ATG_STR("-")) ? ATG_SEX_UNKNOWN : ATG_SEX_FEMALE;
    }
    return ATG_SEX_UNKNOWN;
}

static const char *sex_word(atg_sex sex) {
    return sex == ATG_SEX_MALE ? "male" : "female";
}

/* What the user ought to know of one profile. */
static void note_profile(profile_set *set, const profile *p, atg_sex shown) {
    if (p->n == 0 && p->row.family.n == 0)
        atg_note(set->notes, set->arena, "%.*s (line %u) has no genotypes", ATG_FMT(p->row.id),
                 p->row.line);
    if (shown && p->row.sex && shown != p->row.sex)
        atg_note(set->notes, set->arena,
                 "%.*s (line %u) is recorded as %s, but amelogenin shows a %s; check the sample",
                 ATG_FMT(p->row.id), p->row.line, sex_word(p->row.sex), sex_word(shown));
}

int profile_set_finish(profile_set *set, uint32_t *ret_n, const atg_profile_row **ret) {
    atg_profile_row *rows = ATG_GET(set->arena, atg_profile_row, (size_t)set->n + 1);
    int amelogenin = find_amelogenin(set);
    uint32_t unknown = 0;

    if (!rows)
        return nomem(set);
    for (uint32_t i = 0; i < set->n; i++) {
        const profile *p = set->profiles[i];
        atg_sex shown = shown_sex(p, amelogenin);

        rows[i] = p->row;
        rows[i].n_calls = p->n;
        rows[i].calls = p->calls;
        unknown += shown && !p->row.sex;
        note_profile(set, p, shown);
    }
    if (unknown)
        atg_note(set->notes, set->arena,
                 "%u profiles have amelogenin and no recorded sex; the sex stays unknown until it "
                 "is entered",
                 unknown);
    *ret_n = set->n;
    *ret = rows;
    return ATG_OK;
}

static bool in_list(atg_str s, const char *const *list) {
    for (; *list; list++)
        if (atg_str_eq_nocase(s, atg_str_of(*list)))
            return true;
    return false;
}

/* The usual spelling of a repeat number: "9.3" of "9,3" and "09.3", "9" of "9.0". */
static bool repeat_number(atg_str s, char *room, atg_str *ret) {
    size_t n = 0, whole = 0;

    while (s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9') {
        s.p++;
        s.n--;
    }
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    whole = n;
    if (whole == 0 || whole > 3)
        return false;
    memcpy(room, s.p, whole);
    if (n < s.n) {
        if (s.n - n != 2 || (s.p[n] != '.' && s.p[n] != ',') || s.p[n + 1] < '0' ||
            s.p[n + 1] > '9')
            return false;
        if (s.p[n + 1] != '0') {
            room[whole++] = '.';
            room[whole++] = s.p[n + 1];
        }
    }
    *ret = (atg_str){room, whole};
    return true;
}

/* What a text says that is no number: a word for nothing, unread or outside the ladder. */
static allele_kind read_word(atg_str s) {
    static const char *const unread[] = {"?", "-", "--", "NR", "INC", "0", NULL};
    static const char *const none[] = {"", "NA", "N/A", "ND", "n.d.", NULL};
    static const char *const off[] = {"OL", "OL?", "off-ladder", "off ladder", "offladder", NULL};

    if (in_list(s, none))
        return ALLELE_NONE;
    if (in_list(s, unread))
        return ALLELE_UNREAD;
    return in_list(s, off) || s.p[0] == '<' || s.p[0] == '>' ? ALLELE_OFF : ALLELE_NOT_ONE;
}

/* X and Y, and the bases of a SNP, in upper case; 0 for any other text. */
static char letter(atg_str s) {
    static const char upper[] = "XYACGT", lower[] = "xyacgt";
    const char *at = s.n == 1 ? memchr(lower, s.p[0], sizeof(lower) - 1) : NULL;

    if (at)
        return upper[at - lower];
    if (s.n == 1 && memchr(upper, s.p[0], sizeof(upper) - 1))
        return s.p[0];
    return 0;
}

allele_kind allele_read(atg_str text, char room[ATG_LABEL_MAX + 1], atg_str *ret) {
    char tight[ATG_LABEL_MAX + 1];
    atg_str s = {tight, 0};

    text = atg_str_trim(text);
    *ret = (atg_str){"", 0};
    if (text.n > ATG_LABEL_MAX)
        return ALLELE_NOT_ONE;
    if (text.n == 0 || text.p[0] < '1' || text.p[0] > '9') { /* most are plain numbers */
        allele_kind word = read_word(text);

        if (word != ALLELE_NOT_ONE)
            return word;
    }
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ' ' && text.p[i] != '\t')
            tight[s.n++] = text.p[i];
    room[0] = letter(s);
    if (room[0]) {
        *ret = (atg_str){room, 1};
        return ALLELE_READ;
    }
    return repeat_number(s, room, ret) && atg_allele_tenths(*ret) >= 0 ? ALLELE_READ
                                                                       : ALLELE_NOT_ONE;
}
