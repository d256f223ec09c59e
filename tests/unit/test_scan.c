/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include <antigone/operation.h>

/* How values of a random table are drawn. */
typedef enum values {
    SMOOTH,  /* -3..+1.5 and exclusions by mutation */
    TIED,    /* -1, 0 or 1: most pairs score the same as others */
    EMPTY,   /* only 0, but for one missing person in eight */
    EXTREME, /* up to 300 either way in one marker */
    TINY,    /* below what fp32 can tell from 0 beside 1 */
    VAST,    /* up to 1e29 */
    N_VALUES
} values;

typedef struct shape {
    uint32_t n_markers, n_missing, n_bodies, n_rows;
    values values;
    double excluded; /* share of -INFINITY */
    double untyped;
    bool sexes;
} shape;

typedef struct input {
    shape shape;
    uint32_t n_rows[ATG_MARKERS_MAX];
    double *tables; /* [missing][marker][shape.n_rows] */
    uint16_t *rows;
    uint8_t *missing_sex, *body_sex;
    atg_scan *scan, *stream;
    uint32_t broken; /* a missing person whose table cannot be had */
} input;

static double draw(atg_rng *rng, const shape *s, uint32_t missing) {
    double u = atg_rng_unit(rng);

    if (u < s->excluded)
        return -INFINITY;
    u = atg_rng_unit(rng);
    switch (s->values) {
    case TIED:
        return (double)atg_rng_below(rng, 3) - 1;
    case EMPTY:
        return missing % 8 ? 0 : u - 0.5;
    case EXTREME:
        return u < 0.1 ? 600 * atg_rng_unit(rng) - 300 : 4 * u - 3;
    case TINY:
        return (u < 0.5 ? 1e-6 : 1e-11) * (atg_rng_unit(rng) - 0.5);
    case VAST:
        return 2e29 * (u - 0.5);
    case SMOOTH:
    case N_VALUES:
        break;
    }
    return u < 0.3 ? -3 + u : 4.5 * u - 3;
}

static const double *row_of(const input *in, uint32_t missing, uint32_t m) {
    return in->tables + ((size_t)missing * in->shape.n_markers + m) * in->shape.n_rows;
}

static input make_input(shape s, uint64_t seed) {
    atg_rng rng = atg_rng_seed(seed);
    size_t n_cells = (size_t)s.n_missing * s.n_markers * s.n_rows;
    input in = {.shape = s,
                .broken = UINT32_MAX,
                .tables = calloc(n_cells + 1, sizeof(double)),
                .rows = calloc((size_t)s.n_bodies * s.n_markers + 1, sizeof(uint16_t)),
                .missing_sex = calloc(s.n_missing + 1, 1),
                .body_sex = calloc(s.n_bodies + 1, 1)};

    for (uint32_t m = 0; m < s.n_markers; m++)
        in.n_rows[m] = (uint32_t)atg_rng_below(&rng, s.n_rows + 1);
    for (uint32_t i = 0; i < s.n_missing; i++) {
        in.missing_sex[i] = (uint8_t)(s.sexes ? atg_rng_below(&rng, 3) : 0);
        for (uint32_t c = 0; c < s.n_markers * s.n_rows; c++)
            in.tables[(size_t)i * s.n_markers * s.n_rows + c] = draw(&rng, &s, i);
    }
    for (uint32_t b = 0; b < s.n_bodies; b++) {
        in.body_sex[b] = (uint8_t)(s.sexes ? atg_rng_below(&rng, 3) : 0);
        for (uint32_t m = 0; m < s.n_markers; m++)
            in.rows[(size_t)b * s.n_markers + m] =
                (uint16_t)(in.n_rows[m] == 0 || atg_rng_unit(&rng) < s.untyped
                               ? in.n_rows[m]
                               : atg_rng_below(&rng, in.n_rows[m]));
    }
    return in;
}

static int make_scan(input *in, atg_err *err) {
    int rc = atg_scan_new(in->shape.n_markers, in->n_rows, in->shape.n_missing, &in->scan, err);

    if (rc)
        return rc;
    atg_scan_sexes(in->scan, in->missing_sex);
    for (uint32_t i = 0; i < in->shape.n_missing; i++) {
        const double *table[ATG_MARKERS_MAX];

        for (uint32_t m = 0; m < in->shape.n_markers; m++)
            table[m] = row_of(in, i, m);
        atg_scan_set(in->scan, i, table);
    }
    return ATG_OK;
}

