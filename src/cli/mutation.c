/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

int input_mutation(const args *a, option_id id, atg_mutation *ret) {
    const char *text = a->value[id];

    if (!text || atg_mutation_read(atg_str_of(text), ret))
        return EXIT_DONE;
    return cli_usage(a->command,
                     "--%s takes none, equal:RATE, proportional:RATE, onestep:RATE or "
                     "stepwise:RATE:RATE2:RANGE with numbers from 0 to 1, not '%s'",
                     cli_options[id].name, text);
}
