/* SPDX-License-Identifier: Apache-2.0 */
/* Joint identification: comparing families place by place, and solving.
 *
 *     bench_joint [OPERATION.json]...
 *
 * Without arguments: operations made here, and those in the folder that ATG_REFERENCE names.
 */
#include "data.h"

#include <dirent.h>
#include <math.h>
#include <string.h>

enum { REPEATS = 5, NAME = 64 };

static double solve_once(const atg_operation *op, double *ret_possible) {
    atg_arena *arena = atg_arena_new((size_t)4 << 30);
    atg_assign_family *families = bench_alloc(op->n_families, sizeof(*families));
    double start = bench_seconds();
    atg_assign_result result;
    atg_err err = {0};

    for (uint32_t f = 0; f < op->n_families; f++) {
        const atg_family *family = &op->families[f];
        bool *allowed = bench_alloc((size_t)family->n_missing * op->n_samples, 1);
        atg_tuples t;

        for (uint32_t p = 0; p < family->n_missing; p++)
            for (uint32_t i = 0; i < op->n_samples; i++)
                allowed[p * op->n_samples + i] =
                    atg_sex_fits(op->samples[i].sex,
                                 family->ped.persons[op->missing[family->missing[p]].person].sex);
        bench_must(atg_family_tuples(arena, op, f, allowed, true, &t, &err), &err);

        double *weight = bench_alloc(t.n, sizeof(double));

        for (uint64_t i = 0; i < t.n; i++)
            weight[i] = t.log10_lr[i] * M_LN10;
        families[f] =
            (atg_assign_family){family->n_missing, family->missing, t.n, t.samples, weight};
        free(allowed);
    }
    bench_must(atg_assign_solve(
                   arena,
                   &(atg_assign_problem){op->n_samples, op->n_missing, op->n_families, families},
                   &(atg_assign_options){.n_top = 10}, NULL, &result, &err),
               &err);

    double seconds = bench_seconds() - start;

    *ret_possible = result.n_possible;
    for (uint32_t f = 0; f < op->n_families; f++)
        free((void *)(uintptr_t)families[f].log_weight);
    free(families);
    atg_arena_free(arena);
    return seconds;
}

static void measure(const char *name, const atg_operation *op) {
    double best = 1e9, possible = 0;
    uint32_t most = 0;

    for (uint32_t f = 0; f < op->n_families; f++)
        most = op->families[f].n_missing > most ? op->families[f].n_missing : most;
    for (int k = 0; k < REPEATS && best * k < 5; k++) {
        double now = solve_once(op, &possible);

        best = now < best ? now : best;
    }
    printf("# %u bodies, %u missing in %u families (at most %u in one), %u markers: %.6g possible "
           "assignments, posteriors of all pairs; best of %d;\n# peak memory %.0f MiB\n",
           op->n_samples, op->n_missing, op->n_families, most, op->n_markers, possible, REPEATS,
           bench_peak_mib());
    printf("dna.joint_%s_ms %.2f ms\n", name, best * 1e3);
}

static void measure_file(atg_arena *arena, const char *path) {
    const char *base = strrchr(path, '/');
    char name[NAME];
    atg_operation op;
    atg_str bytes;
    atg_err err = {0};

    (void)snprintf(name, sizeof(name), "%s", base ? base + 1 : path);
    if (strrchr(name, '.'))
        *strrchr(name, '.') = '\0';
    bench_must(file_read(arena, path, ATG_INPUT_MAX, &bytes, &err), &err);
    bench_must(atg_operation_read_json(arena, bytes, &op, NULL, &err), &err);
    measure(name, &op);
}

/* Four families of five missing siblings, a parent of each typed, 20 bodies: everything possible.
 */
