/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/login.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/accounts.h"
#include "base/bytes.h"
#include "base/file.h"
#include "cli/secret.h"

enum { PATH_SIZE = 4096, NAME_SIZE = 100 };

const char *login_name(const args *a) {
    const char *name = a->value[OPT_ACCOUNT];

    if (!name)
        name = getenv("ANTIGONE_ACCOUNT"); /* NOLINT(concurrency-mt-unsafe): one thread */
    return name && *name ? name : NULL;
}

/* The token lies where only this user of the machine can read it, and is gone after a restart where
 * the system has such a folder.  One a store. */
static bool token_path(const cases *c, char *ret, size_t size) {
    const char *named = getenv("ANTIGONE_SESSION"); /* NOLINT(concurrency-mt-unsafe) */
    const char *folder = getenv("XDG_RUNTIME_DIR"); /* NOLINT(concurrency-mt-unsafe) */
    char id[UUID_TEXT + 1];

    uuid_text(cases_id(c), id);
    if (named && *named)
        return snprintf(ret, size, "%s", named) < (int)size;
    if (folder && *folder)
        return snprintf(ret, size, "%s/antigone-%s", folder, id) < (int)size;
    folder = getenv("HOME"); /* NOLINT(concurrency-mt-unsafe) */
    return folder && *folder && snprintf(ret, size, "%s/.antigone-%s", folder, id) < (int)size;
}

int login_keep(const cases *c, const char *token) {
    char path[PATH_SIZE];
    atg_err err = {0};

    if (!token_path(c, path, sizeof(path))) {
        (void)fputs("antigone: There is no place for the session: set ANTIGONE_SESSION to the path "
                    "of a file.\n",
                    stderr);
        return EXIT_USAGE;
    }
    return file_write_private(path, atg_str_of(token), &err) ? cli_fail(path, &err) : EXIT_DONE;
}

bool login_token(const cases *c, char *ret, size_t size) {
    char path[PATH_SIZE];
    size_t n = size - 1;

    if (!token_path(c, path, sizeof(path)) ||
        file_read_private(path, false, (unsigned char *)ret, &n, NULL))
        return false;
    ret[n] = '\0';
    return true;
}

void login_forget(const cases *c) {
    char path[PATH_SIZE];

    if (token_path(c, path, sizeof(path)))
        (void)unlink(path);
}

static bool by_session(const args *a, cases *c, atg_arena *arena, actor *ret) {
    char token[ACCOUNT_TOKEN + 1];
    const char *name = login_name(a);
    actor who;
    bool good = login_token(c, token, sizeof(token)) &&
                !account_session(c, arena, atg_str_of(token), &who, NULL);

    bytes_wipe(token, sizeof(token));
    if (!good || (name && !atg_str_eq(who.name, atg_str_of(name))))
        return false;
    *ret = who;
    return true;
}

/* The user of this machine is where it comes from. */
static void origin_of(char *ret, size_t size) {
    (void)snprintf(ret, size, "local:%ld", (long)getuid());
}

int login_refuse_change(void) {
    (void)fputs("antigone: This password was set by somebody else: set your own with 'antigone "
                "password'.\n",
                stderr);
    return EXIT_NO;
}

int login_nobody(const args *a) {
    return cli_usage(a->command, "Say who you are: --account NAME, or ANTIGONE_ACCOUNT; or log in "
                                 "first: 'antigone login NAME'");
}

void login_say_recovery(int64_t left) {
    (void)fprintf(stderr, "antigone: That was a recovery code; %lld are left.\n", (long long)left);
}

int login_anew(const args *a, cases *c, atg_arena *arena, const char *name, actor *ret) {
    SECRET_AUTO password = {.n = 0}, code = {.n = 0};
    char origin[NAME_SIZE];
    login in = {.status = LOGIN_CODE};
    atg_err err = {0};
    int exit_code;

    if (!name)
        return login_nobody(a);
    origin_of(origin, sizeof(origin));
    exit_code = secret_ask("ANTIGONE_PASSWORD_FILE", "Password", &password);
    for (int i = 0; i < 2 && !exit_code && in.status == LOGIN_CODE; i++) {
        login_request r = {atg_str_of(name), secret_str(&password), secret_str(&code),
                           atg_str_of(origin)};

        if (i)
            exit_code = secret_ask("ANTIGONE_CODE_FILE", "Code", &code);
        r.code = secret_str(&code);
        if (!exit_code && account_login(c, arena, &r, &in, &err))
            return cli_fail(NULL, &err);
    }
    if (exit_code)
        return exit_code;
    if (in.status == LOGIN_CHANGE)
        return login_refuse_change();
    if (in.recovery_left >= 0)
        login_say_recovery(in.recovery_left);
    *ret = in.who;
    return EXIT_DONE;
}

int login_actor(const args *a, cases *c, atg_arena *arena, actor *ret) {
    return by_session(a, c, arena, ret) ? EXIT_DONE : login_anew(a, c, arena, login_name(a), ret);
}
