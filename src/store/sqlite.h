/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the SQLite backend share. */
#ifndef ATG_STORE_SQLITE_H
#define ATG_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/backend.h"
#include "store/backup.h"
#include "store/place.h"

/* "ATG1": in the header of the file, so that no other database is taken for a store. */
enum { SQLITE_STORE_ID = 0x41544731 };

/* A bound list of integers. */
typedef struct sqlite_list {
    const int64_t *p;
    size_t n;
} sqlite_list;

/* The thread that brings the log into the database; sqlite_log.c. */
typedef struct sqlite_log sqlite_log;

/* Of transactions, run again and again. */
typedef enum sqlite_command {
    RUN_BEGIN_READ,
    RUN_BEGIN_WRITE,
    RUN_COMMIT,
    RUN_SAVEPOINT,
    RUN_RELEASE,
    RUN_COMMANDS,
} sqlite_command;

typedef struct sqlite_db {
    db base;
    sqlite3 *handle;
    place place;
    sqlite_log *log; /* NULL: the connection does it behind its own commits */
    sqlite3_stmt *commands[RUN_COMMANDS];
    uint64_t busy_until; /* of the wait for a lock that is going on */
    uint64_t deadline;   /* of the statement that runs; 0: none */
} sqlite_db;

static inline sqlite_db *sqlite_of(db *d) {
    return (sqlite_db *)(void *)d;
}

/* Turn the last failure of the handle into ours.  `doing` is a statement's name or a verb. */
int sqlite_failed(sqlite_db *d, int code, const char *doing, atg_err *err);

/* One statement without rows or values, or one whose first column is wanted. */
int sqlite_do(sqlite_db *d, const char *sql, atg_err *err);
int sqlite_ask(sqlite_db *d, const char *sql, int64_t *ret, atg_err *err);

void sqlite_close(db *base);

/* Where it cannot be started, all is as without it. */
void sqlite_log_start(sqlite_db *d);
void sqlite_log_end(sqlite_db *d);

int sqlite_backup(db *base, backup_file *to, const atg_progress *progress, int64_t *ret_schema,
                  atg_err *err);

/* unnest(): make it known to a connection, and give it a list, which must stay. */
int sqlite_list_module(sqlite_db *d, atg_err *err);
int sqlite_list_bind(sqlite3_stmt *s, int at, sqlite_list *list);

extern const backend sqlite_backend;

#endif
