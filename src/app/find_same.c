/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/app.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum { ALIKE_MARKERS = 8, ALIKE_SHARE = 8, GROWTH = 64 };

/* Pairs that one worker found. */
typedef struct found {
    uint32_t n, room;
    atg_same_person *pairs;
} found;

typedef struct job {
    const atg_operation *op;
    double floor;
    uint32_t n;
    atg_profile *profiles;
    atg_sample *as_samples; /* the same, in the form that is compared */
    found found[PARALLEL_MAX];
} job;

static uint32_t count_profiles(const atg_operation *op) {
    uint32_t n = op->n_samples + op->n_staff;

    for (uint32_t f = 0; f < op->n_families; f++)
        for (uint32_t i = 0; i < op->families[f].ped.n; i++)
            n += (op->families[f].ped.persons[i].genos != NULL) +
                 op->families[f].ped.persons[i].n_own;
    return n;
}

static void list_owns(job *j) {
    const atg_operation *op = j->op;

    for (uint32_t f = 0; f < op->n_families; f++)
        for (uint32_t i = 0; i < op->families[f].ped.n; i++) {
            const atg_person *p = &op->families[f].ped.persons[i];

            for (uint32_t k = 0; k < p->n_own; k++) {
                j->profiles[j->n] = (atg_profile){ATG_PROFILE_OWN, f, i, k};
                j->as_samples[j->n++] = (atg_sample){.id = p->own[k].id,
                                                     .sex = p->sex,
                                                     .genos = p->own[k].genos,
                                                     .dropout = p->own[k].dropout,
                                                     .dropin = p->own[k].dropin};
            }
        }
}

static void list_profiles(job *j) {
    const atg_operation *op = j->op;

    for (uint32_t i = 0; i < op->n_samples; i++, j->n++) {
        j->profiles[j->n] = (atg_profile){ATG_PROFILE_SAMPLE, i, 0, 0};
        j->as_samples[j->n] = op->samples[i];
    }
    for (uint32_t i = 0; i < op->n_staff; i++, j->n++) {
        j->profiles[j->n] = (atg_profile){ATG_PROFILE_STAFF, i, 0, 0};
        j->as_samples[j->n] = op->staff[i];
    }
    for (uint32_t f = 0; f < op->n_families; f++) {
        const atg_pedigree *ped = &op->families[f].ped;

        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *p = &ped->persons[i];

            if (!p->genos)
                continue;
            j->profiles[j->n] = (atg_profile){ATG_PROFILE_RELATIVE, f, i, 0};
            j->as_samples[j->n++] = (atg_sample){.id = p->id,
                                                 .sex = p->sex,
                                                 .genos = p->genos,
                                                 .dropout = p->dropout,
                                                 .dropin = p->dropin};
        }
    }
    list_owns(j);
}

static bool exact(const atg_sample *s) {
    return s->dropout <= 0 && s->dropin <= 0;
}

/* Alleles seen in either; one person has two, so a third came in by drop-in or is of another. */
static int alleles(atg_geno x, atg_geno y) {
    int16_t seen[4] = {x.a, x.b, y.a, y.b};
    int n = 0;

    for (int i = 0; i < 4; i++) {
        bool known = seen[i] == ATG_ALLELE_UNREAD;

        for (int k = 0; k < i; k++)
            known |= seen[k] == seen[i];
        n += !known;
    }
    return n;
}

/* Without drop-out and drop-in two profiles of one person are equal; with them, few markers show
 * three alleles.  A pair far from that is neither the same nor nearly so, and is not computed. */
static bool far_apart(const job *j, const atg_sample *x, const atg_sample *y) {
    uint32_t both = 0, differ = 0, three = 0;

    for (uint32_t m = 0; m < j->op->n_markers; m++) {
        atg_geno a = x->genos[m], b = y->genos[m];

        if (!atg_geno_typed(a) || !atg_geno_typed(b))
            continue;
        both++;
        three += alleles(a, b) > 2;
        differ += a.b != ATG_ALLELE_UNREAD && b.b != ATG_ALLELE_UNREAD &&
                  !((a.a == b.a && a.b == b.b) || (a.a == b.b && a.b == b.a));
    }
    if (three * 2 > both)
        return true;
    return exact(x) && exact(y) && differ * (ALIKE_SHARE / 2) > both;
}

