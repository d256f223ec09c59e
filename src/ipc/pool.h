/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a pool of workers. */
#ifndef ATG_IPC_POOL_H
#define ATG_IPC_POOL_H

#include <sys/types.h>

#include "ipc/channel.h"

/* A worker process. */
typedef struct pool_process {
    pid_t pid; /* 0: none */
    int fd;    /* the pipe */
} pool_process;

/* Find the worker's program: beside the running one, or where it was installed. */
int start_find(char *ret, size_t size, atg_err *err);
/* Start it, with the pipe as descriptor 3 and nothing else of ours.  ATG_EIO. */
int start_process(const char *program, const worker_options *o, pool_process *ret, atg_err *err);
/* End it.  `*ret_status` (may be NULL): as waitpid() tells; when `gone` it has closed its pipe and
 * gets a moment to end by itself, so that the status is its own. */
void start_end(pool_process *p, bool gone, int *ret_status);

/* One request on its way to an answer. */
typedef struct exchange {
    frame_work work;
    frame_body body;
    channel_fds fds;
    uint32_t milliseconds;
    /* takes bytes of the answer; a failure ends the worker, and is what the exchange says */
    int (*part)(void *user, frame_part what, atg_str bytes, atg_err *err);
    void *user;
    frame_done done;
} exchange;

/* How an exchange came to its end. */
typedef enum outcome {
    BROKEN, /* by the worker, or by time */
    OURS,   /* by whoever took the answer */
    WHOLE,  /* with an answer, be it a refusal */
} outcome;

/* Take the answer to `request` from a pipe whose other end may be anybody's, with `room` for
 * FRAME_BODY bytes.  BROKEN (ATG_EPARSE, ATG_EIO, ATG_ECANCEL as channel_receive()): what came is
 * no answer, and `*ret` may be left as it was. */
int pool_answer(int fd, uint64_t request, unsigned char *room, exchange *x, int64_t deadline,
                outcome *ret, atg_err *err);

/* Wait for a worker, ask it, and take the answer.  Codes as in worker.h. */
int pool_exchange(worker_pool *pool, exchange *x, atg_err *err);

/* A file that goes with a request; its descriptor is added to `fds`. */
int request_input(const worker_input *in, channel_fds *fds, frame_file *ret, atg_err *err);

/* What is no answer: ATG_EIO. */
int request_nonsense(atg_err *err);

/* A test that is built into the worker.  What it answered, in the arena. */
int worker_selftest(worker_pool *pool, frame_test test, uint32_t deadline_ms, atg_arena *arena,
                    atg_str *ret, atg_err *err);

#endif
