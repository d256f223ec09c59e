/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/uuid.h"
#include "store/backend.h"

enum {
    TOGETHER_TRIES = 3, /* conflicts of a whole batch before its closures go one by one */
    GATHER_NS = 400000, /* what a batch waits for those that the last one answered */
    WAIT_MAX_MS = 500,
    CAREFUL = 16, /* batches with savepoints behind one that needed them */
    AHEAD = 12,   /* closures that are foreseen together: what they ask and post fits a round */
};

typedef struct request {
    struct request *next;
    writer_kind kind;
    store_fn *fn;
    void *user;
    const store_ahead *ahead; /* or NULL */
    uint32_t turn;            /* in which it was foreseen; 0: it was not */
    int rc;
    atg_err err;
    sem_t done;
} request;

struct writer {
    db *d;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    request *first, **last; /* the queue, under the lock */
    uint32_t n_queued;
    bool closing;
    int after_rc; /* of the hook, under the lock */
    atg_err after_err;

    store_fn *after;
    void *after_user;
    uint32_t after_ms, patience_ms, batch;
    uint64_t after_due; /* 0: nothing was committed since the hook ran */
    uint32_t last_batch;
    uint32_t careful; /* batches left that run each closure behind a savepoint */
    bool began;       /* the last transaction did not fail at its very beginning */
    uuid id;          /* of this writer */
    int64_t n;        /* of its last transaction */
};

static const db_statement mark = {"mark", "INSERT INTO store_writer(id, n) VALUES ($1, $2) "
                                          "ON CONFLICT (id) DO UPDATE SET n = excluded.n"};
/* Waits for a transaction of this writer that is still going on. */
static const db_statement read_mark = {
    "read_mark", "INSERT INTO store_writer(id, n) VALUES ($1, 0) "
                 "ON CONFLICT (id) DO UPDATE SET n = store_writer.n RETURNING n"};
static const db_statement remove_mark = {"remove_mark", "DELETE FROM store_writer WHERE id = $1"};

backoff backoff_new(uint32_t patience_ms) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (backoff){.end = now_ms() + patience_ms, .rng = atg_rng_seed((uint64_t)t.tv_nsec)};
}

bool backoff_wait(backoff *b) {
    uint64_t most = 2U << (b->tries < 8 ? b->tries : 8), now = now_ms();
    uint64_t ms = 1 + atg_rng_below(&b->rng, most < WAIT_MAX_MS ? most : WAIT_MAX_MS);

    if (now + ms >= b->end)
        return false;
    b->tries++;
    nanosleep(
        &(struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000},
        NULL);
    return true;
}

/* ---- transactions ---- */

static db_value own_id(const writer *w) {
    return db_blob(w->id.bytes, sizeof(w->id.bytes));
}

/* Leave word of this transaction inside it.  SQLite never loses an answer. */
static int leave_mark(writer *w, atg_err *err) {
    w->n++;
    if (db_kind_of(w->d) == DB_SQLITE)
        return ATG_OK;
    return db_post(w->d, &mark, (db_value[]){own_id(w), db_int(w->n)}, 2, err);
}

/* The connection broke during the commit: was it done? */
static int find_out(writer *w, backoff *wait, bool *ret, atg_err *err) {
    db_value id = own_id(w);
    int64_t n = 0;

    while (db_get_one(w->d, &read_mark, &id, 1, 0, &n, NULL)) {
        if (!backoff_wait(wait))
            return atg_fail(err, ATG_EDB,
                            "The connection to PostgreSQL broke during a commit and did not come "
                            "back in time: look whether the change was kept");
    }
    *ret = n == w->n;
    return ATG_OK;
}

static int commit(writer *w, backoff *wait, bool *ret_again, atg_err *err) {
    bool done = false;
    int rc = db_commit(w->d, err);

    *ret_again = rc && db_retry(w->d);
    if (rc == ATG_OK || !db_unknown(w->d))
        return rc;
    *ret_again = false;
    if (find_out(w, wait, &done, err))
        return ATG_EDB;
    *ret_again = !done;
    return done ? ATG_OK : rc;
}

/* Run the closure; r->rc says how it went. */
static void call(writer *w, request *r, int depth) {
    db *d = w->d;

    r->err = (atg_err){0};
    d->guarded = true;
    r->rc = r->fn(d, r->user, &r->err);
    d->guarded = false;
    if (d->depth < depth) {
        d->lost = true;
        r->rc = atg_fail(&r->err, ATG_EINVAL, "A closure undid a savepoint that was not its own");
    } else if (r->rc == ATG_OK && d->failed) {
        r->rc = d->failure.code;
        r->err = d->failure;
    } else if (r->rc == ATG_OK && d->depth > depth) {
        r->rc = atg_fail(&r->err, ATG_EINVAL, "A closure left a savepoint");
    }
}

/* Run one closure, behind a savepoint or not.  ATG_OK: r->rc says how it went; else the whole
 * transaction is lost. */
