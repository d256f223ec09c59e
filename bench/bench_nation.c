/* SPDX-License-Identifier: Apache-2.0 */
/* A nation's families against its unidentified dead: made by the exercise generator, compiled and
 * compared block by block; then the comparison alone, with the tables of a part kept.
 *
 *     bench_nation [missing [bodies [threads [FREQUENCIES]]]]
 */
#include "bench.h"

#include <string.h>

#include "base/file.h"
#include "base/parallel.h"

/* The 23 autosomal markers of a six-dye kit and one more. */
static const char *const kit[] = {
    "D1S1656", "TPOX",    "D2S441",  "D2S1338",  "D3S1358", "FGA",     "D5S818",   "CSF1PO",
    "SE33",    "D7S820",  "D8S1179", "D10S1248", "TH01",    "vWA",     "D12S391",  "D13S317",
    "Penta E", "D16S539", "D18S51",  "D19S433",  "D21S11",  "Penta D", "D22S1045", "D7S1517"};

enum {
    MARKERS = sizeof(kit) / sizeof(*kit),
    RATES_MAX = 16,
    FREQUENCIES_MAX = 16 << 20,
    MISSING = 158500, /* make 125,000 families */
    BODIES = 72000,
    KEPT = 40000, /* missing whose tables are kept for the comparison alone */
};

typedef struct nation {
    atg_operation op;
    atg_obs *obs[MARKERS];
    atg_obs_set sets[MARKERS];
    uint32_t n_rows[MARKERS];
    uint16_t *rows; /* n_samples * MARKERS */
    uint8_t *body_sex, *missing_sex;
    atg_scan *kept;
    atg_compiler *compilers[PARALLEL_MAX];
    double *tables[PARALLEL_MAX][MARKERS];
} nation;

static void read_markers(atg_arena *arena, const char *path, atg_marker *ret) {
    atg_frequencies freqs;
    atg_str bytes;
    atg_err err;

    bench_must(file_read(arena, path, FREQUENCIES_MAX, &bytes, &err), &err);
    bench_must(atg_frequencies_read(arena, bytes, ATG_STR("norway"), &freqs, NULL, &err), &err);
    for (uint32_t k = 0; k < MARKERS; k++) {
        bool found = false;

        for (uint32_t m = 0; m < freqs.n_markers && !found; m++) {
            found = atg_marker_same_name(freqs.markers[m].name, atg_str_of(kit[k]));
            if (found)
                ret[k] = freqs.markers[m];
        }
        if (!found)
            bench_must(atg_fail(&err, ATG_ENOTFOUND, "%s lacks marker %s", path, kit[k]), &err);
    }
}

static void make(atg_arena *arena, uint32_t n_missing, uint32_t n_bodies, const char *path,
                 nation *n) {
    atg_exercise_options options = atg_exercise_default();
    atg_marker markers[MARKERS];
    atg_truth truth;
    atg_err err;

    read_markers(arena, path, markers);
    options.n_missing = n_missing;
    options.n_bodies = n_bodies;
    options.fragments = 0;
    bench_must(atg_exercise_make(arena, MARKERS, markers, &options, &n->op, &truth, &err), &err);
}

/* Which of the rates of drop-out that occur is this sample's? */
static uint32_t rate_of(const atg_sample *s, double *rates, uint32_t *n_rates) {
    for (uint32_t i = 0; i < *n_rates; i++)
        if (rates[i] == s->dropout)
            return i;
    if (*n_rates == RATES_MAX) {
        static const atg_err err = {.msg = "More rates of drop-out than this benchmark numbers"};

        bench_must(ATG_ELIMIT, &err);
    }
    rates[*n_rates] = s->dropout;
    return (*n_rates)++;
}

/* Number the distinct observations of marker m. */
static void number_rows(nation *n, uint32_t m) {
    uint32_t n_alleles = n->op.markers[m].n, n_rates = 0;
    uint32_t n_slots = n_alleles * n_alleles * RATES_MAX;
    uint32_t *slots = bench_alloc(n_slots, sizeof(*slots)); /* row + 1 */
    atg_obs *obs = bench_alloc(n_slots, sizeof(*obs));
    double rates[RATES_MAX];

    for (uint32_t i = 0; i < n->op.n_samples; i++) {
        const atg_sample *s = &n->op.samples[i];
        atg_geno g = s->genos[m];

        if (!atg_geno_typed(g))
            continue;

        uint32_t rate = rate_of(s, rates, &n_rates);
        uint32_t *slot = &slots[(rate * n_alleles + (uint32_t)g.a) * n_alleles + (uint32_t)g.b];

        if (*slot == 0) {
            obs[n->n_rows[m]] = (atg_obs){g, s->dropout, s->dropin};
            *slot = ++n->n_rows[m];
        }
        n->rows[(size_t)i * MARKERS + m] = (uint16_t)(*slot - 1);
    }
    for (uint32_t i = 0; i < n->op.n_samples; i++)
        if (!atg_geno_typed(n->op.samples[i].genos[m]))
            n->rows[(size_t)i * MARKERS + m] = (uint16_t)n->n_rows[m];
    n->obs[m] = obs;
    n->sets[m] = (atg_obs_set){n->n_rows[m], obs};
    free(slots);
}

static int compile_one(void *user, uint32_t worker, uint32_t missing, double **ret, atg_err *err) {
    nation *n = user;

    if (!n->compilers[worker])
        n->compilers[worker] = atg_compiler_new();
    if (!n->compilers[worker])
        return atg_fail(err, ATG_ENOMEM, "Not enough memory to compile families");
    return atg_compile(n->compilers[worker], &n->op, missing, n->sets, ret, err);
}

