/* SPDX-License-Identifier: Apache-2.0 */
/* A new store: its key file, its database, its first administrator. */
#include "cli/commands.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/accounts.h"
#include "app/keepers.h"
#include "cli/secret.h"
#include "cli/store.h"

enum { PATH_SIZE = 4096 };

/* What was begun before goes on: a key file that is there is opened, never overwritten. */
static int make_key(const args *a, key256 *ret) {
    SECRET_AUTO passphrase = {.n = 0};
    char room[PATH_SIZE];
    const char *path = cli_store_key(a, room, sizeof(room));
    atg_err err = {0};
    int code;

    if (!path)
        return cli_usage(a->command,
                         "Say where the key file shall be: --key FILE, or ANTIGONE_KEY");
    if (access(path, F_OK) == 0)
        return cli_store_master(a, ret);
    code =
        secret_ask_new("ANTIGONE_PASSPHRASE_FILE", "Passphrase of the new key file", &passphrase);
    if (code)
        return code;
    return keepers_new(path, atg_str_of(a->operands[0]), secret_str(&passphrase), ret, &err)
               ? cli_fail(path, &err)
               : EXIT_DONE;
}

static int make_folder(const args *a) {
    const char *folder = cli_store_folder(a);

    if (!folder || mkdir(folder, 0700) == 0 || errno == EEXIST)
        return EXIT_DONE;

    atg_err err = {0};

    (void)atg_fail(&err, ATG_EIO, "The folder cannot be made: %s",
                   strerror(errno)); /* NOLINT(concurrency-mt-unsafe): one thread */
    return cli_fail(folder, &err);
}

static int add_first(const args *a, cases *c) {
    SECRET_AUTO password = {.n = 0};
    atg_err err = {0};
    uuid id;
    int code =
        secret_ask_new("ANTIGONE_PASSWORD_FILE", "Password of the first administrator", &password);

    if (code)
        return code;
    if (account_first(c, atg_str_of(a->operands[1]), atg_str_of(a->operands[0]),
                      secret_str(&password), &id, &err))
        return cli_fail(NULL, &err);
    return EXIT_DONE;
}

static int run(const args *a) {
    KEY_AUTO key256 master = {{0}};
    ATG_AUTO(cases) c = NULL;
    cases_options o = {.directory = cli_store_folder(a),
                       .conninfo = cli_store_postgres(a),
                       .master = &master,
                       .create = true,
                       .site = atg_str_of(a->value[OPT_SITE])};
    atg_err err = {0};
    int code;

    if (!o.directory)
        return cli_usage(a->command, "Say where the cases shall be: --store FOLDER, or "
                                     "ANTIGONE_STORE");
    if (!o.site.n)
        return cli_usage(a->command, "Say which letters the codes of this site have: --site K3");
    code = make_folder(a);
    if (!code)
        code = make_key(a, &master);
    if (code)
        return code;
    if (cases_open(&o, &c, &err))
        return cli_fail(o.directory, &err);
    code = add_first(a, c);
    if (!code)
        cli_store_say(a,
                      "The store is made. Keep the key file and its passphrase safe and a copy "
                      "of both elsewhere: without them nobody can read the cases.\nNow log in "
                      "('antigone login --account %s'), make accounts ('antigone users add') "
                      "and give them roles ('antigone users grant').\n",
                      a->operands[0]);
    return code;
}

static const option_id options[] = {OPT_SITE, OPT_STORE, OPT_POSTGRES,
                                    OPT_KEY,  OPT_QUIET, OPT_HELP};

const command command_init = {
    .name = "init",
    .summary = "Make a new store: key file, database, first administrator.",
    .operands = "NAME AGENCY",
    .min_operands = 2,
    .max_operands = 2,
    .details = "There is no default password: the passphrase of the key file and the password of "
               "the administrator are asked for, or read from the files that "
               "ANTIGONE_PASSPHRASE_FILE and ANTIGONE_PASSWORD_FILE name. An administrator makes "
               "accounts and grants roles, and reads nothing about a person; a store that has an "
               "account has its first one already.",
    .options = options,
    .run = run,
};
