/* SPDX-License-Identifier: Apache-2.0 */
/* Work that waits, is being done, or failed.  A job is leased to one worker for a time; one whose
 * worker died is leased again when the lease is over.  Handlers are idempotent: a job may be done
 * twice, and the second time changes nothing.  On PostgreSQL jobs are claimed with FOR UPDATE SKIP
 * LOCKED and NOTIFY is a hint that one came; on SQLite a transaction claims. */
#ifndef ATG_STORE_JOBS_H
#define ATG_STORE_JOBS_H

#include "base/uuid.h"
#include "store/db.h"

enum { JOB_ATTEMPTS = 5 };

typedef struct job {
    uuid id, operation;
    atg_str kind;    /* "match", "rebuild", ... */
    atg_str subject; /* what it is about, as text; a job of the same kind and subject that waits
                        already takes the new one in */
    atg_str payload; /* JSON */
    uint32_t attempts;
} job;

/* In the transaction of the change that asks for it.  `due`: not before that instant. */
int jobs_add(db *d, const char *kind, atg_str subject, const uuid *operation, atg_str payload,
             int64_t due, atg_err *err);

/* Lease up to `limit` jobs of a kind (NULL: any) until now + lease_us.  Those whose lease is over
 * are given out again, and go to state "failed" after JOB_ATTEMPTS attempts. */
int jobs_claim(db *d, atg_arena *arena, const char *kind, atg_str worker, int64_t now,
               int64_t lease_us, uint32_t limit, job **ret, uint32_t *ret_n, atg_err *err);
/* Still at it.  ATG_ECONFLICT: the lease was lost, so stop. */
int jobs_extend(db *d, const uuid *id, atg_str worker, int64_t until, atg_err *err);
/* Done, in the transaction that writes its results; ATG_ECONFLICT: the lease was lost, so roll
 * back. */
int jobs_done(db *d, const uuid *id, atg_str worker, atg_err *err);
/* It failed: try again later (longer each time), or never after JOB_ATTEMPTS. */
int jobs_failed(db *d, const uuid *id, atg_str worker, int64_t now, atg_str error, atg_err *err);
/* Waiting, leased and failed jobs of an operation (none: of all). */
int jobs_count(db *d, const uuid *operation, int64_t ret[3], atg_err *err);

#endif