static int give_table(void *user, uint32_t worker, uint32_t missing, double **ret, atg_err *err) {
    const input *in = user;

    (void)worker;
    if (missing == in->broken)
        return atg_fail(err, ATG_ELIMIT, "This family is too entangled");
    for (uint32_t m = 0; m < in->shape.n_markers; m++)
        if (in->n_rows[m])
            memcpy(ret[m], row_of(in, missing, m), in->n_rows[m] * sizeof(**ret));
    return ATG_OK;
}

static int make_stream(input *in, atg_err *err) {
    int rc = atg_scan_stream(in->shape.n_markers, in->n_rows, in->shape.n_missing, give_table, in,
                             &in->stream, err);

    if (!rc)
        atg_scan_sexes(in->stream, in->missing_sex);
    return rc;
}

static void free_input(input *in) {
    atg_scan_free(in->scan);
    atg_scan_free(in->stream);
    free(in->tables);
    free(in->rows);
    free(in->missing_sex);
    free(in->body_sex);
}

static atg_scan_bodies bodies_of(const input *in) {
    return (atg_scan_bodies){in->shape.n_bodies, in->rows, in->body_sex};
}

static float fp32(double v) {
    return fabs(v) < 1e-12 ? 0 : (float)v;
}

/* The contract of scan.h, pair by pair. */
static float naive_score(const input *in, uint32_t body, uint32_t missing) {
    float sum = 0;

    if (!atg_sex_fits((atg_sex)in->body_sex[body], (atg_sex)in->missing_sex[missing]))
        return -INFINITY;
    for (uint32_t m = 0; m < in->shape.n_markers; m++) {
        uint16_t row = in->rows[(size_t)body * in->shape.n_markers + m];

        if (row < in->n_rows[m])
            sum += fp32(row_of(in, missing, m)[row]);
    }
    return sum;
}

static int by_rank(const void *a, const void *b) {
    const atg_scan_hit *x = a, *y = b;

    if (x->log10_lr != y->log10_lr)
        return x->log10_lr > y->log10_lr ? -1 : 1;
    if (x->missing != y->missing)
        return x->missing < y->missing ? -1 : 1;
    return (x->body > y->body) - (x->body < y->body);
}

/* Mark the best `k` of `n` scores, `step` apart. */
static void mark_best(const float *scores, bool *kept, uint32_t n, size_t step, uint32_t k) {
    atg_scan_hit *line = malloc((n + 1) * sizeof(*line));

    for (uint32_t i = 0; i < n; i++)
        line[i] = (atg_scan_hit){0, i, scores[i * step]};
    qsort(line, n, sizeof(*line), by_rank);
    for (uint32_t i = 0; i < n && i < k; i++)
        if (line[i].log10_lr > -INFINITY)
            kept[line[i].missing * step] = true;
    free(line);
}

static bool *naive_kept(const input *in, const float *scores, const atg_scan_options *options) {
    uint32_t n = in->shape.n_missing;
    bool *kept = calloc((size_t)in->shape.n_bodies * n + 1, 1);

    for (uint32_t b = 0; b < in->shape.n_bodies; b++)
        mark_best(scores + (size_t)b * n, kept + (size_t)b * n, n, 1, options->best);
    for (uint32_t i = 0; i < n; i++)
        mark_best(scores + i, kept + i, in->shape.n_bodies, n, options->best);
    for (size_t p = 0; p < (size_t)in->shape.n_bodies * n; p++)
        kept[p] |= scores[p] > -INFINITY && (double)scores[p] >= options->floor;
    return kept;
}

static void assert_kept(const input *in, const float *scores, const bool *kept,
                        const atg_scan_result *got) {
    uint32_t n = in->shape.n_missing;
    uint64_t n_kept = 0;

    for (size_t p = 0; p < (size_t)in->shape.n_bodies * n; p++)
        n_kept += kept[p];
    assert_int_equal(got->n, n_kept);
    for (uint64_t i = 0; i < got->n; i++) {
        atg_scan_hit x = got->hits[i];
        size_t pair = (size_t)x.body * n + x.missing;

        assert_true(x.body < in->shape.n_bodies && x.missing < n && kept[pair]);
        assert_true(x.log10_lr == scores[pair]);
        if (i) {
            atg_scan_hit before = got->hits[i - 1];

            assert_true(before.body < x.body ||
                        (before.body == x.body && by_rank(&before, &x) < 0));
        }
    }
}

