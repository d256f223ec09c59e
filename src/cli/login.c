/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "cli/secret.h"

enum { PROMPT_MAX = 400 };

/* ---- the session of this user of the machine ---- */

bool login_session_path(cases *c, char *ret, size_t size) {
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    const char *folder = getenv("XDG_RUNTIME_DIR");
    char store_id[UUID_TEXT + 1];

    if (!folder || folder[0] != '/')
        return false;
    uuid_text(cases_id(c), store_id);
    return (size_t)snprintf(ret, size, "%s/antigone-%s", folder, store_id) < size;
}

bool login_session_read(cases *c, char ret[ACCOUNT_TOKEN + 1]) {
    char path[LOGIN_PATH];
    size_t n = ACCOUNT_TOKEN;

    if (!login_session_path(c, path, sizeof(path)) ||
        file_read_private(path, false, (unsigned char *)ret, &n, NULL) || n != ACCOUNT_TOKEN)
        return false;
    ret[n] = '\0';
    return true;
}

/* Who logged in last, if the session goes on and is of the account that is asked for. */
static bool by_session(cases *c, atg_arena *arena, const char *name, actor *ret) {
    char token[ACCOUNT_TOKEN + 1];
    atg_str folded = {NULL, 0};
    actor who;
    bool in = login_session_read(c, token) &&
              account_session(c, arena, (atg_str){token, ACCOUNT_TOKEN}, &who, NULL) == ATG_OK;

    bytes_wipe(token, sizeof(token));
    if (in && name)
        in = account_fold(arena, atg_str_of(name), &folded, NULL) == ATG_OK &&
             atg_str_eq(folded, who.name);
    if (in)
        *ret = who;
    return in;
}

/* ---- a password ---- */

const char *login_name(const args *a) {
    const char *name = a->value[OPT_ACCOUNT];

    if (!name)
        name = getenv("ANTIGONE_ACCOUNT"); /* NOLINT(concurrency-mt-unsafe): one thread */
    return name && *name ? name : NULL;
}

void login_origin(char ret[LOGIN_ORIGIN]) {
    (void)snprintf(ret, LOGIN_ORIGIN, "user %lu of this machine", (unsigned long)getuid());
}

static int by_code(cases *c, atg_arena *arena, login_request *r, login *ret) {
    SECRET_AUTO code = {.n = 0};
    atg_err err = {0};
    int rc = secret_ask("ANTIGONE_CODE_FILE", "Code of the telephone, or one on paper", &code);

    if (rc)
        return rc;
    r->code = secret_str(&code);
    rc = account_login(c, arena, r, ret, &err);
    r->code = (atg_str){NULL, 0};
    return rc ? cli_fail(NULL, &err) : EXIT_DONE;
}

int login_password(const args *a, cases *c, atg_arena *arena, login *ret) {
    const char *name = login_name(a);
    SECRET_AUTO password = {.n = 0};
    char prompt[PROMPT_MAX], origin[LOGIN_ORIGIN];
    login_request r = {.name = atg_str_of(name)};
    atg_err err = {0};
    int code;

    if (!name)
        return cli_usage(a->command, "Say who acts: --account NAME, or ANTIGONE_ACCOUNT, or log in "
                                     "first with 'antigone login'");
    (void)snprintf(prompt, sizeof(prompt), "Password of %.200s", name);
    code = secret_ask("ANTIGONE_PASSWORD_FILE", prompt, &password);
    if (code)
        return code;
    login_origin(origin);
    r.password = secret_str(&password);
    r.origin = atg_str_of(origin);
    if (account_login(c, arena, &r, ret, &err))
        return cli_fail(NULL, &err);
    if (ret->status == LOGIN_CODE) {
        code = by_code(c, arena, &r, ret);
        if (code)
            return code;
    }
    if (ret->status == LOGIN_CHANGE) {
        (void)fputs("antigone: This password was given to you to be changed: set your own with "
                    "'antigone password'.\n",
                    stderr);
        return EXIT_NO;
    }
    if (ret->recovery_left >= 0)
        (void)fprintf(stderr, "antigone: %lld codes on paper are left.\n",
                      (long long)ret->recovery_left);
    return EXIT_DONE;
}

int login_actor(const args *a, cases *c, atg_arena *arena, actor *ret) {
    login in;
    int code;

    if (by_session(c, arena, login_name(a), ret))
        return EXIT_DONE;
    code = login_password(a, c, arena, &in);
    if (!code)
        *ret = in.who;
    return code;
}
