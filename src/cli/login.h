/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts on this machine: a session that was opened before, or an account and its password. */
#ifndef ATG_CLI_LOGIN_H
#define ATG_CLI_LOGIN_H

#include "app/cases.h"
#include "cli/cli.h"

/* The session of 'antigone login' if there is one and it is of the account that the options name;
 * else the password is asked for.  EXIT_DONE, or another code after saying why. */
int login_actor(const args *a, cases *c, atg_arena *arena, actor *ret);

/* Ask for password and code, whatever session there is. */
int login_anew(const args *a, cases *c, atg_arena *arena, const char *name, actor *ret);

/* What is said of logins, here and over the network; exit codes. */
int login_nobody(const args *a); /* nobody is named */
int login_refuse_change(void);   /* the password is somebody else's still */
void login_say_recovery(int64_t left);

/* The account that the options name, or NULL. */
const char *login_name(const args *a);

/* Keep a session's token where login_actor() finds it; read it; take it away. */
int login_keep(const cases *c, const char *token);
bool login_token(const cases *c, char *ret, size_t size);
void login_forget(const cases *c);

#endif
