/* SPDX-License-Identifier: Apache-2.0 */
/* A PostgreSQL server of one program's own: no TCP, data in a scratch folder.  A watchman process
 * starts it and, however the program ends, stops it and removes the folder. */
#ifndef ATG_TESTS_SERVER_H
#define ATG_TESTS_SERVER_H

#include <stdbool.h>

/* Is PostgreSQL installed here (ATG_PG_BIN, or where Debian puts version 15)? */
bool server_installed(void);

/* Start it, once; `sync` is its fsync.  False, with a line on standard error, when it fails. */
bool server_start(bool sync);

/* The same with fsync in a folder that stays, data and all, and can be started again; it is made
 * where it is not there yet. */
bool server_start_kept(const char *in);

/* The folder of its socket; make an empty database there, and remove it. */
const char *server_socket(void);
bool server_make_database(const char *name);
void server_drop_database(const char *name);

/* Stop it as `pg_ctl -m immediate` does (as after a power cut), or `fast`, and start it again. */
void server_stop(bool immediate);
void server_restart(void);

/* Stop it and remove everything.  Also done when the program ends without. */
void server_end(void);

#endif
