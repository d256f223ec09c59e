/* SPDX-License-Identifier: Apache-2.0 */
#include "app/matcher.h"

#include <stdio.h>
#include <stdlib.h>
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
    JOBS_AT_ONCE = 4096,
    FEW = 64, /* changes of a large operation that are ranked one by one */
    STANDBYS_MAX = 4,
    LARGE = 4000000,
    JOINT_DELAY_S = 600, /* a large operation is solved jointly when it was quiet for so long */
    LEASE_SECONDS = 60,
    WORKER_MAX = 120,
    MERGES_MAX = 16,
};

static const char joint_kind[] = "joint", faces_kind[] = "faces";
static const size_t run_memory = (size_t)16 << 30;

struct matcher {
    cases *c;
    char worker[WORKER_MAX];
    uint32_t threads;
    int64_t lease_us;
    uint64_t large;
    const face_eye *eye;
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
    m->eye = o->eye;
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
    const char *kind; /* of the jobs */
    bool joint;       /* ask for the joint solution, later */
    const atg_progress *progress;
    int64_t extended; /* when the leases were */
    atg_str error;
} round;

static int claim(db *d, void *user, atg_err *err) {
    round *r = user;
    job_claim how = {.kind = r->kind,
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

static int ask_joint(db *d, const uuid *operation, int64_t due, atg_err *err) {
    char subject[UUID_TEXT + 1];

    uuid_text(operation, subject);
    return jobs_add(d, joint_kind, atg_str_of(subject), operation, ATG_STR("{}"), due, err);
}

int matcher_ask(db *d, const uuid *operation, atg_err *err) {
    return ask_joint(d, operation, 0, err);
}

static int finish_jobs(db *d, void *user, atg_err *err) {
    const round *r = user;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < r->n && !rc; i++)
        rc = jobs_done(d, &r->jobs[i].id, atg_str_of(r->m->worker), err);
    if (!rc && r->joint)
        rc = ask_joint(d, &r->jobs->operation, clock_now() + (int64_t)JOINT_DELAY_S * 1000000, err);
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

/* ---- a large operation ---- */

typedef struct sizing {
    const uuid *operation;
    uint64_t pairs;
} sizing;

static int count_pairs(db *d, void *user, atg_err *err) {
    static const record_kind kinds[] = {RECORD_MISSING, RECORD_REMAINS};
    enum { STATES = 16 };
    sizing *w = user;

    w->pairs = 1;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        int64_t n[STATES] = {0};
        uint64_t sum = 0;
        int rc = files_count(d, w->operation, kinds[k], n, STATES, err);

        if (rc)
            return rc;
        for (int i = 0; i < STATES; i++)
            sum += (uint64_t)n[i];
        w->pairs *= sum;
    }
    return ATG_OK;
}

static void forget(matcher *m, const uuid *operation) {
    for (uint32_t i = 0; i < STANDBYS_MAX; i++)
        if (m->standbys[i].ready && uuid_cmp(&m->standbys[i].operation, operation) == 0) {
            standby_close(m->standbys[i].ready);
            m->standbys[i].ready = NULL;
        }
}

/* The operation in memory, read and compiled now if it is not. */
static int ready(round *r, standby **ret, atg_err *err) {
    matcher *m = r->m;
    atg_progress p = {still, r};
    standby_options o = {r->jobs->operation, m->threads, &p};
    uint32_t at = 0;
    int rc;

    for (; at < STANDBYS_MAX; at++)
        if (m->standbys[at].ready && uuid_cmp(&m->standbys[at].operation, &o.operation) == 0) {
            *ret = m->standbys[at].ready;
            return ATG_OK;
        }
    standby_close(m->standbys[STANDBYS_MAX - 1].ready);
    memmove(m->standbys + 1, m->standbys, (STANDBYS_MAX - 1) * sizeof(*m->standbys));
    m->standbys[0].ready = NULL;
    rc = standby_open(m->c, &o, ret, err);
    if (!rc) {
        m->standbys[0].operation = o.operation;
        m->standbys[0].ready = *ret;
    }
    return rc;
}

/* The family of a missing file, or of the one that it was merged into; without a family the person
 * is a family of one, under the person's own file. */
typedef struct family_of {
    cases *c;
    atg_arena *arena;
    const uuid *missing;
    uuid family;
} family_of;

static int find_family(db *d, void *user, atg_err *err) {
    family_of *w = user;
    uuid id = *w->missing;

    for (int i = 0; i < MERGES_MAX && uuid_none(&w->family); i++) {
        record_row row;
        int rc = records_get(d, cases_keys(w->c), w->arena, RECORD_MISSING, &id, &row, err);

        if (rc)
            return rc;
        if (row.r->fields[MISSING_FAMILY].known) {
            w->family = row.r->fields[MISSING_FAMILY].ref;
        } else if (row.r->fields[MISSING_MERGED_INTO].known) {
            id = row.r->fields[MISSING_MERGED_INTO].ref;
        } else {
            w->family = id;
        }
    }
    return ATG_OK;
}

/* What changed of a large operation: a body or a family is ranked, anything else reads all anew. */
static int rank_change(round *r, const job *j, uint32_t *ret_written, atg_err *err) {
    family_of w = {.c = r->m->c, .arena = r->arena};
    standby_pair *pairs = NULL;
    standby *all;
    file_row file;
    uint32_t n = 0;
    int rc = cases_find(r->m->c, r->arena, j->subject, &file, err);

    if (!rc && file.kind != RECORD_MISSING && file.kind != RECORD_FAMILY &&
        file.kind != RECORD_REMAINS)
        forget(r->m, &j->operation);
    if (!rc)
        rc = ready(r, &all, err);
    if (rc)
        return rc;
    w.missing = &file.id;
    if (file.kind == RECORD_MISSING)
        rc = store_read(cases_store(r->m->c), find_family, &w, err);
    else if (file.kind == RECORD_FAMILY)
        w.family = file.id;
    if (!rc && file.kind == RECORD_REMAINS)
        rc = standby_remains(all, r->arena, &file.id, &pairs, &n, err);
    else if (!rc && !uuid_none(&w.family))
        rc = standby_family(all, r->arena, &w.family, &pairs, &n, err);
    return rc ? rc : findings_write_pairs(r->m->c, pairs, n, ret_written, err);
}

static int rank_changes(round *r, uint32_t *ret_written, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < r->n && !rc; i++) {
        rc = rank_change(r, &r->jobs[i], ret_written, err);
        if (rc == ATG_ELIMIT) {
            forget(r->m, &r->jobs[i].operation);
            rc = rank_change(r, &r->jobs[i], ret_written, err);
        }
        if (rc)
            forget(r->m, &r->jobs[i].operation);
    }
    r->joint = true;
    return rc ? rc : store_write(cases_store(r->m->c), finish_jobs, r, err);
}

