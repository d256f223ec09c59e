/* SPDX-License-Identifier: Apache-2.0 */
#include "server/pool.h"

#include <pthread.h>
#include <time.h>

#include "base/mem.h"

enum {
    THREADS_MAX = 64,
    LONG_AT_ONCE = 2,
    HASHES_AT_ONCE = 1, /* two take as long as one after the other: memory is the limit */
    HASHES_WAITING = 32,
    JOBS_AT_ONCE = 2,
    STACK = 1 << 20
};

typedef struct lane {
    pool_job *first, *last;
    uint32_t waiting, running, most, depth;
} lane;

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    pthread_t thread[THREADS_MAX + 1];
    uint32_t n_threads, most; /* `most` of them in all lanes but POOL_WATCH */
    lane lanes[POOL_LANES];
    bool draining, closing;
};

static bool may_run(const pool *p, int which) {
    uint32_t running = 0;

    if (p->lanes[which].running == p->lanes[which].most)
        return false;
    for (int i = POOL_WATCH + 1; i < POOL_LANES; i++)
        running += p->lanes[i].running;
    return which == POOL_WATCH || running < p->most;
}

/* A job that may run now; NULL: none. */
static pool_job *take(pool *p, lane **ret) {
    for (int i = 0; i < POOL_LANES; i++) {
        lane *l = &p->lanes[i];
        pool_job *job = l->first;

        if (!job || !may_run(p, i))
            continue;
        l->first = job->next;
        if (!l->first)
            l->last = NULL;
        l->waiting--;
        l->running++;
        *ret = l;
        return job;
    }
    return NULL;
}

static bool all_done(const pool *p) {
    for (int i = 0; i < POOL_LANES; i++)
        if (p->lanes[i].waiting || p->lanes[i].running)
            return false;
    return true;
}

static void *work(void *user) {
    pool *p = user;
    lane *l = NULL;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        pool_job *job = take(p, &l);

        if (!job && p->closing)
            break;
        if (!job) {
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        job->run(job->user);
        pthread_mutex_lock(&p->lock);
        l->running--;
        /* another of this lane may run now */
        if (l->first)
            pthread_cond_signal(&p->work);
        if (all_done(p))
            pthread_cond_broadcast(&p->idle);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start(pool *p, uint32_t threads) {
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);

    if (rc)
        return rc;
    (void)pthread_attr_setstacksize(&attr, STACK);
    while (p->n_threads < threads && !rc) {
        rc = pthread_create(&p->thread[p->n_threads], &attr, work, p);
        p->n_threads += rc ? 0 : 1;
    }
    pthread_attr_destroy(&attr);
    return rc;
}

int pool_open(uint32_t threads, uint32_t depth, pool **ret, atg_err *err) {
    pool *p = mem_zero(1, sizeof(*p));
    pthread_condattr_t attr;

    if (!p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory starting the service");
    threads = threads < 4 ? 4 : threads > THREADS_MAX ? THREADS_MAX : threads;
    for (int i = 0; i < POOL_LANES; i++)
        p->lanes[i].depth = depth;
    /* whoever waits behind more of them has gone before it is their turn */
    if (depth > HASHES_WAITING)
        p->lanes[POOL_HASH].depth = HASHES_WAITING;
    p->most = threads;
    p->lanes[POOL_WATCH].most = 1;
    p->lanes[POOL_ORDINARY].most = threads;
    p->lanes[POOL_LONG].most = LONG_AT_ONCE;
    p->lanes[POOL_HASH].most = HASHES_AT_ONCE;
    p->lanes[POOL_JOB].most = JOBS_AT_ONCE;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->idle, &attr);
    pthread_condattr_destroy(&attr);
    if (start(p, threads + 1)) {
        pool_close(p);
        return atg_fail(err, ATG_EIO, "The system gives no more threads");
    }
    *ret = p;
    return ATG_OK;
}

void pool_close(pool *p) {
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->draining = p->closing = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->n_threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->idle);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

bool pool_push(pool *p, pool_lane which, pool_job *job) {
    lane *l = &p->lanes[which];
    bool taken;

    pthread_mutex_lock(&p->lock);
    taken = !p->draining && l->waiting < l->depth;
    if (taken) {
        job->next = NULL;
        if (l->last)
            l->last->next = job;
        else
            l->first = job;
        l->last = job;
        l->waiting++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return taken;
}

pool_state pool_look(pool *p) {
    pool_state s = {0};

    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < POOL_LANES; i++) {
        s.waiting += p->lanes[i].waiting;
        s.running += p->lanes[i].running;
    }
    pthread_mutex_unlock(&p->lock);
    return s;
}

bool pool_drain(pool *p, uint32_t timeout_ms) {
    struct timespec until;
    bool done;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&p->lock);
    p->draining = true;
    while (!all_done(p) && !pthread_cond_timedwait(&p->idle, &p->lock, &until))
        ;
    done = all_done(p);
    pthread_mutex_unlock(&p->lock);
    return done;
}
