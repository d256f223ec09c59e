/* SPDX-License-Identifier: Apache-2.0 */
/* Search of a face among a million: what reading the memory once takes on this machine, one query,
 * 64 queries together, all templates in fp32 for comparison, and FAISS where it is installed.
 *
 *     bench_face [photographs [dim [rounds]]]
 *
 * The templates are drawn: a normal vector each about a common direction, so that two persons score
 * 0.3 in the mean; a query is a person's template with noise, which scores 0.7. */
#include "bench.h"

#include <math.h>
#include <string.h>

#include "bench_faiss.h"
#include "face/codes.h"
#include "face/gallery.h"

enum { QUERIES = 64, LISTED = 50 };

typedef struct world {
    uint32_t n, dim, rounds;
    face_gallery *gallery;
    float *queries; /* [QUERIES][dim] */
    face_result *results;
    face_search_stats stats;
    bool faiss; /* it has them too */
} world;

static const face_version version = {{1}, 1};

/* Nearly normal, variance 1: the sum of four even numbers. */
static double gauss(atg_rng *rng) {
    uint64_t x = atg_rng_next(rng);
    double sum = 0;

    for (int i = 0; i < 4; i++)
        sum += (double)(x >> (16 * i) & 0xffff) / 65536 - 0.5;
    return sum * sqrt(3);
}

static uuid id_of(uint32_t n) {
    uuid id = {{0}};

    memcpy(id.bytes, &n, sizeof(n));
    id.bytes[15] = 1;
    return id;
}

static void fill(world *w) {
    float *x = bench_alloc(w->dim, sizeof(*x)), *unit = bench_alloc(w->dim, sizeof(*unit));
    double away = sqrt(0.3 / 0.7), noise = sqrt(1 / 0.49 - 1);
    atg_rng rng = atg_rng_seed(1);
    atg_err err;

    w->queries = bench_alloc((size_t)QUERIES * w->dim, sizeof(*w->queries));
    bench_must(face_gallery_new(&version, w->dim, &w->gallery, &err), &err);
    for (uint32_t i = 0; i < w->n; i++) {
        face_person person = {.id = id_of(i), .scopes = 1, .age_low = -1, .age_high = -1};

        for (uint32_t d = 0; d < w->dim; d++)
            x[d] = (float)(away + gauss(&rng));
        bench_must(face_gallery_put(w->gallery, &version, &person, &person.id, x, &err), &err);
        bench_must(face_normalise(w->dim, x, unit, &err), &err);
        w->faiss = bench_faiss_add(w->dim, 1, unit);
        for (uint32_t d = 0; i < QUERIES && d < w->dim; d++)
            w->queries[(size_t)i * w->dim + d] =
                x[d] + (float)(noise * gauss(&rng) * sqrt(1 + away * away));
    }
    free(x);
    free(unit);
}

static double search(world *w, uint32_t n, uint32_t threads, bool portable) {
    face_query queries[QUERIES];
    face_search_options options = {
        .best = LISTED, .threads = threads, .portable = portable, .stats = &w->stats};
    double t;
    atg_err err;

    for (uint32_t q = 0; q < n; q++)
        queries[q] = (face_query){.embedding = w->queries + (size_t)q * w->dim,
                                  .scopes = 1,
                                  .age_low = -1,
                                  .age_high = -1};
    t = bench_seconds();
    bench_must(face_gallery_search(w->gallery, &version, n, queries, &options, w->results, &err),
               &err);
    return bench_seconds() - t;
}

/* Bytes a second of reading memory once, in one thread: the best of some rounds. */
static double read_bandwidth(size_t bytes, uint32_t rounds) {
    uint64_t *p = bench_had(aligned_alloc(64, bytes)), sum[8] = {0};
    double best = INFINITY;

    memset(p, 1, bytes);
    for (uint32_t r = 0; r < rounds; r++) {
        double t = bench_seconds();

        for (size_t i = 0; i < bytes / 64; i++) {
            __builtin_prefetch(p + i * 8 + 512);
            for (size_t k = 0; k < 8; k++)
                sum[k] += p[i * 8 + k];
        }
        best = fmin(best, bench_seconds() - t);
    }
    printf("# sum %llu\n", (unsigned long long)(sum[0] + sum[3] + sum[7]));
    free(p);
    return (double)bytes / best;
}

static double median(double *x, uint32_t n) {
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = i; k && x[k] < x[k - 1]; k--) {
            double t = x[k];

            x[k] = x[k - 1];
            x[k - 1] = t;
        }
    return x[n / 2];
}