/* ---- photographs of faces ---- */

static int read_faces(round *r, uint64_t *ret_faces, atg_err *err) {
    faces_done done = {0};
    int rc = ATG_OK;

    for (uint32_t i = 0; i < r->n && !rc; i++) {
        file_row file;

        if (!still(r, "faces", i, r->n))
            rc = atg_fail(err, ATG_ECANCEL, "Stopped");
        if (!rc)
            rc = cases_find(r->m->c, r->arena, r->jobs[i].subject, &file, err);
        if (!rc)
            rc = faces_enrol_file(r->m->c, &file.id, r->m->eye, &done, err);
    }
    *ret_faces += done.made;
    return rc ? rc : store_write(cases_store(r->m->c), finish_jobs, r, err);
}

/* Few changes of a large operation are ranked at once; many, and small operations, are solved. */
static int do_jobs(round *r, uint32_t *ret_written, atg_err *err) {
    sizing w = {.operation = &r->jobs->operation};
    int rc = store_read(cases_store(r->m->c), count_pairs, &w, err);

    if (rc)
        return rc;
    if (w.pairs >= r->m->large && r->n <= FEW && strcmp(r->kind, joint_kind) != 0)
        return rank_changes(r, ret_written, err);
    return match(r, ret_written, err);
}

/* Jobs of one operation are one piece of work; the list is in the order of operations. */
static int do_operation(const round *all, job *jobs, uint32_t n, matcher_done *done, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(run_memory);
    matcher *m = all->m;
    round r = {.m = m,
               .arena = arena,
               .jobs = jobs,
               .n = n,
               .kind = all->kind,
               .progress = all->progress,
               .extended = clock_now()};
    atg_err why = {0};

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the matcher");

    int rc = strcmp(r.kind, faces_kind) == 0 ? read_faces(&r, &done->faces, &why)
                                             : do_jobs(&r, &done->written, &why);

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

static int by_operation(const void *x, const void *y) {
    const job *a = x, *b = y;
    int order = uuid_cmp(&a->operation, &b->operation);

    return order ? order : uuid_cmp(&a->id, &b->id);
}

static void sort_jobs(job *jobs, uint32_t n) {
    if (n)
        qsort(jobs, n, sizeof(*jobs), by_operation);
}

static int run_kind(matcher *m, const char *kind, const atg_progress *progress, matcher_done *done,
                    atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(run_memory);
    round all = {.m = m, .arena = arena, .kind = kind, .progress = progress};

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the matcher");

    int rc = store_queue(cases_store(m->c), claim, &all, err);

    if (!rc)
        sort_jobs(all.jobs, all.n);
    for (uint32_t i = 0; i < all.n && !rc;) {
        uint32_t n = 1;

        while (i + n < all.n && uuid_cmp(&all.jobs[i].operation, &all.jobs[i + n].operation) == 0)
            n++;
        rc = do_operation(&all, &all.jobs[i], n, done, err);
        i += n;
    }
    return rc;
}

int matcher_run(matcher *m, const atg_progress *progress, matcher_done *ret, atg_err *err) {
    matcher_done done = {0};
    int rc = run_kind(m, "match", progress, &done, err);

    if (!rc && m->eye)
        rc = run_kind(m, faces_kind, progress, &done, err);
    if (!rc && !done.jobs && !done.failed)
        rc = run_kind(m, joint_kind, progress, &done, err);
    *ret = done;
    return rc;
}

static int count_faces(db *d, void *user, atg_err *err) {
    return jobs_waiting(d, faces_kind, (int64_t *)user, err);
}

int matcher_faces_waiting(matcher *m, int64_t *ret, atg_err *err) {
    return store_read(cases_store(m->c), count_faces, ret, err);
}
