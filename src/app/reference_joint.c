/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference_joint.h"

#include <math.h>
#include <string.h>

enum { TOP = 1000, GRID_STATES = 1 << 22 };

int reference_sample_of(const atg_operation *op, const json_t *id) {
    for (uint32_t i = 0; i < op->n_samples; i++)
        if (atg_str_eq(op->samples[i].id, reference_text(id)))
            return (int)i;
    return -1;
}

int reference_missing_of(const atg_operation *op, const json_t *id) {
    for (uint32_t i = 0; i < op->n_missing; i++)
        if (atg_str_eq(op->missing[i].id, reference_text(id)))
            return (int)i;
    return -1;
}

/* Missing persons whom the same bodies may be are counted, not told apart. */
typedef struct grid_classes {
    uint32_t n;
    uint32_t size[ATG_PEDIGREE_MAX];  /* missing persons in the class */
    uint32_t first[ATG_PEDIGREE_MAX]; /* one of them */
} grid_classes;

static bool same_bodies(const reference_state *s, uint32_t a, uint32_t b) {
    for (uint32_t i = 0; i < s->op.n_samples; i++)
        if (reference_in_play(s, i, a) != reference_in_play(s, i, b))
            return false;
    return true;
}

/* False when there are too many. */
static bool classify(const reference_state *s, grid_classes *ret) {
    for (uint32_t j = 0; j < s->op.n_missing; j++) {
        uint32_t c = 0;

        if (!s->missing[j])
            continue;
        while (c < ret->n && !same_bodies(s, ret->first[c], j))
            c++;
        if (c == ATG_PEDIGREE_MAX)
            return false;
        if (c == ret->n)
            ret->first[ret->n++] = j;
        ret->size[c]++;
    }
    return true;
}

int reference_grid(const reference_state *s, double *ret, atg_err *err) {
    grid_classes classes = {0};
    size_t n = 1;

    *ret = NAN;
    if (!classify(s, &classes))
        return ATG_OK;
    for (uint32_t c = 0; c < classes.n; c++) {
        n *= classes.size[c] + 1;
        if (n > GRID_STATES)
            return ATG_OK;
    }

    /* ways[k]: k says how many of each class are taken, a digit a class */
    double *ways = ATG_GET(s->arena, double, n);

    if (!ways)
        return atg_fail(err, ATG_ENOMEM, "Out of memory counting assignments");
    ways[0] = 1;
    for (uint32_t i = 0; i < s->op.n_samples; i++)
        for (size_t k = n; s->body[i] && k-- > 0;) {
            size_t stride = 1;

            for (uint32_t c = 0; c < classes.n; stride *= classes.size[c++] + 1) {
                size_t taken = k / stride % (classes.size[c] + 1);

                if (taken && reference_in_play(s, i, classes.first[c]))
                    ways[k] += ways[k - stride] * (double)(classes.size[c] - taken + 1);
            }
        }
    *ret = 0;
    for (size_t k = 0; k < n; k++)
        *ret += ways[k];
    return ATG_OK;
}

static int null_loglik(const reference_state *s, double *ret, atg_err *err) {
    double part;
    int rc = ATG_OK;

    *ret = 0;
    for (uint32_t i = 0; i < s->op.n_samples && !rc; i++) {
        if (!s->body[i])
            continue;
        rc = reference_sample_loglik(&s->op, i, &part, err);
        *ret += rc ? 0 : part;
    }
    for (uint32_t f = 0; f < s->op.n_families && !rc; f++) {
        if (!reference_left(s, f))
            continue;
        rc = reference_family_loglik(&s->op, f, s->mutation[f], &part, err);
        *ret += rc ? 0 : part;
    }
    return rc;
}

int reference_joint_solve(const reference_state *s, joint_solution *ret, atg_err *err) {
    uint32_t n = s->op.n_families;
    family_table *tables = ATG_GET(s->arena, family_table, n + 1);
    atg_assign_family *families = ATG_GET(s->arena, atg_assign_family, n + 1);
    int rc = tables && families ? ATG_OK
                                : atg_fail(err, ATG_ENOMEM, "Out of memory solving an operation");

    for (uint32_t f = 0; f < n && !rc; f++) {
        if (!reference_left(s, f))
            continue;
        rc = reference_family_table(s, f, &tables[f], err);
        if (!rc)
            families[f] = (atg_assign_family){tables[f].n_places, tables[f].missing, tables[f].n,
                                              tables[f].bodies, tables[f].log_lr};
    }
    *ret = (joint_solution){.s = s, .tables = tables};
    if (!rc)
        rc = null_loglik(s, &ret->null, err);
    return rc ? rc
              : atg_assign_solve(
                    s->arena, &(atg_assign_problem){s->op.n_samples, s->op.n_missing, n, families},
                    &(atg_assign_options){.n_top = TOP}, NULL, &ret->got, err);
}

