/* SPDX-License-Identifier: Apache-2.0 */
/* A session, so that one does not type the password for each command. */
#include "cli/commands.h"

#include "cli/login.h"
#include "cli/store.h"

static int run_login(const args *a) {
    STORE_SESSION s = {0};
    int code = cli_store_only(a, &s);

    if (!code)
        code = s.at->log_in(a, &s, a->n ? a->operands[0] : login_name(a));
    if (!code)
        cli_store_say(a, "%.*s is logged in: for 12 hours at most, 30 minutes without use.\n",
                      ATG_FMT(s.who.name));
    return code;
}

static int run_logout(const args *a) {
    STORE_SESSION s = {0};
    atg_err err = {0};
    int code = cli_store_only(a, &s);

    if (code)
        return code;
    if (s.at->log_out(&s, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "Logged out.\n");
    return EXIT_DONE;
}

static const option_id login_options[] = {OPT_FINGERPRINT, STORE_OPTIONS};
static const option_id options[] = {STORE_OPTIONS};

const command command_login = {
    .name = "login",
    .summary = "Open a session on this machine for the commands that follow.",
    .operands = "[NAME]",
    .max_operands = 1,
    .details =
        "The password is asked for, or read from the file that ANTIGONE_PASSWORD_FILE "
        "names; where the account has a second factor, its code too (ANTIGONE_CODE_FILE). "
        "The session ends after 12 hours, 30 minutes without use, or with 'antigone "
        "logout'.\n\nWith --server the session is one of that service. --fingerprint trusts the "
        "service's own authority if it is the one that its operator told, --ca the one in "
        "the file; either is kept for the commands that follow.",
    .options = login_options,
    .run = run_login,
};

const command command_logout = {
    .name = "logout",
    .summary = "End the session of this machine.",
    .operands = "",
    .options = options,
    .run = run_logout,
};
