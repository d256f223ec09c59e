/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling one missing person's tables, over the families of an exercise.
 *
 *     bench_compile [missing]
 */
#include "data.h"

#include <string.h>

enum { REPEATS = 5 };

static int ascending(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* Distinct clean genotypes of the bodies at each marker. */
static void observe(atg_arena *arena, const atg_operation *op, atg_obs_set *sets, double **tables) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        atg_obs *obs = bench_get(arena, op->n_samples, sizeof(*obs));
        uint32_t n = 0;

        for (uint32_t i = 0; i < op->n_samples; i++) {
            atg_obs o = {.geno = op->samples[i].genos[m]};
            uint32_t k = 0;

            if (o.geno.b < 0)
                continue;
            while (k < n && (obs[k].geno.a != o.geno.a || obs[k].geno.b != o.geno.b))
                k++;
            if (k == n)
                obs[n++] = o;
        }
        sets[m] = (atg_obs_set){n, obs};
        tables[m] = bench_get(arena, n, sizeof(double));
    }
}

static double compile_once(atg_compiler *c, const atg_operation *op, uint32_t j,
                           const atg_obs_set *sets, double **tables) {
    double best = 1e9;
    atg_err err = {0};

    for (int k = 0; k < REPEATS; k++) {
        double start = bench_cpu_seconds();

        bench_must(atg_compile(c, op, j, sets, tables, &err), &err);
        best = bench_cpu_seconds() - start < best ? bench_cpu_seconds() - start : best;
    }
    return best * 1e3;
}

static void measure(atg_arena *arena, atg_mutation mutation, const char *name, const char *label,
                    uint32_t n_missing) {
    atg_exercise_options o = atg_exercise_default();
    atg_obs_set sets[ATG_MARKERS_MAX];
    double *tables[ATG_MARKERS_MAX];
    const atg_marker *markers;
    uint32_t n_markers = bench_markers(arena, "fusion6c", &markers);
    atg_compiler *c = atg_compiler_new();
    double *ms = bench_get(arena, n_missing, sizeof(double));
    atg_operation op;
    atg_truth truth;
    atg_err err = {0};
    uint64_t rows = 0;

    o.n_missing = n_missing;
    o.n_bodies = 0;
    o.mutation = mutation;
    bench_must(atg_exercise_make(arena, n_markers, markers, &o, &op, &truth, &err), &err);
    observe(arena, &op, sets, tables);
    for (uint32_t m = 0; m < op.n_markers; m++)
        rows += sets[m].n;
    for (uint32_t j = 0; j < op.n_missing && c; j++)
        ms[j] = compile_once(c, &op, j, sets, tables);
    qsort(ms, op.n_missing, sizeof(*ms), ascending);
    printf("# processor time to compile the tables of one missing person: %s mutation, %u markers, "
           "%llu distinct genotypes of %u samples,\n# median over the %u missing of an exercise "
           "(best of %d each); 90 %% quantile %.3f ms, largest %.3f ms; peak memory %.0f MiB\n",
           label, op.n_markers, (unsigned long long)rows, op.n_samples, op.n_missing, REPEATS,
           ms[op.n_missing * 9 / 10], ms[op.n_missing - 1], bench_peak_mib());
    printf("%s %.4f ms\n", name, ms[op.n_missing / 2]);
    atg_compiler_free(c);
}

int main(int argc, char **argv) {
    uint32_t n = (uint32_t)bench_argument(argc, argv, 1, 200);
    atg_arena *arena = atg_arena_new((size_t)4 << 30);

    if (!arena)
        return 4;
    measure(arena, (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.002},
            "dna.compile_family_ms_median", "equal", n);
    measure(arena,
            (atg_mutation){.model = ATG_MUT_STEPWISE, .rate = 0.002, .rate2 = 1e-6, .range = 0.1},
            "dna.compile_family_ms_median_stepwise", "stepwise", n);
    return 0;
}
