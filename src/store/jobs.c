/* SPDX-License-Identifier: Apache-2.0 */
#include "store/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "store/listen.h"

enum { RETRY_US = 10000000, RETRY_GROWTH = 4 };

/* A waiting job may begin at `due`, the lease of a leased one ends then; `since` is when that was
 * written.  What is due at once has 0 there. */

/* Also when nothing changes the row is locked, so that nobody takes the job before this change can
 * be seen. */
static const db_statement add = {
    "job_add",
    "INSERT INTO job(id, operation, kind, subject, payload, state, due, since, attempts, "
    "worker, error) VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, 0, '', '') "
    "ON CONFLICT (operation, kind, subject) WHERE state = 'waiting' DO UPDATE SET "
    "payload = excluded.payload, attempts = 0, since = excluded.since, "
    "due = CASE WHEN job.due < excluded.due THEN job.due ELSE excluded.due END "
    "WHERE job.due > excluded.due OR job.payload <> excluded.payload OR job.attempts > 0"};

#define CLAIM                                                                                      \
    "UPDATE job SET state = 'leased', due = $2 + $3, since = $2, attempts = attempts + 1, "        \
    "worker = $4 WHERE id "
#define CLAIMED " RETURNING id, operation, kind, subject, payload, error, attempts"
#define CANDIDATES(state, lock)                                                                    \
    "SELECT id FROM (SELECT id FROM job WHERE kind = $1 AND state = '" state "' AND due <= $2 "    \
    "ORDER BY due, id LIMIT $5" lock ") AS " state

/* An array is made once; a subquery might be run for each row. */
static const db_statement claim_postgres = {
    "job_claim",
    CLAIM "= ANY(ARRAY(" CANDIDATES("leased", " FOR UPDATE SKIP LOCKED") " UNION ALL " CANDIDATES(
        "waiting", " FOR UPDATE SKIP LOCKED") " LIMIT $5))" CLAIMED};
static const db_statement claim_sqlite = {
    "job_claim", CLAIM
    "IN (" CANDIDATES("leased", "") " UNION ALL " CANDIDATES("waiting", "") " LIMIT $5)" CLAIMED};

/* Leases and delays that a clock wrote which was ahead of this one.  A time that the caller of
 * jobs_add() asked for stays. */
#define AHEAD                                                                                      \
    "SELECT id FROM job WHERE kind = $1 AND state IN ('leased', 'waiting') AND due > $2 "          \
    "AND since > $3 AND (state = 'leased' OR attempts > 0)"
static const db_statement release_postgres = {"job_release",
                                              "UPDATE job SET due = 0 WHERE id = ANY(ARRAY(" AHEAD
                                              " FOR UPDATE SKIP LOCKED))"};
static const db_statement release_sqlite = {"job_release",
                                            "UPDATE job SET due = 0 WHERE id IN (" AHEAD ")"};

static const db_statement waiting = {
    "job_waiting", "SELECT count(*) FROM job WHERE kind = $1 AND state = 'waiting'"};
static const db_statement give_up = {
    "job_give_up",
    "UPDATE job SET state = 'failed', worker = '', error = CASE WHEN error = '' THEN "
    "'Nobody who took it came to an end' ELSE error END WHERE id = $1"};
static const db_statement extend = {
    "job_extend",
    "UPDATE job SET due = $3, since = $4 WHERE id = $1 AND worker = $2 AND state = 'leased'"};
static const db_statement done = {
    "job_done", "DELETE FROM job WHERE id = $1 AND worker = $2 AND state = 'leased'"};
static const db_statement take_back = {
    "job_take_back", "DELETE FROM job WHERE id = $1 AND worker = $2 AND state = 'leased'" CLAIMED};
static const db_statement put_back = {
    "job_put_back", "INSERT INTO job(id, operation, kind, subject, payload, state, due, since, "
                    "attempts, worker, error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10) "
                    "ON CONFLICT (operation, kind, subject) WHERE state = 'waiting' DO NOTHING"};
static const db_statement count_all = {"job_count_all",
                                       "SELECT state, count(*) FROM job GROUP BY state"};
static const db_statement count_of = {
    "job_count_of", "SELECT state, count(*) FROM job WHERE operation = $1 GROUP BY state"};
static const db_statement list_failed = {
    "job_list_failed", "SELECT id, operation, kind, subject, payload, error, attempts FROM job "
                       "WHERE operation = $1 AND state = 'failed' ORDER BY id LIMIT $2"};
static const db_statement remove_failed = {
    "job_remove_failed", "DELETE FROM job WHERE operation = $1 AND state = 'failed'" CLAIMED};

static db_value id_value(const uuid *id) {
    static const uuid none;

    return db_blob((id ? id : &none)->bytes, UUID_SIZE);
}

