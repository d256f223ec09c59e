/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing the write-ahead log into the database beside the writer, which goes on committing: else
 * it would spend a third of its time on it.  Only a log that has grown long is brought in by the
 * writer itself, which alone can find a moment in which all of it is there and it begins anew. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "store/sqlite.h"

enum {
    LOG_PAGES = 2000, /* that are worth bringing in */
    LOG_LONG = 16000,
};

struct sqlite_log {
    sqlite3 *handle;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool closing, wanted;
    atomic_int done; /* pages of the log that are in the database */
};

/* A failure is no loss: what is not brought in stays in the log, and the next time tries again. */
static void *keep(void *user) {
    sqlite_log *log = user;

    pthread_mutex_lock(&log->lock);
    for (;;) {
        int pages = 0, done = 0;

        while (!log->wanted && !log->closing)
            pthread_cond_wait(&log->wake, &log->lock);
        if (log->closing)
            break;
        log->wanted = false;
        pthread_mutex_unlock(&log->lock);
        if (sqlite3_wal_checkpoint_v2(log->handle, "main", SQLITE_CHECKPOINT_PASSIVE, &pages,
                                      &done) == SQLITE_OK)
            atomic_store(&log->done, done);
        pthread_mutex_lock(&log->lock);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* Behind each commit of the writer. */
static int committed(void *user, sqlite3 *handle, const char *name, int pages) {
    sqlite_log *log = user;
    int done = atomic_load(&log->done);

    if (pages >= LOG_LONG) {
        (void)sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    } else if (pages >= LOG_PAGES && (pages < done || pages - done >= LOG_PAGES)) {
        pthread_mutex_lock(&log->lock);
        log->wanted = true;
        pthread_cond_signal(&log->wake);
        pthread_mutex_unlock(&log->lock);
    }
    return SQLITE_OK;
}

static int connect_log(sqlite_log *log, sqlite_db *d) {
    int rc = sqlite3_open_v2(d->place.file, &log->handle,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    /* an empty statement would not open the file */
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(log->handle,
                          "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; "
                          "PRAGMA synchronous=FULL; PRAGMA schema_version",
                          NULL, NULL, NULL);
    return rc;
}

void sqlite_log_start(sqlite_db *d) {
    sqlite_log *log = mem_zero(1, sizeof(*log));

    if (!log)
        return;
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->wake, NULL);
    if (connect_log(log, d) == SQLITE_OK && pthread_create(&log->thread, NULL, keep, log) == 0) {
        d->log = log;
        sqlite3_wal_hook(d->handle, committed, log);
        return;
    }
    sqlite3_close(log->handle);
    pthread_cond_destroy(&log->wake);
    pthread_mutex_destroy(&log->lock);
    mem_free(log);
}

void sqlite_log_end(sqlite_db *d) {
    sqlite_log *log = d->log;

    if (!log)
        return;
    sqlite3_wal_hook(d->handle, NULL, NULL);
    pthread_mutex_lock(&log->lock);
    log->closing = true;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    sqlite3_close(log->handle);
    pthread_cond_destroy(&log->wake);
    pthread_mutex_destroy(&log->lock);
    mem_free(log);
    d->log = NULL;
}
