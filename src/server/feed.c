/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feed.h"

#include <string.h>

#include "base/mem.h"
#include "server/service_internal.h"

enum {
    FEEDS_MAX = 64,
    DROPPED_MAX = 16 << 20, /* read behind a failure, so that its reason can be told */
};

int feed_new(request *q, atg_err *err) {
    service *s = q->s;
    feed *f;

    if (atomic_fetch_add(&s->feeds, 1) >= FEEDS_MAX) {
        atomic_fetch_sub(&s->feeds, 1);
        return request_refuse(q, PROBLEM_BUSY, err, "Too many uploads come in: try again");
    }
    f = mem_alloc(sizeof(*f));
    if (!f) {
        atomic_fetch_sub(&s->feeds, 1);
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an upload");
    }
    f->to = (upload){.e = NULL};
    f->failed = false;
    f->n = 0;
    q->feed = f;
    return ATG_OK;
}

void feed_free(request *q) {
    if (!q->feed)
        return;
    upload_leave(&q->feed->to);
    mem_free(q->feed);
    q->feed = NULL;
    atomic_fetch_sub(&q->s->feeds, 1);
}

int feed_rest(request *q, atg_err *err) {
    feed *f = q->feed;
    int rc = f->n ? upload_write(&f->to, (atg_str){f->bytes, f->n}, err) : ATG_OK;

    f->n = 0;
    return rc;
}

/* ---- on the pool ---- */

static void begin(void *user) {
    request *q = user;
    atg_err err = {0};
    int rc = ATG_OK;

    q->problem = guard_session(q, &err);
    if (!q->problem)
        rc = q->route->begin(q, &err);
    request_settle(q, rc, &err);
    q->stage = STAGE_BEGUN;
    MHD_resume_connection(q->connection);
}

static void empty(void *user) {
    request *q = user;
    atg_err err = {0};
    int rc = feed_rest(q, &err);

    q->feed->failed = rc != ATG_OK;
    request_settle(q, rc, &err);
    MHD_resume_connection(q->connection);
}

static void leave(void *user) {
    request *q = user;

    /* a connection that breaks again and again still brings something each time */
    if (!q->feed->failed)
        (void)feed_rest(q, NULL);
    request_free(q);
}

/* ---- on the threads that read and write ---- */

enum MHD_Result feed_begin(request *q) {
    *q->job = (pool_job){begin, q, NULL};
    q->stage = STAGE_RUNNING;
    MHD_suspend_connection(q->connection);
    if (pool_push(q->s->pool, POOL_ORDINARY, q->job))
        return MHD_YES;
    request_busy(q);
    q->stage = STAGE_BEGUN;
    MHD_resume_connection(q->connection);
    return MHD_YES;
}

enum MHD_Result feed_body(request *q, const char *data, size_t *n) {
    feed *f = q->feed;
    size_t room = sizeof(f->bytes) - f->n, take = *n < room ? *n : room;

    if (f->failed) {
        q->dropped += *n;
        *n = 0;
        return q->dropped > DROPPED_MAX ? MHD_NO : MHD_YES;
    }
    memcpy(f->bytes + f->n, data, take);
    f->n += take;
    *n -= take;
    if (f->n < sizeof(f->bytes))
        return MHD_YES;
    *q->job = (pool_job){empty, q, NULL};
    MHD_suspend_connection(q->connection);
    if (pool_push(q->s->pool, POOL_ORDINARY, q->job))
        return MHD_YES;
    request_busy(q);
    f->failed = true;
    MHD_resume_connection(q->connection);
    return MHD_YES;
}

void feed_cut(request *q) {
    *q->job = (pool_job){leave, q, NULL};
    if (!pool_push(q->s->pool, POOL_ORDINARY, q->job))
        leave(q);
}
