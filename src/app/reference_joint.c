/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference_joint.h"

#include <antigone/assign.h>
#include <antigone/dna.h>

#include <math.h>
#include <string.h>

enum { TOP = 1000 };

typedef enum joint_mode { WITH_MUTATION, WITHOUT, WITHOUT_WHERE_CONSISTENT } joint_mode;

static int is_consistent(const atg_operation *op, uint32_t family, bool *ret, atg_err *err) {
    *ret = true;
    for (uint32_t m = 0; m < op->n_markers; m++) {
        atg_marker plain[ATG_MARKERS_MAX];
        double loglik;

        plain[m] = op->markers[m];
        plain[m].female = plain[m].male = (atg_mutation){0};

        int rc = atg_loglik(plain, m, &op->families[family].ped, 0, &loglik, err);

        if (rc)
            return rc;
        *ret &= isfinite(loglik);
    }
    return ATG_OK;
}

/* What switching mutation off changes in the families' own log-likelihood. */
static int null_change(const atg_operation *op, uint32_t family, double *change, atg_err *err) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        atg_marker plain[ATG_MARKERS_MAX];
        double with = 0, without = 0;
        int rc = atg_loglik(op->markers, m, &op->families[family].ped, 0, &with, err);

        plain[m] = op->markers[m];
        plain[m].female = plain[m].male = (atg_mutation){0};
        if (!rc)
            rc = atg_loglik(plain, m, &op->families[family].ped, 0, &without, err);
        if (rc)
            return rc;
        *change += without - with;
    }
    return ATG_OK;
}

static int family_of(atg_arena *arena, const atg_operation *op, uint32_t f, bool mutation,
                     atg_assign_family *ret, atg_err *err) {
    const atg_family *family = &op->families[f];
    size_t cells = (size_t)family->n_missing * op->n_samples;
    bool *allowed = ATG_GET(arena, bool, cells + 1);
    atg_tuples tuples;

    if (!allowed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    for (size_t c = 0; c < cells; c++)
        allowed[c] = atg_sex_fits(
            op->samples[c % op->n_samples].sex,
            family->ped.persons[op->missing[family->missing[c / op->n_samples]].person].sex);

    int rc = atg_family_tuples(arena, op, f, allowed, mutation, &tuples, err);

    if (rc)
        return rc;

    double *weight = ATG_GET(arena, double, tuples.n + 1);

    if (!weight)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    for (uint64_t i = 0; i < tuples.n; i++)
        weight[i] = tuples.log10_lr[i] * M_LN10;
    *ret = (atg_assign_family){.n_missing = family->n_missing,
                               .missing = family->missing,
                               .n_tuples = tuples.n,
                               .bodies = tuples.samples,
                               .log_weight = weight};
    return ATG_OK;
}

static int solve(atg_arena *arena, const atg_operation *op, joint_mode mode, double *null,
                 atg_assign_result *ret, atg_err *err) {
    atg_assign_family *families = ATG_GET(arena, atg_assign_family, op->n_families + 1);

    if (!families)
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving an operation");
    for (uint32_t f = 0; f < op->n_families; f++) {
        bool consistent = true;
        int rc = mode == WITHOUT_WHERE_CONSISTENT ? is_consistent(op, f, &consistent, err) : ATG_OK;
        bool mutation = mode == WITH_MUTATION || !consistent;

        if (!rc && !mutation)
            rc = null_change(op, f, null, err);
        if (!rc)
            rc = family_of(arena, op, f, mutation, &families[f], err);
        if (rc)
            return rc;
    }
    return atg_assign_solve(
        arena, &(atg_assign_problem){op->n_samples, op->n_missing, op->n_families, families},
        &(atg_assign_options){.n_top = TOP}, NULL, ret, err);
}

static int sample_of(const atg_operation *op, const json_t *id) {
    for (uint32_t i = 0; i < op->n_samples; i++)
        if (atg_str_eq(op->samples[i].id, reference_text(id)))
            return (int)i;
    return -1;
}

static int missing_of(const atg_operation *op, const json_t *id) {
    for (uint32_t i = 0; i < op->n_missing; i++)
        if (atg_str_eq(op->missing[i].id, reference_text(id)))
            return (int)i;
    return -1;
}

static const atg_assign_pair *pair_of(const atg_assign_result *r, int body, int missing) {
    for (uint32_t i = 0; i < r->n_pairs; i++)
        if ((int)r->pairs[i].body == body && (int)r->pairs[i].missing == missing)
            return &r->pairs[i];
    return NULL;
}

/* A table of the case: samples by columns, whose heads are missing persons or "nobody". */
typedef struct joint_table {
    const json_t *rows, *samples, *columns;
    const char *kind;
    bool glr; /* else posteriors */
} joint_table;

static joint_table table_of(const json_t *json, const char *cells, const char *kind, bool glr) {
    const json_t *columns = json_object_get(json, "columns");

    return (joint_table){.rows = json_object_get(json, cells),
                         .samples = json_object_get(json, "samples"),
                         .columns = columns ? columns : json_object_get(json, "missing"),
                         .kind = kind,
                         .glr = glr};
}

/* Likelihood ratios come as LR, logs of them are exact to rounding of a large number. */
static double pair_value(const atg_assign_pair *p, bool glr) {
    if (!p)
        return 0;
    return glr ? exp(p->log_glr) : p->posterior;
}

static void check_cell(const atg_operation *op, const joint_table *t, size_t i, size_t j,
                       const atg_assign_result *got, atg_reference *ret) {
    int body = sample_of(op, json_array_get(t->samples, i));
    int missing = missing_of(op, json_array_get(t->columns, j));
    double want;

    if (body < 0 || !reference_number(json_array_get(json_array_get(t->rows, i), j), &want))
        return;
    if (missing < 0)
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

static void check_top(const json_t *list, const char *kind, const atg_assign_result *got,
                      double null, atg_reference *ret) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        double want, here = i < got->n_top ? got->top[i].log_weight + null : -INFINITY;

        if (reference_number(json_object_get(item, "loglik"), &want))
            reference_compare(ret, kind, want, here, "a joint assignment");
        if (i < got->n_top && reference_number(json_object_get(item, "posterior"), &want))
            reference_compare(ret, "joint posterior of an assignment", want,
                              exp(got->top[i].log_weight - got->log_z), "a joint assignment");
    }
}

