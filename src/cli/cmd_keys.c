/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: a second keeper, and another master key. */
#include "cli/commands.h"

#include <stdio.h>

#include "app/keepers.h"
#include "app/upkeep.h"
#include "cli/secret.h"
#include "cli/store.h"

static int passphrase_of(const args *a, secret *ret) {
    return cli_has(a, OPT_PLAIN_KEY) ? EXIT_DONE
                                     : secret_ask_new("ANTIGONE_NEW_PASSPHRASE_FILE",
                                                      "Passphrase of the new key file", ret);
}

static int need_keeper(const args *a) {
    return a->value[OPT_KEEPER]
               ? EXIT_DONE
               : cli_usage(a->command, "Say whose the new key file is: --keeper NAME");
}

static int run_add(const args *a) {
    KEY_AUTO key256 master = {{0}};
    SECRET_AUTO passphrase = {.n = 0};
    atg_err err = {0};
    int code = need_keeper(a);

    if (!code)
        code = cli_store_master(a, &master);
    if (!code)
        code = passphrase_of(a, &passphrase);
    if (code)
        return code;
    if (keepers_add(&master, a->operands[0], atg_str_of(a->value[OPT_KEEPER]),
                    secret_str(&passphrase), &err))
        return cli_fail(a->operands[0], &err);
    cli_store_say(a, "%s opens the same store.\n", a->operands[0]);
    return EXIT_DONE;
}

static int run_rotate(const args *a) {
    STORE_SESSION s = {0};
    KEY_AUTO key256 to = {{0}};
    SECRET_AUTO passphrase = {.n = 0};
    uint32_t n = 0;
    atg_err err = {0};
    int code = need_keeper(a);

    if (!code)
        code = cli_store_open_here(a, &s);
    if (!code)
        code = passphrase_of(a, &passphrase);
    if (code)
        return code;
    /* the file is on disk before anything depends on it */
    if (keepers_new(a->operands[0], atg_str_of(a->value[OPT_KEEPER]), secret_str(&passphrase), &to,
                    &err))
        return cli_fail(a->operands[0], &err);
    if (upkeep_rotate(s.c, &s.who, &to, &n, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a,
                  "%u keys are sealed under the new master key in %s. Make files for the other "
                  "keepers ('antigone keys add'); keep the old ones as long as backups that need "
                  "them.\n",
                  n, a->operands[0]);
    return EXIT_DONE;
}

static const option_id add_options[] = {OPT_KEEPER, OPT_PLAIN_KEY, OPT_STORE,
                                        OPT_KEY,    OPT_QUIET,     OPT_HELP};
static const option_id options[] = {OPT_KEEPER, OPT_PLAIN_KEY, HERE_OPTIONS};

const command command_keys_add = {
    .name = "keys add",
    .summary = "Make a key file for another keeper of the same master key.",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .details = "Its passphrase is asked for, or read from the file that "
               "ANTIGONE_NEW_PASSPHRASE_FILE names. Without any key file nobody can read the "
               "cases any more: two keepers in two places are the least.",
    .options = add_options,
    .run = run_add,
};

const command command_keys_rotate = {
    .name = "keys rotate",
    .summary = "Exchange the master key: after a keeper left, or a key file was lost.",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .details = "FILE is the new key file. The keys of operations and of the site are sealed anew; "
               "persons' keys and what they seal stay as they are. Old key files open the store "
               "no more; backups from before need them.",
    .options = options,
    .run = run_rotate,
};
