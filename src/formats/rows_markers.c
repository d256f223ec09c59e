/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "formats/rows.h"

int rows_nomem(rows *r) {
    return atg_fail(r->err, ATG_ENOMEM, "Out of memory making the operation");
}

int rows_fail(rows *r, const atg_profile_row *row, const atg_err *e) {
    return atg_fail_at(r->err, e->code, row->line, 0, "%s", e->msg);
}

typedef struct choice {
    const atg_frequencies *freqs;
    bool used[ATG_MARKERS_MAX];
    int16_t place[ATG_MARKERS_MAX]; /* in the set */
} choice;

static int frequency_of(const atg_frequencies *f, atg_str name) {
    for (uint32_t i = 0; i < f->n_markers; i++)
        if (atg_marker_same_name(f->markers[i].name, name))
            return (int)i;
    return -1;
}

typedef struct spellings {
    uint32_t n, cap;
    atg_str *names;
} spellings;

static int add_spelling(rows *r, choice *c, atg_str name, spellings *s) {
    int rc = map_add(r->spellings, name, s->n);

    if (rc == ATG_ECONFLICT)
        return ATG_OK;
    if (rc)
        return rows_nomem(r);
    if (s->n == MARKER_SPELLINGS_MAX)
        return atg_fail(r->err, ATG_ELIMIT, "More than %d names of markers", MARKER_SPELLINGS_MAX);
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 64;
        atg_str *more = ATG_GET(r->arena, atg_str, cap);

        if (!more)
            return rows_nomem(r);
        if (s->n)
            memcpy(more, s->names, s->n * sizeof(*more));
        s->names = more;
        s->cap = cap;
    }
    s->names[s->n++] = name;

    int f = frequency_of(c->freqs, name);

    if (f >= 0)
        c->used[f] = true;
    return ATG_OK;
}

/* Each spelling once; what the frequencies know of them is used. */
static int collect(rows *r, choice *c, spellings *s) {
    for (uint32_t i = 0; i < r->n; i++) {
        for (uint32_t k = 0; k < r->rows[i].n_calls; k++) {
            int rc = add_spelling(r, c, r->rows[i].calls[k].marker, s);

            if (rc)
                return rc;
        }
    }
    return ATG_OK;
}

static int add_known(rows *r, choice *c, uint32_t f, const atg_mutation *female,
                     const atg_mutation *male) {
    const atg_marker *from = &c->freqs->markers[f];
    marker_draft *d = NULL;
    int rc = marker_set_add(&r->set, from->name, &d, r->err);

    for (uint16_t i = 0; i < from->n && !rc; i++)
        rc = marker_draft_add(&r->set, d, from->labels[i], from->freqs[i], r->err);
    if (rc)
        return rc;
    d->m.chrom = from->chrom;
    d->m.silent = from->silent;
    d->m.linkage_group = from->linkage_group;
    if (from->linked_to >= 0 && c->used[from->linked_to]) {
        d->m.linked_to = c->place[from->linked_to];
        d->m.rho = from->rho;
    }
    if (from->chrom == ATG_CHROM_AUTOSOMAL || from->chrom == ATG_CHROM_X) {
        d->m.female = *female;
        d->m.male = *male;
    }
    c->place[f] = (int16_t)(r->set.n - 1);
    return ATG_OK;
}

/* Amelogenin and Y haplotypes need no population frequencies: neither is multiplied. */
static int add_extra(rows *r, atg_str name, bool *ret) {
    atg_chrom chrom = atg_marker_usual_chrom(name);
    marker_draft *d = NULL;

    *ret = chrom == ATG_CHROM_AMELOGENIN || chrom == ATG_CHROM_Y;
    if (!*ret)
        return ATG_OK;

    int rc = marker_set_add(&r->set, atg_marker_usual_name(name), &d, r->err);

    if (rc)
        return rc;
    d->m.chrom = chrom;
    if (chrom == ATG_CHROM_AMELOGENIN) {
        rc = marker_draft_add(&r->set, d, ATG_STR("X"), 0.75, r->err);
        if (!rc)
            rc = marker_draft_add(&r->set, d, ATG_STR("Y"), 0.25, r->err);
    }
    return rc;
}

