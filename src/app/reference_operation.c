/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference.h"

#include <antigone/direct.h>
#include <antigone/dna.h>
#include <antigone/formats.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/reference_joint.h"
#include "app/reference_steps.h"

/* A number, or the text "Inf" or "-Inf"; NAN for another text, so that it differs. */
bool reference_number(const json_t *json, double *ret) {
    if (json_is_number(json)) {
        *ret = json_number_value(json);
        return true;
    }
    if (!json_is_string(json))
        return false;

    const char *text = json_string_value(json);

    *ret = strcmp(text, "-Inf") == 0 ? -INFINITY : strcmp(text, "Inf") == 0 ? INFINITY : NAN;
    return strcmp(text, "NA") != 0 && strcmp(text, "NaN") != 0;
}

const json_t *reference_member(const json_t *object, atg_str key) {
    return json_object_getn(object, key.p ? key.p : "", key.n);
}

static const json_t *marker_value(const json_t *totals, const atg_marker *marker) {
    return reference_member(json_object_get(totals, "per_marker"), marker->name);
}

static int check_pm(const atg_operation *op, const json_t *want, atg_reference *ret, double *sum,
                    atg_err *err) {
    for (uint32_t i = 0; i < op->n_samples; i++) {
        const atg_sample *s = &op->samples[i];
        const json_t *mine = reference_member(want, s->id);
        double total = 0, number;

        for (uint32_t m = 0; m < op->n_markers; m++) {
            double got;
            int rc = atg_loglik_obs(&op->markers[m], (atg_obs){s->genos[m], 0, 0}, s->sex,
                                    op->params.theta, &got, err);

            if (rc)
                return rc;
            total += got;
            if (reference_number(marker_value(mine, &op->markers[m]), &number))
                reference_compare(ret, "PM log-likelihood", number, got, "a marker");
        }
        *sum += total;
        if (reference_number(json_object_get(mine, "total"), &number))
            reference_compare(ret, "PM log-likelihood", number, total, "a total");
    }
    return ATG_OK;
}

static int check_am(const atg_operation *op, const json_t *want, atg_reference *ret, double *sum,
                    atg_err *err) {
    for (uint32_t f = 0; f < op->n_families; f++) {
        const json_t *mine = reference_member(want, op->families[f].id);
        double total = 0, number;

        for (uint32_t m = 0; m < op->n_markers; m++) {
            double got;
            int rc = atg_loglik(op->markers, m, &op->families[f].ped, op->params.theta, &got, err);

            if (rc)
                return rc;
            total += got;
            if (reference_number(marker_value(mine, &op->markers[m]), &number))
                reference_compare(ret, "AM log-likelihood", number, got, "a marker");
        }
        *sum += total;
        if (reference_number(json_object_get(mine, "total"), &number))
            reference_compare(ret, "AM log-likelihood", number, total, "a total");
    }
    return ATG_OK;
}

static int find_id(const json_t *list, atg_str id) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (atg_str_eq(reference_text(json_array_get(list, i)), id))
            return (int)i;
    return -1;
}

static void check_pair_markers(const atg_operation *op, const json_t *want, const double *got,
                               atg_reference *ret, const char *where) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        double number;

        /* a log near 0 is compared as an LR */
        if (reference_number(reference_member(want, op->markers[m].name), &number))
            reference_compare(ret, "pairwise LR per marker", pow(10, number),
                              isnan(got[m]) ? 1 : pow(10, got[m]), where);
    }
}

