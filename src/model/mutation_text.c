/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/marker.h>

#include "base/number.h"

/* Models that a person can name, with how many numbers each takes. */
static const struct {
    const char *name;
    atg_mutation_model model;
    int n;
} models[] = {
    {"none", ATG_MUT_NONE, 0},
    {"equal", ATG_MUT_EQUAL, 1},
    {"proportional", ATG_MUT_PROPORTIONAL, 1},
    {"onestep", ATG_MUT_ONESTEP, 1},
    {"stepwise", ATG_MUT_STEPWISE, 3},
};

/* Numbers with colons between them, each in [0, 1]; false when there are not exactly `n`. */
static bool numbers(atg_str text, int n, double *ret) {
    for (int i = 0; i < n; i++)
        if (!number_read(atg_str_cut(&text, ':'), &ret[i]) || ret[i] < 0 || ret[i] > 1)
            return false;
    return text.n == 0;
}

bool atg_mutation_read(atg_str text, atg_mutation *ret) {
    atg_str name = atg_str_cut(&text, ':');

    for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
        double x[3] = {0, 0, 0.1};

        if (!atg_str_eq(name, atg_str_of(models[i].name)))
            continue;
        if (!numbers(text, models[i].n, x) || x[2] <= 0 || x[2] >= 1)
            return false;
        *ret = (atg_mutation){.model = models[i].model, .rate = x[0], .rate2 = x[1], .range = x[2]};
        return true;
    }
    return false;
}
