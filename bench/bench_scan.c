/* SPDX-License-Identifier: Apache-2.0 */
/* The scan alone: bodies that are nobody's, on tables of one or two relatives by formula: parents,
 * siblings, half siblings and families with nobody useful, with mutation.
 *
 *     bench_scan [missing [bodies [threads [best [floor]]]]]
 */
#include "bench.h"

#include <math.h>
#include <string.h>

enum { MARKERS = 24, ALLELES = 20, ROWS = ALLELES * (ALLELES + 1) / 2, PORTABLE_SHARE = 10 };

static const double MUTATION = 2e-3;

typedef struct marker {
    uint32_t n, n_rows;
    double p[ALLELES];
    uint16_t row[ALLELES][ALLELES]; /* of a genotype, or ROWS when no body has it */
    uint8_t a[ROWS], b[ROWS];       /* of a row */
} marker;

static uint32_t draw_allele(const marker *m, atg_rng *rng) {
    double u = atg_rng_unit(rng);
    uint32_t a = 0;

    while (a + 1 < m->n && u >= m->p[a])
        u -= m->p[a++];
    return a;
}

/* Repeat numbers spread like a bell, as those of real markers, 8 to 20 of them. */
static marker make_marker(atg_rng *rng, uint32_t index) {
    marker m = {.n = 8 + index % 13};
    double sum = 0, middle = (m.n - 1) * (0.4 + 0.2 * atg_rng_unit(rng)), width = m.n / 5.0;

    for (uint32_t a = 0; a < m.n; a++) {
        m.p[a] = exp(-pow((a - middle) / width, 2) / 2) * (0.5 + atg_rng_unit(rng)) + 1e-3;
        sum += m.p[a];
    }
    for (uint32_t a = 0; a < m.n; a++)
        m.p[a] /= sum;
    return m;
}

static void number_rows(marker *markers, uint16_t *rows, uint32_t n_bodies, atg_rng *rng) {
    for (uint32_t i = 0; i < MARKERS; i++)
        memset(markers[i].row, 0xff, sizeof(markers[i].row));
    for (size_t at = 0; at < (size_t)n_bodies * MARKERS; at++) {
        marker *m = &markers[at % MARKERS];
        uint32_t a = draw_allele(m, rng), b = draw_allele(m, rng);

        if (a > b) {
            uint32_t t = a;

            a = b;
            b = t;
        }
        if (m->row[a][b] == UINT16_MAX) {
            m->a[m->n_rows] = (uint8_t)a;
            m->b[m->n_rows] = (uint8_t)b;
            m->row[a][b] = (uint16_t)m->n_rows++;
        }
        rows[at] = m->row[a][b];
    }
    for (size_t at = 0; at < (size_t)n_bodies * MARKERS; at++)
        if (atg_rng_below(rng, 20) == 0)
            rows[at] = (uint16_t)markers[at % MARKERS].n_rows;
}

/* P(allele | passed on by a parent with alleles x, y), proportional mutation. */
static double passed(const marker *m, uint32_t allele, uint32_t x, uint32_t y) {
    return (1 - MUTATION) * 0.5 * ((allele == x) + (allele == y)) + MUTATION * m->p[allele];
}

typedef enum relation { PARENT, PARENTS, CHILD_AND_SPOUSE, SIBLING, HALF_SIBLING, NOBODY } relation;

static double likelihood_ratio(const marker *m, relation kind, const uint32_t *rel, uint32_t row) {
    uint32_t a = m->a[row], b = m->b[row];
    double pa = m->p[a], pb = m->p[b], twice = a == b ? 1 : 2;
    double fa = passed(m, a, rel[0], rel[1]), fb = passed(m, b, rel[0], rel[1]);
    double parent = (fa / pa + fb / pb) / 2;
    bool same = (a == rel[0] && b == rel[1]) || (a == rel[1] && b == rel[0]);

    switch (kind) {
    case PARENT:
        return parent;
    case PARENTS:
        return (fa * passed(m, b, rel[2], rel[3]) / (pa * pb) +
                fb * passed(m, a, rel[2], rel[3]) / (pa * pb)) /
               2;
    case CHILD_AND_SPOUSE:
        return (passed(m, a, rel[0], rel[0]) / pa + passed(m, b, rel[0], rel[0]) / pb) / 2;
    case SIBLING:
        return 0.25 + 0.5 * parent + 0.25 * same / (twice * pa * pb);
    case HALF_SIBLING:
        return 0.5 + 0.5 * parent;
    case NOBODY:
        break;
    }
    return 1;
}

