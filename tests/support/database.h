/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the store, each run on SQLite and on PostgreSQL with a fresh database.  Where PostgreSQL
 * is not installed its half is skipped, and says so. */
#ifndef ATG_TESTS_DATABASE_H
#define ATG_TESTS_DATABASE_H

#include "testing.h"

typedef struct database {
    bool postgres;
    const char *backend; /* for messages */
    char directory[200]; /* a scratch folder: the store of SQLite, room for anything */
    char conninfo[300];  /* of PostgreSQL; empty with SQLite */
} database;

typedef struct database_test {
    const char *name; /* a sentence */
    void (*run)(const database *where);
    enum { ON_BOTH, ON_SQLITE, ON_POSTGRES } on;
} database_test;

/* Run them all; the exit code of main(). */
int database_run(const database_test *tests, size_t n);

#define DATABASE_RUN(tests) database_run((tests), sizeof(tests) / sizeof(*(tests)))

/* NULL with SQLite, else the connection: what the options of the store take. */
static inline const char *database_conninfo(const database *where) {
    return where->postgres ? where->conninfo : NULL;
}

/* A number from the environment, or `otherwise`. */
long database_number(const char *variable, long otherwise);

/* Make and remove scratch folders. */
void database_make_folder(char *ret, size_t size);
void database_remove_folder(const char *folder);

#endif
