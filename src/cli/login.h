/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts on this machine: a session that was opened before, or an account and its password. */
#ifndef ATG_CLI_LOGIN_H
#define ATG_CLI_LOGIN_H

#include "app/cases.h"
#include "cli/cli.h"

int login_actor(const args *a, cases *c, atg_arena *arena, actor *ret);

#endif
