/* SPDX-License-Identifier: Apache-2.0 */
/* What commands on cases share: the open store, who acts, the operation, files by their codes. */
#ifndef ATG_CLI_STORE_H
#define ATG_CLI_STORE_H

#include "app/cases.h"
#include "cli/cli.h"

/* Options that every command on cases takes; behind its own. */
#define STORE_OPTIONS OPT_STORE, OPT_POSTGRES, OPT_KEY, OPT_ACCOUNT, OPT_REASON, OPT_QUIET, OPT_HELP

typedef struct store_session {
    cases *c;
    atg_arena *arena;
    actor who;
    file_row operation; /* of cli_store_operation() */
} store_session;

/* Open the store that the options or variables name, and log in.  EXIT_DONE, or another exit code
 * after saying why; close it in any case. */
int cli_store_open(const args *a, store_session *ret);
/* The store alone: nobody is logged in. */
int cli_store_only(const args *a, store_session *ret);
void cli_store_close(store_session *s);
#define STORE_SESSION __attribute__((cleanup(cli_store_close))) store_session

/* Folder, connection and key file as the options and variables say; NULL where nothing does. */
const char *cli_store_folder(const args *a);
const char *cli_store_postgres(const args *a);
/* In `room` where it is in the folder. */
const char *cli_store_key(const args *a, char *room, size_t size);

/* Open a key file, asking for its passphrase where it has one. */
int cli_store_master(const args *a, key256 *ret);

/* The operation of --operation, or the only one there is. */
int cli_store_operation(const args *a, store_session *s);
/* The file of a code or identifier. */
int cli_store_file(const store_session *s, const char *code, file_row *ret);
/* The kind of files or records that a word names. */
int cli_store_kind(const args *a, const char *text, record_kind *ret);

/* "FIELD=VALUE" words into a record; what a field is unknown by is "FIELD=". */
int cli_store_fields(const store_session *s, int n, char *const *words, record *r);

/* Say that something was done, unless --quiet. */
void cli_store_say(const args *a, const char *fmt, ...) ATG_PRINTF(2, 3);

#endif
