/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "cli/progress.h"

enum { LONG_BASE = 256 }; /* above every letter */

const command *cli_find(int n, char *const *words, int *ret_used) {
    for (const command *const *c = cli_commands; n > 0 && *c; c++) {
        size_t first = strlen(words[0]);
        const char *name = (*c)->name;

        if (strncmp(name, words[0], first) != 0)
            continue;
        if (name[first] == '\0') {
            *ret_used = 1;
            return *c;
        }
        if (name[first] == ' ' && n > 1 && strcmp(name + first + 1, words[1]) == 0) {
            *ret_used = 2;
            return *c;
        }
    }
    return NULL;
}

ATG_PRINTF(1, 0)
static void complain(const char *fmt, va_list ap) {
    (void)fputs("antigone: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputs(".\n", stderr);
}

int cli_usage(const command *c, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    complain(fmt, ap);
    va_end(ap);
    (void)fprintf(stderr, "Try 'antigone help%s%s'.\n", c ? " " : "", c ? c->name : "");
    return EXIT_USAGE;
}

int cli_fail(const char *file, const atg_err *err) {
    progress_clear();
    if (err->code == ATG_ECANCEL) {
        (void)fputs("antigone: Stopped on request; nothing was written.\n", stderr);
        return progress_die();
    }
    (void)fputs("antigone: ", stderr);
    if (file)
        (void)fprintf(stderr, "%s:", strcmp(file, "-") == 0 ? "(standard input)" : file);
    if (file && err->line)
        (void)fprintf(stderr, "%u:", err->line);
    if (file && err->line && err->col)
        (void)fprintf(stderr, "%u:", err->col);
    (void)fprintf(stderr, "%s%s.\n", file ? " " : "", err->msg);
    switch (err->code) {
    case ATG_ENOMEM:
    case ATG_EIO:
    case ATG_EDB:
    case ATG_EFULL:
        return EXIT_MACHINE;
    case ATG_EDENIED:
        return EXIT_NO;
    default:
        return EXIT_INPUT;
    }
}

/* Options of the command as getopt_long wants them. */
static void describe(const command *c, struct option *longs, char *shorts) {
    int n = 0;

    *shorts++ = ':';
    for (const option_id *id = c->options;; id++) {
        const option_row *o = &cli_options[*id];

        longs[n++] = (struct option){o->name, o->arg ? required_argument : no_argument, NULL,
                                     LONG_BASE + (int)*id};
        if (o->letter)
            *shorts++ = o->letter;
        if (o->letter && o->arg)
            *shorts++ = ':';
        if (*id == OPT_HELP)
            break;
    }
    longs[n] = (struct option){0};
    *shorts = '\0';
}

static option_id by_letter(const command *c, int letter) {
    const option_id *id = c->options;

    while (cli_options[*id].letter != letter && *id != OPT_HELP)
        id++;
    return *id;
}

static int count_operands(const args *a) {
    const command *c = a->command;

    if (cli_has(a, OPT_HELP))
        return EXIT_DONE;
    if (a->n < c->min_operands)
        return cli_usage(c, "The command %s needs: %.*s", c->name, (int)strcspn(c->operands, "."),
                         c->operands);
    if (c->max_operands >= 0 && a->n > c->max_operands)
        return cli_usage(c, "'%s' is one word too many for %s", a->operands[c->max_operands],
                         c->name);
    return EXIT_DONE;
}

bool cli_takes(const command *c, option_id wanted) {
    const option_id *id = c->options;

    while (*id != wanted && *id != OPT_HELP)
        id++;
    return *id == wanted;
}

/* Why getopt stopped: it tells a letter, the code of a long option, or only the word. */
static int refuse(const command *c, int code, char **argv) {
    char word[128];

    if (optopt >= LONG_BASE)
        (void)snprintf(word, sizeof(word), "--%s", cli_options[optopt - LONG_BASE].name);
    else if (optopt)
        (void)snprintf(word, sizeof(word), "-%c", optopt);
    else
        (void)snprintf(word, sizeof(word), "%s", argv[optind - 1]);
    if (strncmp(word, "--server", 8) == 0 && cli_takes(c, OPT_STORE) && !cli_takes(c, OPT_SERVER))
        return cli_usage(c, CLI_HERE_ONLY, c->name);
    if (code == ':')
        return cli_usage(c, "The option %s needs a value", word);
    if (optopt >= LONG_BASE)
        return cli_usage(c, "The option %s takes no value", word);
    return cli_usage(c, "The command %s has no option %s", c->name, word);
}

int cli_parse(const command *c, int argc, char **argv, args *ret) {
    struct option longs[OPT_COUNT + 1];
    char shorts[2 * OPT_COUNT + 2];
    args a = {.command = c};
    int code;

    describe(c, longs, shorts);
    opterr = 0;
    optind = 1;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started */
    while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (code == ':' || code == '?')
            return refuse(c, code, argv);

        option_id id = code >= LONG_BASE ? (option_id)(code - LONG_BASE) : by_letter(c, code);

        if (a.value[id])
            return cli_usage(c, "The option --%s stands twice", cli_options[id].name);
        a.value[id] = cli_options[id].arg ? optarg : "";
    }
    a.n = argc - optind;
    a.operands = argv + optind;
    code = count_operands(&a);
    if (code == EXIT_DONE)
        *ret = a;
    return code;
}

int cli_uint(const args *a, option_id id, uint64_t from, uint64_t to, uint64_t *ret) {
    const char *text = a->value[id];
    char *end = NULL;

    if (!text)
        return EXIT_DONE;
    errno = 0;

    unsigned long long x = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || errno || x < from || x > to)
        return cli_usage(a->command, "--%s takes a whole number from %llu to %llu, not '%s'",
                         cli_options[id].name, (unsigned long long)from, (unsigned long long)to,
                         text);
    *ret = x;
    return EXIT_DONE;
}

int cli_number(const args *a, option_id id, double from, double to, double *ret) {
    const char *text = a->value[id];
    double x = 0;

    if (!text)
        return EXIT_DONE;
    if (!number_read(atg_str_of(text), &x) || x < from || x > to)
        return cli_usage(a->command, "--%s takes a number from %g to %g, not '%s'",
                         cli_options[id].name, from, to, text);
    *ret = x;
    return EXIT_DONE;
}