/* Every missing person alone, every sex-compatible sample possible: counts the grid. */
static int count_grid(atg_arena *arena, const atg_operation *op, double *ret, atg_err *err) {
    atg_assign_family *families = ATG_GET(arena, atg_assign_family, op->n_missing + 1);
    uint32_t *ids = ATG_GET(arena, uint32_t, op->n_missing + 1);
    double *zeros = ATG_GET(arena, double, op->n_samples + 1);
    atg_assign_result result;

    if (!families || !ids || !zeros)
        return atg_fail(err, ATG_ENOMEM, "Out of memory counting assignments");
    for (uint32_t j = 0; j < op->n_missing; j++) {
        const atg_missing *who = &op->missing[j];
        int32_t *bodies = ATG_GET(arena, int32_t, op->n_samples + 1);
        uint32_t n = 0;

        if (!bodies)
            return atg_fail(err, ATG_ENOMEM, "Out of memory counting assignments");
        for (uint32_t i = 0; i < op->n_samples; i++)
            if (atg_sex_fits(op->samples[i].sex,
                             op->families[who->family].ped.persons[who->person].sex))
                bodies[n++] = (int32_t)i;
        ids[j] = j;
        families[j] = (atg_assign_family){1, &ids[j], n, bodies, zeros};
    }

    int rc = atg_assign_solve(
        arena, &(atg_assign_problem){op->n_samples, op->n_missing, op->n_missing, families},
        &(atg_assign_options){0}, NULL, &result, err);

    if (!rc)
        *ret = result.n_possible;
    return rc;
}

static int check_mode(atg_arena *arena, const atg_operation *op, const json_t *want,
                      joint_mode mode, double null, atg_reference *ret, atg_err *err) {
    atg_assign_result got;
    double number;
    int rc = solve(arena, op, mode, &null, &got, err);

    if (rc)
        return rc;
    if (reference_number(json_object_get(want, "logsumexp"), &number))
        reference_compare(ret, "joint logsumexp", number, got.log_z + null, "the operation");
    if (reference_number(json_object_get(want, "n_possible"), &number))
        reference_compare(ret, "joint, possible assignments", number, got.n_possible,
                          "the operation");
    if (reference_number(json_object_get(want, "n_assignments"), &number)) {
        double grid = 0;

        rc = count_grid(arena, op, &grid, err);
        if (rc)
            return rc;
        reference_compare(ret, "joint, assignments", number, grid, "the operation");
    }
    check_top(json_object_get(want, "top"), "joint log-likelihood", &got, null, ret);
    check_table(op,
                table_of(json_object_get(want, "posterior_flat"), "P", "joint posterior", false),
                &got, ret);
    check_table(op, table_of(json_object_get(want, "GLR"), "GLR", "GLR", true), &got, ret);
    return ATG_OK;
}

int reference_joint(atg_arena *arena, const atg_operation *op, const json_t *results, double null,
                    atg_reference *ret, atg_err *err) {
    static const struct {
        const char *key;
        joint_mode mode;
    } modes[] = {
        {"joint", WITH_MUTATION},
        {"joint_mutations_disabled_all", WITHOUT},
        {"joint_mutations_disabled_consistent", WITHOUT_WHERE_CONSISTENT},
    };

    for (size_t k = 0; k < sizeof(modes) / sizeof(*modes); k++) {
        const json_t *want = json_object_get(results, modes[k].key);
        int rc = json_is_object(want) ? check_mode(arena, op, want, modes[k].mode, null, ret, err)
                                      : ATG_OK;

        if (rc)
            return rc;
    }
    return ATG_OK;
}