static void compare_with_naive(input *in, const atg_scan_options *options) {
    uint32_t n = in->shape.n_missing;
    atg_scan_bodies bodies = bodies_of(in);
    float *scores = malloc(((size_t)in->shape.n_bodies * n + 1) * sizeof(*scores));

    for (uint32_t b = 0; b < in->shape.n_bodies; b++)
        for (uint32_t i = 0; i < n; i++)
            scores[(size_t)b * n + i] = naive_score(in, b, i);

    bool *kept = naive_kept(in, scores, options);

    assert_int_equal(make_scan(in, NULL), ATG_OK);
    assert_int_equal(make_stream(in, NULL), ATG_OK);
    for (int way = 0; way < 8; way++) {
        atg_scan_options o = *options;
        const atg_scan *scan = way & 4 ? in->stream : in->scan;
        atg_scan_result got;

        o.portable = way & 1;
        o.no_drop = way & 2;
        assert_int_equal(atg_scan_run(scan, &bodies, &o, NULL, &got, NULL), ATG_OK);
        assert_kept(in, scores, kept, &got);
        atg_scan_hits_free(got.hits);
    }
    free(kept);
    free(scores);
}

static void what_is_kept_is_what_a_scan_in_fp32_keeps(void **state) {
    static const uint32_t bests[] = {0, 1, 5, 20, 1000};
    static const double floors[] = {INFINITY, 8, 3, 1, 0, -2.5, -100, -INFINITY, 1e300};
    atg_rng rng = atg_rng_seed(20260101);

    (void)state;
    for (int round = 0; round < 300; round++) {
        shape s = {.n_markers = (uint32_t)atg_rng_below(&rng, round % 10 ? 28 : 3),
                   .n_missing = (uint32_t)atg_rng_below(&rng, 200),
                   .n_bodies = (uint32_t)atg_rng_below(&rng, round % 50 ? 90 : 900),
                   .n_rows = (uint32_t)atg_rng_below(&rng, 20),
                   .values = (values)atg_rng_below(&rng, N_VALUES),
                   .excluded = round % 3 ? 0 : 0.1 * atg_rng_unit(&rng),
                   .untyped = round % 4 ? 0.1 : 0.9,
                   .sexes = round % 2};
        atg_scan_options options = {.floor = floors[atg_rng_below(&rng, 9)],
                                    .best = bests[atg_rng_below(&rng, 5)],
                                    .threads = 1 + (uint32_t)atg_rng_below(&rng, 4)};
        input in = make_input(s, (uint64_t)round);

        compare_with_naive(&in, &options);
        free_input(&in);
    }
}

/* Values that are multiples of what int16 resolves, so that sums meet the bars exactly. */
static void pairs_that_score_just_the_floor_are_kept(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) {
        input in = make_input((shape){.n_markers = 9,
                                      .n_missing = 70,
                                      .n_bodies = 60,
                                      .n_rows = 4,
                                      .values = TIED,
                                      .untyped = 0.2},
                              (uint64_t)i);
        atg_scan_options options = {
            .floor = floor(i / 8.0) - 1, .best = (uint32_t)(i % 3), .threads = 2};

        if (i % 2)
            options.floor = nextafter(options.floor, i % 4 == 1 ? INFINITY : -INFINITY);
        compare_with_naive(&in, &options);
        free_input(&in);
    }
}

static void one_value_of_300_beside_small_ones_saturates_nothing(void **state) {
    static const double peaks[] = {300, -300, 1e30, -1e30, 1e-30};

    (void)state;
    for (size_t p = 0; p < sizeof(peaks) / sizeof(*peaks); p++) {
        input in = make_input((shape){.n_markers = 24,
                                      .n_missing = 64,
                                      .n_bodies = 200,
                                      .n_rows = 8,
                                      .values = SMOOTH,
                                      .excluded = 0.02},
                              p);
        atg_scan_options options = {.floor = 2, .best = 3, .threads = 1};

        for (uint32_t i = 0; i < in.shape.n_missing; i += 3)
            in.tables[(size_t)i * 24 * 8] = peaks[p];
        for (uint32_t i = 1; i < in.shape.n_missing; i += 3)
            in.tables[(size_t)i * 24 * 8 + 8] = -peaks[p];
        compare_with_naive(&in, &options);
        free_input(&in);
    }
}