static int run_one(writer *w, request *r, bool savepoint, atg_err *err) {
    db *d = w->d;
    int rc = savepoint ? db_savepoint(d, err) : ATG_OK, depth = d->depth;

    if (rc)
        return rc;
    call(w, r, depth);
    if (r->rc == ATG_OK && savepoint)
        r->rc = db_release(d, &r->err);
    if (r->rc == ATG_OK)
        return ATG_OK;
    if (!savepoint || d->lost || (d->failed && d->retry)) {
        *err = r->err;
        return r->rc;
    }
    w->careful = CAREFUL;
    while (rc == ATG_OK && d->depth >= depth)
        rc = db_rollback_to(d, err);
    return rc;
}

static bool clash(const store_ahead *a, const store_ahead *b) {
    return uuid_cmp(&a->subjects[0], &b->subjects[0]) == 0 ||
           uuid_cmp(&a->subjects[1], &b->subjects[1]) == 0;
}

/* Let those from here on say what they will ask, up to the first that may ask for what one before
 * it changes: all of that is answered together. */
static void look_ahead(writer *w, request *from) {
    uint32_t turn = 0;

    for (request *r = from; r && r->ahead && turn < AHEAD; r = r->next) {
        for (const request *q = from; q != r; q = q->next)
            if (clash(q->ahead, r->ahead))
                return;
        r->turn = ++turn;
        db_turn(w->d, turn);
        r->ahead->foresee(w->d, r->user);
        db_turn(w->d, 0);
    }
}

/* Run one closure of several without a savepoint. */
static int run_foreseen(writer *w, request *r, atg_err *err) {
    int rc;

    if (!r->turn)
        look_ahead(w, r);
    db_turn(w->d, r->turn);
    rc = run_one(w, r, false, err);
    db_foreseen_end(w->d);
    db_turn(w->d, 0);
    return rc;
}

/* Run the closures in one transaction.  ATG_OK: it is on disk, and each has its result.  Else
 * nothing is; `*ret_again` tells whether trying again may help.
 *
 * A savepoint costs PostgreSQL a round trip and a transaction number, and SQLite a copy of each
 * page that is changed.  Failures are rare: a batch runs without, and when one of it fails all run
 * again, and those of the next batches too, each behind a savepoint.  So whose statement it was
 * that failed need not be known before. */
static int run_all(writer *w, request *list, backoff *wait, bool *ret_again, atg_err *err) {
    bool several = list->next != NULL;
    bool careful = several && w->careful, unknown = false;
    int rc = db_begin(w->d, DB_WRITE, err);

    w->began = rc == ATG_OK;
    w->careful -= w->careful > 0;
    if (rc == ATG_OK)
        rc = leave_mark(w, err);
    for (request *r = list; r; r = r->next)
        r->turn = 0;
    for (request *r = list; rc == ATG_OK && r; r = r->next)
        rc = several && !careful ? run_foreseen(w, r, err) : run_one(w, r, careful, err);
    if (rc == ATG_OK) {
        rc = commit(w, wait, ret_again, err);
        unknown = rc && db_unknown(w->d);
    } else {
        *ret_again = db_retry(w->d);
        db_rollback(w->d);
    }
    if (rc && w->began && several && !careful && !unknown && !*ret_again) {
        w->careful = CAREFUL;
        *ret_again = true;
    }
    return rc;
}

static int run_until(writer *w, request *list, backoff *wait, uint32_t tries, atg_err *err) {
    bool again = false;
    int rc;

    for (;;) {
        bool careful = w->careful > 0;

        rc = run_all(w, list, wait, &again, err);
        if (rc == ATG_OK || !again)
            return rc;
        if (!careful && w->careful)
            continue;
        if ((rc == ATG_ECONFLICT && --tries == 0) || !backoff_wait(wait))
            return rc;
    }
}

static void run_alone(writer *w, request *r) {
    backoff wait = backoff_new(w->patience_ms);
    request *next = r->next;
    atg_err err = {0};
    int rc;

    r->next = NULL;
    rc = run_until(w, r, &wait, UINT32_MAX, &err);
    r->next = next;
    if (rc) {
        r->rc = rc;
        r->err = err;
    }
}

static void run_batch(writer *w, request *list) {
    backoff wait = backoff_new(w->patience_ms);
    atg_err err = {0};
    int rc;

    if (!list->next) {
        run_alone(w, list);
        return;
    }
    rc = run_until(w, list, &wait, TOGETHER_TRIES, &err);
    if (rc == ATG_OK)
        return;
    /* what one alone broke, such as a full transaction or a deferred constraint, is its own; but
     * nobody waits twice for a database that is away, nor asks again what cannot be known */
    if (!w->began || (rc == ATG_EDB && (db_retry(w->d) || db_unknown(w->d)))) {
        for (request *r = list; r; r = r->next) {
            r->rc = rc;
            r->err = err;
        }
        return;
    }
    for (request *r = list; r; r = r->next)
        run_alone(w, r);
}

static int run_after(writer *w, atg_err *err) {
    request r = {.fn = w->after, .user = w->after_user};

    w->after_due = 0;
    if (!w->after)
        return ATG_OK;
    run_alone(w, &r);
    if (r.rc)
        w->after_due = now_ms() + WAIT_MAX_MS;
    pthread_mutex_lock(&w->lock);
    w->after_rc = r.rc;
    w->after_err = r.err;
    pthread_mutex_unlock(&w->lock);
    *err = r.err;
    return r.rc;
}

