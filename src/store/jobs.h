/* SPDX-License-Identifier: Apache-2.0 */
/* Work that waits, is being done, or failed.  A job is leased to one worker for a time; one whose
 * worker died is leased again when the lease is over.  Handlers are idempotent: a job may be done
 * twice, and the second time changes nothing.
 *
 * On PostgreSQL jobs are claimed with FOR UPDATE SKIP LOCKED, so that any number of processes may
 * claim at a time: in store_queue(), or in any transaction that writes.  On SQLite one transaction
 * claims at a time.  That a job came is told as a hint (store/listen.h) on JOBS_CHANNEL.
 *
 * Clocks.  What is due at once does not depend on a clock.  Those of several machines must agree
 * within JOB_SLACK_US.  When a clock was set back by more than that, jobs that were leased or put
 * off before count as due, rather than wait for the old hour to come again. */
#ifndef ATG_STORE_JOBS_H
#define ATG_STORE_JOBS_H

#include "base/uuid.h"
#include "store/db.h"

enum { JOB_ATTEMPTS = 5, JOB_LIMIT_MAX = 4096, JOB_ERROR_MAX = 400, JOB_SLACK_US = 60000000 };

#define JOBS_CHANNEL "antigone_jobs"

typedef struct job {
    uuid id, operation;
    atg_str kind;    /* "match", "rebuild", ... */
    atg_str subject; /* what it is about, as text; a job of the same operation, kind and subject
                        that waits already takes the new one in */
    atg_str payload; /* JSON */
    atg_str error;   /* of the last attempt; empty before */
    uint32_t attempts;
} job;

/* In the transaction of the change that asks for it.  `due`: not before that instant; 0: at once.
 * A waiting job that takes it in goes on with the earlier instant, the new payload and all its
 * attempts.  Posted (db_post()). */
int jobs_add(db *d, const char *kind, atg_str subject, const uuid *operation, atg_str payload,
             int64_t due, atg_err *err);

typedef struct job_claim {
    const char *kind;
    atg_str worker; /* who takes them: no two that run at a time may have one name */
    int64_t now, lease_us;
    uint32_t limit; /* 1..JOB_LIMIT_MAX */
} job_claim;

/* Lease up to `limit` jobs of a kind until now + lease_us, the oldest first.  Those whose lease is
 * over are given out again, and go to state "failed" after JOB_ATTEMPTS attempts. */
int jobs_claim(db *d, atg_arena *arena, const job_claim *how, job **ret, uint32_t *ret_n,
               atg_err *err);
/* Still at it: the lease is until now + lease_us.  ATG_ECONFLICT: it was lost, so stop. */
int jobs_extend(db *d, const uuid *id, atg_str worker, int64_t now, int64_t lease_us, atg_err *err);
/* Done, in the transaction that writes its results; ATG_ECONFLICT: the lease was lost, so roll
 * back. */
int jobs_done(db *d, const uuid *id, atg_str worker, atg_err *err);
/* It failed: try again later (longer each time), or never after JOB_ATTEMPTS.  Nothing personal may
 * stand in `error`, whose first JOB_ERROR_MAX bytes are kept.  When the same work waits again
 * already, that one takes this one in.  ATG_ECONFLICT: the lease was lost. */
int jobs_failed(db *d, const uuid *id, atg_str worker, int64_t now, atg_str error, atg_err *err);

/* Waiting, leased and failed jobs of an operation (NULL: of all). */
int jobs_count(db *d, const uuid *operation, int64_t ret[3], atg_err *err);
/* Waiting jobs of a kind. */
int jobs_waiting(db *d, const char *kind, int64_t *ret, atg_err *err);
/* Those that failed, the oldest first. */
int jobs_list_failed(db *d, atg_arena *arena, const uuid *operation, uint32_t limit, job **ret,
                     uint32_t *ret_n, atg_err *err);
/* Let the failed jobs of an operation wait again, with all their attempts. */
int jobs_retry(db *d, const uuid *operation, uint32_t *ret_n, atg_err *err);

#endif
