/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of long work that somebody asked the service for, and looks at until it is done: verifying,
 * importing, a run of the matcher.  (What the matcher itself takes is store/jobs.h.)
 *
 * A task is one worker's until its lease is over; a worker is a service, and no two that run at a
 * time have one name.  When the lease is over, another takes it up: one that can be begun anew
 * (`again`) is, and any other has failed.  All functions run in the caller's transaction. */
#ifndef ATG_STORE_TASKS_H
#define ATG_STORE_TASKS_H

#include "base/uuid.h"
#include "store/db.h"

enum { TASKS_LIST_MAX = 100 };

typedef enum task_state {
    TASK_WAITING,
    TASK_RUNNING,
    TASK_DONE,
    TASK_FAILED,
    TASK_CANCELLED,
    TASK_STATES,
} task_state;

extern const char *const task_states[TASK_STATES + 1]; /* NULL at the end */

typedef struct task_row {
    uuid id, account;
    atg_str kind;
    task_state state;
    int64_t made, ended; /* ended: 0 before */
    bool again, cancel;  /* may be begun anew; somebody wants it to stop */
    atg_str phase;       /* what is being done; never anything that stands in a file */
    int64_t done, total; /* of the phase; total 0: not known */
    atg_str ask, answer; /* sealed by the caller; tasks_list() leaves them out */
} task_row;

/* A new task, waiting, under the worker's lease until then. */
int tasks_add(db *d, const task_row *t, atg_str worker, int64_t lease, atg_err *err);
/* ATG_ENOTFOUND. */
int tasks_get(db *d, atg_arena *arena, const uuid *id, task_row *ret, atg_err *err);
/* Those of an account, the newest first; at most TASKS_LIST_MAX. */
int tasks_list(db *d, atg_arena *arena, const uuid *account, task_row **ret, uint32_t *ret_n,
               atg_err *err);
/* How many of an account have not ended. */
int tasks_open(db *d, const uuid *account, int64_t *ret, atg_err *err);

/* How far a running task is, whose lease goes on.  ATG_ECONFLICT: it is another's now, or it has
 * ended. */
int tasks_step(db *d, const task_row *t, atg_str worker, int64_t lease, bool *ret_cancel,
               atg_err *err);
/* It ended so.  ATG_ECONFLICT as above. */
int tasks_end(db *d, const task_row *t, atg_str worker, atg_err *err);
/* Leave one to whoever claims next. */
int tasks_release(db *d, const uuid *id, atg_str worker, atg_err *err);
/* Ask for its end. */
int tasks_cancel(db *d, const uuid *id, atg_err *err);

/* Take up to TASKS_LIST_MAX whose lease was over before `now`, or that are this worker's own from
 * before it was started again (`own`).  They are the worker's until `lease`, waiting. */
typedef struct task_claim_how {
    atg_str worker;
    bool own;
    int64_t now, lease;
} task_claim_how;
int tasks_claim(db *d, atg_arena *arena, const task_claim_how *how, task_row **ret, uint32_t *ret_n,
                atg_err *err);

/* Forget those that ended before then. */
int tasks_forget(db *d, int64_t before, atg_err *err);

#endif
