/* SPDX-License-Identifier: Apache-2.0 */
/* A nation kept ready: how long until all families are, and how long for one new body.
 *
 *     bench_warm [missing]
 */
#include "data.h"

#include "base/parallel.h"
#include "match/warm.h"

enum { MISSING = 158500 /* make 125,000 families */, BODIES = 2000, PROBES = 200 };

typedef struct loading {
    const atg_operation *op;
    warm *w;
    atg_compiler *compilers[PARALLEL_MAX];
} loading;

/* The persons of one block. */
static int put_block(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    loading *l = user;
    uint32_t first = (uint32_t)piece * WARM_LANES, end = first + WARM_LANES;
    int rc = ATG_OK;

    for (uint32_t j = first; j < end && j < l->op->n_missing && !rc; j++)
        rc = warm_put(l->w, l->compilers[worker], l->op, j, j, err);
    return rc;
}

static double load(const atg_operation *op, warm *w) {
    uint32_t threads = parallel_threads(0);
    loading l = {.op = op, .w = w};
    double start = bench_seconds();
    atg_err err = {0};

    for (uint32_t t = 0; t < threads; t++)
        l.compilers[t] = bench_had(atg_compiler_new());
    bench_must(parallel_run(threads, (op->n_missing + WARM_LANES - 1) / WARM_LANES, put_block, &l,
                            "families", NULL, &err),
               &err);
    for (uint32_t t = 0; t < threads; t++)
        atg_compiler_free(l.compilers[t]);
    return bench_seconds() - start;
}

/* The mean of several bodies, degraded or not. */
static double rank(const atg_operation *op, const warm *w, bool degraded, float *ranks,
                   uint32_t *ret_n) {
    double spent = 0;
    atg_err err = {0};

    *ret_n = 0;
    for (uint32_t i = 0; i < op->n_samples && *ret_n < PROBES; i++) {
        double start = bench_seconds();

        if ((op->samples[i].dropout > 0) != degraded)
            continue;
        bench_must(warm_rank(w, &op->samples[i], 0, ranks, &err), &err);
        spent += bench_seconds() - start;
        (*ret_n)++;
    }
    return *ret_n ? spent / *ret_n : 0;
}

int main(int argc, char **argv) {
    atg_arena *arena = atg_arena_new((size_t)8 << 30);
    atg_exercise_options o = atg_exercise_default();
    const atg_marker *markers;
    atg_operation op;
    atg_truth truth;
    atg_err err = {0};
    warm *w;
    uint32_t n, n_markers;

    if (!arena)
        return 4;
    n_markers = bench_markers(arena, "fusion6c", &markers);
    o.n_missing = (uint32_t)bench_argument(argc, argv, 1, MISSING);
    o.n_bodies = o.n_missing < BODIES ? o.n_missing : BODIES;
    o.not_found = 1 - (double)o.n_bodies * 0.9 / o.n_missing;
    bench_must(atg_exercise_make(arena, n_markers, markers, &o, &op, &truth, &err), &err);
    bench_must(warm_new(&op, op.n_missing, &w, &err), &err);

    float *ranks = bench_alloc(op.n_missing, sizeof(*ranks));
    double cpu = bench_cpu_seconds(), seconds = load(&op, w);

    printf("# %u missing in %u families, %u markers, all genotypes of each kept in fp32: %.0f MiB; "
           "%.1f s of processor time\n",
           op.n_missing, op.n_families, op.n_markers, (double)warm_bytes(w) / (1 << 20),
           bench_cpu_seconds() - cpu);
    printf("match.warm_families_seconds %.1f s\n", seconds);
    seconds = rank(&op, w, false, ranks, &n);
    printf("# one body against all of them, all threads; mean of %u\n", n);
    printf("match.rank_body_ms %.1f ms\n", seconds * 1e3);
    seconds = rank(&op, w, true, ranks, &n);
    printf("# the same for bodies with drop-out; mean of %u\n", n);
    printf("match.rank_degraded_body_ms %.1f ms\n", seconds * 1e3);

    double start = bench_seconds();

    for (uint32_t k = 0; k < 20; k++)
        bench_must(
            warm_rank_bodies(w, k * 97 % op.n_missing, op.n_samples, op.samples, ranks, &err),
            &err);
    printf("# one family against %u bodies, one thread; mean of 20\n", op.n_samples);
    printf("match.rank_family_ms %.1f ms\n", (bench_seconds() - start) / 20 * 1e3);
    printf("# largest resident set, the made-up operation included\nmatch.warm_peak_mib %.0f MiB\n",
           bench_peak_mib());
    warm_free(w);
    return 0;
}
