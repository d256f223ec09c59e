/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of PostgreSQL (pg_dump, pg_restore) as child processes.
 *
 * What they need to know to connect goes by their environment, which other users cannot read, and
 * by the command line only the name of the database and how to keep the connection alive. */
#ifndef ATG_STORE_POSTGRES_PROGRAM_H
#define ATG_STORE_POSTGRES_PROGRAM_H

#include "store/postgres.h"

enum { PROGRAM_ARGUMENTS = 16 };

/* What to do with what it writes. */
typedef int program_sink(void *user, atg_str bytes, atg_err *err);
/* Called at least every 100 ms; false stops the program. */
typedef bool program_look(void *user, uint64_t fed);

typedef struct program_call {
    const char *name;                         /* "pg_dump" */
    const char *arguments[PROGRAM_ARGUMENTS]; /* up to a NULL */
    int from;           /* a file that is its standard input from where it stands; -1: nothing */
    uint64_t size;      /* so many bytes of it */
    program_sink *out;  /* NULL: it writes nothing */
    program_look *look; /* `fed`: bytes of `from` that it took */
    void *user;
} program_call;

/* Run it on the database of a connection, and wait for its end.  It does not outlive this process
 * for long: its input or output ends.  ATG_ENOTFOUND: it is not
 * installed; ATG_ECANCEL: stopped; ATG_EDB with its own words, out of which what stands in quotes
 * was taken: it failed. */
int program_run(const postgres_db *d, const program_call *call, atg_err *err);

#endif
