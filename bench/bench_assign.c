/* SPDX-License-Identifier: Apache-2.0 */
/* How long joint identification takes on dense parts. */
#include <antigone/antigone.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double milliseconds(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* All tuples of `places` persons over `n_bodies` bodies, with random weights. */
static void fill(atg_assign_family *f, uint32_t n_bodies, double spread, atg_rng *rng) {
    uint32_t n = f->n_missing, base = n_bodies + 1;
    uint64_t all = 1, kept = 0;

    for (uint32_t k = 0; k < n; k++)
        all *= base;

    int32_t *bodies = malloc(all * n * sizeof(*bodies));
    double *w = malloc(all * sizeof(*w));

    if (!bodies || !w)
        exit(4);
    for (uint64_t code = 1; code < all; code++) {
        int32_t *tuple = bodies + kept * n;
        uint64_t rest = code;
        uint64_t used = 0;
        int twice = 0;

        for (uint32_t k = 0; k < n; k++, rest /= base) {
            tuple[k] = (int32_t)(rest % base) - 1;
            if (tuple[k] < 0)
                continue;
            twice |= (int)(used >> tuple[k] & 1);
            used |= (uint64_t)1 << tuple[k];
        }
        if (!twice)
            w[kept++] = (2 * atg_rng_unit(rng) - 1) * spread;
    }
    f->n_tuples = kept;
    f->bodies = bodies;
    f->log_weight = w;
}

/* `n_families` of `places` missing each, everything possible. */
static double run(uint32_t n_families, uint32_t places, uint32_t n_bodies, uint32_t n_top,
                  uint32_t threads) {
    static uint32_t missing[64];
    atg_assign_family families[32];
    atg_rng rng = atg_rng_seed(7);
    atg_assign_result r;
    atg_err err = {0};
    atg_arena *arena = atg_arena_new((size_t)1 << 30);
    atg_assign_problem problem = {.n_bodies = n_bodies,
                                  .n_missing = n_families * places,
                                  .n_families = n_families,
                                  .families = families};
    atg_assign_options o = {.n_top = n_top, .threads = threads};

    for (uint32_t i = 0; i < n_families; i++) {
        families[i] = (atg_assign_family){.n_missing = places, .missing = missing + i * places};
        for (uint32_t k = 0; k < places; k++)
            missing[i * places + k] = i * places + k;
        fill(&families[i], n_bodies, 30, &rng);
    }

    double start = milliseconds();

    if (!arena || atg_assign_solve(arena, &problem, &o, NULL, &r, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }

    double took = milliseconds() - start;

    for (uint32_t i = 0; i < n_families; i++) {
        free((void *)(uintptr_t)families[i].bodies);
        free((void *)(uintptr_t)families[i].log_weight);
    }
    atg_arena_free(arena);
    return took;
}

static double peak_mib(void) {
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

int main(void) {
    puts("# joint identification, exact, one thread, all listed tuples possible, the 10 best "
         "listed");
    puts("# 20 bodies, 20 families of 1 missing");
    printf("dna.joint_singles20_ms %.1f ms\n", run(20, 1, 20, 10, 1));
    puts("# 20 bodies, 4 families of 5 missing, 2.5 million tuples each");
    printf("dna.joint_dense20_ms %.0f ms\n", run(4, 5, 20, 10, 1));
    puts("# the same with two threads");
    printf("dna.joint_dense20_2_threads_ms %.0f ms\n", run(4, 5, 20, 10, 2));
    puts("# 20 bodies, 5 families of 4 missing");
    printf("dna.joint_dense20_by_4_ms %.0f ms\n", run(5, 4, 20, 10, 1));
    puts("# 20 bodies, 7 families of 3 missing (21 missing)");
    printf("dna.joint_dense20_by_3_ms %.0f ms\n", run(7, 3, 20, 10, 1));
    puts("# peak memory of all this, the tuples included");
    printf("dna.joint_peak_mib %.0f MiB\n", peak_mib());
    return 0;
}
