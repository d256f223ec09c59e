/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference_solve.h"

#include <math.h>

#include "app/reference_family.h"

enum { MAX_INCOMPATIBLE = 2 };

typedef struct solver {
    reference_state s;
    double threshold, probable;
    double *lr; /* of the last look at the pairs */
    solve_tables rows;
} solver;

static void put(solve_row *rows, uint32_t at, const solve_row *row) {
    for (uint32_t v = 0; v < SOLVE_VARIANTS; v++)
        rows[at * SOLVE_VARIANTS + v] = *row;
}

static atg_str family_id(const reference_state *s, uint32_t missing) {
    return s->op.families[s->op.missing[missing].family].id;
}

static void put_excluded(solver *v, const reference_excluded *e) {
    for (uint32_t k = 0; k < v->s.op.n_samples + v->s.op.n_missing; k++) {
        bool am = k >= v->s.op.n_samples;
        uint32_t i = am ? k - v->s.op.n_samples : k;
        double least = am ? e->missing[i] : e->body[i];
        solve_row row = {
            .made = true,
            .conclusion = ATG_STR("Excluded"),
            .comment = isinf(least) ? ATG_STR("No compatible pairings")
                                    : atg_arena_printf(v->s.arena, "%.0f+ inconsistencies", least),
            .lr = NAN,
            .glr = NAN};

        if (isnan(least))
            continue;
        if (am) {
            row.missing = v->s.op.missing[i].id;
            row.family = family_id(&v->s, i);
        } else {
            row.sample = v->s.op.samples[i].id;
        }
        put(am ? v->rows.am : v->rows.pm, i, &row);
    }
}

static void put_steps(solver *v, const reference_steps *steps) {
    for (uint32_t k = 0; k < steps->n; k++) {
        const reference_step *at = &steps->at[k];
        solve_row row = {.made = true,
                         .sample = v->s.op.samples[at->body].id,
                         .conclusion = ATG_STR("Excluded"),
                         .comment = ATG_STR("No compatible pairings"),
                         .lr = at->lr,
                         .glr = NAN};

        if (at->missing >= 0) {
            row.missing = v->s.op.missing[at->missing].id;
            row.family = family_id(&v->s, (uint32_t)at->missing);
            row.conclusion = ATG_STR("Undisputed");
            row.comment = atg_arena_printf(v->s.arena, "Step %u", at->step);
            put(v->rows.am, (uint32_t)at->missing, &row);
        }
        put(v->rows.pm, (uint32_t)at->body, &row);
    }
}

/* Exclude and identify in turn until nothing changes. */
static int reduce(solver *v, atg_err *err) {
    for (uint32_t turn = 0;; turn++) {
        reference_excluded excluded;
        reference_steps steps;
        bool changed;
        int rc = reference_exclude(&v->s, MAX_INCOMPATIBLE, &excluded, &changed, err);

        if (rc)
            return rc;
        if (turn && !changed)
            return ATG_OK;
        put_excluded(v, &excluded);
        rc = reference_undisputed(&v->s, v->threshold, false, &steps, &changed, err);
        if (rc)
            return rc;
        put_steps(v, &steps);
        v->lr = steps.lr;
        if (!changed)
            return ATG_OK;
    }
}

static int put_nonidentifiable(solver *v, atg_err *err) {
    bool *at = ATG_GET(v->s.arena, bool, v->s.op.n_missing + 1);
    int rc = at ? reference_nonidentifiable(&v->s, at, err)
                : atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");

    for (uint32_t j = 0; j < v->s.op.n_missing && !rc; j++)
        if (at[j]) {
            solve_row row = {.made = true,
                             .missing = v->s.op.missing[j].id,
                             .family = family_id(&v->s, j),
                             .conclusion = ATG_STR("Nonidentifiable"),
                             .lr = NAN,
                             .glr = NAN,
                             .loose = true};

            put(v->rows.am, j, &row);
            v->s.missing[j] = false;
        }
    return rc;
}

