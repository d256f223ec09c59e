/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference.h"

#include <antigone/dna.h>

#include <string.h>

#include "base/mem.h"

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

static int check_matrix(const json_t *c, const atg_marker *marker, const json_t *spec,
                        atg_reference *ret, atg_err *err) {
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

    for (uint32_t i = 0; i < n * n && !rc; i++)
        reference_compare(ret, "mutation matrix",
                          json_number_value(json_array_get(json_array_get(want, i / n), i % n)),
                          got[i], id);
    return rc;
}

int reference_matrices(atg_arena *arena, const json_t *root, atg_reference *ret, atg_err *err) {
    const json_t *cases = json_object_get(root, "cases");

    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *c = json_array_get(cases, i), *spec = json_object_get(c, "spec");
        atg_marker marker;
        int rc = reference_marker(arena, c, &marker, err);

        if (!rc)
            rc = check_matrix(c, &marker, json_object_get(spec, "female"), ret, err);
        if (!rc)
            rc = check_matrix(c, &marker, json_object_get(spec, "male"), ret, err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}
