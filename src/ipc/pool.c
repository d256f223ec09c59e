/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/pool.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"
#include "base/utf8.h"

enum {
    USES = 100,
    HELLO_MS = 20000,
    BACK_OFF = 250, /* after the first failure to start, doubled with each */
    BACK_OFF_MAX = 30000,
    DEATHS = 3, /* in a row, before a request waits at all */
    BACK_OFF_DEATH = 2000,
};
static const uint64_t memory_usual = (uint64_t)2 << 30;

typedef struct slot {
    pool_process process;
    bool busy;
    uint32_t uses;
    uint32_t failed_starts, deaths; /* in a row */
    int64_t not_before;             /* channel_now() */
    uint64_t request;
    unsigned char *body;
    frame_hello hello;
} slot;

struct worker_pool {
    worker_options o;
    char program[256];
    pthread_mutex_t lock;
    pthread_cond_t free;
    uint32_t n;
    slot slots[WORKER_POOL_MAX];
    worker_health told; /* counters, and the last that was known */
};

static int open_lock(worker_pool *pool) {
    pthread_condattr_t a;
    int bad = pthread_condattr_init(&a);

    bad = bad ? bad : pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    bad = bad ? bad : pthread_cond_init(&pool->free, &a);
    (void)pthread_condattr_destroy(&a);
    if (bad)
        return bad;
    bad = pthread_mutex_init(&pool->lock, NULL);
    if (bad)
        (void)pthread_cond_destroy(&pool->free);
    return bad;
}

static int make_bodies(worker_pool *pool) {
    for (uint32_t i = 0; i < pool->n; i++) {
        pool->slots[i].process.fd = -1;
        pool->slots[i].body = mem_alloc(FRAME_BODY);
        if (!pool->slots[i].body)
            return ATG_ENOMEM;
    }
    return ATG_OK;
}

static void free_pool(worker_pool *pool) {
    for (uint32_t i = 0; i < pool->n; i++)
        mem_free(pool->slots[i].body);
    mem_free(pool);
}

int worker_pool_open(const worker_options *o, worker_pool **ret, atg_err *err) {
    worker_pool *pool = mem_zero(1, sizeof(*pool));
    int rc = ATG_OK;

    if (!pool)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for workers");
    if (o)
        pool->o = *o;
    pool->n = pool->o.workers ? pool->o.workers : 1;
    if (pool->n > WORKER_POOL_MAX)
        pool->n = WORKER_POOL_MAX;
    pool->o.uses = pool->o.uses ? pool->o.uses : USES;
    pool->o.memory = pool->o.memory ? pool->o.memory : memory_usual;
    if (!pool->o.program)
        rc = start_find(pool->program, sizeof(pool->program), err);
    else if (snprintf(pool->program, sizeof(pool->program), "%s", pool->o.program) >=
             (int)sizeof(pool->program))
        rc = atg_fail(err, ATG_EINVAL, "The path of the worker is too long");
    if (rc == ATG_OK && (make_bodies(pool) || open_lock(pool)))
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for workers");
    if (rc) {
        free_pool(pool);
        return rc;
    }
    memcpy(pool->told.program, pool->program, sizeof(pool->told.program));
    *ret = pool;
    return ATG_OK;
}

void worker_pool_close(worker_pool *pool) {
    if (!pool)
        return;
    for (uint32_t i = 0; i < pool->n; i++)
        start_end(&pool->slots[i].process, false, NULL);
    (void)pthread_mutex_destroy(&pool->lock);
    (void)pthread_cond_destroy(&pool->free);
    free_pool(pool);
}

void worker_pool_health(worker_pool *pool, worker_health *ret) {
    pthread_mutex_lock(&pool->lock);
    *ret = pool->told;
    for (uint32_t i = 0; i < pool->n; i++) {
        ret->running += pool->slots[i].process.pid != 0;
        ret->busy += pool->slots[i].busy;
    }
    pthread_mutex_unlock(&pool->lock);
}

/* ---- a slot for one request ---- */

static slot *find_free(worker_pool *pool) {
    slot *found = NULL;

    for (uint32_t i = 0; i < pool->n; i++) {
        slot *s = &pool->slots[i];

        if (s->busy)
            continue;
        if (s->process.pid)
            return s;
        if (!found || s->not_before < found->not_before)
            found = s;
    }
    return found;
}

static int acquire(worker_pool *pool, int64_t deadline, slot **ret, atg_err *err) {
    struct timespec until = {deadline / 1000, deadline % 1000 * 1000000};
    slot *s;
    int bad = 0;

    pthread_mutex_lock(&pool->lock);
    while (!(s = find_free(pool)) && !bad)
        bad = pthread_cond_timedwait(&pool->free, &pool->lock, &until);
    if (s)
        s->busy = true;
    pthread_mutex_unlock(&pool->lock);
    if (!s)
        return atg_fail(err, ATG_EIO, "All workers are busy: try again later");
    *ret = s;
    return ATG_OK;
}

static void release(worker_pool *pool, slot *s) {
    pthread_mutex_lock(&pool->lock);
    s->busy = false;
    pthread_cond_signal(&pool->free);
    pthread_mutex_unlock(&pool->lock);
}

