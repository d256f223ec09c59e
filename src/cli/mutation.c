/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include "base/number.h"

/* Models that the command line can name, with how many numbers each takes. */
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

int input_mutation(const args *a, option_id id, atg_mutation *ret) {
    const char *text = a->value[id];

    for (size_t i = 0; text && i < sizeof(models) / sizeof(*models); i++) {
        atg_str rest = atg_str_of(text), name = atg_str_cut(&rest, ':');
        double x[3] = {0, 0, 0.1};

        if (!atg_str_eq(name, atg_str_of(models[i].name)))
            continue;
        if (!numbers(rest, models[i].n, x) || x[2] <= 0 || x[2] >= 1)
            break;
        *ret = (atg_mutation){.model = models[i].model, .rate = x[0], .rate2 = x[1], .range = x[2]};
        return EXIT_DONE;
    }
    if (!text)
        return EXIT_DONE;
    return cli_usage(a->command,
                     "--%s takes none, equal:RATE, proportional:RATE, onestep:RATE or "
                     "stepwise:RATE:RATE2:RANGE with numbers from 0 to 1, not '%s'",
                     cli_options[id].name, text);
}