/* ---- the thread ---- */

static struct timespec at_ms(uint64_t ms, long ns) {
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    t.tv_nsec += ns;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* Those whom the last batch answered will soon be back: one commit for all is worth the wait. */
static void gather(writer *w) {
    struct timespec end;

    if (w->last_batch < 2 || w->n_queued >= w->last_batch)
        return;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += GATHER_NS;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    while (w->n_queued < w->last_batch && !w->closing &&
           pthread_cond_timedwait(&w->wake, &w->lock, &end) != ETIMEDOUT)
        ;
}

/* Take one batch off the queue: changes that stand together, or one request of another kind. */
static request *take(writer *w) {
    request *list = w->first, **at = &list;
    uint32_t n = 0;

    while (*at && n < w->batch && ((*at)->kind == WRITER_CHANGE || n == 0)) {
        bool change = (*at)->kind == WRITER_CHANGE;

        at = &(*at)->next;
        n++;
        if (!change)
            break;
    }
    w->first = *at;
    *at = NULL;
    if (!w->first)
        w->last = &w->first;
    w->n_queued -= n;
    w->last_batch = n;
    return list;
}

/* The next batch; NULL when the hook is due or the end has come. */
static request *wait_for_work(writer *w, bool *ret_end) {
    request *list = NULL;

    pthread_mutex_lock(&w->lock);
    while (!w->first && !w->closing) {
        struct timespec due = at_ms(w->after_due, 0);

        if (!w->after_due)
            pthread_cond_wait(&w->wake, &w->lock);
        else if (now_ms() >= w->after_due ||
                 pthread_cond_timedwait(&w->wake, &w->lock, &due) == ETIMEDOUT)
            break;
    }
    if (w->first && (!w->after_due || now_ms() < w->after_due)) {
        gather(w);
        list = take(w);
    }
    *ret_end = w->closing && !w->first && !list;
    pthread_mutex_unlock(&w->lock);
    return list;
}

static void serve(writer *w, request *list) {
    switch (list->kind) {
    case WRITER_CHANGE:
        run_batch(w, list);
        if (w->after && !w->after_due)
            w->after_due = now_ms() + w->after_ms;
        break;
    case WRITER_AFTER:
        list->rc = run_after(w, &list->err);
        break;
    case WRITER_ALONE:
        list->rc = list->fn(w->d, list->user, &list->err);
        break;
    }
    for (request *r = list, *next; r; r = next) {
        next = r->next; /* r is gone once its thread wakes */
        sem_post(&r->done);
    }
}

static void *work(void *user) {
    writer *w = user;
    bool end = false;
    atg_err err;

    while (!end) {
        request *list = wait_for_work(w, &end);

        if (list)
            serve(w, list);
        else if (w->after_due)
            (void)run_after(w, &err);
    }
    if (w->n && db_kind_of(w->d) == DB_POSTGRES)
        (void)db_run(w->d, &remove_mark, (db_value[]){own_id(w)}, 1, NULL, NULL);
    return NULL;
}

static void enqueue(writer *w, request *r) {
    pthread_mutex_lock(&w->lock);
    *w->last = r;
    w->last = &r->next;
    w->n_queued++;
    if (w->n_queued == 1 || w->n_queued >= w->last_batch)
        pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

int writer_do(writer *w, writer_kind kind, store_fn *fn, void *user, const store_ahead *ahead,
              atg_err *err) {
    request r = {.kind = kind, .fn = fn, .user = user, .ahead = ahead};

    if (pthread_equal(pthread_self(), w->thread))
        return atg_fail(err, ATG_EINVAL, "A closure of the writer cannot wait for the writer");
    sem_init(&r.done, 0, 0);
    enqueue(w, &r);
    while (sem_wait(&r.done) && errno == EINTR)
        ;
    sem_destroy(&r.done);
    if (r.rc && err)
        *err = r.err;
    return r.rc;
}

int writer_after_failure(writer *w, atg_err *err) {
    int rc;

    pthread_mutex_lock(&w->lock);
    rc = w->after_rc;
    if (rc && err)
        *err = w->after_err;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

int writer_open(db *d, const store_options *options, writer **ret, atg_err *err) {
    writer *w = mem_zero(1, sizeof(*w));
    pthread_condattr_t attr;
    int rc;

    if (!w)
        return atg_fail(err, ATG_ENOMEM, "Out of memory opening the store");
    rc = uuid_new(&w->id, err);
    if (rc) {
        mem_free(w);
        return rc;
    }
    w->d = d;
    w->last = &w->first;
    w->after = options->after;
    w->after_user = options->after_user;
    w->after_ms = options->after_ms;
    w->patience_ms = options->patience_ms;
    w->batch = options->batch;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&w->thread, NULL, work, w)) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        mem_free(w);
        return atg_fail(err, ATG_ENOMEM, "No thread could be made for the store");
    }
    *ret = w;
    return ATG_OK;
}

void writer_close(writer *w) {
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    mem_free(w);
}