static void count(worker_pool *pool, uint64_t *counter) {
    pthread_mutex_lock(&pool->lock);
    ++*counter;
    pthread_mutex_unlock(&pool->lock);
}

/* The process itself changes under the lock: worker_pool_health() looks at it. */
static void end(worker_pool *pool, slot *s, bool gone, int *ret_status) {
    pool_process p = s->process;

    pthread_mutex_lock(&pool->lock);
    s->process = (pool_process){0, -1};
    pthread_mutex_unlock(&pool->lock);
    start_end(&p, gone, ret_status);
}

/* What a status of waitpid() means, in words. */
static void why_it_ended(int status, char *ret, size_t size) {
    int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    /* one process stands between us and the worker, and passes its signal on as a code */
    if (WIFEXITED(status) && WEXITSTATUS(status) > 128)
        sig = WEXITSTATUS(status) - 128;
    if (sig == SIGKILL)
        (void)snprintf(ret, size, "it was killed, perhaps because memory ran out");
    else if (sig == SIGXCPU)
        (void)snprintf(ret, size, "it used more time than it had");
    else if (sig)
        (void)snprintf(ret, size, "signal %d", sig);
    else
        (void)snprintf(ret, size, "code %d", WEXITSTATUS(status));
}

/* ---- a worker for the slot ---- */

static int greet(slot *s, atg_err *err) {
    frame f;
    int rc = channel_receive(s->process.fd, channel_now() + HELLO_MS, s->body, NULL, &f, err);

    if (rc == ATG_OK && f.kind != FRAME_HELLO)
        rc = atg_fail(err, ATG_EPARSE, "it does not say what it is");
    if (rc == ATG_OK)
        rc = frame_get_hello((atg_str){(char *)s->body, f.length}, &s->hello, err);
    return rc;
}

static int start_failed(worker_pool *pool, slot *s, const atg_err *e, atg_err *err) {
    int status = 0;
    char why[100];

    if (s->process.pid) {
        end(pool, s, true, &status);
        why_it_ended(status, why, sizeof(why));
    } else {
        (void)snprintf(why, sizeof(why), "it was not started");
    }
    s->failed_starts++;
    uint32_t doubled = s->failed_starts < 8 ? s->failed_starts - 1 : 7;
    int64_t wait = (int64_t)BACK_OFF << doubled;

    s->not_before = channel_now() + (wait < BACK_OFF_MAX ? wait : BACK_OFF_MAX);
    return atg_fail(err, ATG_EIO, "The worker %s does not start: %s (%s)", pool->program, e->msg,
                    why);
}

static int start(worker_pool *pool, slot *s, atg_err *err) {
    pool_process p;
    atg_err e = {0};
    int rc = start_process(pool->program, &pool->o, &p, &e);

    if (rc == ATG_OK) {
        pthread_mutex_lock(&pool->lock);
        s->process = p;
        pool->told.started++;
        pthread_mutex_unlock(&pool->lock);
        rc = greet(s, &e);
    }
    if (rc)
        return start_failed(pool, s, &e, err);
    s->uses = s->failed_starts = 0;
    pthread_mutex_lock(&pool->lock);
    pool->told.known = true;
    pool->told.hold = s->hello.hold;
    pthread_mutex_unlock(&pool->lock);
    return ATG_OK;
}

/* One that ended while nobody asked it anything, or has something to say unasked. */
static bool stale(const slot *s) {
    struct pollfd p = {.fd = s->process.fd, .events = POLLIN};

    return poll(&p, 1, 0) != 0;
}

/* A short wait is waited; where a worker cannot even start, nobody stands in line for it. */
static int wait_to_start(const slot *s, int64_t deadline, atg_err *err) {
    int64_t wait = s->not_before - channel_now();
    struct timespec t = {wait / 1000, wait % 1000 * 1000000};

    if (wait <= 0)
        return ATG_OK;
    if (s->failed_starts || channel_now() + wait > deadline)
        return atg_fail(
            err, ATG_EIO, "The worker failed %u times in a row: it is started again in %lld s",
            s->failed_starts ? s->failed_starts : s->deaths, (long long)(wait / 1000 + 1));
    while (nanosleep(&t, &t))
        ;
    return ATG_OK;
}

static int prepare(worker_pool *pool, slot *s, int64_t deadline, atg_err *err) {
    int rc;

    if (s->process.pid && (s->uses >= pool->o.uses || stale(s)))
        end(pool, s, false, NULL);
    if (s->process.pid)
        return ATG_OK;
    rc = wait_to_start(s, deadline, err);
    return rc ? rc : start(pool, s, err);
}

/* ---- a request ---- */

/* Words of a process that somebody may have taken over: UTF-8 without control characters. */
static void clean_words(char *p) {
    size_t left = strlen(p);

    while (left) {
        size_t n = utf8_len(p, left);

        if (!n || (unsigned char)*p < ' ' || *p == 0x7f) {
            *p = '?';
            n = 1;
        }
        p += n;
        left -= n;
    }
}

