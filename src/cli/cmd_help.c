/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

enum { MAN_MAX = 1 << 20 };

static int run(const args *a) {
    int used = 0;

    if (cli_has(a, OPT_MAN)) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(MAN_MAX);

        if (buf)
            cli_man(buf);
        return cli_write(a, buf);
    }
    if (a->n == 0)
        return cli_print_help(NULL);

    const command *c = cli_find(a->n, a->operands, &used);

    if (!c || used < a->n)
        return cli_usage(NULL, "There is no command '%s%s%s'", a->operands[0], a->n > 1 ? " " : "",
                         a->n > 1 ? a->operands[1] : "");
    return cli_print_help(c);
}

static const option_id options[] = {OPT_MAN, OPT_HELP};

const command command_help = {
    .name = "help",
    .summary = "Explain the program or one command.",
    .operands = "[COMMAND]",
    .max_operands = 2,
    .options = options,
    .run = run,
};