static int add_job(db *d, atg_str kind, atg_str subject, const uuid *operation, atg_str payload,
                   int64_t due, atg_err *err) {
    uuid id;
    int rc = uuid_new(&id, err);

    if (rc == ATG_OK)
        rc = db_post(d, &add,
                     (db_value[]){id_value(&id), id_value(operation), db_text(kind),
                                  db_text(subject), db_text(payload), db_int(due),
                                  db_int(clock_now())},
                     7, err);
    return rc ? rc : listen_notify(d, JOBS_CHANNEL, err);
}

int jobs_add(db *d, const char *kind, atg_str subject, const uuid *operation, atg_str payload,
             int64_t due, atg_err *err) {
    return add_job(d, atg_str_of(kind), subject, operation, payload, due, err);
}

/* ---- rows ---- */

static uuid read_id(db_rows *rows, int at) {
    atg_str bytes = db_get_blob(rows, at);
    uuid id = {{0}};

    if (bytes.n == UUID_SIZE)
        memcpy(id.bytes, bytes.p, UUID_SIZE);
    return id;
}

static bool keep(atg_arena *arena, db_rows *rows, int at, atg_str *ret) {
    *ret = atg_arena_str(arena, db_get_text(rows, at));
    return ret->p != NULL;
}

static int read_job(atg_arena *arena, db_rows *rows, job *ret, atg_err *err) {
    job j = {.id = read_id(rows, 0),
             .operation = read_id(rows, 1),
             .attempts = (uint32_t)db_get_int(rows, 6)};

    if (!keep(arena, rows, 2, &j.kind) || !keep(arena, rows, 3, &j.subject) ||
        !keep(arena, rows, 4, &j.payload) || !keep(arena, rows, 5, &j.error))
        return atg_fail(err, ATG_ENOMEM, "Out of memory for jobs");
    *ret = j;
    return ATG_OK;
}

typedef struct job_list {
    atg_arena *arena;
    job *jobs;
    uint32_t n;
} job_list;

/* Put the rows of a statement behind the list, which has room for them. */
static int read_jobs(db *d, const db_statement *statement, const db_value *values, int n,
                     job_list *list, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(d, statement, values, n, &rows, err);

    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        rc = read_job(list->arena, rows, &list->jobs[list->n], err);
        list->n += rc == ATG_OK;
    }
    db_end(rows);
    return rc;
}

static int by_id(const void *a, const void *b) {
    return uuid_cmp(&((const job *)a)->id, &((const job *)b)->id);
}

/* ---- claiming ---- */

/* Those that were tried often enough fail instead of being given out. */
static int sort_out(db *d, job_list *list, uint32_t from, atg_err *err) {
    uint32_t n = from;

    for (uint32_t i = from; i < list->n; i++) {
        if (list->jobs[i].attempts > JOB_ATTEMPTS) {
            db_value id = id_value(&list->jobs[i].id);
            int rc = db_post(d, &give_up, &id, 1, err);

            if (rc)
                return rc;
        } else {
            list->jobs[n++] = list->jobs[i];
        }
    }
    list->n = n;
    return ATG_OK;
}

/* Claim until the limit is reached or nothing waits any more. */
static int claim_all(db *d, const job_claim *how, job_list *list, atg_err *err) {
    const db_statement *s = db_kind_of(d) == DB_SQLITE ? &claim_sqlite : &claim_postgres;
    uint32_t room, got;
    int rc;

    do {
        uint32_t before = list->n;
        db_value in[] = {db_text(atg_str_of(how->kind)), db_int(how->now), db_int(how->lease_us),
                         db_text(how->worker), db_int(0)};

        room = how->limit - before;
        in[4] = db_int((int64_t)room);
        rc = read_jobs(d, s, in, 5, list, err);
        got = list->n - before;
        if (rc == ATG_OK)
            rc = sort_out(d, list, before, err);
    } while (rc == ATG_OK && got == room && list->n < how->limit);
    return rc;
}

/* Leases and delays from a clock that was ahead: `ret` are those that are due now. */
static int release(db *d, const job_claim *how, int64_t *ret, atg_err *err) {
    const db_statement *s = db_kind_of(d) == DB_SQLITE ? &release_sqlite : &release_postgres;
    db_value in[] = {db_text(atg_str_of(how->kind)), db_int(how->now),
                     db_int(how->now + JOB_SLACK_US)};

    return db_run(d, s, in, 3, ret, err);
}

int jobs_claim(db *d, atg_arena *arena, const job_claim *how, job **ret, uint32_t *ret_n,
               atg_err *err) {
    job_list list = {.arena = arena};
    int64_t released = 0;
    int rc;

    if (how->limit == 0 || how->limit > JOB_LIMIT_MAX || !how->worker.n || how->lease_us <= 0)
        return atg_fail(err, ATG_EINVAL,
                        "Jobs are claimed by a worker with a name, 1 to %d at once", JOB_LIMIT_MAX);
    list.jobs = ATG_GET(arena, job, how->limit);
    if (!list.jobs)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for jobs");
    rc = claim_all(d, how, &list, err);
    if (rc == ATG_OK && list.n < how->limit)
        rc = release(d, how, &released, err);
    if (rc == ATG_OK && released)
        rc = claim_all(d, how, &list, err);
    if (rc)
        return rc;
    qsort(list.jobs, list.n, sizeof(*list.jobs), by_id);
    *ret = list.jobs;
    *ret_n = list.n;
    return ATG_OK;
}

