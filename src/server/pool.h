/* SPDX-License-Identifier: Apache-2.0 */
/* The threads on which requests run, behind a queue with a ceiling.  Work that is long, and the
 * hashing of passwords, have lanes of their own, of which few run at once.  For what watches the
 * service a thread is always kept, so that it is answered when all others wait for the database. */
#ifndef ATG_SERVER_POOL_H
#define ATG_SERVER_POOL_H

#include <antigone/base.h>

typedef enum pool_lane {
    POOL_WATCH,
    POOL_ORDINARY,
    POOL_LONG,
    POOL_HASH,
    POOL_JOB, /* what nobody waits for */
    POOL_LANES,
} pool_lane;

/* Lies in what is to be done. */
typedef struct pool_job {
    void (*run)(void *user);
    void *user;
    struct pool_job *next;
} pool_job;

typedef struct pool pool;

typedef struct pool_state {
    uint32_t waiting, running;
} pool_state;

/* `depth`: jobs of each lane that may wait; of hashes 32 at most. */
int pool_open(uint32_t threads, uint32_t depth, pool **ret, atg_err *err);
/* Waits for what runs and what waits. */
void pool_close(pool *p);

/* False: the lane is full, or the pool is being closed; the job was not taken. */
bool pool_push(pool *p, pool_lane lane, pool_job *job);
pool_state pool_look(pool *p);
/* Take nothing more, and wait until all is done: false when it is not within `timeout_ms`. */
bool pool_drain(pool *p, uint32_t timeout_ms);

#endif
