/* SPDX-License-Identifier: Apache-2.0 */
/* Coming in and going out, and what lets one in: the password and the codes. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "cli/login.h"
#include "cli/secret.h"
#include "cli/store.h"

/* ---- login ---- */

static int keep_token(cases *c, const actor *who) {
    char path[LOGIN_PATH], token[ACCOUNT_TOKEN + 1];
    atg_err err = {0};
    int rc;

    if (!login_session_path(c, path, sizeof(path))) {
        (void)fputs("antigone: There is no folder for what lasts as long as one is logged in "
                    "(XDG_RUNTIME_DIR): each command asks for the password instead.\n",
                    stderr);
        return EXIT_MACHINE;
    }
    rc = account_session_new(c, who, token, &err);
    if (!rc)
        rc = file_write_private(path, (atg_str){token, ACCOUNT_TOKEN}, &err);
    bytes_wipe(token, sizeof(token));
    return rc ? cli_fail(path, &err) : EXIT_DONE;
}

static void end_old(cases *c) {
    char token[ACCOUNT_TOKEN + 1];

    if (login_session_read(c, token))
        (void)account_logout(c, (atg_str){token, ACCOUNT_TOKEN}, NULL);
    bytes_wipe(token, sizeof(token));
}

static int run_login(const args *a) {
    STORE_SESSION s = {0};
    login in;
    int code = cli_store_connect(a, &s);

    if (!code)
        code = login_password(a, s.c, s.arena, &in);
    if (code)
        return code;
    end_old(s.c);
    code = keep_token(s.c, &in.who);
    if (!code)
        cli_store_say(a,
                      "%.*s is logged in, for 12 hours or until half an hour without a "
                      "command.\n",
                      ATG_FMT(in.who.name));
    return code;
}

static int run_logout(const args *a) {
    STORE_SESSION s = {0};
    char path[LOGIN_PATH];
    int code = cli_store_connect(a, &s);

    if (code)
        return code;
    end_old(s.c);
    if (login_session_path(s.c, path, sizeof(path)))
        (void)unlink(path);
    cli_store_say(a, "Logged out.\n");
    return EXIT_DONE;
}

/* ---- password ---- */

static int ask_code(login_request *r, secret *code) {
    int rc = secret_ask("ANTIGONE_CODE_FILE", "Code of the telephone, or one on paper", code);

    r->code = secret_str(code);
    return rc;
}

static int set_password(cases *c, login_request *r, atg_str fresh) {
    SECRET_AUTO typed = {.n = 0};
    login_status done;
    atg_err err = {0};
    int code = EXIT_DONE;

    if (account_password(c, r, fresh, &done, &err))
        return cli_fail(NULL, &err);
    if (done == LOGIN_CODE) {
        code = ask_code(r, &typed);
        if (!code && account_password(c, r, fresh, &done, &err))
            code = cli_fail(NULL, &err);
        r->code = (atg_str){NULL, 0};
    }
    return code;
}

static int run_password(const args *a) {
    STORE_SESSION s = {0};
    SECRET_AUTO old = {.n = 0};
    SECRET_AUTO fresh = {.n = 0};
    char origin[LOGIN_ORIGIN];
    login_request r = {.name = atg_str_of(login_name(a))};
    int code;

    if (!r.name.n)
        return cli_usage(a->command, "Say whose: --account NAME, or ANTIGONE_ACCOUNT");
    code = cli_store_connect(a, &s);
    if (!code)
        code = secret_ask("ANTIGONE_PASSWORD_FILE", "Password until now", &old);
    if (!code)
        code = secret_ask_new("ANTIGONE_NEW_PASSWORD_FILE", "New password", &fresh);
    if (code)
        return code;
    login_origin(origin);
    r.origin = atg_str_of(origin);
    r.password = secret_str(&old);
    code = set_password(s.c, &r, secret_str(&fresh));
    if (!code)
        cli_store_say(a, "The password is changed. Sessions that were open have ended.\n");
    return code;
}

/* ---- codes ---- */

static int run_codes(const args *a) {
    STORE_SESSION s = {0};
    SECRET_AUTO code = {.n = 0};
    char uri[CODE_URI], paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    atg_err err = {0};
    int done = cli_store_open(a, &s);

    if (done)
        return done;
    if (account_code_new(s.c, &s.who, uri, &err))
        return cli_fail(NULL, &err);
    (void)printf("Give this to the telephone:\n\n    %s\n\n", uri);
    (void)fflush(stdout);
    bytes_wipe(uri, sizeof(uri));
    done = secret_ask("ANTIGONE_CODE_FILE", "The code that it shows", &code);
    if (done)
        return done;
    if (account_code_confirm(s.c, &s.who, secret_str(&code), paper, &err))
        return cli_fail(NULL, &err);
    (void)printf("From now on a code is needed to log in. Write these down and keep them apart "
                 "from the telephone; each lets you in once without it:\n\n");
    for (int i = 0; i < ACCOUNT_RECOVERY; i++)
        (void)printf("    %s\n", paper[i]);
    bytes_wipe(paper, sizeof(paper));
    return EXIT_DONE;
}

static const option_id options[] = {STORE_OPTIONS};

const command command_login = {
    .name = "login",
    .summary = "Log in, so that the next commands do not ask for the password.",
    .operands = "",
    .details = "A token stands in $XDG_RUNTIME_DIR for 12 hours at most, and for half an hour "
               "without a command. 'antigone logout' ends it.\n\nWithout it each command asks for "
               "the password of --account, or reads it from the file that ANTIGONE_PASSWORD_FILE "
               "names.",
    .options = options,
    .run = run_login,
};

const command command_logout = {
    .name = "logout",
    .summary = "End the session on this machine.",
    .operands = "",
    .options = options,
    .run = run_logout,
};

const command command_password = {
    .name = "password",
    .summary = "Set one's own password, knowing the one until now.",
    .operands = "",
    .details = "12 to 128 characters; what is tried first is refused. A password that an "
               "administrator gave is changed so before it lets anybody in. Without a terminal the "
               "files that ANTIGONE_PASSWORD_FILE and ANTIGONE_NEW_PASSWORD_FILE name hold the "
               "two.",
    .options = options,
    .run = run_password,
};

const command command_codes = {
    .name = "codes",
    .summary = "Set up one-time codes of a telephone for one's own account.",
    .operands = "",
    .details = "The telephone takes the address that is printed (any application for TOTP does); "
               "then the code that it shows is typed. Ten codes for paper are printed once.",
    .options = options,
    .run = run_codes,
};
