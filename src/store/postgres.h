/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the PostgreSQL backend share. */
#ifndef ATG_STORE_POSTGRES_H
#define ATG_STORE_POSTGRES_H

#include <libpq-fe.h>

#include "store/backend.h"
#include "store/backup.h"

/* pg_type.dat */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_UNKNOWN = 705,
    OID_INT8_ARRAY = 1016,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_VOID = 2278,
};

typedef struct postgres_rows postgres_rows;

/* Statements whose answers are awaited together, at most. */
enum { PIPE_POSTS = 256, PIPE_QUEUE = PIPE_POSTS + 16, PIPE_BYTES = 1 << 20 };

/* What was sent and not answered yet. */
typedef struct postgres_sent {
    const char *name;        /* for messages; NULL: the end of a round */
    postgres_rows *prepares; /* the statement that this prepares, or NULL */
    postgres_rows *foresees; /* the statement whose answer is kept for it, or NULL */
    uint64_t ticket;         /* of postgres_ahead */
} postgres_sent;

typedef struct postgres_db {
    db base;
    PGconn *conn;
    char *conninfo;
    uint64_t deadline;   /* of the answer that is awaited; 0: none */
    bool ending;         /* the server said that it ends the connection */
    uint32_t generation; /* of the connection: what was prepared on an older one is gone */
    uint32_t n_prepared; /* names of prepared statements */
    uint32_t n_sent, n_unpushed;
    size_t n_bytes; /* of the values in the queue */
    uint64_t n_foreseen;
    postgres_sent sent[PIPE_QUEUE];
} postgres_db;

/* An answer that came before it was asked for. */
enum { AHEAD_KEY = 64, AHEAD_MOST = 16 };
typedef struct postgres_ahead {
    uint64_t ticket; /* counts what was foreseen; 0: nothing is */
    uint64_t stretch;
    uint32_t turn;
    unsigned char key[AHEAD_KEY]; /* the values */
    size_t n_key;
    PGresult *result; /* NULL: it has not come yet */
} postgres_ahead;

struct postgres_rows {
    db_rows base;
    char name[16];       /* on the server; empty: not prepared */
    uint32_t generation; /* of the connection that knows the name */
    Oid *types;          /* of the values; 0: the server infers it, only null was given so far */
    PGresult *result;    /* all rows, or one of a stream */
    int row, n_rows;
    postgres_ahead *ahead; /* AHEAD_MOST of them; NULL: nothing was ever foreseen */
};

static inline postgres_db *postgres_of(db *d) {
    return (postgres_db *)(void *)d;
}

/* Is it one that libpq can read? */
int postgres_check_conninfo(const char *conninfo, atg_err *err);
/* A connection in the making, or with `wait` a made or failed one; NULL when memory is short. */
PGconn *postgres_dial(const char *conninfo, uint32_t connect_ms, bool wait);
/* Connect, or connect again when the connection broke. */
int postgres_connect(postgres_db *d, atg_err *err);
bool postgres_connected(const postgres_db *d);
/* End the connection, with all that was not answered. */
void postgres_drop(postgres_db *d);

/* Wait for the next result of what was sent; NULL at its end.  The clock and the cancel flag are
 * watched: then the server is asked to stop, and the result is its answer to that. */
int postgres_result(postgres_db *d, const char *doing, PGresult **ret, atg_err *err);
/* Take and throw away what is left of what was sent. */
void postgres_drain(postgres_db *d);
/* Start the clock of a statement. */
void postgres_start_clock(postgres_db *d);

/* Turn a failed result (NULL: the connection failed) into ours.  A connection that is of no more
 * use is dropped. */
int postgres_failed(postgres_db *d, const PGresult *result, const char *doing, atg_err *err);
/* libpq did not take what was to be sent: the connection is dropped. */
int postgres_not_sent(postgres_db *d, const char *doing, atg_err *err);

/* A script on the connection as it is. */
int postgres_run(postgres_db *d, const char *name, const char *sql, atg_err *err);

/* The pipeline (postgres_pipe.c): statements are sent one behind the other, their answers are read
 * together.  When one fails, the server skips the others up to the end of the round.
 *
 * Send a command without values and rows, the preparation of a statement, or a prepared statement
 * with its values, which are copied. */
int pipe_command(postgres_db *d, const char *name, const char *sql, atg_err *err);
int pipe_prepare(postgres_db *d, postgres_rows *r, atg_err *err);
int pipe_run(postgres_db *d, postgres_rows *r, const db_value *values, int n, atg_err *err);
/* The same, and its answer is kept for the ticket in r->ahead when it comes. */
int pipe_foresee(postgres_db *d, postgres_rows *r, uint64_t ticket, const db_value *values, int n,
                 atg_err *err);
/* The same outside of the pipeline. */
int pipe_send(postgres_db *d, postgres_rows *r, const db_value *values, int n, atg_err *err);
/* End the round: what is sent behind it is not skipped.  Waits for nothing. */
int pipe_end_round(postgres_db *d, atg_err *err);
/* Let the server see what it can begin with; read all answers when many are awaited. */
int pipe_push(postgres_db *d, atg_err *err);
/* Read all answers and give the first failure.  `ret` (may be NULL): the result of the last. */
int pipe_collect(postgres_db *d, PGresult **ret, atg_err *err);
/* The same, and leave the pipeline: for scripts and streams. */
int pipe_leave(postgres_db *d, atg_err *err);

/* Backup and restore (postgres_copy.c). */
int postgres_backup(db *base, backup_file *to, const atg_progress *progress, int64_t *ret_schema,
                    atg_err *err);
int postgres_restore(const db_options *options, int from, const backup_page *page,
                     const atg_progress *progress, atg_err *err);

/* Rows (postgres_rows.c). */
int postgres_prepare(db_rows *rows, atg_err *err);
void postgres_forget(db_rows *rows);
int postgres_start(db_rows *rows, const db_value *values, int n, atg_err *err);
void postgres_foresee(db_rows *rows, const db_value *values, int n);
void postgres_give_up(db *base);
/* NULL: nobody waits for it any more. */
postgres_ahead *postgres_ahead_of(const postgres_rows *r, uint64_t ticket);
int postgres_post(db_rows *rows, const db_value *values, int n, atg_err *err);
int postgres_next(db_rows *rows, atg_err *err);
void postgres_finish(db_rows *rows);
int postgres_n_columns(const db_rows *rows);
db_value postgres_column(const db_rows *rows, int at);
int64_t postgres_changed(const db_rows *rows);

#endif