static void values_beyond_1e30_count_as_that_or_as_excluded(void **state) {
    static const double row[] = {1e300, -1e300, INFINITY, NAN, -INFINITY, 1};
    const double *table[] = {row};
    const uint32_t n_rows = 6;
    const uint16_t rows[] = {0, 1, 2, 3, 4, 5};
    atg_scan_bodies bodies = {6, rows, NULL};
    atg_scan_options options = {.floor = -INFINITY, .threads = 1};
    ATG_AUTO(atg_scan) scan = NULL;
    atg_scan_result got;

    (void)state;
    assert_int_equal(atg_scan_new(1, &n_rows, 1, &scan, NULL), ATG_OK);
    atg_scan_set(scan, 0, table);
    assert_int_equal(atg_scan_run(scan, &bodies, &options, NULL, &got, NULL), ATG_OK);
    assert_int_equal(got.n, 3);
    assert_true(got.hits[0].body == 0 && got.hits[0].log10_lr == 1e30F);
    assert_true(got.hits[1].body == 2 && got.hits[1].log10_lr == 1e30F);
    assert_true(got.hits[2].body == 5 && got.hits[2].log10_lr == 1);
    atg_scan_hits_free(got.hits);
}

static void what_rounding_leaves_of_an_lr_of_1_counts_as_0(void **state) {
    static const double row[] = {3e-16, -5e-16, 0, 9e-13, 2e-12};
    const double *table[] = {row};
    const uint32_t n_rows = 5;
    const uint16_t rows[] = {0, 1, 2, 3, 4};
    atg_scan_bodies bodies = {5, rows, NULL};
    atg_scan_options options = {.floor = INFINITY, .best = 1, .threads = 1};
    ATG_AUTO(atg_scan) scan = NULL;
    atg_scan_result got;

    (void)state;
    assert_int_equal(atg_scan_new(1, &n_rows, 2, &scan, NULL), ATG_OK);
    atg_scan_set(scan, 0, table);
    atg_scan_set(scan, 1, table);
    assert_int_equal(atg_scan_run(scan, &bodies, &options, NULL, &got, NULL), ATG_OK);
    assert_int_equal(got.n, 6);
    for (uint32_t b = 0; b < 4; b++)
        assert_true(got.hits[b].body == b && got.hits[b].missing == 0 && got.hits[b].log10_lr == 0);
    assert_true(got.hits[4].body == 4 && got.hits[5].body == 4 && got.hits[5].missing == 1);
    atg_scan_hits_free(got.hits);
}

static const shape middling = {.n_markers = 12,
                               .n_missing = 150,
                               .n_bodies = 100,
                               .n_rows = 6,
                               .values = SMOOTH,
                               .untyped = 0.1,
                               .sexes = true};

static void too_many_pairs_above_the_floor_are_refused(void **state) {
    input in = make_input(middling, 1);
    atg_scan_bodies bodies = bodies_of(&in);
    atg_scan_options options = {.floor = -1000, .threads = 2};
    atg_scan_result got;
    atg_err err;

    (void)state;
    assert_int_equal(make_scan(&in, NULL), ATG_OK);
    assert_int_equal(atg_scan_run(in.scan, &bodies, &options, NULL, &got, NULL), ATG_OK);
    assert_int_equal(got.n, got.stats.n_pairs);
    options.max_kept = got.n;
    atg_scan_hits_free(got.hits);
    assert_int_equal(atg_scan_run(in.scan, &bodies, &options, NULL, &got, NULL), ATG_OK);
    atg_scan_hits_free(got.hits);
    options.max_kept--;
    assert_int_equal(atg_scan_run(in.scan, &bodies, &options, NULL, &got, &err), ATG_ELIMIT);
    assert_non_null(strstr(err.msg, "raise the floor"));
    free_input(&in);
}

