/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

enum { SCRIPT_MAX = 1 << 20 };

/* The first word of a command's name, and the second or "". */
static atg_str first_word(const command *c) {
    return (atg_str){c->name, strcspn(c->name, " ")};
}

static const char *second_word(const command *c) {
    const char *space = strchr(c->name, ' ');

    return space ? space + 1 : "";
}

/* Is this the first command that begins with its first word? */
static bool opens_group(const command *const *c) {
    for (const command *const *before = cli_commands; before != c; before++)
        if (atg_str_eq(first_word(*before), first_word(*c)))
            return false;
    return true;
}

/* Text inside single quotes of any of the shells. */
static void quoted(atg_buf *buf, const char *text, const char *escape) {
    for (; *text; text++) {
        if (*text == '\'')
            atg_buf_adds(buf, "'\\''");
        else if (strchr(escape, *text))
            atg_buf_printf(buf, "\\%c", *text);
        else
            atg_buf_add(buf, (atg_str){text, 1});
    }
}

static void bash_options(const command *c, atg_buf *buf) {
    atg_buf_adds(buf, "words='");
    for (const option_id *id = c->options;; id++) {
        atg_buf_printf(buf, "--%s%s", cli_options[*id].name, *id == OPT_HELP ? "' ;;\n" : " ");
        if (*id == OPT_HELP)
            break;
    }
}

static void bash_group(const command *const *c, atg_buf *buf) {
    atg_str group = first_word(*c);

    atg_buf_printf(buf, "    %.*s)\n        if [ \"$COMP_CWORD\" = 2 ]; then words='",
                   ATG_FMT(group));
    for (const command *const *d = c; *d; d++)
        if (atg_str_eq(first_word(*d), group))
            atg_buf_printf(buf, "%s%s", d == c ? "" : " ", second_word(*d));
    atg_buf_adds(buf, "'; names=1\n        else case ${COMP_WORDS[2]} in\n");
    for (const command *const *d = c; *d; d++) {
        if (!atg_str_eq(first_word(*d), group))
            continue;
        atg_buf_printf(buf, "            %s) ", second_word(*d));
        bash_options(*d, buf);
    }
    atg_buf_adds(buf, "            esac; fi ;;\n");
}

static void bash(atg_buf *buf) {
    atg_buf_adds(buf, "# bash completion of antigone\n_antigone() {\n"
                      "    local cur=${COMP_WORDS[COMP_CWORD]} words= names=\n"
                      "    if [ \"$COMP_CWORD\" = 1 ]; then\n        names=1 words='");
    for (const command *const *c = cli_commands; *c; c++)
        if (opens_group(c))
            atg_buf_printf(buf, "%s%.*s", c == cli_commands ? "" : " ", ATG_FMT(first_word(*c)));
    atg_buf_adds(buf, "'\n    else case ${COMP_WORDS[1]} in\n");
    for (const command *const *c = cli_commands; *c; c++) {
        if (*second_word(*c) && opens_group(c)) {
            bash_group(c, buf);
        } else if (!*second_word(*c)) {
            atg_buf_printf(buf, "    %s) ", (*c)->name);
            bash_options(*c, buf);
        }
    }
    atg_buf_adds(buf, "    esac; fi\n    COMPREPLY=()\n"
                      "    if [ -n \"$names\" ] || [[ $cur == -* ]]; then\n"
                      "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                      "    fi\n}\ncomplete -o default -o bashdefault -F _antigone antigone\n");
}

static void zsh_options(const command *c, atg_buf *buf) {
    atg_buf_adds(buf, "_arguments");
    for (const option_id *id = c->options;; id++) {
        const option_row *o = &cli_options[*id];

        atg_buf_printf(buf, " \\\n            '--%s%s[", o->name, o->arg ? "=" : "");
        quoted(buf, o->help, "[]:\\");
        atg_buf_printf(buf, "]%s%s%s'", o->arg ? ":" : "", o->arg ? o->arg : "",
                       o->arg ? ":_files" : "");
        if (*id == OPT_HELP)
            break;
    }
    atg_buf_adds(buf, " \\\n            '*:file:_files' ;;\n");
}

