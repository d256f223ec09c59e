/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way to the worker through pipes, while its answer is waited for. */
#ifndef ATG_IPC_FEEDER_H
#define ATG_IPC_FEEDER_H

#include <pthread.h>

#include "ipc/channel.h"

typedef struct feeder {
    uint32_t n;
    const worker_source *from[WORKER_INPUTS_MAX];
    int to[WORKER_INPUTS_MAX];
    pthread_t thread;
    bool running;
    int rc;
    atg_err why;
} feeder;

/* One more pipe, whose reading end is added to `fds`. */
int feeder_input(feeder *f, const worker_source *from, channel_fds *fds, atg_err *err);
int feeder_start(feeder *f, atg_err *err);
/* Once nobody reads any more: what went wrong at the source, if anything. */
int feeder_end(feeder *f, atg_err *err);

#endif
