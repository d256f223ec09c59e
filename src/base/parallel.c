/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

typedef struct job {
    parallel_fn *fn;
    void *user;
    uint64_t n;
    atomic_uint_fast64_t next, done;
    atomic_bool stop;
    pthread_mutex_t lock;
    uint64_t failed_piece;
    int rc;
    atg_err err;
    const char *phase;
    const atg_progress *progress;
} job;

typedef struct worker {
    job *job;
    uint32_t index;
    pthread_t thread;
} worker;

uint32_t parallel_threads(uint32_t asked) {
    cpu_set_t set;

    if (asked)
        return asked < PARALLEL_MAX ? asked : PARALLEL_MAX;
    if (sched_getaffinity(0, sizeof(set), &set))
        return 1;

    int n = CPU_COUNT(&set);

    return n < 1 ? 1 : n > PARALLEL_MAX ? PARALLEL_MAX : (uint32_t)n;
}

static void fail(job *j, uint64_t piece, int rc, const atg_err *err) {
    pthread_mutex_lock(&j->lock);
    if (j->rc == ATG_OK || piece < j->failed_piece) {
        j->rc = rc;
        j->failed_piece = piece;
        j->err = *err;
    }
    pthread_mutex_unlock(&j->lock);
    atomic_store(&j->stop, true);
}

static bool tell(job *j) {
    const atg_progress *p = j->progress;

    return !p || !p->step || p->step(p->user, j->phase, atomic_load(&j->done), j->n);
}

static void work(job *j, uint32_t index) {
    while (!atomic_load(&j->stop)) {
        uint64_t piece = atomic_fetch_add(&j->next, 1);
        atg_err err = {0};

        if (piece >= j->n)
            return;

        int rc = j->fn(j->user, index, piece, &err);

        atomic_fetch_add(&j->done, 1);
        if (rc == ATG_OK && index == 0 && !tell(j))
            rc = atg_fail(&err, ATG_ECANCEL, "Stopped on request");
        if (rc)
            fail(j, piece, rc, &err);
    }
}

static void *start(void *arg) {
    worker *w = arg;

    work(w->job, w->index);
    return NULL;
}

int parallel_run(uint32_t threads, uint64_t n, parallel_fn *fn, void *user, const char *phase,
                 const atg_progress *progress, atg_err *err) {
    job j = {.fn = fn,
             .user = user,
             .n = n,
             .lock = PTHREAD_MUTEX_INITIALIZER,
             .phase = phase,
             .progress = progress};
    worker workers[PARALLEL_MAX];
    uint32_t started = 0;

    if (n && !tell(&j)) /* once at least, even if other threads take every piece */
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    threads = parallel_threads(threads);
    if (threads > n)
        threads = n ? (uint32_t)n : 1;
    for (uint32_t i = 1; i < threads; i++) {
        workers[started] = (worker){.job = &j, .index = i};
        /* fewer threads than asked for is slower, not wrong */
        if (pthread_create(&workers[started].thread, NULL, start, &workers[started]) == 0)
            started++;
    }
    work(&j, 0);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_mutex_destroy(&j.lock);
    if (j.rc && err)
        *err = j.err;
    if (!j.rc && n)
        (void)tell(&j);
    return j.rc;
}
