/* SPDX-License-Identifier: Apache-2.0 */
/* What commands on cases share: the open store, who acts, the operation, files by their codes. */
#ifndef ATG_CLI_STORE_H
#define ATG_CLI_STORE_H

#include "cli/backend.h"

/* Options of commands that work on the machine of the store alone, and of those that also work
 * over the network; behind their own. */
#define HERE_OPTIONS OPT_STORE, OPT_POSTGRES, OPT_KEY, OPT_ACCOUNT, OPT_REASON, OPT_QUIET, OPT_HELP
#define STORE_OPTIONS OPT_SERVER, OPT_CA, HERE_OPTIONS

/* Open the store or the service that the options or variables name, and log in.  EXIT_DONE, or
 * another exit code after saying why; close it in any case. */
int cli_store_open(const args *a, store_session *ret);
/* The same, and nobody is logged in. */
int cli_store_only(const args *a, store_session *ret);
/* The same of a store on this machine. */
int cli_store_open_here(const args *a, store_session *ret);
int cli_store_only_here(const args *a, store_session *ret);
void cli_store_close(store_session *s);
#define STORE_SESSION __attribute__((cleanup(cli_store_close))) store_session

/* A command that works on the machine of the store alone, and a service is all that is named?
 * EXIT_DONE, or EXIT_USAGE after saying so. */
int cli_store_place(const args *a);

/* The service that the options or variables name; NULL: none.  Options come before variables, and
 * a service before a store. */
const char *cli_store_server(const args *a);
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
int cli_store_file(store_session *s, const char *code, file_row *ret);
/* The kind of files or records that a word names. */
int cli_store_kind(const args *a, const char *text, record_kind *ret);

/* "FIELD=VALUE" words into a record; what a field is unknown by is "FIELD=". */
int cli_store_fields(store_session *s, int n, char *const *words, record *r);

/* Say that something was done, unless --quiet. */
void cli_store_say(const args *a, const char *fmt, ...) ATG_PRINTF(2, 3);

#endif