/* The only missing person left in the family: from the LRs alone. */
static int put_single(solver *v, uint32_t missing, atg_err *err) {
    uint32_t n = v->s.op.n_samples;
    double *lr = ATG_GET(v->s.arena, double, n + 1);
    atg_str *names = ATG_GET(v->s.arena, atg_str, n + 1);

    if (!lr || !names)
        return atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");
    for (uint32_t i = 0; i < n; i++) {
        lr[i] = v->lr[i * v->s.op.n_missing + missing];
        names[i] = v->s.op.samples[i].id;
    }
    for (uint32_t k = 0; k < SOLVE_VARIANTS; k++) {
        solve_word word =
            reference_solve_word(v->s.arena, &(solve_line){n, lr, names, v->probable}, k);

        v->rows.am[missing * SOLVE_VARIANTS + k] =
            (solve_row){.made = true,
                        .sample = word.best < 0 ? (atg_str){NULL, 0} : names[word.best],
                        .missing = v->s.op.missing[missing].id,
                        .family = family_id(&v->s, missing),
                        .conclusion = atg_str_of(word.conclusion),
                        .comment = word.comment,
                        .lr = word.best < 0 ? NAN : lr[word.best],
                        .glr = NAN};
    }
    return ATG_OK;
}

/* A body that nobody was found to be. */
static int put_body(solver *v, uint32_t body, atg_err *err) {
    uint32_t n = v->s.op.n_missing;
    const double *lr = &v->lr[(size_t)body * n];
    atg_str *names = ATG_GET(v->s.arena, atg_str, n + 1);

    if (!names)
        return atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");
    for (uint32_t j = 0; j < n; j++)
        names[j] = v->s.op.missing[j].id;
    for (uint32_t k = 0; k < SOLVE_VARIANTS; k++) {
        solve_word word =
            reference_solve_word(v->s.arena, &(solve_line){n, lr, names, v->probable}, k);
        atg_str conclusion = atg_str_of(word.conclusion);
        bool names_one = word.best >= 0 && (atg_str_eq(conclusion, ATG_STR("Disputed")) ||
                                            atg_str_eq(conclusion, ATG_STR("Probable")));

        v->rows.pm[body * SOLVE_VARIANTS + k] =
            (solve_row){.made = true,
                        .sample = v->s.op.samples[body].id,
                        .missing = names_one ? names[word.best] : ATG_STR(""),
                        .family = names_one ? family_id(&v->s, (uint32_t)word.best) : ATG_STR(""),
                        .conclusion = conclusion,
                        .comment = word.comment,
                        .lr = word.best < 0 ? NAN : lr[word.best],
                        .glr = NAN};
    }
    return ATG_OK;
}

/* Families of one missing person first, then those of several, then the bodies left over. */
static int finish(solver *v, atg_err *err) {
    uint32_t *left = ATG_GET(v->s.arena, uint32_t, v->s.op.n_families + 1);
    int rc = left ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");

    for (uint32_t f = 0; f < v->s.op.n_families && !rc; f++)
        left[f] = reference_left(&v->s, f);
    for (uint32_t j = 0; j < v->s.op.n_missing && !rc; j++)
        if (v->s.missing[j] && left[v->s.op.missing[j].family] == 1)
            rc = put_single(v, j, err);
    for (uint32_t f = 0; f < v->s.op.n_families && !rc; f++)
        if (left[f] > 1)
            rc = reference_family_rows(&v->s, f, v->threshold, v->lr, &v->rows, err);
    for (uint32_t i = 0; i < v->s.op.n_samples && !rc; i++)
        if (v->s.body[i])
            rc = put_body(v, i, err);
    return rc;
}

int reference_solve(atg_arena *arena, const atg_operation *op, const json_t *root,
                    const json_t *want, atg_reference *ret, atg_err *err) {
    double threshold = json_number_value(json_object_get(want, "threshold"));
    solver v = {.threshold = threshold,
                .probable = fmax(1, threshold / 10),
                .rows = {ATG_GET(arena, solve_row, (size_t)op->n_missing * SOLVE_VARIANTS + 1),
                         ATG_GET(arena, solve_row, (size_t)op->n_samples * SOLVE_VARIANTS + 1)}};
    int rc = v.rows.am && v.rows.pm
                 ? reference_state_new(arena, op, json_object_get(root, "pairings"), &v.s, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");

    if (!rc)
        rc = put_nonidentifiable(&v, err);
    if (!rc)
        rc = reduce(&v, err);
    if (!rc)
        rc = finish(&v, err);
    if (rc)
        return rc;
    reference_solve_compare(&v.s, json_object_get(want, "AM"), true, v.rows.am, ret);
    reference_solve_compare(&v.s, json_object_get(want, "PM"), false, v.rows.pm, ret);
    return ATG_OK;
}