static bool declared(const job *j, uint32_t x, uint32_t y) {
    const atg_sample *a = &j->as_samples[x], *b = &j->as_samples[y];

    return j->profiles[x].kind == ATG_PROFILE_SAMPLE && j->profiles[y].kind == ATG_PROFILE_SAMPLE &&
           a->body.n && atg_str_eq(a->body, b->body);
}

static int keep(found *list, const atg_same_person *pair, atg_err *err) {
    if (list->n == list->room) {
        uint32_t room = list->room ? 2 * list->room : GROWTH;
        atg_same_person *more = mem_grow(list->pairs, (size_t)room * sizeof(*more));

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory comparing profiles");
        list->pairs = more;
        list->room = room;
    }
    list->pairs[list->n++] = *pair;
    return ATG_OK;
}

/* One profile against all that come after it. */
static int compare_row(job *j, uint32_t worker, uint32_t x, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t y = x + 1; y < j->n && !rc; y++) {
        const atg_sample *a = &j->as_samples[x], *b = &j->as_samples[y];
        atg_same_person pair = {
            .x = j->profiles[x], .y = j->profiles[y], .declared = declared(j, x, y)};
        const atg_direct *d = &pair.direct;

        if (a->mixture || b->mixture || (!pair.declared && far_apart(j, a, b)))
            continue;
        rc = atg_direct_compare(j->op, a, b, &pair.direct, NULL, err);
        if (!rc &&
            (pair.declared || (d->n_compared && d->log10_lr >= j->floor) ||
             (d->n_compared >= ALIKE_MARKERS && d->n_different * ALIKE_SHARE <= d->n_compared)))
            rc = keep(&j->found[worker], &pair, err);
    }
    return rc;
}

/* A long row and a short one, so that all pieces take as long. */
static int compare_rows(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    job *j = user;
    uint32_t x = (uint32_t)piece, y = j->n - 1 - x;
    int rc = compare_row(j, worker, x, err);

    return rc || x == y ? rc : compare_row(j, worker, y, err);
}

static int by_profile(const atg_profile *x, const atg_profile *y) {
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return x->person < y->person ? -1 : x->person > y->person;
}

static int by_place(const void *a, const void *b) {
    const atg_same_person *x = a, *y = b;
    int first = by_profile(&x->x, &y->x);

    return first ? first : by_profile(&x->y, &y->y);
}

static int collect(atg_arena *arena, const job *j, atg_same_persons *ret, atg_err *err) {
    uint32_t n = 0;
    atg_same_person *all;

    for (int w = 0; w < PARALLEL_MAX; w++)
        n += j->found[w].n;
    all = ATG_GET(arena, atg_same_person, n ? n : 1);
    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing profiles");
    n = 0;
    for (int w = 0; w < PARALLEL_MAX; w++) {
        if (j->found[w].n)
            memcpy(all + n, j->found[w].pairs, j->found[w].n * sizeof(*all));
        n += j->found[w].n;
    }
    if (n)
        qsort(all, n, sizeof(*all), by_place);
    *ret = (atg_same_persons){n, all};
    return ATG_OK;
}

int atg_find_same(atg_arena *arena, const atg_operation *op, double floor, uint32_t threads,
                  const atg_progress *progress, atg_same_persons *ret, atg_err *err) {
    MEM_AUTO job *j = mem_zero(1, sizeof(*j));
    uint32_t n = count_profiles(op);
    int rc;

    if (!j)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing profiles");
    j->op = op;
    j->floor = floor;
    j->profiles = ATG_GET(arena, atg_profile, n ? n : 1);
    j->as_samples = ATG_GET(arena, atg_sample, n ? n : 1);
    if (!j->profiles || !j->as_samples)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing profiles");
    list_profiles(j);
    rc = parallel_run(threads, (n + 1) / 2, compare_rows, j, "compare profiles", progress, err);
    if (!rc)
        rc = collect(arena, j, ret, err);
    for (int w = 0; w < PARALLEL_MAX; w++)
        mem_free(j->found[w].pairs);
    return rc;
}
