/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/rows.h"

typedef struct lists {
    atg_sample *samples, *staff;
    atg_family *families;
    atg_missing *missing;
    uint32_t n_samples, n_staff, n_families, n_missing;
    uint32_t *family_of; /* of each row; unused for samples */
    uint32_t *order;     /* the rows of each family, one family after another */
} lists;

static int check_id(rows *r, const atg_profile_row *row) {
    if (row->id.n == 0)
        return atg_fail_at(r->err, ATG_EINVAL, row->line, 0, "This row has no sample name");
    if (row->own && row->missing.n == 0)
        return atg_fail_at(r->err, ATG_EINVAL, row->line, 0,
                           "\"%.*s\" is an own sample and does not say of which missing person",
                           ATG_FMT(row->id));
    if (row->missing.n && (row->family.n == 0 || row->staff))
        return atg_fail_at(r->err, ATG_EINVAL, row->line, 0,
                           "\"%.*s\" is marked as missing but has no family", ATG_FMT(row->id));
    return ATG_OK;
}

static bool in_family(const atg_profile_row *row) {
    return row->family.n && !row->staff;
}

/* Count, and give each family a number in order of appearance. */
static int count(rows *r, lists *l) {
    for (uint32_t i = 0; i < r->n; i++) {
        const atg_profile_row *row = &r->rows[i];
        int rc = check_id(r, row);

        if (rc)
            return rc;
        l->n_missing += row->missing.n != 0 && !row->own;
        if (!in_family(row)) {
            row->staff ? l->n_staff++ : l->n_samples++;
            continue;
        }
        rc = map_add(r->ids, row->family, l->n_families);
        if (rc == ATG_ENOMEM)
            return rows_nomem(r);
        if (!rc)
            l->n_families++;
        l->family_of[i] = (uint32_t)map_get(r->ids, row->family);
    }
    return ATG_OK;
}

static int make_lists(rows *r, lists *l) {
    l->family_of = ATG_GET(r->arena, uint32_t, r->n);
    l->order = ATG_GET(r->arena, uint32_t, r->n);
    if (!l->family_of || !l->order)
        return rows_nomem(r);

    int rc = count(r, l);

    if (rc)
        return rc;
    l->samples = ATG_GET(r->arena, atg_sample, l->n_samples);
    l->staff = ATG_GET(r->arena, atg_sample, l->n_staff);
    l->families = ATG_GET(r->arena, atg_family, l->n_families);
    l->missing = ATG_GET(r->arena, atg_missing, l->n_missing);
    return l->samples && l->staff && l->families && l->missing ? ATG_OK : rows_nomem(r);
}

static int add_sample(rows *r, const atg_profile_row *row, map *ids, atg_sample *s) {
    bool typed;
    int rc = map_add(ids, row->id, 0);

    if (rc == ATG_ENOMEM)
        return rows_nomem(r);
    if (rc)
        return atg_fail_at(r->err, ATG_EINVAL, row->line, 0,
                           "The sample \"%.*s\" is there twice; give each sample its own name",
                           ATG_FMT(row->id));
    rc = rows_genotypes(r, row, &typed, &s->genos);
    if (rc)
        return rc;
    s->id = atg_arena_str(r->arena, row->id);
    s->body = atg_arena_str(r->arena, row->body);
    s->sex = row->sex;
    return s->id.p && s->body.p ? ATG_OK : rows_nomem(r);
}