static void zsh_names(const command *const *c, bool second, atg_buf *buf) {
    atg_str group = first_word(*c);

    for (; *c; c++) {
        if (second ? !atg_str_eq(first_word(*c), group) : !opens_group(c))
            continue;
        atg_buf_adds(buf, " '");
        if (second)
            atg_buf_adds(buf, second_word(*c));
        else
            atg_buf_add(buf, first_word(*c));
        if (second || !*second_word(*c)) {
            atg_buf_adds(buf, ":");
            quoted(buf, (*c)->summary, ":\\");
        }
        atg_buf_adds(buf, "'");
    }
}

static void zsh(atg_buf *buf) {
    atg_buf_adds(buf, "#compdef antigone\n_antigone() {\n    local -a names\n"
                      "    if (( CURRENT == 2 )); then\n        names=(");
    zsh_names(cli_commands, false, buf);
    atg_buf_adds(buf, " )\n        _describe command names\n        return\n    fi\n"
                      "    case $words[2] in\n");
    for (const command *const *c = cli_commands; *c; c++) {
        if (!*second_word(*c)) {
            atg_buf_printf(buf, "    %s) shift words; (( CURRENT-- )); ", (*c)->name);
            zsh_options(*c, buf);
            continue;
        }
        if (!opens_group(c))
            continue;
        atg_buf_printf(buf, "    %.*s)\n        if (( CURRENT == 3 )); then\n            names=(",
                       ATG_FMT(first_word(*c)));
        zsh_names(c, true, buf);
        atg_buf_adds(buf, " )\n            _describe command names\n            return\n"
                          "        fi\n        shift 2 words; (( CURRENT -= 2 ))\n"
                          "        case $words[1] in\n");
        for (const command *const *d = c; *d; d++) {
            if (!atg_str_eq(first_word(*d), first_word(*c)))
                continue;
            atg_buf_printf(buf, "        %s) ", second_word(*d));
            zsh_options(*d, buf);
        }
        atg_buf_adds(buf, "        esac ;;\n");
    }
    atg_buf_adds(buf, "    esac\n}\n_antigone \"$@\"\n");
}

static void fish_command(const command *const *c, atg_buf *buf) {
    atg_str first = first_word(*c);
    const char *second = second_word(*c);

    if (opens_group(c)) {
        atg_buf_printf(buf, "complete -c antigone -n __fish_use_subcommand -a %.*s -d '",
                       ATG_FMT(first));
        quoted(buf, *second ? "" : (*c)->summary, "\\");
        atg_buf_adds(buf, "'\n");
    }
    if (*second) {
        atg_buf_printf(buf, "complete -c antigone -n '__fish_seen_subcommand_from %.*s' -a %s -d '",
                       ATG_FMT(first), second);
        quoted(buf, (*c)->summary, "\\");
        atg_buf_adds(buf, "'\n");
    }
    for (const option_id *id = (*c)->options;; id++) {
        const option_row *o = &cli_options[*id];

        atg_buf_printf(buf, "complete -c antigone -n '__fish_seen_subcommand_from %.*s",
                       ATG_FMT(first));
        if (*second)
            atg_buf_printf(buf, "; and __fish_seen_subcommand_from %s", second);
        atg_buf_printf(buf, "' -l %s", o->name);
        if (o->letter)
            atg_buf_printf(buf, " -s %c", o->letter);
        atg_buf_printf(buf, "%s -d '", o->arg ? " -r" : "");
        quoted(buf, o->help, "\\");
        atg_buf_adds(buf, "'\n");
        if (*id == OPT_HELP)
            break;
    }
}

static void fish(atg_buf *buf) {
    atg_buf_adds(buf, "# fish completion of antigone\n");
    for (const command *const *c = cli_commands; *c; c++)
        fish_command(c, buf);
}

static int run(const args *a) {
    static const struct {
        const char *shell;
        void (*write)(atg_buf *buf);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
        if (strcmp(a->operands[0], shells[i].shell) != 0)
            continue;

        ATG_AUTO(atg_buf) buf = atg_buf_new(SCRIPT_MAX);

        if (buf)
            shells[i].write(buf);
        return cli_write(a, buf);
    }
    return cli_usage(a->command, "There is no completion for '%s': bash, zsh and fish are known",
                     a->operands[0]);
}

static const option_id options[] = {OPT_OUTPUT, OPT_HELP};

const command command_completion = {
    .name = "completion",
    .summary = "Print the completion script of a shell: bash, zsh or fish.",
    .operands = "SHELL",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .run = run,
};
