/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <string.h>

/* Text of a paragraph: nothing in it may be taken for a request or a hyphenation. */
static void roff(atg_buf *buf, const char *text) {
    bool start = true;

    for (; *text; text++) {
        if (strncmp(text, "\n\n", 2) == 0) {
            atg_buf_adds(buf, "\n.PP\n");
            text++;
            start = true;
            continue;
        }
        if (start && (*text == '.' || *text == '\''))
            atg_buf_adds(buf, "\\&");
        if (*text == '-' || *text == '\\')
            atg_buf_adds(buf, *text == '-' ? "\\-" : "\\e");
        else
            atg_buf_add(buf, (atg_str){text, 1});
        start = *text == '\n';
    }
    atg_buf_adds(buf, "\n");
}

static void man_option(const option_row *o, atg_buf *buf) {
    atg_buf_adds(buf, ".TP\n");
    if (o->letter)
        atg_buf_printf(buf, "\\fB\\-%c\\fR, ", o->letter);
    atg_buf_adds(buf, "\\fB\\-\\-");
    for (const char *p = o->name; *p; p++)
        if (*p == '-')
            atg_buf_adds(buf, "\\-");
        else
            atg_buf_add(buf, (atg_str){p, 1});
    atg_buf_printf(buf, "\\fR%s%s%s\n", o->arg ? " \\fI" : "", o->arg ? o->arg : "",
                   o->arg ? "\\fR" : "");
    roff(buf, o->help);
}

static void man_command(const command *c, atg_buf *buf) {
    atg_buf_printf(buf, ".SS \"antigone %s\"\n\\fBantigone %s\\fR [\\fIOPTION\\fR]...", c->name,
                   c->name);
    if (*c->operands)
        atg_buf_printf(buf, " \\fI%s\\fR", c->operands);
    atg_buf_adds(buf, "\n.PP\n");
    roff(buf, c->summary);
    if (c->details) {
        atg_buf_adds(buf, ".PP\n");
        roff(buf, c->details);
    }
    for (const option_id *id = c->options; *id != OPT_HELP; id++)
        man_option(&cli_options[*id], buf);
}

void cli_man(atg_buf *buf) {
    atg_buf_adds(buf, ".TH ANTIGONE 1 \"\" \"antigone " ATG_VERSION "\" \"User Commands\"\n"
                      ".SH NAME\nantigone \\- identify the dead from DNA of remains and families\n"
                      ".SH SYNOPSIS\n.B antigone\n\\fICOMMAND\\fR [\\fIOPTION\\fR]... "
                      "[\\fIFILE\\fR]...\n.SH DESCRIPTION\n");
    roff(buf, "Antigone says who is who among the unidentified dead, from the DNA of remains and "
              "of the families of the missing: how strongly, and what is still missing to "
              "decide. It words its results probable, possible, insufficient or excluded; an "
              "identity is established by people, never by a program.\n\n"
              "Every result is printed with the population, theta and minimum frequency that it "
              "was computed with. The file - is standard input. Results go to standard output; "
              "messages and progress go to standard error, progress only when that is a "
              "terminal.");
    atg_buf_adds(buf, ".SH COMMANDS\n");
    for (const command *const *c = cli_commands; *c; c++)
        man_command(*c, buf);
    atg_buf_adds(buf, ".SH \"EXIT STATUS\"\n"
                      ".TP\n.B 0\nDone.\n"
                      ".TP\n.B 1\nThe answer is no: a check found something.\n"
                      ".TP\n.B 2\nThe command line is wrong.\n"
                      ".TP\n.B 3\nThe input is wrong; nothing was written.\n"
                      ".TP\n.B 4\nThe machine: memory or disk.\n");
}
