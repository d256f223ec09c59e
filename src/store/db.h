/* SPDX-License-Identifier: Apache-2.0 */
/* One thin SQL layer over SQLite and PostgreSQL: connections, statements with bound parameters,
 * rows, transactions.
 *
 * SQL.  Text that both databases accept, with parameters $1, $2, ... (rewritten to ?1, ?2, ... for
 * SQLite).  Columns are BIGINT, DOUBLE PRECISION, TEXT and BLOB or BYTEA; what an expression gives
 * must be one of these: CAST(sum(n) AS BIGINT), not sum(n), which is NUMERIC in PostgreSQL.  A list
 * of integers is a value too, of any length, and unnest($1) its rows: "n IN (SELECT unnest FROM
 * unnest($1))", "SELECT unnest, $2 FROM unnest($1) WHERE ...".
 *
 * Failures.  In a transaction the first failure ends it: every later call gives that failure again
 * until db_rollback() or, when the failure came after it, db_rollback_to(); db_commit() rolls back
 * and gives it too.  Messages name the statement and the constraint, never a bound value.
 *     ATG_ECONFLICT  unique or primary key exists already; or, with db_retry(), somebody else was
 *                    in the way and the same transaction may succeed when it is run again
 *     ATG_EIO        the disk is full or fails; ATG_ELIMIT: a value is too large
 *     ATG_EINVAL     a rule of this header was broken: NUL or invalid UTF-8 in text, NaN, a wrong
 *                    number of values, a change in a DB_READ transaction
 *     ATG_ECANCEL    the cancel flag was set
 *     ATG_EDB        anything else; with db_retry(): the connection broke, run it again
 *
 * Threads.  A connection serves one thread at a time.  It does not survive fork(). */
#ifndef ATG_STORE_DB_H
#define ATG_STORE_DB_H

#include <antigone/base.h>

#include <stdatomic.h>

typedef struct db db;
typedef struct db_rows db_rows;

typedef enum db_kind { DB_SQLITE, DB_POSTGRES } db_kind;
typedef enum db_type { DB_NULL, DB_INT, DB_DOUBLE, DB_TEXT, DB_BLOB, DB_INTS } db_type;

/* DB_READ: a snapshot, taken by the first statement (REPEATABLE READ in PostgreSQL).
 * DB_WRITE: as if alone (BEGIN IMMEDIATE in SQLite, SERIALIZABLE in PostgreSQL).
 * DB_QUEUE: the same in SQLite; in PostgreSQL each statement sees what is committed then (READ
 * COMMITTED), and a power cut may undo it after it was acknowledged, never what was acknowledged
 * later without that.  For claims on work, which may be lost but not meet. */
typedef enum db_mode { DB_NONE, DB_READ, DB_WRITE, DB_QUEUE } db_mode;

enum { DB_VALUES_MAX = 128, DB_LISTS_MAX = 4, DB_BYTES_MAX = 256 << 20, DB_INTS_MAX = 16 << 20 };

typedef struct db_value {
    db_type type;
    union {
        int64_t i;
        double d;
        atg_str s; /* text (UTF-8 without NUL) or blob (any bytes); empty is not null */
        struct {
            const int64_t *p;
            size_t n;
        } ints; /* at most DB_LISTS_MAX a statement; never a column */
    };
} db_value;

/* A statement lives as long as the program: it is prepared once a connection and found again by
 * its address.  One SQL statement, without a semicolon. */
typedef struct db_statement {
    const char *name; /* for messages */
    const char *sql;
} db_statement;

typedef struct db_options {
    const char *directory; /* of SQLite; made (mode 0700) with `create` */
    const char *conninfo;  /* of libpq; not NULL: PostgreSQL */
    bool create;           /* make a SQLite store where none is; else that is ATG_ENOTFOUND */
    uint32_t connect_ms;   /* 0: 10 s */
    uint32_t busy_ms;      /* how long to wait for a lock; 0: 10 s */
    uint32_t statement_ms; /* how long a statement may take, all its rows read; 0: 60 s */
    bool writes;           /* SQLite: much is written; more memory, and a thread beside it */
} db_options;

static inline db_value db_null(void) {
    return (db_value){.type = DB_NULL};
}
static inline db_value db_int(int64_t i) {
    return (db_value){.type = DB_INT, .i = i};
}
static inline db_value db_double(double d) {
    return (db_value){.type = DB_DOUBLE, .d = d};
}
static inline db_value db_text(atg_str s) {
    return (db_value){.type = DB_TEXT, .s = s};
}
static inline db_value db_blob(const void *p, size_t n) {
    return (db_value){.type = DB_BLOB, .s = {p, n}};
}
static inline db_value db_ints(const int64_t *p, size_t n) {
    return (db_value){.type = DB_INTS, .ints = {p, n}};
}

/* Connect.  SQLite: ATG_EDB for a damaged file or one of another program, ATG_EINVAL for a network
 * file system. */
int db_open(const db_options *options, db **ret, atg_err *err);
void db_close(db *d);
db_kind db_kind_of(const db *d);

/* Limits from here to the end of the transaction: a time for each statement (0: none) and a flag
 * that another thread may set to stop it (NULL: none).  In a transaction only. */
int db_limit(db *d, uint32_t statement_ms, const atomic_bool *cancel, atg_err *err);

/* Run a statement that gives no rows.  `ret_changed` may be NULL. */
int db_run(db *d, const db_statement *statement, const db_value *values, int n,
           int64_t *ret_changed, atg_err *err);