static int refused(atg_str body, outcome *ret, atg_err *err) {
    frame_refused r;
    int rc = frame_get_refused(body, &r, err);

    if (rc)
        return rc;
    if (!r.msg[0])
        return atg_fail(err, ATG_EPARSE, "a refusal without a reason");
    *ret = WHOLE;
    clean_words(r.msg);
    switch (-(int)r.code) {
    case ATG_EINVAL:
    case ATG_EPARSE:
    case ATG_ELIMIT:
    case ATG_EDENIED:
    case ATG_ENOTFOUND:
        return atg_fail_at(err, -(int)r.code, r.line, r.col, "%s", r.msg);
    default:
        return atg_fail(err, ATG_ELIMIT, "%s", r.msg);
    }
}

int pool_answer(int fd, uint64_t request, unsigned char *room, exchange *x, int64_t deadline,
                outcome *ret, atg_err *err) {
    for (;;) {
        frame f;
        atg_str body = {(char *)room, 0};
        int rc = channel_receive(fd, deadline, room, NULL, &f, err);

        if (rc)
            return rc;
        body.n = f.length;
        if (f.request != request)
            return atg_fail(err, ATG_EPARSE, "an answer to another request");
        if (f.kind == FRAME_PART) {
            rc = x->part(x->user, (frame_part)f.what, body, err);
            *ret = rc ? OURS : BROKEN;
        } else if (f.kind == FRAME_DONE) {
            rc = frame_get_done(body, &x->done, err);
            *ret = rc ? BROKEN : WHOLE;
        } else if (f.kind == FRAME_REFUSED) {
            rc = refused(body, ret, err);
        } else {
            rc = atg_fail(err, ATG_EPARSE, "no answer");
        }
        if (rc || f.kind != FRAME_PART)
            return rc;
    }
}

static void note_death(slot *s) {
    s->deaths++;
    if (s->deaths < DEATHS)
        return;
    uint32_t doubled = s->deaths - DEATHS < 4 ? s->deaths - DEATHS : 3;
    int64_t wait = (int64_t)BACK_OFF << doubled;

    s->not_before = channel_now() + (wait < BACK_OFF_DEATH ? wait : BACK_OFF_DEATH);
}

/* The worker did not bring the request to an end: it goes. */
static int broke(worker_pool *pool, slot *s, const exchange *x, int code, atg_err *err) {
    bool gone = code == ATG_EIO;
    int status = 0;
    char why[100];

    end(pool, s, gone, &status);
    note_death(s);
    if (code == ATG_ECANCEL) {
        count(pool, &pool->told.late);
        return atg_fail(err, ATG_ELIMIT, "This takes longer than the %u s that a file may take",
                        (x->milliseconds + 999) / 1000);
    }
    count(pool, &pool->told.ended);
    why_it_ended(status, why, sizeof(why));
    return gone ? atg_fail(err, ATG_EIO,
                           "The worker ended while it read this (%s): it is damaged, or needs more "
                           "memory than there is",
                           why)
                : atg_fail(err, ATG_EIO, "The worker answered with what is no answer");
}

static int ask(worker_pool *pool, slot *s, exchange *x, atg_err *err) {
    frame f = {FRAME_ASK, (uint16_t)x->work, ++s->request, (uint32_t)x->body.n};
    int64_t deadline = channel_now() + x->milliseconds;
    outcome how = BROKEN;
    atg_err e = {0};
    int rc;

    if (!s->hello.hold.decodes)
        return atg_fail(err, ATG_EDENIED, "Nothing is decoded here: %s", s->hello.hold.why);
    s->uses++;
    rc = channel_send(s->process.fd, &f, x->body.p, &x->fds, deadline, &e);
    if (rc == ATG_OK)
        rc = pool_answer(s->process.fd, s->request, s->body, x, deadline, &how, &e);
    if (how == BROKEN)
        return broke(pool, s, x, rc, err);
    if (how == OURS) {
        end(pool, s, false, NULL);
    } else {
        s->deaths = 0;
        count(pool, &pool->told.requests);
        if (rc)
            count(pool, &pool->told.refused);
    }
    return rc ? atg_fail_at(err, rc, e.line, e.col, "%s", e.msg) : ATG_OK;
}

int pool_exchange(worker_pool *pool, exchange *x, atg_err *err) {
    int64_t deadline = channel_now() + x->milliseconds;
    slot *s;
    int rc = acquire(pool, deadline, &s, err);

    if (rc)
        return rc;
    rc = prepare(pool, s, deadline, err);
    if (rc == ATG_OK)
        rc = ask(pool, s, x, err);
    release(pool, s);
    return rc;
}

int worker_pool_check(worker_pool *pool, worker_health *ret, atg_err *err) {
    int64_t deadline = channel_now() + HELLO_MS;
    slot *s;
    int rc = acquire(pool, deadline, &s, err);

    if (rc)
        return rc;
    rc = prepare(pool, s, deadline, err);
    release(pool, s);
    if (rc == ATG_OK)
        worker_pool_health(pool, ret);
    return rc;
}
