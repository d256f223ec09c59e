/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference.h"

#include <antigone/dna.h>

#include <math.h>
#include <string.h>

#include "app/reference_joint.h"
#include "base/mem.h"

static const double small = 1e-9; /* frequencies need not sum to 1 exactly */

static const struct {
    const char *name;
    atg_mutation_model model;
} models[] = {
    {"equal", ATG_MUT_EQUAL},       {"proportional", ATG_MUT_PROPORTIONAL},
    {"stepwise", ATG_MUT_STEPWISE}, {"onestep", ATG_MUT_ONESTEP},
    {"dawid", ATG_MUT_DAWID},       {"custom", ATG_MUT_CUSTOM},
};

static const struct {
    const char *name;
    atg_mutation_transform transform;
} transforms[] = {{"PM", ATG_MUT_PM}, {"MH", ATG_MUT_MH}, {"BA", ATG_MUT_BA}, {"PR", ATG_MUT_PR}};

atg_mutation reference_mutation(const json_t *spec) {
    const char *model = json_string_value(json_object_get(spec, "model"));
    const char *transform = json_string_value(json_object_get(spec, "transform"));
    atg_mutation ret = {.rate = json_number_value(json_object_get(spec, "rate")),
                        .rate2 = json_number_value(json_object_get(spec, "rate2")),
                        .range = json_number_value(json_object_get(spec, "range"))};

    for (size_t i = 0; model && i < sizeof(models) / sizeof(*models); i++)
        if (strcmp(models[i].name, model) == 0)
            ret.model = models[i].model;
    for (size_t i = 0; transform && i < sizeof(transforms) / sizeof(*transforms); i++)
        if (strcmp(transforms[i].name, transform) == 0)
            ret.transform = transforms[i].transform;
    return ret;
}

/* What the case says of the matrix as a whole: how often anything mutates, and whether it leaves
 * the frequencies as they are. */
static void check_summary(const json_t *want, const atg_marker *marker, const double *got,
                          const char *id, atg_reference *ret) {
    double rate = 1, unstationary = 0, irreversible = 0, number;
    uint32_t n = marker->n;
    const json_t *stationary = json_object_get(want, "stationary"),
                 *reversible = json_object_get(want, "reversible");

    for (uint32_t i = 0; i < n; i++) {
        double into = 0;

        rate -= marker->freqs[i] * got[i * n + i];
        for (uint32_t j = 0; j < n; j++) {
            into += marker->freqs[j] * got[j * n + i];
            irreversible = fmax(irreversible, fabs(marker->freqs[i] * got[i * n + j] -
                                                   marker->freqs[j] * got[j * n + i]));
        }
        unstationary = fmax(unstationary, fabs(into - marker->freqs[i]));
    }
    if (reference_number(json_object_get(want, "overall_rate"), &number))
        reference_compare(ret, "overall mutation rate", 1 - number, 1 - rate, id);
    if (json_is_boolean(stationary))
        reference_compare(ret, "stationary or not", json_is_true(stationary), unstationary < small,
                          id);
    if (json_is_boolean(reversible))
        reference_compare(ret, "reversible or not", json_is_true(reversible), irreversible < small,
                          id);
    reference_leftover(ret, want, "cases.", "overall_rate stationary reversible", "");
}

static int check_matrix(const json_t *c, const atg_marker *marker, const char *sex,
                        atg_reference *ret, atg_err *err) {
    const json_t *spec = json_object_get(json_object_get(c, "spec"), sex);
    atg_mutation model = reference_mutation(spec);
    const json_t *want = json_object_get(spec, "matrix");
    uint32_t n = marker->n;
    MEM_AUTO double *got = mem_alloc((size_t)n * n * sizeof(double));
    const char *id = json_string_value(json_object_get(c, "id"));

    if (!got)
        return atg_fail(err, ATG_ENOMEM, "Out of memory making a mutation matrix");
    if (model.model == ATG_MUT_NONE || model.model == ATG_MUT_CUSTOM)
        return ATG_OK;

    int rc = atg_mutation_matrix(marker, &model, got, err);

    if (rc)
        return rc;
    for (uint32_t i = 0; i < n * n; i++)
        reference_compare(ret, "mutation matrix",
                          json_number_value(json_array_get(json_array_get(want, i / n), i % n)),
                          got[i], id);
    check_summary(json_object_get(c, sex), marker, got, id, ret);
    return ATG_OK;
}

int reference_matrices(atg_arena *arena, const json_t *root, atg_reference *ret, atg_err *err) {
    const json_t *cases = json_object_get(root, "cases");

    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *c = json_array_get(cases, i);
        atg_marker marker;
        int rc = reference_marker(arena, c, &marker, err);

        if (!rc)
            rc = check_matrix(c, &marker, "female", ret, err);
        if (!rc)
            rc = check_matrix(c, &marker, "male", ret, err);
        if (rc)
            return rc;
        reference_leftover(ret, c, "cases.", "marker alleles freqs spec female male",
                           "id description max_abs_diff_to_Familias");
    }
    return ATG_OK;
}