/* Run a statement whose rows and count nobody asks for, without waiting for it where the database
 * allows that (PostgreSQL, in a transaction): its failure, with its name, is then that of a later
 * call of the transaction, db_release() or db_commit() at the latest.  What runs behind it sees
 * what it did.  The values are read before it returns. */
int db_post(db *d, const db_statement *statement, const db_value *values, int n, atg_err *err);

/* Say that db_query() will soon run this statement with these values: in a transaction of
 * PostgreSQL what several statements ask is then answered together, at the first that is waited
 * for.  A hint, which never fails by itself; values of more than 64 bytes are not foreseen. Whoever
 * foresees promises that nothing changes the answer until it is asked for or given up:
 * db_foreseen_end() gives up what was foreseen and not asked for. */
void db_foresee(db *d, const db_statement *statement, const db_value *values, int n);
void db_foreseen_end(db *d);
/* For whoever runs several in one transaction: what is foreseen in a turn is asked for and given up
 * in that turn alone.  At first it is 0. */
void db_turn(db *d, uint32_t turn);

/* Run a statement that gives rows.  Texts, blobs and lists must stay until db_end().  The
 * same statement cannot run twice at a time on a connection; others may between its rows. */
int db_query(db *d, const db_statement *statement, const db_value *values, int n, db_rows **ret,
             atg_err *err);
/* The same for results of any size, which are never held in memory as a whole.  Until db_end()
 * nothing else can run on the connection. */
int db_stream(db *d, const db_statement *statement, const db_value *values, int n, db_rows **ret,
              atg_err *err);

/* Go to the next row: 1, or 0 behind the last, or a failure. */
int db_next(db_rows *rows, atg_err *err);
/* Give the rows back; NULL is fine.  Commit and rollback do it for those left open. */
void db_end(db_rows *rows);
static inline void db_rows_freep(db_rows **p) {
    db_end(*p);
}

/* Columns of the current row, from 0.  Texts and blobs are valid until the next db_next() or
 * db_end().  Asking for another type than the column has gives 0 or empty, and fails the next
 * db_next() and the transaction; null gives 0 or empty where db_is_null() tells it apart. */
db_value db_get(db_rows *rows, int at); /* whatever it is */
bool db_is_null(db_rows *rows, int at);
db_type db_type_of(db_rows *rows, int at);
int64_t db_get_int(db_rows *rows, int at);
double db_get_double(db_rows *rows, int at);
atg_str db_get_text(db_rows *rows, int at);
atg_str db_get_blob(db_rows *rows, int at);

/* A query for at most one integer: ATG_ENOTFOUND when there is no row (which does not fail the
 * transaction), `otherwise` for null. */
int db_get_one(db *d, const db_statement *statement, const db_value *values, int n,
               int64_t otherwise, int64_t *ret, atg_err *err);

/* Several statements without parameters, separated by semicolons; rows are thrown away. */
int db_script(db *d, const char *name, const char *sql, atg_err *err);

/* Transactions.  Outside of one each statement is its own.  A connection that broke is made anew
 * by db_begin(). */
int db_begin(db *d, db_mode mode, atg_err *err);
/* Not for closures of a store (store.h), whose transaction is the store's: there a commit fails,
 * and a rollback fails the transaction. */
int db_commit(db *d, atg_err *err);
void db_rollback(db *d);
db_mode db_mode_of(const db *d);

/* Savepoints nest.  db_rollback_to() undoes and forgets the innermost one; it fails when the whole
 * transaction is lost. */
int db_savepoint(db *d, atg_err *err);
int db_release(db *d, atg_err *err);
int db_rollback_to(db *d, atg_err *err);

/* About the last failure.  The same transaction may succeed when it is run again. */
bool db_retry(const db *d);
/* The connection broke during db_commit(): whether it was done is not known. */
bool db_unknown(const db *d);

/* For caches of what was read.  A stretch is the part of a transaction from its begin, or from its
 * last db_rollback_to(), in which nothing was undone; each has a number of its own in the process,
 * 0 outside of transactions.  The second is that of the last stretch that ended with a successful
 * db_commit() on this connection: what was read or written in it is there. */
uint64_t db_stretch(const db *d);
uint64_t db_committed(const db *d);

/* Be alone: SQLite: no other connection to the directory is open or can be opened until
 * db_share(); PostgreSQL: nobody else is between these two calls.  ATG_ECONFLICT when others are
 * in the way for `wait_ms`. */
int db_exclude(db *d, uint32_t wait_ms, atg_err *err);
void db_share(db *d);

/* A consistent copy in a new file (store/backup.h), written and synced before it gets its name,
 * while others write.  ATG_ECONFLICT when `path` exists.  PostgreSQL: by pg_dump of the server's
 * version, which must be installed here (ATG_ENOTFOUND); the password of the connection goes to it
 * by its environment. */
int db_backup(db *d, const char *path, const atg_progress *progress, atg_err *err);
/* SQLite only: read everything and say what is damaged (ATG_EDB). */
int db_check(db *d, atg_err *err);
/* SQLite: bring the write-ahead log into the database and cut it to nothing, so that what was
 * erased is gone from it too; ATG_ECONFLICT (db_retry) while readers hold on to it.  PostgreSQL:
 * nothing to do here. */
int db_checkpoint(db *d, atg_err *err);

#endif