/* ---- what becomes of them ---- */

static int lease_lost(atg_err *err) {
    return atg_fail(err, ATG_ECONFLICT,
                    "The lease of the job is over and another worker may have it: leave it");
}

int jobs_extend(db *d, const uuid *id, atg_str worker, int64_t now, int64_t lease_us,
                atg_err *err) {
    int64_t n = 0;
    int rc =
        db_run(d, &extend,
               (db_value[]){id_value(id), db_text(worker), db_int(now + lease_us), db_int(now)}, 4,
               &n, err);

    return rc || n ? rc : lease_lost(err);
}

int jobs_done(db *d, const uuid *id, atg_str worker, atg_err *err) {
    int64_t n = 0;
    int rc = db_run(d, &done, (db_value[]){id_value(id), db_text(worker)}, 2, &n, err);

    return rc || n ? rc : lease_lost(err);
}

/* As much of the text as fits, without half a character at the end. */
static atg_str shortened(atg_str s) {
    size_t n = 0, one;

    while (n < s.n && s.p[n] && (one = utf8_len(s.p + n, s.n - n)) > 0 && n + one <= JOB_ERROR_MAX)
        n += one;
    return (atg_str){s.p, n};
}

static int put(db *d, const job *j, int64_t now, atg_str error, atg_err *err) {
    bool again = j->attempts < JOB_ATTEMPTS;
    int64_t delay = RETRY_US;

    for (uint32_t i = 1; i < j->attempts && again; i++)
        delay *= RETRY_GROWTH;
    return db_post(d, &put_back,
                   (db_value[]){id_value(&j->id), id_value(&j->operation), db_text(j->kind),
                                db_text(j->subject), db_text(j->payload),
                                db_text(again ? ATG_STR("waiting") : ATG_STR("failed")),
                                db_int(now + delay), db_int(now), db_int(j->attempts),
                                db_text(shortened(error))},
                   10, err);
}

int jobs_failed(db *d, const uuid *id, atg_str worker, int64_t now, atg_str error, atg_err *err) {
    db_rows *rows = NULL;
    job j = {.id = *id};
    int rc = db_query(d, &take_back, (db_value[]){id_value(id), db_text(worker)}, 2, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0)
        rc = lease_lost(err);
    if (rc > 0) {
        j.operation = read_id(rows, 1);
        j.kind = db_get_text(rows, 2);
        j.subject = db_get_text(rows, 3);
        j.payload = db_get_text(rows, 4);
        j.attempts = (uint32_t)db_get_int(rows, 6);
        rc = put(d, &j, now, error, err);
    }
    db_end(rows);
    return rc;
}

/* ---- looking after them ---- */

int jobs_count(db *d, const uuid *operation, int64_t ret[3], atg_err *err) {
    static const char *const states[] = {"waiting", "leased", "failed"};
    db_value id = id_value(operation);
    int64_t counts[3] = {0};
    db_rows *rows = NULL;
    int rc = db_query(d, operation ? &count_of : &count_all, &id, operation ? 1 : 0, &rows, err);

    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        atg_str state = db_get_text(rows, 0);

        for (int i = 0; i < 3; i++)
            if (atg_str_eq(state, atg_str_of(states[i])))
                counts[i] = db_get_int(rows, 1);
        rc = ATG_OK;
    }
    db_end(rows);
    if (rc == ATG_OK)
        memcpy(ret, counts, sizeof(counts));
    return rc;
}

int jobs_list_failed(db *d, atg_arena *arena, const uuid *operation, uint32_t limit, job **ret,
                     uint32_t *ret_n, atg_err *err) {
    job_list list = {.arena = arena, .jobs = ATG_GET(arena, job, limit ? limit : 1)};
    int rc;

    if (!list.jobs)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for jobs");
    rc = read_jobs(d, &list_failed, (db_value[]){id_value(operation), db_int((int64_t)limit)}, 2,
                   &list, err);
    if (rc)
        return rc;
    *ret = list.jobs;
    *ret_n = list.n;
    return ATG_OK;
}

int jobs_retry(db *d, const uuid *operation, uint32_t *ret_n, atg_err *err) {
    db_value id = id_value(operation);
    db_rows *rows = NULL;
    uint32_t n = 0;
    int rc = db_query(d, &remove_failed, &id, 1, &rows, err);

    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        rc = add_job(d, db_get_text(rows, 2), db_get_text(rows, 3), operation, db_get_text(rows, 4),
                     0, err);
        n++;
    }
    db_end(rows);
    if (rc == ATG_OK)
        *ret_n = n;
    return rc;
}

int jobs_waiting(db *d, const char *kind, int64_t *ret, atg_err *err) {
    db_value value = db_text(atg_str_of(kind));

    return db_get_one(d, &waiting, &value, 1, 0, ret, err);
}
