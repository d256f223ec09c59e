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

#include "base/parallel.h"

enum { REPEATS = 5, NAME = 64 };

/* As `antigone identify` does it: families side by side, then all together. */
typedef struct joint {
    const atg_operation *op;
    atg_assign_family *families;
    double **weights;   /* per family */
    atg_arena **arenas; /* per worker */
} joint;

static int compare_family(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    const joint *j = user;
    const atg_operation *op = j->op;
    const atg_family *family = &op->families[piece];
    bool *allowed = bench_alloc((size_t)family->n_missing * op->n_samples, 1);
    atg_tuples t;

    for (uint32_t p = 0; p < family->n_missing; p++)
        for (uint32_t i = 0; i < op->n_samples; i++)
            allowed[(size_t)p * op->n_samples + i] =
                atg_sex_fits(op->samples[i].sex,
                             family->ped.persons[op->missing[family->missing[p]].person].sex);

    int rc = atg_family_tuples(j->arenas[worker], op, (uint32_t)piece, allowed, true, &t, err);

    free(allowed);
    if (rc)
        return rc;

    double *weight = bench_alloc(t.n, sizeof(double));

    for (uint64_t i = 0; i < t.n; i++)
        weight[i] = t.log10_lr[i] * M_LN10;
    j->weights[piece] = weight;
    j->families[piece] =
        (atg_assign_family){family->n_missing, family->missing, t.n, t.samples, weight};
    return ATG_OK;
}

static double solve_once(const atg_operation *op, double *ret_possible) {
    uint32_t threads = parallel_threads(0);
    atg_arena *arena = bench_had(atg_arena_new((size_t)4 << 30));
    joint j = {.op = op,
               .families = bench_alloc(op->n_families, sizeof(*j.families)),
               .weights = bench_alloc(op->n_families, sizeof(*j.weights)),
               .arenas = bench_alloc(threads, sizeof(atg_arena *))};
    atg_assign_problem problem = {op->n_samples, op->n_missing, op->n_families, j.families};
    atg_assign_options options = {.n_top = 10, .threads = threads};
    double start = bench_seconds();
    atg_assign_result result;
    atg_err err = {0};

    for (uint32_t w = 0; w < threads; w++)
        j.arenas[w] = bench_had(atg_arena_new((size_t)4 << 30));
    bench_must(parallel_run(threads, op->n_families, compare_family, &j, "", NULL, &err), &err);
    bench_must(atg_assign_solve(arena, &problem, &options, NULL, &result, &err), &err);
    start = bench_seconds() - start;
    *ret_possible = result.n_possible;
    for (uint32_t f = 0; f < op->n_families; f++)
        free(j.weights[f]);
    for (uint32_t w = 0; w < threads; w++)
        atg_arena_free(j.arenas[w]);
    free(j.families);
    free(j.weights);
    free((void *)j.arenas);
    atg_arena_free(arena);
    return start;
}

static void measure(const char *name, const atg_operation *op) {
    double best = 1e9, possible = 0;
    uint32_t most = 0;
    int repeats = 0;

    for (uint32_t f = 0; f < op->n_families; f++)
        most = op->families[f].n_missing > most ? op->families[f].n_missing : most;
    for (; repeats < REPEATS && best * repeats < 5; repeats++) {
        double now = solve_once(op, &possible);

        best = now < best ? now : best;
    }
    printf("# %u bodies, %u missing in %u families (at most %u in one), %u markers: %.6g possible "
           "assignments, posteriors of all pairs; best of %d;\n# peak memory %.0f MiB\n",
           op->n_samples, op->n_missing, op->n_families, most, op->n_markers, possible, repeats,
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

static int16_t allele(atg_rng *rng, const atg_marker *m) {
    return (int16_t)atg_rng_below(rng, m->n);
}

static int16_t inherited(atg_rng *rng, const atg_geno *parent) {
    if (atg_rng_below(rng, 2))
        return parent->a;
    return parent->b;
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
                parents[k][m] = (atg_geno){allele(&rng, &markers[m]), allele(&rng, &markers[m])};
        ped[0] = (atg_person){.father = -1, .mother = -1, .sex = ATG_SEX_MALE, .genos = parents[0]};
        ped[1] = (atg_person){.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE};
        for (uint32_t c = 0; c < CHILDREN; c++) {
            atg_geno *genos = bench_alloc(n, sizeof(*genos));
            uint32_t j = f * CHILDREN + c;

            for (uint32_t m = 0; m < n; m++) {
                genos[m].a = inherited(&rng, &parents[0][m]);
                genos[m].b = inherited(&rng, &parents[1][m]);
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
