/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "store/backend.h"
#include "store/writer.h"

enum { READERS = 4, READERS_MAX = 64, BATCH = 64, PATIENCE_MS = 30000 };

struct store {
    store_options options;
    char *directory, *conninfo;
    db_options how;
    db *writing;
    writer *writer;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    uint32_t n_idle, n_out;
    db *idle[READERS_MAX]; /* connections that nobody uses */
};

static char *keep(const char *text) {
    size_t n = text ? strlen(text) + 1 : 0;
    char *copy = text ? mem_alloc(n) : NULL;

    return copy ? memcpy(copy, text, n) : NULL;
}

static int keep_options(store *s, const store_options *options, atg_err *err) {
    store_options *o = &s->options;

    *o = *options;
    o->n_readers = o->n_readers ? o->n_readers : READERS;
    o->n_readers = o->n_readers < READERS_MAX ? o->n_readers : READERS_MAX;
    o->batch = o->batch ? o->batch : BATCH;
    o->patience_ms = o->patience_ms ? o->patience_ms : PATIENCE_MS;
    o->directory = s->directory = keep(options->directory);
    o->conninfo = s->conninfo = keep(options->conninfo);
    s->how = (db_options){.directory = o->directory,
                          .conninfo = o->conninfo,
                          .create = o->create,
                          .connect_ms = o->connect_ms,
                          .busy_ms = o->busy_ms,
                          .statement_ms = o->statement_ms};
    if (!o->directory != !options->directory || !o->conninfo != !options->conninfo)
        return atg_fail(err, ATG_ENOMEM, "Out of memory opening the store");
    return ATG_OK;
}

static int start(store *s, atg_err *err) {
    const store_options *o = &s->options;
    migrate_plan plan = {.migrations = o->migrations,
                         .n = o->n_migrations,
                         .directory = o->directory,
                         .create = o->create,
                         .before = o->before,
                         .before_user = o->before_user};
    int rc;

    s->how.writes = true;
    rc = db_open(&s->how, &s->writing, err);
    s->how.writes = false;

    if (rc == ATG_OK)
        rc = migrate(s->writing, &plan, err);
    if (rc == ATG_OK)
        rc = writer_open(s->writing, o, &s->writer, err);
    s->how.create = false;
    return rc;
}

int store_open(const store_options *options, store **ret, atg_err *err) {
    store *s = mem_zero(1, sizeof(*s));
    int rc;

    if (!s)
        return atg_fail(err, ATG_ENOMEM, "Out of memory opening the store");
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->freed, NULL);
    rc = keep_options(s, options, err);
    if (rc == ATG_OK)
        rc = start(s, err);
    if (rc) {
        store_close(s);
        return rc;
    }
    *ret = s;
    return ATG_OK;
}

void store_close(store *s) {
    if (!s)
        return;
    writer_close(s->writer);
    for (uint32_t i = 0; i < s->n_idle; i++)
        db_close(s->idle[i]);
    /* last: of SQLite's connections the last one brings the log into the database */
    db_close(s->writing);
    pthread_cond_destroy(&s->freed);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->directory);
    mem_free(s->conninfo);
    mem_free(s);
}

db_kind store_kind(const store *s) {
    return db_kind_of(s->writing);
}

int store_write(store *s, store_fn *fn, void *user, atg_err *err) {
    return writer_do(s->writer, WRITER_CHANGE, fn, user, NULL, err);
}

int store_change(store *s, store_fn *fn, void *user, const store_ahead *ahead, atg_err *err) {
    return writer_do(s->writer, WRITER_CHANGE, fn, user, ahead, err);
}

int store_after(store *s, atg_err *err) {
    return writer_do(s->writer, WRITER_AFTER, NULL, NULL, NULL, err);
}

int store_after_failure(store *s, atg_err *err) {
    return writer_after_failure(s->writer, err);
}

/* ---- reading and claiming ---- */

static int borrow(store *s, db **ret, atg_err *err) {
    db *d = NULL;
    int rc = ATG_OK;

    pthread_mutex_lock(&s->lock);
    while (!s->n_idle && s->n_out >= s->options.n_readers)
        pthread_cond_wait(&s->freed, &s->lock);
    s->n_out++;
    if (s->n_idle)
        d = s->idle[--s->n_idle];
    pthread_mutex_unlock(&s->lock);
    if (!d)
        rc = db_open(&s->how, &d, err);
    if (rc == ATG_OK) {
        *ret = d;
        return ATG_OK;
    }
    pthread_mutex_lock(&s->lock);
    s->n_out--;
    pthread_cond_signal(&s->freed);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static void give_back(store *s, db *d) {
    pthread_mutex_lock(&s->lock);
    s->idle[s->n_idle++] = d;
    s->n_out--;
    pthread_cond_signal(&s->freed);
    pthread_mutex_unlock(&s->lock);
}

static int run_once(db *d, db_mode mode, store_fn *fn, void *user, atg_err *err) {
    int rc = db_begin(d, mode, err);

    if (rc)
        return rc;
    d->guarded = true;
    rc = fn(d, user, err);
    d->guarded = false;
    if (rc == ATG_OK)
        rc = db_commit(d, err);
    db_rollback(d);
    return rc;
}

static int run(store *s, db_mode mode, store_fn *fn, void *user, atg_err *err) {
    backoff wait = backoff_new(s->options.patience_ms);
    db *d = NULL;
    int rc;

    while ((rc = borrow(s, &d, err)) == ATG_EDB && s->options.conninfo && backoff_wait(&wait))
        ;
    if (rc)
        return rc;
    do
        rc = run_once(d, mode, fn, user, err);
    while (rc && db_retry(d) && backoff_wait(&wait));
    give_back(s, d);
    return rc;
}

int store_read(store *s, store_fn *fn, void *user, atg_err *err) {
    return run(s, DB_READ, fn, user, err);
}

int store_queue(store *s, store_fn *fn, void *user, atg_err *err) {
    if (store_kind(s) == DB_SQLITE)
        return store_write(s, fn, user, err);
    return run(s, DB_QUEUE, fn, user, err);
}

static int look(db *d, void *user, atg_err *err) {
    static const db_statement alive = {"alive", "SELECT 1"};
    int64_t one = 0;

    (void)user;
    return db_get_one(d, &alive, NULL, 0, 0, &one, err);
}

int store_alive(store *s, atg_err *err) {
    db *d = NULL;
    int rc = db_open(&s->how, &d, err);

    if (rc)
        return rc;
    rc = run_once(d, DB_READ, look, NULL, err);
    db_close(d);
    return rc;
}

/* ---- upkeep ---- */

int store_backup(store *s, const char *path, const atg_progress *progress, atg_err *err) {
    db *d = NULL;
    int rc = borrow(s, &d, err);

    if (rc)
        return rc;
    rc = db_backup(d, path, progress, err);
    give_back(s, d);
    return rc;
}

int store_check(store *s, atg_err *err) {
    db *d = NULL;
    int rc = borrow(s, &d, err);

    if (rc)
        return rc;
    rc = db_check(d, err);
    give_back(s, d);
    return rc;
}

static int checkpoint(db *d, void *user, atg_err *err) {
    (void)user;
    return db_checkpoint(d, err);
}

int store_checkpoint(store *s, atg_err *err) {
    return writer_do(s->writer, WRITER_ALONE, checkpoint, NULL, NULL, err);
}