/* The body that the assignment gives to a missing person, or -1. */
static int body_given(const atg_operation *op, const json_t *assignment, uint32_t missing) {
    for (uint32_t i = 0; i < op->n_samples; i++)
        if (reference_missing_of(op, reference_member(assignment, op->samples[i].id)) ==
            (int)missing)
            return (int)i;
    return -1;
}

/* Log weight of the row in which a family's places are filled like this. */
static double row_weight(const family_table *t, const int *given) {
    for (uint64_t r = 0; r < t->n; r++) {
        uint32_t p = 0;

        while (p < t->n_places && t->bodies[r * t->n_places + p] == given[p])
            p++;
        if (p == t->n_places)
            return t->log_lr[r];
    }
    return -INFINITY;
}

/* Does the assignment give each body a missing person or "*"? */
static bool is_assignment(const atg_operation *op, const json_t *assignment) {
    for (uint32_t i = 0; i < op->n_samples; i++) {
        const json_t *given = reference_member(assignment, op->samples[i].id);

        if (reference_missing_of(op, given) < 0 && !atg_str_eq(reference_text(given), ATG_STR("*")))
            return false;
    }
    return true;
}

double reference_joint_weight(const joint_solution *j, const json_t *assignment) {
    const atg_operation *op = &j->s->op;
    double sum = is_assignment(op, assignment) ? 0 : NAN;

    for (uint32_t f = 0; f < op->n_families; f++) {
        const family_table *t = &j->tables[f];
        int given[ATG_PEDIGREE_MAX];

        for (uint32_t p = 0; p < t->n_places; p++)
            given[p] = body_given(op, assignment, t->missing[p]);
        if (t->n_places)
            sum += row_weight(t, given);
    }
    return sum;
}

int reference_mutation_off(reference_state *s, bool all, atg_err *err) {
    for (uint32_t f = 0; f < s->op.n_families; f++) {
        uint32_t n = 0;
        int rc = all ? ATG_OK : reference_inconsistent(&s->op, f, NULL, &n, err);

        if (rc)
            return rc;
        s->mutation[f] = n > 0;
    }
    return ATG_OK;
}

/* A table of the case: samples by columns, whose heads are missing persons or "nobody". */
typedef struct joint_table {
    const json_t *rows, *samples, *columns;
    const char *kind;
    bool glr; /* else posteriors */
} joint_table;

static const json_t *either(const json_t *a, const json_t *b) {
    return a ? a : b;
}

/* `json` has the cells under `cells`, or is the cells; heads that it lacks are those of `heads`. */
static joint_table table_of(const json_t *json, const char *cells, const json_t *heads, bool glr) {
    return (joint_table){
        .rows = json_is_array(json) ? json : json_object_get(json, cells),
        .samples = either(json_object_get(json, "samples"), json_object_get(heads, "samples")),
        .columns =
            either(either(json_object_get(json, "columns"), json_object_get(json, "missing")),
                   either(json_object_get(heads, "columns"), json_object_get(heads, "missing"))),
        .kind = glr ? "GLR" : "joint posterior",
        .glr = glr};
}

static const atg_assign_pair *pair_of(const atg_assign_result *r, int body, int missing) {
    for (uint32_t i = 0; i < r->n_pairs; i++)
        if ((int)r->pairs[i].body == body && (int)r->pairs[i].missing == missing)
            return &r->pairs[i];
    return NULL;
}

/* Likelihood ratios come as LR, logs of them are exact to rounding of a large number. */
static double pair_value(const atg_assign_pair *p, bool glr) {
    if (!p)
        return 0;
    return glr ? exp(p->log_glr) : p->posterior;
}

static void check_cell(const atg_operation *op, const joint_table *t, size_t i, size_t j,
                       const atg_assign_result *got, atg_reference *ret) {
    int body = reference_sample_of(op, json_array_get(t->samples, i));
    int missing = reference_missing_of(op, json_array_get(t->columns, j));
    double want;

    bool nobody = atg_str_eq(reference_text(json_array_get(t->columns, j)), ATG_STR("*"));

    if (!reference_number(json_array_get(json_array_get(t->rows, i), j), &want))
        return;
    if (body < 0 || (missing < 0 && !nobody))
        reference_skip(ret, t->kind, "the operation has no such sample or missing person");
    else if (nobody && t->glr)
        reference_skip(ret, t->kind, "no GLR of \"nobody\" is computed here");
    else if (nobody)
        reference_compare(ret, t->kind, want, got->body_nobody[body], "nobody");
    else
        reference_compare(ret, t->kind, want, pair_value(pair_of(got, body, missing), t->glr),
                          "a pair");
}

