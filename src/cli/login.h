/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts on this machine: a session that was opened before, or an account and its password. */
#ifndef ATG_CLI_LOGIN_H
#define ATG_CLI_LOGIN_H

#include "app/accounts.h"
#include "cli/cli.h"

enum { LOGIN_PATH = 4096, LOGIN_ORIGIN = 40 };

/* The account that acts.  EXIT_DONE, or another exit code after saying why. */
int login_actor(const args *a, cases *c, atg_arena *arena, actor *ret);

/* The account that --account or ANTIGONE_ACCOUNT names; NULL: none does. */
const char *login_name(const args *a);
/* Ask for the password, and for a code where one is needed. */
int login_password(const args *a, cases *c, atg_arena *arena, login *ret);
/* Where logins on this machine come from. */
void login_origin(char ret[LOGIN_ORIGIN]);

/* The file that keeps the token of the session, $XDG_RUNTIME_DIR/antigone-STORE, mode 0600; false:
 * this user has no such folder. */
bool login_session_path(cases *c, char *ret, size_t size);
bool login_session_read(cases *c, char ret[ACCOUNT_TOKEN + 1]);

#endif
