/* SPDX-License-Identifier: Apache-2.0 */
/* What confines the worker (docs/worker.md, section 2).  In this order: sandbox_enter() before any
 * thread, then libraries are loaded, then sandbox_close().  From there on nothing opens again. */
#ifndef ATG_WORKER_SANDBOX_H
#define ATG_WORKER_SANDBOX_H

#include "ipc/frame.h"

typedef struct sandbox_options {
    uint64_t memory;      /* bytes of address space */
    bool without_seccomp; /* act as on a kernel that has none: tests */
    bool without_capset;  /* act as where rights cannot be given up: tests */
} sandbox_options;

/* Namespaces, as far as the kernel grants them.  Where it grants one for processes, this comes back
 * in a child; what was called stays, holds nothing, and ends with the child's code. */
void sandbox_enter(int pipe, worker_hold *hold);

/* Limits, an empty root, no rights, Landlock, seccomp; then every attempt of sandbox_try() is made.
 * `hold` says what holds and whether that is enough. */
void sandbox_close(const sandbox_options *o, frame_hello *hello);

/* Try what is forbidden: NULL behind the last.  `*ret_error`: errno, 0 when it was allowed. */
const char *sandbox_try(size_t i, int *ret_error);

/* Processor time for one request: this process ends when it is used up. */
void sandbox_time(uint32_t milliseconds);

/* Parts of it. */
int landlock_close(uint32_t *ret_version); /* of the kernel; 0: it has none */
int seccomp_close(char *why, size_t size); /* 0: it holds on all threads */
int seccomp_close_waiter(int child);       /* for who waits for a child, or ends it */

#endif
