/* SPDX-License-Identifier: Apache-2.0 */
/* How a SQLite store is opened, and refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/sqlite.h"

enum { POLL_NS = 1000000, STEPS = 2000 };

/* Waits of 1 ms, not SQLite's growing ones: under steady writing by another process the moments
 * in which the lock is free are short, and who sleeps long misses them all. */
static int wait_for_lock(void *user, int tries) {
    sqlite_db *d = user;

    if (tries == 0)
        d->busy_until = now_ms() + d->base.busy_ms;
    if (now_ms() >= d->busy_until || db_cancelled(&d->base))
        return 0;
    nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    return 1;
}

static int time_to_stop(void *user) {
    const sqlite_db *d = user;

    return db_cancelled(&d->base) || (d->deadline && now_ms() > d->deadline);
}

int sqlite_do(sqlite_db *d, const char *sql, atg_err *err) {
    int rc = sqlite3_exec(d->handle, sql, NULL, NULL, NULL);

    return rc ? sqlite_failed(d, rc, "Opening the store", err) : ATG_OK;
}

int sqlite_ask(sqlite_db *d, const char *sql, int64_t *ret, atg_err *err) {
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(d->handle, sql, -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0);
    rc = rc == SQLITE_ROW ? ATG_OK : sqlite_failed(d, rc, "Opening the store", err);
    sqlite3_finalize(s);
    return rc;
}

/* The file with the rights that only its owner has: SQLite gives the log the same. */
static int make_file(sqlite_db *d, atg_err *err) {
    int fd = open(d->place.file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char text[128];

    /* closing a file ends SQLite's locks on it, but nobody can have had any on a new one */
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return atg_fail(err, ATG_EIO, "Cannot make %.200s: %s", d->place.file,
                        strerror_r(errno, text, sizeof(text)));
    return ATG_OK;
}

static int connect_file(sqlite_db *d, atg_err *err) {
    int rc =
        sqlite3_open_v2(d->place.file, &d->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (rc)
        return sqlite_failed(d, rc, "Opening the store", err);
    sqlite3_busy_handler(d->handle, wait_for_lock, d);
    sqlite3_progress_handler(d->handle, STEPS, time_to_stop, d);
    sqlite3_limit(d->handle, SQLITE_LIMIT_LENGTH, DB_BYTES_MAX + (1 << 20));
    sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    return sqlite_list_module(d, err);
}

/* Is it ours, or (with `create`) so new that it is nobody's? */
static int identify(sqlite_db *d, bool create, bool *ret_fresh, atg_err *err) {
    int64_t id = 0, n = 0;
    int rc = sqlite_ask(d, "PRAGMA application_id", &id, err);

    if (rc == ATG_OK)
        rc = sqlite_ask(d, "SELECT count(*) FROM sqlite_schema", &n, err);
    if (rc)
        return rc;
    *ret_fresh = id == 0 && n == 0;
    if (*ret_fresh && !create)
        return atg_fail(err, ATG_EDB,
                        "The database file %.200s is empty: restore the last backup, or make a new "
                        "store in another directory",
                        d->place.file);
    if (!*ret_fresh && id != SQLITE_STORE_ID)
        return atg_fail(err, ATG_EDB, "%.200s is a database of another program", d->place.file);
    return ATG_OK;
}

static int set_log(sqlite_db *d, atg_err *err) {
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(d->handle, "PRAGMA journal_mode=WAL", -1, &s, NULL);
    const char *mode = NULL;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        mode = (const char *)sqlite3_column_text(s, 0);
    if (rc != SQLITE_ROW)
        rc = sqlite_failed(d, rc, "Opening the store", err);
    else if (!mode || strcmp(mode, "wal") != 0)
        rc =
            atg_fail(err, ATG_EIO,
                     "The file system of %.200s does not let SQLite keep a write-ahead log: choose "
                     "a local disk",
                     d->place.file);
    else
        rc = ATG_OK;
    sqlite3_finalize(s);
    return rc;
}

static int set_up(sqlite_db *d, bool fresh, atg_err *err) {
    static const char ours[] = "PRAGMA synchronous=FULL;"
                               "PRAGMA secure_delete=ON;"
                               "PRAGMA foreign_keys=ON;"
                               "PRAGMA cell_size_check=ON;"
                               "PRAGMA temp_store=MEMORY;"
                               "PRAGMA cache_size=-16384;"
                               "PRAGMA wal_autocheckpoint=2000;"
                               "PRAGMA journal_size_limit=67108864;";
    char sql[64];
    int rc = sqlite_do(d, ours, err);

    if (rc == ATG_OK && fresh) {
        snprintf(sql, sizeof(sql), "PRAGMA application_id=%d", SQLITE_STORE_ID);
        rc = sqlite_do(d, sql, err);
    }
    return rc ? rc : set_log(d, err);
}

static int open_file(sqlite_db *d, bool create, atg_err *err) {
    bool fresh = false;
    int rc = create ? make_file(d, err) : ATG_OK;

    if (rc == ATG_OK)
        rc = connect_file(d, err);
    if (rc == ATG_OK)
        rc = identify(d, create, &fresh, err);
    if (rc == ATG_OK)
        rc = set_up(d, fresh, err);
    if (rc == ATG_OK && create)
        rc = place_sync_directory(d->place.file, err);
    return rc;
}

void sqlite_close(db *base) {
    sqlite_db *d = sqlite_of(base);

    sqlite_log_end(d);
    for (int i = 0; i < RUN_COMMANDS; i++)
        sqlite3_finalize(d->commands[i]);
    sqlite3_close(d->handle);
    place_close(&d->place);
    mem_free(d);
}

int sqlite_open(const db_options *options, db **ret, atg_err *err) {
    sqlite_db *d = mem_zero(1, sizeof(*d));
    int rc;

    if (!d)
        return atg_fail(err, ATG_ENOMEM, "Out of memory opening the store");
    d->base = (db){.backend = &sqlite_backend,
                   .statement_ms = options->statement_ms,
                   .usual_ms = options->statement_ms,
                   .connect_ms = options->connect_ms,
                   .busy_ms = options->busy_ms};
    rc = place_open(&d->place, options->directory, options->create, options->busy_ms, err);
    if (rc == ATG_OK) {
        rc = open_file(d, options->create, err);
        place_opened(&d->place);
    }
    if (rc == ATG_OK && options->writes)
        rc = sqlite_do(d, "PRAGMA cache_size=-65536", err);
    if (rc) {
        sqlite_close(&d->base);
        return rc;
    }
    if (options->writes)
        sqlite_log_start(d);
    *ret = &d->base;
    return ATG_OK;
}