static int check_pair(const atg_operation *op, const json_t *results, uint32_t i, uint32_t j,
                      atg_reference *ret, atg_err *err) {
    const json_t *pairwise = json_object_get(results, "pairwise");
    const json_t *exclusion = json_object_get(results, "exclusion");
    const json_t *markers = json_object_get(pairwise, "per_marker_log10LR");
    const atg_sample *sample = &op->samples[i];
    int r = find_id(json_object_get(pairwise, "samples"), sample->id);
    int c = find_id(json_object_get(pairwise, "missing"), op->missing[j].id);
    double got[ATG_MARKERS_MAX], number;
    uint32_t n;
    char where[128];
    int rc = atg_pair_lr(op, sample, j, true, got, err);

    if (!rc)
        rc = reference_incompatible(op, i, j, &n, err);
    if (rc || r < 0 || c < 0)
        return rc;
    (void)snprintf(where, sizeof(where), "%.*s, %.*s", ATG_FMT(sample->id),
                   ATG_FMT(op->missing[j].id));

    const char *const tables[] = {"LR", "LR_ignoring_sex"};

    for (int k = 0; k < 2; k++) {
        const json_t *row = json_array_get(json_object_get(pairwise, tables[k]), (size_t)r);

        if (reference_number(json_array_get(row, (size_t)c), &number))
            reference_compare(ret, "pairwise LR", number, pow(10, atg_combine_lr(op, got)), where);
    }
    check_pair_markers(op,
                       reference_member(reference_member(markers, sample->id), op->missing[j].id),
                       got, ret, where);
    r = find_id(json_object_get(exclusion, "samples"), sample->id);
    c = find_id(json_object_get(exclusion, "missing"), op->missing[j].id);

    const json_t *row = json_array_get(json_object_get(exclusion, "n_incompatible"), (size_t)r);

    if (r >= 0 && c >= 0 && reference_number(json_array_get(row, (size_t)c), &number))
        reference_compare(ret, "exclusion matrix", number, n, where);
    return ATG_OK;
}

static void compare_direct(const json_t *want, int r, int c, double got, atg_reference *ret) {
    const json_t *row = json_array_get(json_object_get(want, "LR"), (size_t)r);
    double number;

    if (r >= 0 && c >= 0 && reference_number(json_array_get(row, (size_t)c), &number))
        reference_compare(ret, "direct match LR", number, got, "a pair");
}

static void join(uint32_t *group, uint32_t n, uint32_t to, uint32_t from) {
    for (uint32_t k = 0; k < n; k++)
        if (group[k] == from)
            group[k] = to;
}

/* LR of "the same person" from two whole profiles: 1 / genotype probability of every marker that
 * both have, 0 if one differs. */
static int check_direct(const atg_operation *op, const json_t *want, uint32_t *group,
                        atg_reference *ret, atg_err *err) {
    for (uint32_t i = 0; i < op->n_samples; i++)
        for (uint32_t j = i + 1; j < op->n_samples; j++) {
            int r = find_id(json_object_get(want, "samples"), op->samples[i].id);
            int c = find_id(json_object_get(want, "samples"), op->samples[j].id);
            atg_direct direct;
            int rc = atg_direct_compare(op, &op->samples[i], &op->samples[j], &direct, NULL, err);

            if (rc)
                return rc;
            compare_direct(want, r, c, pow(10, direct.log10_lr), ret);
            compare_direct(want, c, r, pow(10, direct.log10_lr), ret);
            if (direct.log10_lr >= 4)
                join(group, op->n_samples, group[i], group[j]);
        }
    return ATG_OK;
}

/* Samples that a chain of direct matches joins. */
static void check_groups(const atg_operation *op, const json_t *want, const uint32_t *group,
                         atg_reference *ret) {
    for (uint32_t i = 0; i < op->n_samples; i++)
        for (uint32_t j = i + 1; j < op->n_samples; j++) {
            bool together = false, named[2] = {false, false};

            for (size_t k = 0; k < json_array_size(want); k++) {
                bool a = find_id(json_array_get(want, k), op->samples[i].id) >= 0;
                bool b = find_id(json_array_get(want, k), op->samples[j].id) >= 0;

                together |= a && b;
                named[0] |= a;
                named[1] |= b;
            }
            if (json_array_size(want) && named[0] && named[1])
                reference_compare(ret, "direct match groups", together, group[i] == group[j],
                                  "a pair");
            else if (json_array_size(want))
                reference_skip(ret, "direct match groups", "a sample that stands in no group");
        }
}

static int check_directs(atg_arena *arena, const atg_operation *op, const json_t *want,
                         atg_reference *ret, atg_err *err) {
    uint32_t *group = ATG_GET(arena, uint32_t, op->n_samples + 1);
    int rc;

    if (!group)
        return atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");
    for (uint32_t i = 0; i < op->n_samples; i++)
        group[i] = i;
    rc = check_direct(op, want, group, ret, err);
    if (!rc)
        check_groups(op, json_object_get(want, "groups_1e4"), group, ret);
    return rc;
}