static void check_table(const atg_operation *op, joint_table t, const atg_assign_result *got,
                        atg_reference *ret) {
    for (size_t i = 0; i < json_array_size(t.rows); i++)
        for (size_t j = 0; j < json_array_size(t.columns); j++)
            check_cell(op, &t, i, j, got, ret);
}

/* By rank, and by who is who in it. */
static void check_top(const json_t *list, const joint_solution *j, atg_reference *ret) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *assignment = json_object_get(item, "assignment");
        double want, here = i < j->got.n_top ? j->got.top[i].log_weight : -INFINITY;

        reference_leftover(ret, item, "joint.top.", "assignment loglik posterior LR", "");
        if (reference_number(json_object_get(item, "loglik"), &want)) {
            reference_compare(ret, "joint log-likelihood, by rank", want, here + j->null,
                              "a joint assignment");
            if (assignment)
                reference_compare(ret, "joint log-likelihood", want,
                                  reference_joint_weight(j, assignment) + j->null,
                                  "a joint assignment");
        }
        if (reference_number(json_object_get(item, "posterior"), &want))
            reference_compare(ret, "joint posterior of an assignment", want,
                              exp(here - j->got.log_z), "a joint assignment");
        if (reference_number(json_object_get(item, "LR"), &want))
            reference_compare(ret, "joint LR, best / this one", want, exp(j->got.log_best - here),
                              "a joint assignment");
    }
}

static int check_counts(const joint_solution *j, const json_t *want, atg_reference *ret,
                        atg_err *err) {
    double number, grid;
    int rc = reference_grid(j->s, &grid, err);

    if (rc)
        return rc;
    if (reference_number(json_object_get(want, "logsumexp"), &number))
        reference_compare(ret, "joint logsumexp", number, j->got.log_z + j->null, "the operation");
    if (reference_number(json_object_get(want, "n_possible"), &number))
        reference_compare(ret, "joint, possible assignments", number,
                          isfinite(j->null) ? j->got.n_possible : 0, "the operation");
    if (!reference_number(json_object_get(want, "n_assignments"), &number))
        return ATG_OK;
    if (isnan(grid))
        reference_skip(ret, "joint, assignments", "too many to count");
    else
        reference_compare(ret, "joint, assignments", number, grid, "the operation");
    return ATG_OK;
}

static int check_mode(reference_state *s, const json_t *results, const json_t *want,
                      atg_reference *ret, atg_err *err) {
    const json_t *flat = json_object_get(want, "posterior_flat");
    joint_solution j;
    int rc = reference_joint_solve(s, &j, err);

    if (!rc)
        rc = check_counts(&j, want, ret, err);
    if (rc)
        return rc;
    reference_leftover(ret, want, "joint.",
                       "n_assignments n_possible logsumexp top posterior_flat GLR", "seconds note");
    reference_leftover(ret, flat, "joint.posterior_flat.", "samples columns missing P GLR", "note");
    check_top(json_object_get(want, "top"), &j, ret);
    if (!isfinite(j.null)) { /* a family that cannot be */
        reference_skip(ret, "joint posterior", "no assignment is possible");
        return ATG_OK;
    }
    check_table(&s->op, table_of(flat, "P", NULL, false), &j.got, ret);
    check_table(&s->op, table_of(flat, "GLR", NULL, true), &j.got, ret);
    check_table(&s->op, table_of(json_object_get(want, "GLR"), "GLR", flat, true), &j.got, ret);
    if (want == json_object_get(results, "joint"))
        check_table(&s->op, table_of(json_object_get(results, "GLR"), "GLR", flat, true), &j.got,
                    ret);
    return ATG_OK;
}

int reference_joint(atg_arena *arena, const atg_operation *op, const json_t *root,
                    atg_reference *ret, atg_err *err) {
    static const char *const modes[] = {"joint", "joint_mutations_disabled_all",
                                        "joint_mutations_disabled_consistent"};
    const json_t *results = json_object_get(root, "results");

    for (size_t k = 0; k < sizeof(modes) / sizeof(*modes); k++) {
        const json_t *want = json_object_get(results, modes[k]);
        reference_state s;
        int rc;

        if (!json_is_object(want))
            continue;
        rc = reference_state_new(arena, op, json_object_get(root, "pairings"), &s, err);
        if (!rc && k > 0)
            rc = reference_mutation_off(&s, k == 1, err);
        if (!rc)
            rc = reference_within_limits(check_mode(&s, results, want, ret, err), modes[k], ret,
                                         err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}