static void input_that_breaks_a_rule_is_refused(void **state) {
    input in = make_input(middling, 2);
    atg_scan_bodies bodies = bodies_of(&in);
    atg_scan_options options = {.threads = 1}, odd = options;
    const uint32_t too_many = ATG_SCAN_ROWS_MAX + 1;
    atg_scan_result got;
    atg_scan *scan;

    (void)state;
    assert_int_equal(atg_scan_new(ATG_MARKERS_MAX + 1, NULL, 1, &scan, NULL), ATG_ELIMIT);
    assert_int_equal(atg_scan_new(1, &too_many, 1, &scan, NULL), ATG_ELIMIT);
    assert_int_equal(make_scan(&in, NULL), ATG_OK);
    odd.floor = NAN;
    assert_int_equal(atg_scan_run(in.scan, &bodies, &odd, NULL, &got, NULL), ATG_EINVAL);
    odd = options;
    odd.best = ATG_SCAN_BEST_MAX + 1;
    assert_int_equal(atg_scan_run(in.scan, &bodies, &odd, NULL, &got, NULL), ATG_EINVAL);
    in.rows[70] = (uint16_t)(in.n_rows[70 % 12] + 1);
    assert_int_equal(atg_scan_run(in.scan, &bodies, &options, NULL, &got, NULL), ATG_EINVAL);
    in.rows[70] = 0;
    in.body_sex[3] = 3;
    assert_int_equal(atg_scan_run(in.scan, &bodies, &options, NULL, &got, NULL), ATG_EINVAL);
    free_input(&in);
}

static bool stop_at(void *user, const char *phase, uint64_t done, uint64_t total) {
    uint64_t *left = user;

    (void)phase;
    assert_true(done <= total);
    return (*left)-- > 0;
}

static void a_scan_stops_when_progress_says_so(void **state) {
    input in = make_input(middling, 3);
    atg_scan_bodies bodies = bodies_of(&in);
    atg_scan_options options = {.floor = 0, .best = 3, .threads = 1};
    uint64_t left = 1;
    atg_progress progress = {stop_at, &left};
    atg_scan_result got = {.n = 77};
    size_t live;

    (void)state;
    assert_int_equal(make_scan(&in, NULL), ATG_OK);
    live = mem_live();
    assert_int_equal(atg_scan_run(in.scan, &bodies, &options, &progress, &got, NULL), ATG_ECANCEL);
    assert_int_equal(got.n, 77);
    assert_int_equal(mem_live(), live);
    free_input(&in);
}

static void a_table_that_cannot_be_had_ends_the_scan(void **state) {
    input in = make_input(middling, 5);
    atg_scan_bodies bodies = bodies_of(&in);
    atg_scan_options options = {.floor = 0, .best = 3, .threads = 2};
    atg_scan_result got;
    atg_err err;

    (void)state;
    assert_int_equal(make_stream(&in, NULL), ATG_OK);
    in.broken = 100;
    assert_int_equal(atg_scan_run(in.stream, &bodies, &options, NULL, &got, &err), ATG_ELIMIT);
    assert_string_equal(err.msg, "This family is too entangled");
    free_input(&in);
}

static void survive(bool stream) {
    input in = make_input(middling, 4);
    atg_scan_bodies bodies = bodies_of(&in);
    atg_scan_options options = {.floor = -20, .best = 3, .threads = 1};
    size_t live = mem_live();
    long n = 0;

    for (int rc = ATG_ENOMEM; rc; n++) {
        atg_scan_result got = {0};
        atg_err err = {0};

        mem_fail_after(n);
        in.scan = in.stream = NULL;
        rc = stream ? make_stream(&in, &err) : make_scan(&in, &err);
        if (!rc)
            rc = atg_scan_run(stream ? in.stream : in.scan, &bodies, &options, NULL, &got, &err);
        mem_fail_after(-1);
        assert_int_equal(rc, rc ? ATG_ENOMEM : ATG_OK);
        assert_true(!rc || err.msg[0]);
        atg_scan_hits_free(got.hits);
        atg_scan_free(in.scan);
        atg_scan_free(in.stream);
        assert_int_equal(mem_live(), live);
        assert_true(n < 1000);
    }
    assert_true(n > 15);
    in.scan = in.stream = NULL;
    free_input(&in);
}

static void a_scan_survives_every_failed_allocation(void **state) {
    (void)state;
    survive(false);
    survive(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_what_a_scan_in_fp32_keeps),
        cmocka_unit_test(pairs_that_score_just_the_floor_are_kept),
        cmocka_unit_test(one_value_of_300_beside_small_ones_saturates_nothing),
        cmocka_unit_test(values_beyond_1e30_count_as_that_or_as_excluded),
        cmocka_unit_test(what_rounding_leaves_of_an_lr_of_1_counts_as_0),
        cmocka_unit_test(too_many_pairs_above_the_floor_are_refused),
        cmocka_unit_test(input_that_breaks_a_rule_is_refused),
        cmocka_unit_test(a_scan_stops_when_progress_says_so),
        cmocka_unit_test(a_table_that_cannot_be_had_ends_the_scan),
        cmocka_unit_test(a_scan_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
