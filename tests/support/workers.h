/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of workers of this build. */
#ifndef ATG_TESTS_WORKERS_H
#define ATG_TESTS_WORKERS_H

#include "testing.h"

#include "ipc/pool.h"

enum { TEST_DEADLINE = 60000 };

static inline const char *worker_program(void) {
    const char *path = getenv("ATG_WORKER"); /* NOLINT(concurrency-mt-unsafe): one thread */

    assert_non_null(path);
    return path;
}

static inline worker_pool *open_pool(worker_options o) {
    worker_pool *pool = NULL;
    atg_err err = {0};

    o.program = o.program ? o.program : worker_program();
    o.loud = true;
    if (worker_pool_open(&o, &pool, &err))
        fail_msg("%s", err.msg);
    return pool;
}

/* Can it do anything at all? */
static inline void assert_works(worker_pool *pool, atg_arena *arena) {
    atg_str text;
    atg_err err = {0};

    if (worker_selftest(pool, FRAME_TEST_ECHO, TEST_DEADLINE, arena, &text, &err))
        fail_msg("%s", err.msg);
    assert_true(atg_str_eq(text, ATG_STR("echo")));
}

#endif