static int add_samples(rows *r, bool staff, atg_sample *to) {
    if (!to)
        return rows_nomem(r);
    map_clear(r->ids);
    for (uint32_t i = 0; i < r->n; i++) {
        const atg_profile_row *row = &r->rows[i];

        if (in_family(row) || row->staff != staff)
            continue;

        int rc = add_sample(r, row, r->ids, to++);

        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int add_person(rows *r, const atg_profile_row *row) {
    atg_str id = atg_arena_str(r->arena, row->id);
    const atg_geno *genos = NULL;
    bool typed = false;
    atg_err e;

    if (!id.p)
        return rows_nomem(r);
    if (family_draft_add(&r->draft, id, row->sex, &e))
        return rows_fail(r, row, &e);

    int rc = rows_genotypes(r, row, &typed, &genos);

    r->draft.persons[r->draft.n - 1].genos = typed ? genos : NULL;
    return rc;
}

static int add_parents(rows *r, const atg_profile_row *row, uint32_t i) {
    const atg_str parents[] = {row->father, row->mother};
    atg_err e;

    for (int k = 0; k < 2; k++)
        if (parents[k].n && family_draft_parent(&r->draft, i, (family_parent)k, parents[k], &e))
            return rows_fail(r, row, &e);
    return family_draft_complete(&r->draft, i, r->notes, &e) ? rows_fail(r, row, &e) : ATG_OK;
}

static int add_missing(rows *r, const atg_profile_row *row, atg_missing missing, atg_missing *to) {
    missing.id = atg_arena_str(r->arena, row->missing);
    if (!missing.id.p)
        return rows_nomem(r);

    int rc = map_add(r->ids, missing.id, 0);

    if (rc == ATG_ENOMEM)
        return rows_nomem(r);
    if (rc)
        return atg_fail_at(r->err, ATG_EINVAL, row->line, 0,
                           "The missing person \"%.*s\" is there twice", ATG_FMT(missing.id));
    *to = missing;
    return ATG_OK;
}

/* Persons before own samples, either in their order; returns the number of persons. */
static uint32_t put_persons_first(const rows *r, uint32_t n, uint32_t *rows_of, uint32_t *room) {
    uint32_t persons = 0, own = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (r->rows[rows_of[i]].own)
            room[own++] = rows_of[i];
        else
            rows_of[persons++] = rows_of[i];
    }
    for (uint32_t i = 0; i < own; i++)
        rows_of[persons + i] = room[i];
    return persons;
}

static int add_own(rows *r, const atg_profile_row *row, const atg_geno *genos, atg_own *list,
                   atg_person *p) {
    bool typed = true;
    int rc = ATG_OK;

    if (p->n_own == ATG_OWN_MAX)
        return atg_fail_at(r->err, ATG_ELIMIT, row->line, 0,
                           "\"%.*s\" has more than %d own samples", ATG_FMT(row->missing),
                           ATG_OWN_MAX);
    list[p->n_own] = (atg_own){.id = atg_arena_str(r->arena, row->id), .genos = genos};
    if (!list[p->n_own].id.p)
        return rows_nomem(r);
    if (!genos) {
        atg_profile_row as = *row;

        as.sex = p->sex;
        rc = rows_genotypes(r, &as, &typed, &list[p->n_own].genos);
    }
    p->own = list;
    p->n_own += typed;
    return rc;
}

/* What is from the missing person of row `at`: genotypes in that row, and rows of own samples,
 * which stand behind the persons. */
static int take_owns(rows *r, uint32_t at, uint32_t n_persons, uint32_t n,
                     const uint32_t *rows_of) {
    const atg_profile_row *row = &r->rows[rows_of[at]];
    atg_person *p = &r->draft.persons[at];
    const atg_geno *genos = p->genos;
    atg_own *list = NULL;
    int rc = ATG_OK;

    if (row->missing.n == 0)
        return ATG_OK;
    p->genos = NULL;
    if ((genos || n_persons < n) && !(list = ATG_GET(r->arena, atg_own, ATG_OWN_MAX)))
        return rows_nomem(r);
    if (genos)
        rc = add_own(r, row, genos, list, p);
    for (uint32_t i = n_persons; i < n && !rc; i++)
        if (atg_str_eq(r->rows[rows_of[i]].missing, row->missing))
            rc = add_own(r, &r->rows[rows_of[i]], NULL, list, p);
    return rc;
}

/* Every own sample is somebody's of this family. */
static int check_owns(rows *r, uint32_t n_persons, uint32_t n, const uint32_t *rows_of) {
    for (uint32_t i = n_persons; i < n; i++) {
        const atg_profile_row *row = &r->rows[rows_of[i]];
        bool found = false;

        for (uint32_t k = 0; k < n_persons && !found; k++)
            found = atg_str_eq(r->rows[rows_of[k]].missing, row->missing);
        if (!found)
            return atg_fail_at(r->err, ATG_EINVAL, row->line, 0,
                               "The own sample \"%.*s\" is of \"%.*s\", who is not among the "
                               "missing of family %.*s",
                               ATG_FMT(row->id), ATG_FMT(row->missing), ATG_FMT(row->family));
    }
    return ATG_OK;
}

/* `rows_of` holds the `n_rows` rows of the family with index `f`. */
static int add_family(rows *r, lists *l, uint32_t f, uint32_t n_rows, uint32_t *rows_of) {
    atg_family *fam = &l->families[f];
    const atg_profile_row *first = &r->rows[rows_of[0]];
    uint32_t *missing = ATG_GET(r->arena, uint32_t, n_rows), n;
    atg_err e;
    int rc;

    fam->id = atg_arena_str(r->arena, first->family);
    fam->missing = missing;
    if (!fam->id.p || !missing)
        return rows_nomem(r);
    n = put_persons_first(r, n_rows, rows_of, missing);
    rc = check_owns(r, n, n_rows, rows_of);
    family_draft_start(&r->draft, fam->id);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = add_person(r, &r->rows[rows_of[i]]);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = add_parents(r, &r->rows[rows_of[i]], i);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = take_owns(r, i, n, n_rows, rows_of);
    for (uint32_t i = 0; i < n && !rc; i++) {
        const atg_profile_row *row = &r->rows[rows_of[i]];

        if (row->missing.n == 0)
            continue;
        missing[fam->n_missing++] = l->n_missing;
        rc =
            add_missing(r, row, (atg_missing){.family = f, .person = i}, &l->missing[l->n_missing]);
        l->n_missing++;
    }
    if (!rc && family_draft_finish(&r->draft, &fam->ped, &e))
        rc = rows_fail(r, first, &e);
    return rc;
}

static int add_families(rows *r, lists *l) {
    uint32_t *from = ATG_GET(r->arena, uint32_t, (size_t)l->n_families + 1);
    uint32_t *at = ATG_GET(r->arena, uint32_t, (size_t)l->n_families + 1);
    int rc = ATG_OK;

    if (!from || !at)
        return rows_nomem(r);
    for (uint32_t i = 0; i < r->n; i++)
        if (in_family(&r->rows[i]))
            from[l->family_of[i] + 1]++;
    for (uint32_t f = 0; f < l->n_families; f++)
        at[f + 1] = from[f + 1] += from[f];
    for (uint32_t i = 0; i < r->n; i++)
        if (in_family(&r->rows[i]))
            l->order[at[l->family_of[i]]++] = i;
    l->n_missing = 0;
    map_clear(r->ids);
    for (uint32_t f = 0; f < l->n_families && !rc; f++)
        rc = add_family(r, l, f, from[f + 1] - from[f], &l->order[from[f]]);
    return rc;
}

/* Y haplotypes are compared and never weighed by frequency: every allele alike. */
static void level_haplotypes(marker_set *set) {
    for (uint32_t i = 0; i < set->n; i++) {
        marker_draft *d = set->drafts[i];

        if (d->m.chrom != ATG_CHROM_Y || d->n_table)
            continue;
        if (d->m.n == 0) { /* nobody was read */
            d->labels[0] = ATG_STR("0");
            d->m.n = 1;
        }
        for (uint16_t k = 0; k < d->m.n; k++)
            d->freqs[k] = 1.0 / d->m.n;
        d->n_table = d->m.n;
    }
}

static int build(rows *r, const atg_frequencies *freqs, atg_params params, atg_operation *ret) {
    lists l = {.n_samples = 0};
    atg_operation op = {.n_markers = r->set.n};
    int rc = make_lists(r, &l);

    if (!rc)
        rc = add_samples(r, false, l.samples);
    if (!rc)
        rc = add_samples(r, true, l.staff);
    if (!rc)
        rc = add_families(r, &l);
    if (rc)
        return rc;
    if (params.population.n == 0)
        params.population = freqs->population;
    if (params.source.n == 0)
        params.source = freqs->source;
    if (params.n_population == 0)
        params.n_population = freqs->n_population;
    level_haplotypes(&r->set);
    rc = marker_set_finish(&r->set, params.min_freq, params.n_population, &op.markers, r->notes,
                           r->err);
    op.params = params;
    op.n_samples = l.n_samples;
    op.samples = l.samples;
    op.n_families = l.n_families;
    op.families = l.families;
    op.n_missing = l.n_missing;
    op.missing = l.missing;
    op.n_staff = l.n_staff;
    op.staff = l.staff;
    if (!rc)
        rc = atg_operation_check(&op, r->err);
    if (!rc)
        *ret = op;
    return rc;
}

/* NOLINTNEXTLINE(readability-function-size): the public header fixes the parameters. */
int atg_operation_of_rows(atg_arena *arena, uint32_t n_rows, const atg_profile_row *profile_rows,
                          const atg_frequencies *freqs, atg_params params, atg_mutation female,
                          atg_mutation male, atg_operation *ret, atg_notes *notes, atg_err *err) {
    rows *r = ATG_GET(arena, rows, 1);

    if (!r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory making the operation");
    *r = (rows){.arena = arena, .notes = notes, .err = err, .n = n_rows, .rows = profile_rows};
    if (params.population.n == 0 && freqs->population.n == 0)
        return atg_fail(err, ATG_EINVAL,
                        "Name the population that the frequencies describe; there is no default");
    if (female.model == ATG_MUT_CUSTOM || male.model == ATG_MUT_CUSTOM || params.prior.given)
        return atg_fail(err, ATG_EINVAL,
                        "A mutation matrix and prior odds of single pairs belong into an "
                        "operation file; a table of genotypes takes neither");
    r->set.arena = r->draft.arena = arena;
    r->set.names = map_new();
    r->spellings = map_new();
    r->ids = map_new();
    r->draft.ids = map_new();

    int rc = r->set.names && r->spellings && r->ids && r->draft.ids ? ATG_OK : rows_nomem(r);

    if (!rc)
        rc = rows_markers(r, freqs, &female, &male);
    if (!rc)
        rc = build(r, freqs, params, ret);
    map_free(r->set.names);
    map_free(r->spellings);
    map_free(r->ids);
    map_free(r->draft.ids);
    return rc;
}
