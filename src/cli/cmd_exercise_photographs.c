/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/photographs.h"
#include "base/file.h"
#include "cli/progress.h"
#include "cli/store.h"

enum { LIST_MAX = 64 << 20, PATH_BYTES = 4096 };

/* The folder of a path. */
static void folder_of(const char *path, char ret[PATH_BYTES]) {
    const char *slash = strrchr(path, '/');

    if (slash)
        (void)snprintf(ret, PATH_BYTES, "%.*s", (int)(slash - path), path);
    else
        (void)snprintf(ret, PATH_BYTES, ".");
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    char folder[PATH_BYTES];
    photographs_wanted wanted = {.folder = folder, .recoveries = cli_has(a, OPT_RECOVERIES)};
    photographs_done done = {0};
    atg_err err = {0};
    int code = cli_store_open_here(a, &s);

    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    wanted.operation = s.operation.id;
    folder_of(a->operands[0], folder);
    if (file_read(s.arena, a->operands[0], LIST_MAX, &wanted.list, &err))
        return cli_fail(a->operands[0], &err);

    int rc = photographs_load(s.c, &s.who, &wanted, progress_start(a), &done, &err);

    progress_clear();
    if (rc)
        return cli_fail(a->operands[0], &err);
    if (wanted.recoveries)
        cli_store_say(a, "%u recoveries were entered; there already: %u.\n", done.remains,
                      done.known);
    else
        cli_store_say(a, "New: %u photographs of the missing, %u of the dead. There already: %u.\n",
                      done.missing, done.remains, done.known);
    return EXIT_DONE;
}

static const option_id options[] = {OPT_OPERATION, OPT_RECOVERIES, HERE_OPTIONS};

const command command_exercise_photographs = {
    .name = "exercise photographs",
    .summary = "Enter the portraits of an exercise into its cases.",
    .operands = "PORTRAITS.json",
    .min_operands = 1,
    .max_operands = 1,
    .details = "Those of the missing are entered as their informants gave and confirmed them, "
               "those of the dead into the remains files. Another account then enters who "
               "recovered the dead, with --recoveries: a photograph is searched with on the word "
               "of two.",
    .options = options,
    .run = run,
};