static void fill(atg_scan *scan, const marker *markers, uint32_t n_missing, atg_rng *rng) {
    static const relation mix[] = {PARENT,  PARENT,  PARENT,           PARENTS,          PARENTS,
                                   PARENTS, PARENTS, CHILD_AND_SPOUSE, CHILD_AND_SPOUSE, SIBLING,
                                   SIBLING, SIBLING, SIBLING,          HALF_SIBLING,     NOBODY};
    static double table[MARKERS][ROWS];
    const double *rows[MARKERS];

    for (uint32_t i = 0; i < n_missing; i++) {
        relation kind = mix[atg_rng_below(rng, sizeof(mix) / sizeof(*mix))];

        for (uint32_t k = 0; k < MARKERS; k++) {
            const marker *m = &markers[k];
            uint32_t rel[4];

            for (uint32_t r = 0; r < 4; r++)
                rel[r] = draw_allele(m, rng);
            for (uint32_t row = 0; row < m->n_rows; row++)
                table[k][row] = log10(likelihood_ratio(m, kind, rel, row));
            rows[k] = table[k];
        }
        atg_scan_set(scan, i, rows);
    }
}

static void measure(const atg_scan *scan, const atg_scan_bodies *bodies, atg_scan_options options,
                    const char *name) {
    double wall = bench_seconds(), cpu = bench_cpu_seconds();
    atg_scan_result got;
    atg_err err;

    bench_must(atg_scan_run(scan, bodies, &options, NULL, &got, &err), &err);
    wall = bench_seconds() - wall;
    cpu = bench_cpu_seconds() - cpu;
    printf("# %llu kept, %llu scored again, %.2f s of processor time\n", (unsigned long long)got.n,
           (unsigned long long)got.stats.n_rescored, cpu);
    printf("scan.%s_per_second %.4g pairs/s\n", name, (double)got.stats.n_pairs / wall);
    atg_scan_hits_free(got.hits);
}

int main(int argc, char **argv) {
    static marker markers[MARKERS];
    uint32_t n_missing = (uint32_t)bench_argument(argc, argv, 1, 20000);
    uint32_t n_bodies = (uint32_t)bench_argument(argc, argv, 2, 72000), n_rows[MARKERS], sum = 0;
    atg_scan_options options = {.threads = (uint32_t)bench_argument(argc, argv, 3, 2),
                                .best = (uint32_t)bench_argument(argc, argv, 4, 10),
                                .floor = bench_argument(argc, argv, 5, 4)};
    uint16_t *rows = bench_alloc((size_t)n_bodies * MARKERS, sizeof(*rows));
    atg_scan_bodies bodies = {n_bodies, rows, NULL};
    atg_rng rng = atg_rng_seed(1);
    atg_scan *scan;
    atg_err err;

    for (uint32_t i = 0; i < MARKERS; i++)
        markers[i] = make_marker(&rng, i);
    number_rows(markers, rows, n_bodies, &rng);
    for (uint32_t i = 0; i < MARKERS; i++)
        sum += n_rows[i] = markers[i].n_rows;
    bench_must(atg_scan_new(MARKERS, n_rows, n_missing, &scan, &err), &err);
    fill(scan, markers, n_missing, &rng);
    printf("# %u missing, %u bodies, %d markers with %u rows in all, %u threads, the best %u and "
           "everything from %g on kept\n",
           n_missing, n_bodies, MARKERS, sum, options.threads, options.best, options.floor);
    measure(scan, &bodies, options, "pairs");
    options.no_drop = true;
    measure(scan, &bodies, options, "pairs_nothing_dropped");
    options.portable = true;
    bodies.n /= PORTABLE_SHARE;
    printf("# without AVX2, a tenth of the bodies\n");
    measure(scan, &bodies, options, "pairs_nothing_dropped_portable");
    printf("# largest resident set\nscan.peak_mib %.0f MiB\n", bench_peak_mib());
    atg_scan_free(scan);
    free(rows);
    return 0;
}
