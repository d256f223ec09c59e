/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/store.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

/* The words of `group` have a second word: say which there are. */
static int unknown(const char *word) {
    size_t n = strlen(word);
    bool group = false;

    for (const command *const *c = cli_commands; *c; c++)
        if (strncmp((*c)->name, word, n) == 0 && (*c)->name[n] == ' ') {
            (void)fprintf(stderr, "%s'%s'", group ? ", " : "antigone: Say which: ", (*c)->name);
            group = true;
        }
    if (!group)
        return cli_usage(NULL, "There is no command '%s'", word);
    (void)fputs(".\n", stderr);
    return EXIT_USAGE;
}

/* What stands on standard output must have arrived: a full disk shows only here. */
static int flush(int code) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    (void)fputs("antigone: Cannot write to standard output: is the disk full?\n", stderr);
    return EXIT_MACHINE;
}

static int run(const command *c, int argc, char **argv) {
    args a;
    int code = cli_parse(c, argc, argv, &a);

    if (!code && cli_has(&a, OPT_HELP))
        return flush(cli_print_help(c));
    if (!code)
        code = cli_store_place(&a);
    return code ? code : flush(c->run(&a));
}

int main(int argc, char **argv) {
    static char help[] = "help", version[] = "version";
    char *first = argc > 1 ? argv[1] : help;
    int used = 0;

    (void)setlocale(LC_CTYPE, ""); /* NOLINT(concurrency-mt-unsafe): no other thread yet */
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        first = help;
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
        first = version;

    const command *c = cli_find(1, &first, &used);

    if (!c && argc > 2)
        c = cli_find(argc - 1, argv + 1, &used);
    if (!c)
        return unknown(first);
    if (argc < 2)
        used = 0;
    return run(c, argc - used, argv + used);
}
