/* SPDX-License-Identifier: Apache-2.0 */
/* How long joint identification takes where every tuple is possible. */
#include "bench.h"

enum { FAMILIES_MAX = 20 };

#define SPREAD 30.0

typedef struct dense {
    uint32_t n_families, places, n_bodies, threads;
    bool equal; /* all weights: nothing but ties */
    const char *name;
} dense;

/* All tuples of the family, with random log weights in +-SPREAD. */
static void fill(const dense *d, atg_assign_family *f, int32_t *bodies, double *log_weight,
                 atg_rng *rng) {
    uint32_t base = d->n_bodies + 1;
    uint64_t all = 1, kept = 0;

    for (uint32_t k = 0; k < d->places; k++)
        all *= base;
    for (uint64_t code = 1; code < all; code++) {
        int32_t *tuple = bodies + kept * d->places;
        uint64_t rest = code, used = 0;
        bool twice = false;

        for (uint32_t k = 0; k < d->places; k++, rest /= base) {
            tuple[k] = (int32_t)(rest % base) - 1;
            if (tuple[k] < 0)
                continue;
            twice |= used >> tuple[k] & 1;
            used |= (uint64_t)1 << tuple[k];
        }
        if (!twice)
            log_weight[kept++] = d->equal ? 0 : (2 * atg_rng_unit(rng) - 1) * SPREAD;
    }
    f->n_tuples = kept;
    f->bodies = bodies;
    f->log_weight = log_weight;
}

static void measure(const dense *d) {
    uint32_t n_missing = d->n_families * d->places,
             *missing = bench_alloc(n_missing, sizeof(*missing));
    atg_assign_family families[FAMILIES_MAX];
    int32_t *bodies[FAMILIES_MAX];
    double *log_weight[FAMILIES_MAX];
    atg_assign_problem problem = {d->n_bodies, n_missing, d->n_families, families};
    atg_assign_options options = {.n_top = 10, .threads = d->threads};
    atg_arena *arena = atg_arena_new((size_t)1 << 30);
    atg_rng rng = atg_rng_seed(7);
    atg_assign_result result;
    atg_err err = {0};
    uint64_t all = 1;

    for (uint32_t k = 0; k < d->places; k++)
        all *= d->n_bodies + 1;
    for (uint32_t i = 0; i < n_missing; i++)
        missing[i] = i;
    for (uint32_t i = 0; i < d->n_families; i++) {
        bodies[i] = bench_alloc(all * d->places, sizeof(**bodies));
        log_weight[i] = bench_alloc(all, sizeof(**log_weight));
        families[i] =
            (atg_assign_family){.n_missing = d->places, .missing = missing + (size_t)i * d->places};
        fill(d, &families[i], bodies[i], log_weight[i], &rng);
    }

    double start = bench_seconds(), cpu = bench_cpu_seconds();

    bench_must(arena ? atg_assign_solve(arena, &problem, &options, NULL, &result, &err) : -1, &err);
    start = bench_seconds() - start;
    cpu = bench_cpu_seconds() - cpu;
    printf("# %u bodies, %u families of %u missing, all %llu tuples of each possible, weights %s, "
           "the 10 best listed, %u threads\n",
           d->n_bodies, d->n_families, d->places, (unsigned long long)families[0].n_tuples,
           d->equal ? "equal" : "random", d->threads);
    printf("dna.joint_%s_ms %.0f ms\n", d->name, 1e3 * start);
    printf("dna.joint_%s_cpu_ms %.0f ms\n", d->name, 1e3 * cpu);
    for (uint32_t i = 0; i < d->n_families; i++) {
        free(bodies[i]);
        free(log_weight[i]);
    }
    free(missing);
    atg_arena_free(arena);
}

int main(void) {
    static const dense all[] = {
        {20, 1, 20, 1, false, "singles20"},        {4, 5, 20, 1, false, "dense20"},
        {4, 5, 20, 2, false, "dense20_2_threads"}, {5, 4, 20, 1, false, "dense20_by_4"},
        {6, 3, 20, 1, false, "dense20_by_3"},      {4, 5, 20, 2, true, "dense20_ties"},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        measure(&all[i]);
    puts("# largest resident set, the tuples included");
    printf("dna.joint_peak_mib %.0f MiB\n", bench_peak_mib());
    return 0;
}
