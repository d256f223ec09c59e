/* SPDX-License-Identifier: Apache-2.0 */
/* What db.c asks of a database.  db.c keeps the rules of db.h; a backend runs what it is told. */
#ifndef ATG_STORE_BACKEND_H
#define ATG_STORE_BACKEND_H

#include "store/db.h"

struct backup_file;

typedef struct backend {
    db_kind kind;
    size_t rows_size; /* of its struct that begins with a db_rows */
    void (*close)(db *d);
    /* Once, when the statement is first used. */
    int (*prepare)(db_rows *rows, atg_err *err);
    void (*forget)(db_rows *rows);
    /* Bind and start; `next` as db_next; `finish` after either. */
    int (*start)(db_rows *rows, const db_value *values, int n, atg_err *err);
    int (*next)(db_rows *rows, atg_err *err);
    void (*finish)(db_rows *rows);
    /* Run, throw rows away, and need not wait when a transaction is open. */
    int (*post)(db_rows *rows, const db_value *values, int n, atg_err *err);
    /* Send it and keep the answer for start(); NULL: nothing is gained. */
    void (*foresee)(db_rows *rows, const db_value *values, int n);
    /* Throw away what was foreseen for db.turn; NULL with `foresee`. */
    void (*give_up)(db *d);
    /* Wait for what was posted. */
    int (*collect)(db *d, atg_err *err);
    int (*n_columns)(const db_rows *rows);
    db_value (*column)(const db_rows *rows, int column);
    int64_t (*changed)(const db_rows *rows);
    /* One or several statements without parameters; `name` for messages. */
    int (*script)(db *d, const char *name, const char *sql, atg_err *err);
    /* One statement of a transaction, which may be posted as well. */
    int (*command)(db *d, const char *name, const char *sql, atg_err *err);
    int (*begin)(db *d, db_mode mode, atg_err *err);
    int (*commit)(db *d, atg_err *err);
    void (*rollback)(db *d);
    int (*limit)(db *d, atg_err *err);
    int (*exclude)(db *d, bool on, uint32_t wait_ms, atg_err *err);
    /* A consistent copy, and the version of the schema in it (backup.h). */
    int (*backup)(db *d, struct backup_file *to, const atg_progress *progress, int64_t *ret_schema,
                  atg_err *err);
} backend;

struct db {
    const backend *backend;
    db_rows **cache; /* by address of the statement, open addressing, a power of two */
    size_t n_cache, cap_cache;
    db_rows *all;
    db_mode mode;
    int depth;    /* savepoints */
    bool guarded; /* the transaction belongs to somebody else: no commit, no rollback */
    bool failed;
    bool lost;    /* by the failure the transaction is gone as a whole */
    bool retry;   /* of the last failure */
    bool unknown; /* of the last commit */
    atg_err failure;
    uint64_t stretch, committed;
    uint32_t turn;     /* of the closure that foresees and asks: db_turn() */
    uint64_t notified; /* the stretch in which the channel was */
    const char *channel;
    uint32_t statement_ms, usual_ms, busy_ms, connect_ms;
    const atomic_bool *cancel;
};

struct db_rows {
    db *owner;
    const db_statement *statement;
    db_rows *next; /* of the connection */
    int n_values;  /* the highest $n */
    bool open, streaming, on_row;
};

static inline bool db_cancelled(const db *d) {
    return d->cancel && atomic_load_explicit(d->cancel, memory_order_relaxed);
}

int sqlite_open(const db_options *options, db **ret, atg_err *err);
int postgres_open(const db_options *options, db **ret, atg_err *err);

/* The highest $n of a statement.  With `ret`, which has room for it and a NUL, a copy is made in
 * which each $n is ?n.  Quoted text and comments stay as they are. */
int parameters_read(const char *sql, char *ret);

/* Milliseconds of a clock that only goes forward. */
uint64_t now_ms(void);

#endif
