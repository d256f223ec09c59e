/* SPDX-License-Identifier: Apache-2.0 */
/* One's own password and second factor. */
#include "cli/commands.h"

#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/login.h"
#include "cli/secret.h"
#include "cli/store.h"

static int run_password(const args *a) {
    STORE_SESSION s = {0};
    SECRET_AUTO old = {.n = 0}, new = {.n = 0}, one_time = {.n = 0};
    char origin[100];
    const char *name = a->n ? a->operands[0] : login_name(a);
    login_status status = LOGIN_CODE;
    atg_err err = {0};
    int code = cli_store_only(a, &s);

    if (!code && !name)
        return cli_usage(a->command, "Say whose password: antigone password NAME");
    if (!code)
        code = secret_ask("ANTIGONE_PASSWORD_FILE", "Password until now", &old);
    if (!code)
        code = secret_ask_new("ANTIGONE_NEW_PASSWORD_FILE", "New password", &new);
    (void)snprintf(origin, sizeof(origin), "local:%ld", (long)getuid());
    for (int i = 0; i < 2 && !code && status == LOGIN_CODE; i++) {
        login_request r = {atg_str_of(name), secret_str(&old), {NULL, 0}, atg_str_of(origin)};

        if (i)
            code = secret_ask("ANTIGONE_CODE_FILE", "Code", &one_time);
        r.code = secret_str(&one_time);
        if (!code && s.at->password(&s, &r, secret_str(&new), &status, &err))
            return cli_fail(NULL, &err);
    }
    if (!code)
        cli_store_say(a, "The password of %s is another now; its sessions have ended.\n", name);
    return code;
}

static int run_code(const args *a) {
    STORE_SESSION s = {0};
    SECRET_AUTO typed = {.n = 0};
    char uri[CODE_URI], paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->code_new(&s, uri, &err))
        return cli_fail(NULL, &err);
    (void)printf("Enter this in the telephone's program for codes, then type the code it shows:\n"
                 "%s\n",
                 uri);
    (void)fflush(stdout);
    bytes_wipe(uri, sizeof(uri));
    code = secret_ask("ANTIGONE_CODE_FILE", "Code", &typed);
    if (code)
        return code;
    if (s.at->code_confirm(&s, secret_str(&typed), paper, &err))
        return cli_fail(NULL, &err);
    (void)printf("From now on the code is asked for. Write these down; each counts once, when the "
                 "telephone is lost:\n");
    for (int i = 0; i < ACCOUNT_RECOVERY; i++)
        (void)printf("  %s\n", paper[i]);
    bytes_wipe(paper, sizeof(paper));
    return EXIT_DONE;
}

static const option_id options[] = {STORE_OPTIONS};

const command command_password = {
    .name = "password",
    .summary = "Set one's own password, knowing the one until now.",
    .operands = "[NAME]",
    .max_operands = 1,
    .details = "Both are asked for, or read from the files that ANTIGONE_PASSWORD_FILE and "
               "ANTIGONE_NEW_PASSWORD_FILE name. At least 12 characters that nobody tries first.",
    .options = options,
    .run = run_password,
};

const command command_code = {
    .name = "code",
    .summary = "Add a second factor to one's own account: codes of a telephone.",
    .operands = "",
    .options = options,
    .run = run_code,
};