static int keep_one(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    nation *n = user;
    double **table = n->tables[worker];

    for (uint32_t m = 0; m < MARKERS; m++)
        if (!table[m])
            table[m] = bench_alloc(n->n_rows[m], sizeof(double));

    int rc = compile_one(n, worker, (uint32_t)piece, table, err);

    if (!rc)
        atg_scan_set(n->kept, (uint32_t)piece, (const double *const *)table);
    return rc;
}

static void number_bodies(nation *n) {
    n->rows = bench_alloc((size_t)n->op.n_samples * MARKERS, sizeof(*n->rows));
    n->body_sex = bench_alloc(n->op.n_samples, 1);
    n->missing_sex = bench_alloc(n->op.n_missing, 1);
    for (uint32_t i = 0; i < n->op.n_samples; i++)
        n->body_sex[i] = (uint8_t)n->op.samples[i].sex;
    for (uint32_t i = 0; i < n->op.n_missing; i++) {
        const atg_missing *who = &n->op.missing[i];

        n->missing_sex[i] = (uint8_t)n->op.families[who->family].ped.persons[who->person].sex;
    }
    for (uint32_t m = 0; m < MARKERS; m++)
        number_rows(n, m);
}

static atg_scan_result compare(const nation *n, const atg_scan *scan,
                               const atg_scan_options *options, bool sexes) {
    atg_scan_bodies bodies = {n->op.n_samples, n->rows, sexes ? n->body_sex : NULL};
    atg_scan_result result;
    atg_err err;

    bench_must(atg_scan_run(scan, &bodies, options, NULL, &result, &err), &err);
    return result;
}

static void measure_nation(nation *n, const atg_scan_options *options) {
    double wall = bench_seconds(), cpu = bench_cpu_seconds();
    ATG_AUTO(atg_scan) scan = NULL;
    uint32_t n_rows = 0;
    atg_scan_result r;
    atg_err err;

    number_bodies(n);
    bench_must(atg_scan_stream(MARKERS, n->n_rows, n->op.n_missing, compile_one, n, &scan, &err),
               &err);
    atg_scan_sexes(scan, n->missing_sex);
    r = compare(n, scan, options, true);
    wall = bench_seconds() - wall;
    cpu = bench_cpu_seconds() - cpu;
    for (uint32_t m = 0; m < MARKERS; m++)
        n_rows += n->n_rows[m];
    printf(
        "# compiled and compared: %u distinct observations, %.4g pairs whose sexes fit, %.4g kept "
        "(the best %u of each side and all from %g on), %u threads, %.1f s of processor time\n",
        n_rows, (double)r.stats.n_pairs, (double)r.n, options->best, options->floor,
        options->threads, cpu);
    printf("dna.nation_seconds %.2f s\n", wall);
    printf("# largest resident set, the made-up operation included\n");
    printf("dna.nation_peak_mib %.0f MiB\n", bench_peak_mib());
    atg_scan_hits_free(r.hits);
}

static void measure_pairs(const nation *n, const atg_scan_options *options, const char *name) {
    double wall = bench_seconds(), cpu = bench_cpu_seconds();
    atg_scan_result r = compare(n, n->kept, options, false);

    wall = bench_seconds() - wall;
    cpu = bench_cpu_seconds() - cpu;
    printf("# %.4g pairs of every body and a part of the missing, whatever the sexes, tables kept: "
           "%.4g scored again, %.4g kept, %.1f s of processor time%s\n%s %.4g pairs/s\n",
           (double)r.stats.n_pairs, (double)r.stats.n_rescored, (double)r.n, cpu,
           options->no_drop ? ", every marker of every pair added up" : "", name,
           (double)r.stats.n_pairs / wall);
    atg_scan_hits_free(r.hits);
}

static void measure_comparison(nation *n, atg_scan_options options) {
    uint32_t n_kept = n->op.n_missing < KEPT ? n->op.n_missing : KEPT;
    atg_err err;

    bench_must(atg_scan_new(MARKERS, n->n_rows, n_kept, &n->kept, &err), &err);
    bench_must(parallel_run(options.threads, n_kept, keep_one, n, "compile", NULL, &err), &err);
    measure_pairs(n, &options, "dna.all_pairs_per_second");
    options.no_drop = true;
    measure_pairs(n, &options, "dna.all_pairs_per_second_nothing_dropped");
}

static void clear(nation *n) {
    for (uint32_t w = 0; w < PARALLEL_MAX; w++) {
        atg_compiler_free(n->compilers[w]);
        for (uint32_t m = 0; m < MARKERS; m++)
            free(n->tables[w][m]);
    }
    for (uint32_t m = 0; m < MARKERS; m++)
        free(n->obs[m]);
    free(n->rows);
    free(n->body_sex);
    free(n->missing_sex);
    atg_scan_free(n->kept);
}

int main(int argc, char **argv) {
    static nation n;
    uint32_t n_missing = (uint32_t)bench_argument(argc, argv, 1, MISSING);
    uint32_t n_bodies = (uint32_t)bench_argument(argc, argv, 2, BODIES);
    atg_scan_options options = {
        .threads = (uint32_t)bench_argument(argc, argv, 3, 2), .best = 10, .floor = 4};
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)4 << 30);
    double start = bench_seconds();

    make(arena, n_missing, n_bodies, argc > 4 ? argv[4] : "data/frequencies/norway.json", &n);
    printf("# %u families with %u missing, %u bodies, %d markers, mutation equal, made in %.1f s "
           "(not counted below)\n",
           n.op.n_families, n.op.n_missing, n.op.n_samples, MARKERS, bench_seconds() - start);
    measure_nation(&n, &options);
    measure_comparison(&n, options);
    clear(&n);
    return 0;
}
