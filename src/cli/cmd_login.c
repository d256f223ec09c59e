/* SPDX-License-Identifier: Apache-2.0 */
/* A session, so that one does not type the password for each command. */
#include "cli/commands.h"

#include <string.h>

#include "app/accounts.h"
#include "base/bytes.h"
#include "cli/login.h"
#include "cli/store.h"

static int run_login(const args *a) {
    STORE_SESSION s = {0};
    char token[ACCOUNT_TOKEN + 1];
    atg_err err = {0};
    int code = cli_store_only(a, &s);

    if (!code)
        code = login_anew(a, s.c, s.arena, a->n ? a->operands[0] : login_name(a), &s.who);
    if (code)
        return code;
    if (account_session_new(s.c, &s.who, token, &err))
        return cli_fail(NULL, &err);
    code = login_keep(s.c, token);
    bytes_wipe(token, sizeof(token));
    if (!code)
        cli_store_say(a, "%.*s is logged in: for 12 hours at most, 30 minutes without use.\n",
                      ATG_FMT(s.who.name));
    return code;
}

static int run_logout(const args *a) {
    STORE_SESSION s = {0};
    char token[ACCOUNT_TOKEN + 1];
    atg_err err = {0};
    int code = cli_store_only(a, &s);

    if (code)
        return code;
    if (login_token(s.c, token, sizeof(token)) && account_logout(s.c, atg_str_of(token), &err))
        return cli_fail(NULL, &err);
    login_forget(s.c);
    cli_store_say(a, "Logged out.\n");
    return EXIT_DONE;
}

static const option_id options[] = {STORE_OPTIONS};

const command command_login = {
    .name = "login",
    .summary = "Open a session on this machine for the commands that follow.",
    .operands = "[NAME]",
    .max_operands = 1,
    .details = "The password is asked for, or read from the file that ANTIGONE_PASSWORD_FILE "
               "names; where the account has a second factor, its code too (ANTIGONE_CODE_FILE). "
               "The session ends after 12 hours, 30 minutes without use, or with 'antigone "
               "logout'.",
    .options = options,
    .run = run_login,
};

const command command_logout = {
    .name = "logout",
    .summary = "End the session of this machine.",
    .operands = "",
    .options = options,
    .run = run_logout,
};
