/* SPDX-License-Identifier: Apache-2.0 */
/* What every benchmark needs.  A benchmark prints `name value unit` a line, under a comment that
 * says what was measured on what input. */
#ifndef ATG_BENCH_H
#define ATG_BENCH_H

#include <antigone/antigone.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static inline double bench_seconds(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of processor time of all threads so far: what others on the machine do not change. */
static inline double bench_cpu_seconds(void) {
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Largest resident set of this process so far. */
static inline double bench_peak_mib(void) {
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* End with the sentence of `err` when `rc` is a failure. */
static inline void bench_must(int rc, const atg_err *err) {
    if (rc == ATG_OK)
        return;
    fprintf(stderr, "%s\n", err->msg);
    exit(1); /* NOLINT(concurrency-mt-unsafe): before any thread starts, or after */
}

static inline void *bench_had(void *p) {
    if (!p) {
        fputs("Not enough memory for this benchmark\n", stderr);
        exit(4); /* NOLINT(concurrency-mt-unsafe) */
    }
    return p;
}

/* Memory or the end. */
static inline void *bench_alloc(size_t count, size_t size) {
    return bench_had(calloc(count ? count : 1, size));
}

/* The same in an arena. */
static inline void *bench_get(atg_arena *arena, size_t count, size_t size) {
    return bench_had(atg_arena_get(arena, count ? count : 1, size));
}

/* The n-th argument as a number, or `otherwise`. */
static inline double bench_argument(int argc, char **argv, int n, double otherwise) {
    return n < argc ? strtod(argv[n], NULL) : otherwise;
}

#endif