/* Best and median of the rounds, each with another query. */
static double measure(world *w, uint32_t n, uint32_t threads, bool portable, const char *name) {
    double *times = bench_alloc(w->rounds, sizeof(*times)), best, cpu = bench_cpu_seconds();

    for (uint32_t r = 0; r < w->rounds; r++)
        times[r] = search(w, n, threads, portable) / n * 1e3;
    cpu = bench_cpu_seconds() - cpu;
    printf("face.%s_median %.3f ms\n", name, median(times, w->rounds));
    best = times[0];
    printf("face.%s_best %.3f ms\n", name, best);
    printf("# %.4g scored in fp32 for a query, %.3f ms of processor time\n",
           (double)w->stats.n_rescored / n, cpu / n / w->rounds * 1e3);
    free(times);
    return best;
}

static double faiss_seconds(const world *w, uint32_t n, const float *units, float *scores) {
    double best = INFINITY;

    for (uint32_t r = 0; r < w->rounds; r++) {
        double t = bench_seconds();

        if (!bench_faiss_search(n, units, LISTED, scores))
            return NAN;
        best = fmin(best, bench_seconds() - t);
    }
    return best;
}

static void against_faiss(world *w) {
    float *scores = bench_alloc((size_t)QUERIES * LISTED, sizeof(*scores));
    float *units = bench_alloc((size_t)QUERIES * w->dim, sizeof(*units));
    uint32_t equal = 0;
    atg_err err;

    for (size_t q = 0; q < QUERIES; q++)
        bench_must(face_normalise(w->dim, w->queries + q * w->dim, units + q * w->dim, &err), &err);
    printf("face.faiss_flat_one_query_best %.3f ms\n", 1e3 * faiss_seconds(w, 1, units, scores));
    printf("face.faiss_flat_64_queries_each_best %.3f ms\n",
           1e3 * faiss_seconds(w, QUERIES, units, scores) / QUERIES);
    search(w, QUERIES, 1, false);
    for (size_t i = 0; i < (size_t)QUERIES * LISTED; i++)
        equal += fabsf(w->results[i / LISTED].hits[i % LISTED].score - scores[i]) < 1e-5F;
    printf("face.scores_as_faiss %.4f share\n", (double)equal / (QUERIES * LISTED));
    free(units);
    free(scores);
}

int main(int argc, char **argv) {
    world w = {.n = (uint32_t)bench_argument(argc, argv, 1, 1e6),
               .dim = (uint32_t)bench_argument(argc, argv, 2, 128),
               .rounds = (uint32_t)bench_argument(argc, argv, 3, 20)};
    double bytes = (double)w.n * w.dim / 2 + (double)w.n / FACE_GROUP * sizeof(face_tail);
    double bandwidth, one;

    w.results = bench_alloc(QUERIES, sizeof(*w.results));
    fill(&w);
    printf("# %u templates of %u numbers, the best %d persons, one thread where not said "
           "otherwise\n",
           w.n, w.dim, LISTED);
    bandwidth = read_bandwidth((size_t)bytes / 64 * 64, w.rounds);
    printf("face.read_bandwidth %.2f GB/s\n", bandwidth / 1e9);
    one = measure(&w, 1, 1, false, "scan_one_query");
    printf("# the half codes, which are all that is read of most templates: %.1f MB\n",
           bytes / 1e6);
    printf("face.scan_of_bandwidth %.3f share\n", bytes / (one * 1e-3) / bandwidth);
    printf("# reading every whole int8 code in the same time would need this of the bandwidth\n"
           "face.scan_as_whole_codes_of_bandwidth %.3f share\n",
           (double)w.n * w.dim / (one * 1e-3) / bandwidth);
    measure(&w, 1, 2, false, "scan_one_query_two_threads");
    measure(&w, QUERIES, 1, false, "scan_64_queries_each");
    measure(&w, QUERIES, 2, false, "scan_64_queries_each_two_threads");
    w.rounds = 3;
    measure(&w, 1, 1, true, "scan_one_query_portable");
    printf("face.gallery_memory %.1f MiB\nface.peak_mib %.0f MiB\n",
           (double)face_gallery_memory(w.gallery) / (1 << 20), bench_peak_mib());
    if (w.faiss)
        against_faiss(&w);
    else
        printf("# FAISS is not installed (libfaiss-dev)\n");
    face_gallery_free(w.gallery);
    free(w.queries);
    free(w.results);
    return 0;
}
