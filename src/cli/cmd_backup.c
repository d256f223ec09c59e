/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdio.h>

#include "app/upkeep.h"
#include "cli/progress.h"
#include "cli/store.h"

static int run_backup(const args *a) {
    STORE_SESSION s = {0};
    backup_wish w = {.path = a->operands[0], .pictures = a->value[OPT_PICTURES]};
    blob_copied pictures;
    atg_err err = {0};
    int code = cli_store_open_here(a, &s);

    if (code)
        return code;
    w.progress = progress_start(a);
    if (upkeep_backup(s.c, &s.who, &w, &pictures, &err)) {
        progress_clear();
        return cli_fail(a->operands[0], &err);
    }
    progress_clear();
    cli_store_say(a,
                  "Written: %s, and %s.erased with the erasures until now. Keep it apart from the "
                  "key file: it is worth nothing to who has only one of them.\n",
                  a->operands[0], a->operands[0]);
    if (pictures.copied + pictures.there)
        cli_store_say(a, "Pictures: %llu copied, %llu were there.\n",
                      (unsigned long long)pictures.copied, (unsigned long long)pictures.there);
    return EXIT_DONE;
}

static int run_restore(const args *a) {
    KEY_AUTO key256 master = {{0}};
    restore_wish w = {.from = a->operands[0],
                      .pictures = a->value[OPT_PICTURES],
                      .directory = cli_store_folder(a),
                      .conninfo = cli_store_postgres(a),
                      .master = &master,
                      .journals = (const char *const *)a->operands + 1,
                      .n_journals = (uint32_t)a->n - 1};
    uint32_t erased = 0;
    atg_err err = {0};
    int code = cli_store_master(a, &master);

    if (!code && !w.directory)
        return cli_usage(a->command, "Say where to: --store FOLDER, or ANTIGONE_STORE");
    if (code)
        return code;
    w.progress = progress_start(a);
    if (upkeep_restore(&w, &erased, &err)) {
        progress_clear();
        return cli_fail(a->operands[0], &err);
    }
    progress_clear();
    cli_store_say(
        a, "Restored and verified; %u erased persons of the journals were erased again.\n", erased);
    return EXIT_DONE;
}

static const option_id options[] = {OPT_PICTURES, HERE_OPTIONS};
static const option_id restore_options[] = {OPT_PICTURES, OPT_STORE, OPT_POSTGRES,
                                            OPT_KEY,      OPT_QUIET, OPT_HELP};

const command command_backup = {
    .name = "backup",
    .summary = "Write a consistent copy of all cases while others work.",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .details = "FILE gets its name when it is whole. What is personal is sealed in it. Sealed "
               "pictures of a SQLite store are copied into FILE.pictures, or into the folder of "
               "--pictures, which serves every backup: what is there is not copied again. With "
               "PostgreSQL they are in FILE.",
    .options = options,
    .run = run_backup,
};

const command command_restore = {
    .name = "restore",
    .summary = "Make a store of a backup, erase again who was erased since, and verify it.",
    .operands = "FILE [JOURNAL]...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "JOURNAL is the file 'erased' of the store that was lost, or FILE.erased of a later "
               "backup: give the newest that there is, or persons come back who asked to be "
               "erased. The folder (or the database) is empty before; the key file is that of "
               "the store.",
    .options = restore_options,
    .run = run_restore,
};
