/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference.h"

#include <antigone/direct.h>
#include <antigone/dna.h>
#include <antigone/formats.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/reference_joint.h"

/* A number, or the text "-Inf"; false when there is neither. */
bool reference_number(const json_t *json, double *ret) {
    if (json_is_number(json)) {
        *ret = json_number_value(json);
        return true;
    }
    if (json_is_string(json) && strcmp(json_string_value(json), "-Inf") == 0) {
        *ret = -INFINITY;
        return true;
    }
    return false;
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

/* Markers that are impossible without mutation, the sample in place. */
static int count_incompatible(const atg_operation *op, const atg_sample *sample, uint32_t missing,
                              uint32_t *ret, atg_err *err) {
    const atg_missing *who = &op->missing[missing];
    const atg_pedigree *ped = &op->families[who->family].ped;
    atg_person persons[ATG_PEDIGREE_MAX];
    atg_pedigree seated = {ped->n, persons};
    uint32_t n = 0;

    memcpy(persons, ped->persons, ped->n * sizeof(*persons));
    persons[who->person].genos = sample->genos;
    for (uint32_t m = 0; m < op->n_markers; m++) {
        atg_marker plain[ATG_MARKERS_MAX];
        double loglik;

        plain[m] = op->markers[m];
        plain[m].female = plain[m].male = (atg_mutation){0};

        int rc = atg_loglik(plain, m, &seated, 0, &loglik, err);

        if (rc)
            return rc;
        n += !isfinite(loglik);
    }
    *ret = n;
    return ATG_OK;
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
        rc = count_incompatible(op, sample, j, &n, err);
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

static int check_direct(const atg_operation *op, const json_t *want, atg_reference *ret,
                        atg_err *err) {
    for (uint32_t i = 0; i < op->n_samples; i++)
        for (uint32_t j = i + 1; j < op->n_samples; j++) {
            int r = find_id(json_object_get(want, "samples"), op->samples[i].id);
            int c = find_id(json_object_get(want, "samples"), op->samples[j].id);
            atg_direct direct;
            double number = 0;
            int rc = atg_direct_compare(op, &op->samples[i], &op->samples[j], &direct, NULL, err);

            if (rc)
                return rc;

            const json_t *row = json_array_get(json_object_get(want, "LR"), (size_t)r);

            if (r >= 0 && c >= 0 && reference_number(json_array_get(row, (size_t)c), &number) &&
                number != 0)
                reference_compare(ret, "direct match LR", number, pow(10, direct.log10_lr),
                                  "a pair");
            else if (r >= 0 && c >= 0 && number == 0)
                reference_compare(ret, "direct match LR", 0, pow(10, direct.log10_lr), "a pair");
        }
    return ATG_OK;
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
        rc = check_direct(&op, json_object_get(results, "directMatch"), ret, err);
    return rc ? rc : reference_joint(arena, &op, results, null, ret, err);
}