/* A name that the frequencies do not know. */
static int add_unknown(rows *r, const choice *c, atg_str name, int64_t *ret) {
    bool extra = false;
    int rc = add_extra(r, name, &extra);

    if (rc)
        return rc;
    if (!extra)
        atg_note(r->notes, r->arena,
                 "The marker %.*s has no frequencies in \"%.*s\" and is left out", ATG_FMT(name),
                 ATG_FMT(c->freqs->population));
    *ret = extra ? (int64_t)r->set.n - 1 : ROWS_LEFT_OUT;
    return ATG_OK;
}

static int resolve(rows *r, const choice *c, const spellings *s) {
    map_clear(r->spellings);
    for (uint32_t i = 0; i < s->n; i++) {
        int64_t at = -1;
        int rc = marker_set_find(&r->set, s->names[i], &at, r->err);

        if (!rc && at < 0)
            rc = add_unknown(r, c, s->names[i], &at);
        if (rc)
            return rc;
        if (map_add(r->spellings, s->names[i], (uint32_t)at))
            return rows_nomem(r);
    }
    return ATG_OK;
}

int rows_markers(rows *r, const atg_frequencies *freqs, const atg_mutation *female,
                 const atg_mutation *male) {
    choice *c = ATG_GET(r->arena, choice, 1);
    spellings s = {.n = 0};

    if (!c)
        return rows_nomem(r);
    c->freqs = freqs;

    int rc = collect(r, c, &s);

    for (uint32_t f = 0; f < freqs->n_markers && !rc; f++)
        if (c->used[f])
            rc = add_known(r, c, f, female, male);
    return rc ? rc : resolve(r, c, &s);
}

static int call_fail(rows *r, const struct atg_profile_call *call, const atg_err *e) {
    return atg_fail_at(r->err, e->code, call->line, call->col, "%s", e->msg);
}

static int read_call(rows *r, const struct atg_profile_call *call, marker_draft *d, atg_sex sex,
                     atg_geno *ret) {
    atg_str label[] = {atg_str_trim(call->a), atg_str_trim(call->b)};
    int16_t at[] = {ATG_ALLELE_UNREAD, ATG_ALLELE_UNREAD};
    atg_err e;

    if (label[1].n == 0)
        label[1] = label[0];
    for (int i = 0; i < 2; i++) {
        if (label[i].n == 0 || atg_str_eq(label[i], ATG_STR("-")))
            continue;
        if (marker_draft_observe(&r->set, d, label[i], &at[i], &e))
            return call_fail(r, call, &e);
    }
    return genotype_make(&d->m, sex, (atg_geno){at[0], at[1]}, ret, &e) ? call_fail(r, call, &e)
                                                                        : ATG_OK;
}

static bool same_genotype(atg_geno x, atg_geno y) {
    return (x.a == y.a && x.b == y.b) || (x.a == y.b && x.b == y.a);
}

static int add_call(rows *r, const struct atg_profile_call *call, const atg_profile_row *row,
                    atg_geno *genos) {
    int64_t m = map_get(r->spellings, call->marker);
    atg_geno g = ATG_UNTYPED;

    if (m < 0 || m >= r->set.n)
        return ATG_OK;

    marker_draft *d = r->set.drafts[m];
    int rc = read_call(r, call, d, row->sex, &g);

    if (rc || !atg_geno_typed(g))
        return rc;
    if (r->seen[m] == r->clock && !same_genotype(g, genos[m]))
        return atg_fail_at(r->err, ATG_EINVAL, call->line, call->col,
                           "%.*s has two different genotypes at %.*s; keep the right one",
                           ATG_FMT(row->id), ATG_FMT(d->m.name));
    r->seen[m] = r->clock;
    genos[m] = g;
    return ATG_OK;
}

int rows_genotypes(rows *r, const atg_profile_row *row, bool *ret_typed, const atg_geno **ret) {
    atg_geno *genos = ATG_GET(r->arena, atg_geno, r->set.n);
    bool typed = false;

    if (!genos)
        return rows_nomem(r);
    for (uint32_t m = 0; m < r->set.n; m++)
        genos[m] = ATG_UNTYPED;
    r->clock++;
    for (uint32_t k = 0; k < row->n_calls; k++) {
        int rc = add_call(r, &row->calls[k], row, genos);

        if (rc)
            return rc;
    }
    for (uint32_t m = 0; m < r->set.n; m++)
        typed |= atg_geno_typed(genos[m]);
    *ret_typed = typed;
    *ret = genos;
    return ATG_OK;
}
