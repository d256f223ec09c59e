/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the PostgreSQL backend share. */
#ifndef ATG_STORE_POSTGRES_H
#define ATG_STORE_POSTGRES_H

#include <libpq-fe.h>

#include "store/backend.h"

typedef struct postgres_db {
    db base;
    PGconn *conn;
    char *conninfo;
    uint64_t deadline;   /* of the answer that is awaited; 0: none */
    uint32_t generation; /* of the connection: what was prepared on an older one is gone */
    uint32_t n_prepared; /* names of prepared statements */
} postgres_db;

typedef struct postgres_rows {
    db_rows base;
    char name[16];       /* on the server; empty: not prepared */
    uint32_t generation; /* of the connection that knows the name */
    Oid *types;          /* of the values; 0: the server infers it, only null was given so far */
    PGresult *result;    /* all rows, or one of a stream */
    int row, n_rows;
} postgres_rows;

static inline postgres_db *postgres_of(db *d) {
    return (postgres_db *)(void *)d;
}

/* Connect, or connect again when the connection broke. */
int postgres_connect(postgres_db *d, atg_err *err);
bool postgres_connected(const postgres_db *d);

/* Wait for the next result of what was sent; NULL at its end.  The clock and the cancel flag are
 * watched: then the server is asked to stop, and the result is its answer to that. */
int postgres_result(postgres_db *d, const char *doing, PGresult **ret, atg_err *err);
/* Take and throw away what is left of what was sent. */
void postgres_drain(postgres_db *d);
/* Start the clock of a statement. */
void postgres_start_clock(postgres_db *d);

/* Turn a failed result (NULL: the connection failed) into ours. */
int postgres_failed(postgres_db *d, const PGresult *result, const char *doing, atg_err *err);

/* A script on the connection as it is. */
int postgres_run(postgres_db *d, const char *name, const char *sql, atg_err *err);

/* Rows (postgres_rows.c). */
int postgres_prepare(db_rows *rows, atg_err *err);
void postgres_forget(db_rows *rows);
int postgres_start(db_rows *rows, const db_value *values, int n, atg_err *err);
int postgres_next(db_rows *rows, atg_err *err);
void postgres_finish(db_rows *rows);
int postgres_n_columns(const db_rows *rows);
db_value postgres_column(const db_rows *rows, int at);
int64_t postgres_changed(const db_rows *rows);

#endif
