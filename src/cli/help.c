/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, OPTION_COLUMN = 28, COMMAND_COLUMN = 22, HELP_MAX = 1 << 20 };

static const char program_summary[] =
    "Antigone says who is who among the unidentified dead, from the DNA of remains and of the\n"
    "families of the missing: how strongly, and what is still missing to decide.\n";

/* Break `text` into lines that begin at `indent`; the first stands at `column` already. */
static void wrap(atg_buf *buf, const char *text, size_t column, size_t indent) {
    while (*text) {
        size_t word = strcspn(text, " \n");

        if (column > indent && column + 1 + word > WIDTH) {
            atg_buf_printf(buf, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            atg_buf_adds(buf, " ");
            column++;
        }
        atg_buf_add(buf, (atg_str){text, word});
        column += word;
        text += word;
        if (strncmp(text, "\n\n", 2) == 0) {
            atg_buf_printf(buf, "\n\n%*s", (int)indent, "");
            column = indent;
        }
        text += strspn(text, " \n");
    }
    atg_buf_adds(buf, "\n");
}

static void help_option(const option_row *o, atg_buf *buf) {
    char left[80];
    int n = snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", o->letter ? '-' : ' ',
                     o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name, o->arg ? " " : "",
                     o->arg ? o->arg : "");

    atg_buf_adds(buf, left);
    if (n + 1 >= OPTION_COLUMN)
        atg_buf_printf(buf, "\n%*s", OPTION_COLUMN, "");
    else
        atg_buf_printf(buf, "%*s", OPTION_COLUMN - n, "");
    wrap(buf, o->help, OPTION_COLUMN, OPTION_COLUMN);
}

static void help_command(const command *c, atg_buf *buf) {
    atg_buf_printf(buf, "Usage: antigone %s [OPTION]...%s%s\n\n", c->name, *c->operands ? " " : "",
                   c->operands);
    wrap(buf, c->summary, 0, 0);
    if (c->details) {
        atg_buf_adds(buf, "\n");
        wrap(buf, c->details, 0, 0);
    }
    atg_buf_adds(buf, "\nOptions:\n");
    for (const option_id *id = c->options;; id++) {
        help_option(&cli_options[*id], buf);
        if (*id == OPT_HELP)
            break;
    }
}

static void help_program(atg_buf *buf) {
    atg_buf_printf(buf, "Usage: antigone COMMAND [OPTION]... [FILE]...\n\n%s\nCommands:\n",
                   program_summary);
    for (const command *const *c = cli_commands; *c; c++) {
        atg_buf_printf(buf, "  %-*s", COMMAND_COLUMN - 2, (*c)->name);
        wrap(buf, (*c)->summary, COMMAND_COLUMN, COMMAND_COLUMN);
    }
    atg_buf_adds(buf, "\n'antigone help COMMAND' explains one. The file '-' is standard input.\n"
                      "Exit codes: 0 done, 1 the answer is no, 2 usage, 3 bad input, 4 the machine "
                      "(memory, disk).\n");
}

int cli_print_help(const command *c) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(HELP_MAX);

    if (buf && c)
        help_command(c, buf);
    else if (buf)
        help_program(buf);
    return cli_write(NULL, buf);
}
