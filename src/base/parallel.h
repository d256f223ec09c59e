/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered pieces of work, shared out among threads. */
#ifndef ATG_BASE_PARALLEL_H
#define ATG_BASE_PARALLEL_H

#include <antigone/base.h>

enum { PARALLEL_MAX = 256 };

/* Threads to use when the user asked for `asked` (0: as many as this process may run on). */
uint32_t parallel_threads(uint32_t asked);

/* One piece of work.  `worker` is 0..threads-1, so that each has its own buffers.  A code other
 * than ATG_OK stops the rest; the error of the lowest piece that failed is reported. */
typedef int parallel_fn(void *user, uint32_t worker, uint64_t piece, atg_err *err);

/* Run pieces 0..n-1.  Progress is told from the calling thread, which works too. */
int parallel_run(uint32_t threads, uint64_t n, parallel_fn *fn, void *user, const char *phase,
                 const atg_progress *progress, atg_err *err);

#endif