static void check_diagonal(const json_t *direct, atg_reference *ret) {
    const json_t *rows = json_object_get(direct, "LR");
    double number;

    for (size_t i = 0; i < json_array_size(rows); i++)
        if (reference_number(json_array_get(json_array_get(rows, i), i), &number) && number != 0)
            reference_skip(ret, "direct match LR", "a sample with itself");
}

/* Names at the head of a table that nobody in the operation has. */
static void check_heads(const atg_operation *op, const json_t *table, const char *kind,
                        atg_reference *ret) {
    const json_t *samples = json_object_get(table, "samples"),
                 *missing = json_object_get(table, "missing");

    for (size_t i = 0; i < json_array_size(samples); i++)
        if (reference_sample_of(op, json_array_get(samples, i)) < 0)
            reference_skip(ret, kind, "the operation has no such sample");
    for (size_t j = 0; j < json_array_size(missing); j++)
        if (reference_missing_of(op, json_array_get(missing, j)) < 0)
            reference_skip(ret, kind, "the operation has no such missing person");
}

static void name_leftovers(const json_t *results, atg_reference *ret) {
    reference_leftover(ret, results, "",
                       "loglik_pm loglik_am loglik_null pairwise exclusion directMatch "
                       "am_inconsistent_markers_without_mutation nonidentifiable findExcluded_max2 "
                       "findUndisputed_1e4 findUndisputed_1e4_strict grid joint GLR "
                       "joint_mutations_disabled_all joint_mutations_disabled_consistent "
                       "jointDVI_legacy_top jointDVI_legacy_n jointDVI_default_top "
                       "jointDVI_default_n jointDVI_default_error dviSolve",
                       "seconds note");
    reference_leftover(ret, json_object_get(results, "pairwise"), "pairwise.",
                       "missing samples LR LR_ignoring_sex per_marker_log10LR", "seconds note");
    reference_leftover(ret, json_object_get(results, "exclusion"), "exclusion.",
                       "missing samples n_incompatible", "seconds note");
    reference_leftover(ret, json_object_get(results, "directMatch"), "directMatch.",
                       "samples LR groups_1e4", "seconds note");
}

int reference_operation(atg_arena *arena, const json_t *root, atg_str bytes,
                        const atg_progress *progress, atg_reference *ret, atg_err *err) {
    const json_t *results = json_object_get(root, "results");
    double null = 0, number;
    atg_operation op;
    int rc = atg_operation_read_json(arena, bytes, &op, NULL, err);

    if (!rc)
        rc = check_pm(&op, json_object_get(results, "loglik_pm"), ret, &null, err);
    if (!rc)
        rc = check_am(&op, json_object_get(results, "loglik_am"), ret, &null, err);
    if (!rc && reference_number(json_object_get(results, "loglik_null"), &number))
        reference_compare(ret, "null log-likelihood", number, null, "the operation");
    for (uint32_t i = 0; i < op.n_samples && !rc; i++) {
        for (uint32_t j = 0; j < op.n_missing && !rc; j++)
            rc = check_pair(&op, results, i, j, ret, err);
        if (!rc && progress && progress->step &&
            !progress->step(progress->user, "pairs", i + 1, op.n_samples))
            rc = atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    if (!rc && json_object_get(results, "directMatch"))
        rc = check_directs(arena, &op, json_object_get(results, "directMatch"), ret, err);
    if (!rc)
        rc = reference_check_steps(arena, &op, root, ret, err);
    if (!rc)
        rc = reference_joint(arena, &op, root, ret, err);
    if (!rc)
        rc = reference_jointdvi(arena, &op, root, ret, err);
    if (rc)
        return rc;
    check_diagonal(json_object_get(results, "directMatch"), ret);
    check_heads(&op, json_object_get(results, "pairwise"), "pairwise LR", ret);
    check_heads(&op, json_object_get(results, "exclusion"), "exclusion matrix", ret);
    check_heads(&op, json_object_get(results, "directMatch"), "direct match LR", ret);
    name_leftovers(results, ret);
    return ATG_OK;
}