static void measure_dense(atg_arena *arena) {
    enum { FAMILIES = 4, CHILDREN = 5, PERSONS = CHILDREN + 2, BODIES = FAMILIES * CHILDREN };
    const atg_marker *shipped;
    uint32_t n = bench_markers(arena, "fusion6c", &shipped);
    atg_marker *markers = bench_alloc(n, sizeof(*markers));
    atg_person *persons = bench_alloc((size_t)FAMILIES * PERSONS, sizeof(*persons));
    atg_family *families = bench_alloc(FAMILIES, sizeof(*families));
    atg_missing *missing = bench_alloc(BODIES, sizeof(*missing));
    atg_sample *samples = bench_alloc(BODIES, sizeof(*samples));
    uint32_t *list = bench_alloc(BODIES, sizeof(*list));
    atg_rng rng = atg_rng_seed(1);
    atg_operation op = {.params = atg_params_default(),
                        .n_markers = n,
                        .markers = markers,
                        .n_samples = BODIES,
                        .samples = samples,
                        .n_families = FAMILIES,
                        .families = families,
                        .n_missing = BODIES,
                        .missing = missing};

    for (uint32_t m = 0; m < n; m++) {
        markers[m] = shipped[m];
        markers[m].female = markers[m].male = (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.002};
    }
    for (uint32_t f = 0; f < FAMILIES; f++) {
        atg_person *ped = persons + (size_t)f * PERSONS;
        atg_geno *parents[2] = {bench_alloc(n, sizeof(atg_geno)), bench_alloc(n, sizeof(atg_geno))};

        for (uint32_t m = 0; m < n; m++)
            for (int k = 0; k < 2; k++)
                parents[k][m] = (atg_geno){(int16_t)atg_rng_below(&rng, markers[m].n),
                                           (int16_t)atg_rng_below(&rng, markers[m].n)};
        ped[0] = (atg_person){.father = -1, .mother = -1, .sex = ATG_SEX_MALE, .genos = parents[0]};
        ped[1] = (atg_person){.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE};
        for (uint32_t c = 0; c < CHILDREN; c++) {
            atg_geno *genos = bench_alloc(n, sizeof(*genos));
            uint32_t j = f * CHILDREN + c;

            for (uint32_t m = 0; m < n; m++) {
                const atg_geno *x = &parents[0][m], *y = &parents[1][m];

                genos[m] = (atg_geno){atg_rng_below(&rng, 2) ? x->a : x->b,
                                      atg_rng_below(&rng, 2) ? y->a : y->b};
            }
            ped[c + 2] = (atg_person){.father = 0, .mother = 1};
            missing[j] = (atg_missing){.family = f, .person = c + 2};
            list[j] = j;
            samples[j] = (atg_sample){.genos = genos};
        }
        families[f] = (atg_family){
            .ped = {PERSONS, ped}, .n_missing = CHILDREN, .missing = list + (size_t)f * CHILDREN};
    }
    measure("dense_4x5x20", &op);
}

static void measure_folder(atg_arena *arena, const char *folder) {
    char path[4096];
    DIR *dir;

    (void)snprintf(path, sizeof(path), "%s/operations", folder);
    dir = opendir(path);
    if (!dir)
        return;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    for (struct dirent *e; (e = readdir(dir));)
        if (strstr(e->d_name, ".json") && strcmp(e->d_name, "exclusionExample.json") != 0) {
            (void)snprintf(path, sizeof(path), "%s/operations/%s", folder, e->d_name);
            measure_file(arena, path);
        }
    (void)closedir(dir);
}

int main(int argc, char **argv) {
    atg_arena *arena = atg_arena_new((size_t)1 << 30);
    const char *folder = getenv("ATG_REFERENCE"); /* NOLINT(concurrency-mt-unsafe): one thread */

    if (!arena)
        return 4;
    for (int i = 1; i < argc; i++)
        measure_file(arena, argv[i]);
    if (argc > 1)
        return 0;
    if (folder)
        measure_folder(arena, folder);
    measure_dense(arena);
    return 0;
}
