/* SPDX-License-Identifier: Apache-2.0 */
#include "app/matcher.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <antigone/app.h>

#include "app/findings.h"
#include "app/operation_load.h"
#include "app/standby.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/jobs.h"

enum {
    JOBS_AT_ONCE = 256,
    STANDBYS_MAX = 4,
    LARGE = 4000000,
    JOINT_DELAY_S = 600, /* a large operation is solved jointly when it was quiet for so long */
    LEASE_SECONDS = 60,
    WORKER_MAX = 120,
};

static const size_t run_memory = (size_t)16 << 30;

struct matcher {
    cases *c;
    char worker[WORKER_MAX];
    uint32_t threads;
    int64_t lease_us;
    uint64_t large;
    struct {
        uuid operation;
        standby *ready;
    } standbys[STANDBYS_MAX]; /* the last used first */
};

int matcher_open(cases *c, const matcher_options *o, matcher **ret, atg_err *err) {
    matcher *m = mem_zero(1, sizeof(*m));
    char host[64] = "";

    if (!m)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the matcher");
    m->c = c;
    m->threads = o->threads;
    m->large = o->large ? o->large : LARGE;
    m->lease_us = (int64_t)(o->lease_s ? o->lease_s : LEASE_SECONDS) * 1000000;
    if (o->worker.n) {
        (void)snprintf(m->worker, sizeof(m->worker), "%.*s", ATG_FMT(o->worker));
    } else {
        (void)gethostname(host, sizeof(host) - 1);
        (void)snprintf(m->worker, sizeof(m->worker), "%s/%ld", host, (long)getpid());
    }
    *ret = m;
    return ATG_OK;
}

void matcher_close(matcher *m) {
    for (uint32_t i = 0; m && i < STANDBYS_MAX; i++)
        standby_close(m->standbys[i].ready);
    mem_free(m);
}

/* ---- what is being done ---- */

typedef struct round {
    matcher *m;
    atg_arena *arena;
    job *jobs; /* all of one operation */
    uint32_t n;
    loaded in;
    atg_identification run;
    const atg_progress *progress;
    int64_t extended; /* when the leases were */
    atg_str error;
} round;

static int claim(db *d, void *user, atg_err *err) {
    round *r = user;

    job_claim how = {.kind = "match",
                     .worker = atg_str_of(r->m->worker),
                     .now = clock_now(),
                     .lease_us = r->m->lease_us,
                     .limit = JOBS_AT_ONCE};

    return jobs_claim(d, r->arena, &how, &r->jobs, &r->n, err);
}

static int extend(db *d, void *user, atg_err *err) {
    const round *r = user;
    int64_t now = clock_now();
    int rc = ATG_OK;

    for (uint32_t i = 0; i < r->n && !rc; i++)
        rc = jobs_extend(d, &r->jobs[i].id, atg_str_of(r->m->worker), now, r->m->lease_us, err);
    return rc;
}

static int give_back(db *d, void *user, atg_err *err) {
    const round *r = user;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < r->n && !rc; i++)
        rc = jobs_failed(d, &r->jobs[i].id, atg_str_of(r->m->worker), clock_now(), r->error, err);
    return rc;
}

/* Still at it: the leases go on, and work whose lease was lost stops. */
static bool still(void *user, const char *phase, uint64_t done, uint64_t total) {
    round *r = user;
    int64_t now = clock_now();

    if (now - r->extended > r->m->lease_us / 3 || now < r->extended) {
        if (store_write(cases_store(r->m->c), extend, r, NULL))
            return false;
        r->extended = now;
    }
    return !r->progress || !r->progress->step ||
           r->progress->step(r->progress->user, phase, done, total);
}

static int load(db *d, void *user, atg_err *err) {
    round *r = user;
    load_scope which = {.operation = r->jobs->operation, .today = clock_now()};

    return operation_load(d, cases_keys(r->m->c), r->arena, &which, NULL, &r->in, err);
}

static int compare(round *r, atg_err *err) {
    atg_identify_options how = {.seed = 1, .threads = r->m->threads, .floor = -2};
    atg_progress p = {still, r};

    return atg_identify(r->arena, &r->in.op, &how, &p, &r->run, err);
}

/* ---- one operation ---- */

static int finish_jobs(db *d, void *user, atg_err *err) {
    const round *r = user;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < r->n && !rc; i++)
        rc = jobs_done(d, &r->jobs[i].id, atg_str_of(r->m->worker), err);
    return rc;
}

static int match(round *r, uint32_t *ret_written, atg_err *err) {
    findings f = {.c = r->m->c, .in = &r->in, .run = &r->run};
    int rc = store_read(cases_store(r->m->c), load, r, err);

    if (rc == ATG_ENOTFOUND) /* nothing of DNA yet: nothing to compare */
        return store_write(cases_store(r->m->c), finish_jobs, r, err);
    if (!rc && r->in.op.n_samples && r->in.op.n_missing) {
        rc = compare(r, err);
        if (!rc)
            rc = findings_write(&f, ret_written, err);
    }
    return rc ? rc : store_write(cases_store(r->m->c), finish_jobs, r, err);
}

/* Jobs of one operation are one piece of work; the list is in the order of operations. */
static int do_operation(matcher *m, job *jobs, uint32_t n, const atg_progress *progress,
                        matcher_done *done, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(run_memory);
    round r = {.m = m,
               .arena = arena,
               .jobs = jobs,
               .n = n,
               .progress = progress,
               .extended = clock_now()};
    atg_err why = {0};

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the matcher");

    int rc = match(&r, &done->written, &why);

    if (!rc) {
        done->jobs += n;
        return ATG_OK;
    }
    if (rc == ATG_ECANCEL || rc == ATG_ECONFLICT) {
        /* stopped, or somebody else has it now: it comes again */
        if (err)
            *err = why;
        return rc == ATG_ECANCEL ? rc : ATG_OK;
    }
    done->failed += n;
    r.error = atg_str_of(why.msg);
    return store_write(cases_store(m->c), give_back, &r, err);
}

static void sort_jobs(job *jobs, uint32_t n) {
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = i; k && uuid_cmp(&jobs[k].operation, &jobs[k - 1].operation) < 0; k--) {
            job swap = jobs[k];

            jobs[k] = jobs[k - 1];
            jobs[k - 1] = swap;
        }
}

int matcher_run(matcher *m, const atg_progress *progress, matcher_done *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(run_memory);
    round all = {.m = m, .arena = arena};
    matcher_done done = {0};

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the matcher");

    int rc = store_queue(cases_store(m->c), claim, &all, err);

    if (!rc)
        sort_jobs(all.jobs, all.n);
    for (uint32_t i = 0; i < all.n && !rc;) {
        uint32_t n = 1;

        while (i + n < all.n && uuid_cmp(&all.jobs[i].operation, &all.jobs[i + n].operation) == 0)
            n++;
        rc = do_operation(m, &all.jobs[i], n, progress, &done, err);
        i += n;
    }
    *ret = done;
    return rc;
}
