/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that a person types, or that a file holds for a program. */
#ifndef ATG_CLI_SECRET_H
#define ATG_CLI_SECRET_H

#include "cli/cli.h"

enum { SECRET_MAX = 1024 };

typedef struct secret {
    char text[SECRET_MAX + 1];
    size_t n;
} secret;

void secret_wipe(secret *s);
#define SECRET_AUTO __attribute__((cleanup(secret_wipe))) secret

/* The first line of the file that the variable names; else what is typed at the prompt, which shows
 * nothing, on the terminal.  EXIT_DONE, or another code after saying what to do. */
int secret_ask(const char *variable, const char *prompt, secret *ret);
/* The same for a new one, which is typed twice. */
int secret_ask_new(const char *variable, const char *prompt, secret *ret);

static inline atg_str secret_str(const secret *s) {
    return (atg_str){s->text, s->n};
}

#endif
