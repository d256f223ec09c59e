/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "app/accounts.h"
#include "app/keepers.h"
#include "cli/secret.h"
#include "cli/store.h"

enum { PATH_SIZE = 4096 };

static int make_folder(const char *path) {
    atg_err err = {0};

    if (!path || mkdir(path, 0700) == 0 || errno == EEXIST)
        return EXIT_DONE;
    (void)atg_fail(&err, ATG_EIO, "Cannot make the folder: %s",
                   strerror(errno)); /* NOLINT(concurrency-mt-unsafe): one thread */
    return cli_fail(path, &err);
}

static int make_key(const args *a, key256 *ret) {
    char room[PATH_SIZE];
    const char *path = cli_store_key(a, room, sizeof(room));
    const char *keeper = a->value[OPT_KEEPER] ? a->value[OPT_KEEPER] : a->operands[0];
    SECRET_AUTO passphrase = {.n = 0};
    atg_err err = {0};
    int code = path ? EXIT_DONE : cli_usage(a->command, "Say where the key file goes: --key FILE");

    if (!code && !cli_has(a, OPT_PLAIN_KEY))
        code = secret_ask_new("ANTIGONE_PASSPHRASE_FILE", "New passphrase of the key file",
                              &passphrase);
    if (code)
        return code;
    return keepers_new(path, atg_str_of(keeper), secret_str(&passphrase), ret, &err)
               ? cli_fail(path, &err)
               : EXIT_DONE;
}

static int make_store(const args *a, const key256 *master, atg_str password) {
    STORE_SESSION s = {.at = &backend_local};
    cases_options o = {.directory = cli_store_folder(a),
                       .conninfo = cli_store_postgres(a),
                       .master = master,
                       .create = true,
                       .site = atg_str_of(a->value[OPT_SITE])};
    atg_err err = {0};
    uuid id;

    if (cases_open(&o, &s.c, &err))
        return cli_fail(o.directory, &err);
    return account_first(s.c, atg_str_of(a->value[OPT_AGENCY]), atg_str_of(a->operands[0]),
                         password, &id, &err)
               ? cli_fail(NULL, &err)
               : EXIT_DONE;
}

static int run(const args *a) {
    KEY_AUTO key256 master = {{0}};
    SECRET_AUTO password = {.n = 0};
    int code;

    if (!cli_store_folder(a))
        return cli_usage(a->command, "Say where the cases go: --store FOLDER, or ANTIGONE_STORE");
    if (!a->value[OPT_SITE] || !a->value[OPT_AGENCY])
        return cli_usage(a->command, "A new store needs --site PREFIX and --agency NAME");
    code = secret_ask_new("ANTIGONE_PASSWORD_FILE", "New password of the administrator", &password);
    if (!code)
        code = make_folder(cli_store_folder(a));
    if (!code)
        code = make_key(a, &master);
    if (!code)
        code = make_store(a, &master, secret_str(&password));
    if (!code)
        cli_store_say(a,
                      "The store is made. Keep a copy of the key file in another place: without it "
                      "nobody can read the cases.\nThe administrator %s sets up a second "
                      "factor ('antigone code') and gives roles to others ('antigone users add', "
                      "'antigone users grant').\n",
                      a->operands[0]);
    return code;
}

static const option_id options[] = {OPT_SITE, OPT_AGENCY, OPT_KEEPER, OPT_PLAIN_KEY, HERE_OPTIONS};

const command command_init = {
    .name = "init",
    .summary = "Make a store for cases, its key file, and its first administrator.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .details = "NAME is the administrator's, who may give others roles and sees no personal data. "
               "There is no password to begin with: one is asked for, or read from the file that "
               "ANTIGONE_PASSWORD_FILE names; so is the passphrase of the key file "
               "(ANTIGONE_PASSPHRASE_FILE).",
    .options = options,
    .run = run,
};
