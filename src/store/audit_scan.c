/* SPDX-License-Identifier: Apache-2.0 */
/* Reading on one thread while another one works on what was read. */
#include "store/audit_scan.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

enum { BATCH = 256, RING = 4, TEXT_FIRST = 128 << 10, TELL = 16384 };

typedef struct batch {
    audit_row rows[BATCH];
    uint32_t n;
    char *texts; /* copies of what the rows point to */
    size_t used, cap;
} batch;

typedef struct pipe_line {
    batch ring[RING];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint32_t written, taken; /* batches so far; under the lock, as the rest */
    bool ended, stopped;
    audit_take *take;
    void *user;
    int rc; /* of the thread that takes, read when it has ended */
    atg_err err;
} pipe_line;

/* ---- the thread that takes ---- */

static batch *wait_for_batch(pipe_line *p) {
    batch *b = NULL;

    pthread_mutex_lock(&p->lock);
    while (p->taken == p->written && !p->ended)
        pthread_cond_wait(&p->moved, &p->lock);
    if (p->taken < p->written)
        b = &p->ring[p->taken % RING];
    pthread_mutex_unlock(&p->lock);
    return b;
}

static void give_back(pipe_line *p) {
    pthread_mutex_lock(&p->lock);
    p->taken++;
    p->stopped = p->rc != ATG_OK;
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
}

static void *take_all(void *user) {
    pipe_line *p = user;
    batch *b;

    while (p->rc == ATG_OK && (b = wait_for_batch(p))) {
        for (uint32_t i = 0; i < b->n && p->rc == ATG_OK; i++)
            p->rc = p->take(p->user, &b->rows[i], &p->err);
        give_back(p);
    }
    return NULL;
}

/* ---- the thread that reads ---- */

/* The next batch to fill, or NULL when nobody wants it. */
static batch *free_batch(pipe_line *p) {
    batch *b = NULL;

    pthread_mutex_lock(&p->lock);
    while (p->written - p->taken == RING && !p->stopped)
        pthread_cond_wait(&p->moved, &p->lock);
    if (!p->stopped)
        b = &p->ring[p->written % RING];
    pthread_mutex_unlock(&p->lock);
    if (b)
        b->n = 0, b->used = 0;
    return b;
}

static void hand_over(pipe_line *p) {
    pthread_mutex_lock(&p->lock);
    p->written++;
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
}

static size_t text_of(const audit_row *r) {
    return r->e.action.n + r->e.kind.n + r->e.detail.n + r->text.n;
}

static bool has_room(const batch *b, const audit_row *r) {
    return b->n < BATCH && b->cap - b->used >= text_of(r);
}

/* The only row of a batch may be of any size. */
static bool make_room(batch *b, const audit_row *r) {
    size_t n = text_of(r);
    char *more = n <= b->cap ? b->texts : mem_grow(b->texts, n);

    if (!more)
        return false;
    b->texts = more;
    b->cap = n > b->cap ? n : b->cap;
    return true;
}

static void copy(batch *b, atg_str *s) {
    char *to = b->texts + b->used;

    if (s->n)
        memcpy(to, s->p, s->n);
    b->used += s->n;
    s->p = to;
}

static void add_row(batch *b, const audit_row *r) {
    audit_row *to = &b->rows[b->n++];

    *to = *r;
    copy(b, &to->e.action);
    copy(b, &to->e.kind);
    copy(b, &to->e.detail);
    copy(b, &to->text);
}

static int tell(audit_run *run, atg_err *err) {
    const atg_progress *p = run->progress;
    uint64_t done = ++run->rows < run->total ? run->rows : run->total;

    if (run->rows % TELL || !p || !p->step || p->step(p->user, run->phase, done, run->total))
        return ATG_OK;
    return atg_fail(err, ATG_ECANCEL, "Stopped on request");
}

static int read_all(audit_run *run, pipe_line *p, atg_err *err) {
    const audit_source *s = run->source;
    batch *b = free_batch(p);
    audit_row row;
    int rc = 0;

    while (b && (rc = s->next(s->user, &row, err)) > 0) {
        if (b->n && !has_room(b, &row)) {
            hand_over(p);
            b = free_batch(p);
        }
        if (b && !b->n && !make_room(b, &row))
            return atg_fail(err, ATG_ENOMEM, "Out of memory verifying the history");
        if (b)
            add_row(b, &row);
        rc = tell(run, err);
        if (rc)
            return rc;
    }
    if (b)
        hand_over(p);
    return rc;
}

static int scan_together(audit_run *run, audit_take *take, void *user, atg_err *err) {
    pipe_line *p = mem_zero(1, sizeof(*p));
    int rc = ATG_OK;

    if (!p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory verifying the history");
    p->take = take;
    p->user = user;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->moved, NULL);
    for (int i = 0; i < RING && rc == ATG_OK; i++) {
        p->ring[i].texts = mem_alloc(TEXT_FIRST);
        p->ring[i].cap = TEXT_FIRST;
        if (!p->ring[i].texts)
            rc = atg_fail(err, ATG_ENOMEM, "Out of memory verifying the history");
    }
    if (rc == ATG_OK && pthread_create(&p->thread, NULL, take_all, p))
        rc = atg_fail(err, ATG_ENOMEM, "No thread could be made to verify the history");
    if (rc == ATG_OK) {
        rc = read_all(run, p, err);
        pthread_mutex_lock(&p->lock);
        p->ended = true;
        pthread_cond_signal(&p->moved);
        pthread_mutex_unlock(&p->lock);
        pthread_join(p->thread, NULL);
        if (p->rc) {
            rc = p->rc; /* about an earlier row than what the reader says */
            if (err)
                *err = p->err;
        }
    }
    for (int i = 0; i < RING; i++)
        mem_free(p->ring[i].texts);
    pthread_cond_destroy(&p->moved);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
    return rc;
}

static int scan_alone(audit_run *run, audit_take *take, void *user, atg_err *err) {
    const audit_source *s = run->source;
    audit_row row;
    int rc;

    while ((rc = s->next(s->user, &row, err)) > 0) {
        rc = take(user, &row, err);
        if (rc == ATG_OK)
            rc = tell(run, err);
        if (rc)
            break;
    }
    return rc;
}

int audit_scan(audit_run *run, audit_part part, bool ordered, audit_take *take, void *user,
               atg_err *err) {
    const audit_source *s = run->source;
    int rc = s->start(s->user, part, ordered, err);

    if (rc == ATG_OK)
        rc = run->threads > 1 ? scan_together(run, take, user, err)
                              : scan_alone(run, take, user, err);
    s->stop(s->user);
    return rc;
}
