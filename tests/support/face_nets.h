/* SPDX-License-Identifier: Apache-2.0 */
/* Faces through a worker of this build, with the networks and portraits that lie beside the
 * checkout, where they do. */
#ifndef ATG_TESTS_FACE_NETS_H
#define ATG_TESTS_FACE_NETS_H

#include "workers.h"

#include <stdio.h>

#include "app/networks.h"
#include "base/file.h"

/* What a program prints that leaves all of its tests out. */
static inline int left_out(const char *why) {
    printf("1..0 # SKIP %s\n", why);
    return 0;
}

/* The folder of portraits; NULL: there is none. */
static inline const char *portraits_folder(void) {
    return getenv("ATG_FACES"); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static inline worker_faces faces_of(worker_pool *pool, atg_arena *arena, worker_face_ask ask) {
    worker_faces f = {.n = 0};
    atg_err err = {0};

    if (worker_faces_read(pool, &ask, arena, &f, &err))
        fail_msg("%s", err.msg);
    return f;
}

static inline double cosine(const worker_face *a, const worker_face *b) {
    double sum = 0;

    assert_int_equal(a->dimension, b->dimension);
    assert_memory_equal(a->model, b->model, WORKER_MODEL);
    for (uint32_t i = 0; i < a->dimension; i++)
        sum += (double)a->template[i] * (double)b -> template[i];
    return sum;
}

#endif
