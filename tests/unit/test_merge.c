/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

enum { AUTO1, AUTO2, XMARK, YMARK, AMEL, MARKERS, SAMPLES = 6 };

static const double freqs[] = {0.4, 0.3, 0.2, 0.1};
static const atg_str labels[] = {{"15", 2}, {"16", 2}, {"17", 2}, {"18", 2}};
static const atg_str sexes[] = {{"X", 1}, {"Y", 1}};

#define MARKER(name_, chrom_, n_, labels_)                                                         \
    {                                                                                              \
        .name = {(name_), sizeof(name_) - 1}, .chrom = (chrom_), .n = (n_), .labels = (labels_),   \
        .freqs = freqs, .silent = -1, .linked_to = -1                                              \
    }

static const atg_marker markers[MARKERS] = {
    MARKER("TH01", ATG_CHROM_AUTOSOMAL, 4, labels), MARKER("FGA", ATG_CHROM_AUTOSOMAL, 4, labels),
    MARKER("DXS7132", ATG_CHROM_X, 4, labels),      MARKER("DYS391", ATG_CHROM_Y, 4, labels),
    MARKER("AMEL", ATG_CHROM_AMELOGENIN, 2, sexes),
};

#define NONE                                                                                       \
    { -1, -1 }

/* Up to SAMPLES samples of one body. */
typedef struct body_case {
    const char *name;
    uint32_t n;
    struct {
        atg_sex sex;
        double d, c;
        bool mixture;
        atg_geno genos[MARKERS];
    } s[3];
    atg_geno want[MARKERS];
    atg_sex want_sex;
    double want_d, want_c;
    const char *refused, *warning; /* part of the sentence; NULL: none */
} body_case;

static const body_case cases[] = {
    {.name = "equal readings count once, others are added",
     .n = 2,
     .s = {{.genos = {{0, 1}, {2, 2}, NONE, NONE, NONE}},
           {.genos = {{1, 0}, NONE, {3, 3}, NONE, NONE}}},
     .want = {{0, 1}, {2, 2}, {3, 3}, NONE, NONE}},
    {.name = "a declared drop-out explains a difference",
     .n = 2,
     .s = {{.d = 0.2, .genos = {{0, 0}, {1, 1}, NONE, NONE, NONE}},
           {.genos = {{1, 0}, {1, 1}, NONE, NONE, NONE}}},
     .want = {{0, 1}, {1, 1}, NONE, NONE, NONE}},
    {.name = "two degraded samples complete each other",
     .n = 2,
     .s = {{.d = 0.2, .genos = {{0, 0}, {1, 1}, NONE, NONE, NONE}},
           {.d = 0.3, .genos = {{1, 1}, {1, 1}, NONE, NONE, NONE}}},
     .want = {{0, 1}, {1, 1}, NONE, NONE, NONE},
     .want_d = 0.06},
    {.name = "what only the degraded sample shows stays in doubt",
     .n = 2,
     .s = {{.d = 0.2, .genos = {{0, 0}, {1, 1}, NONE, NONE, NONE}},
           {.genos = {{0, 0}, NONE, NONE, NONE, NONE}}},
     .want = {{0, 0}, {1, 1}, NONE, NONE, NONE},
     .want_d = 0.2},
    {.name = "a clean sample outweighs an allele that came in",
     .n = 2,
     .s = {{.genos = {{0, 0}, NONE, NONE, NONE, NONE}},
           {.d = 0.1, .c = 0.05, .genos = {{0, 3}, NONE, NONE, NONE, NONE}}},
     .want = {{0, 0}, NONE, NONE, NONE, NONE}},
    {.name = "one allele read agrees with both",
     .n = 3,
     .s = {{.genos = {{0, -1}, {2, -1}, NONE, NONE, NONE}},
           {.genos = {{1, 0}, {2, -1}, NONE, NONE, NONE}},
           {.genos = {NONE, {2, -1}, NONE, NONE, NONE}}},
     .want = {{0, 1}, {2, -1}, NONE, NONE, NONE}},
    {.name = "without drop-out a difference refuses the body",
     .n = 2,
     .s = {{.genos = {{0, 0}, {2, 2}, NONE, NONE, NONE}},
           {.genos = {{0, 1}, {2, 3}, NONE, NONE, NONE}}},
     .refused = "differ at TH01, FGA"},
    {.name = "three alleles are two persons",
     .n = 2,
     .s = {{.d = 0.5, .genos = {{0, 1}, NONE, NONE, NONE, NONE}},
           {.d = 0.5, .genos = {{2, 2}, NONE, NONE, NONE, NONE}}},
     .refused = "differ at TH01 and"},
    {.name = "a man has one allele of an X marker",
     .n = 2,
     .s = {{.sex = ATG_SEX_MALE, .d = 0.5, .genos = {NONE, NONE, {0, 0}, NONE, NONE}},
           {.sex = ATG_SEX_UNKNOWN, .d = 0.5, .genos = {NONE, NONE, {1, 1}, NONE, NONE}}},
     .refused = "differ at DXS7132"},
    {.name = "and one of a Y marker",
     .n = 2,
     .s = {{.d = 0.5, .genos = {NONE, NONE, NONE, {0, 0}, NONE}},
           {.d = 0.5, .genos = {NONE, NONE, NONE, {1, 1}, NONE}}},
     .refused = "differ at DYS391"},
    {.name = "a mixture alone is refused",
     .n = 1,
     .s = {{.mixture = true, .genos = {{0, 1}, NONE, NONE, NONE, NONE}}},
     .refused = "mixture"},
    {.name = "a mixture beside a clean sample is left out",
     .n = 2,
     .s = {{.mixture = true, .genos = {{0, 1}, {0, 1}, NONE, NONE, NONE}},
           {.genos = {{2, 3}, NONE, NONE, NONE, NONE}}},
     .want = {{2, 3}, NONE, NONE, NONE, NONE},
     .warning = "mixture"},
    {.name = "amelogenin against the record is a warning and the sex is unknown",
     .n = 1,
     .s = {{.sex = ATG_SEX_FEMALE, .genos = {{0, 1}, NONE, NONE, NONE, {0, 1}}}},
     .want = {{0, 1}, NONE, NONE, NONE, {0, 1}},
     .warning = "Amelogenin says male, the record says female"},
    {.name = "an X/X that may hide a Y is none",
     .n = 1,
     .s = {{.sex = ATG_SEX_MALE, .d = 0.1, .genos = {{0, 1}, NONE, NONE, NONE, {0, 0}}}},
     .want = {{0, 1}, NONE, NONE, NONE, {0, 0}},
     .want_sex = ATG_SEX_MALE,
     .want_d = 0.1},
    {.name = "two X alleles in a man are a warning",
     .n = 1,
     .s = {{.sex = ATG_SEX_MALE, .genos = {NONE, NONE, {0, 1}, NONE, NONE}}},
     .want = {NONE, NONE, {0, 1}, NONE, NONE},
     .warning = "X marker DXS7132"},
    {.name = "a Y marker in a woman is a warning",
     .n = 1,
     .s = {{.sex = ATG_SEX_FEMALE, .genos = {NONE, NONE, NONE, {0, 0}, NONE}}},
     .want = {NONE, NONE, NONE, {0, 0}, NONE},
     .warning = "Y marker DYS391"},
    {.name = "different recorded sexes are a warning",
     .n = 2,
     .s = {{.sex = ATG_SEX_FEMALE, .genos = {{0, 1}, NONE, NONE, NONE, NONE}},
           {.sex = ATG_SEX_MALE, .genos = {{0, 1}, NONE, NONE, NONE, NONE}}},
     .want = {{0, 1}, NONE, NONE, NONE, NONE},
     .warning = "different sexes"},
    {.name = "samples without a common marker are joined with a warning",
     .n = 2,
     .s = {{.sex = ATG_SEX_MALE, .genos = {{0, 1}, NONE, NONE, NONE, NONE}},
           {.sex = ATG_SEX_UNKNOWN, .genos = {NONE, {1, 1}, NONE, NONE, NONE}}},
     .want = {{0, 1}, {1, 1}, NONE, NONE, NONE},
     .want_sex = ATG_SEX_MALE,
     .warning = "share no marker"},
};

static bool has(atg_str text, const char *part) {
    return part ? text.n && strstr(text.p, part) : text.n == 0;
}

static void check_case(const body_case *c, const uint32_t order[3]) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_sample samples[3] = {0};
    atg_operation op = {
        .n_markers = MARKERS, .markers = markers, .n_samples = c->n, .samples = samples};
    const atg_body *bodies;
    uint32_t n;

    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t k = order[i];

        samples[i] = (atg_sample){.id = {&"abc"[k], 1},
                                  .body = ATG_STR("B1"),
                                  .sex = c->s[k].sex,
                                  .genos = c->s[k].genos,
                                  .dropout = c->s[k].d,
                                  .dropin = c->s[k].c,
                                  .mixture = c->s[k].mixture};
    }
    assert_int_equal(atg_merge_bodies(arena, &op, &n, &bodies, NULL), ATG_OK);
    assert_int_equal(n, 1);
    assert_int_equal(bodies[0].n_samples, c->n);
    assert_true(atg_str_eq(bodies[0].merged.id, ATG_STR("B1")));
    if (!has(bodies[0].refused, c->refused) || !has(bodies[0].warning, c->warning))
        fail_msg("%s: refused \"%.*s\", warning \"%.*s\"", c->name, ATG_FMT(bodies[0].refused),
                 ATG_FMT(bodies[0].warning));
    if (c->refused)
        return;
    for (uint32_t m = 0; m < MARKERS; m++) {
        atg_geno g = bodies[0].merged.genos[m], w = c->want[m];

        if (!((g.a == w.a && g.b == w.b) || (g.a == w.b && g.b == w.a)))
            fail_msg("%s: marker %u is %d/%d", c->name, m, g.a, g.b);
    }
    assert_int_equal(bodies[0].merged.sex, c->want_sex);
    assert_true(fabs(bodies[0].merged.dropout - c->want_d) < 1e-15);
    assert_true(fabs(bodies[0].merged.dropin - c->want_c) < 1e-15);
}

static void samples_of_one_body_become_one_profile_in_any_order(void **state) {
    static const uint32_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t k = 0; k < sizeof(orders) / sizeof(*orders); k++) {
            uint32_t order[3] = {0}, n = 0;

            for (int j = 0; j < 3; j++)
                if (orders[k][j] < cases[i].n)
                    order[n++] = orders[k][j];
            check_case(&cases[i], order);
        }
}

/* Three bodies, one of them a mixture, in an operation with a given prior. */
static const atg_geno typed[MARKERS] = {{0, 1}, {2, 2}, {-1, -1}, {-1, -1}, {-1, -1}};
static const atg_geno second[MARKERS] = {{0, 1}, {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
static const atg_sample three[] = {
    {.id = {"s1", 2}, .body = {"K", 1}, .genos = typed},
    {.id = {"s2", 2}, .genos = typed, .mixture = true},
    {.id = {"s3", 2}, .genos = typed},
    {.id = {"s4", 2}, .body = {"K", 1}, .genos = second},
};

static void the_merged_operation_has_the_bodies_as_samples(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    double given[] = {1, 2, 9, 9, 3, 4, 1, 2};
    const atg_missing missing[2] = {{.id = ATG_STR("a")}, {.id = ATG_STR("b")}};
    atg_operation op = {.n_markers = MARKERS,
                        .markers = markers,
                        .n_samples = 4,
                        .samples = three,
                        .n_missing = 2,
                        .missing = missing,
                        .params = {.prior = {.given = given}}};
    atg_operation merged;
    const atg_body *bodies;
    uint32_t n;

    (void)state;
    assert_int_equal(atg_merge_bodies(arena, &op, &n, &bodies, NULL), ATG_OK);
    assert_int_equal(n, 3);
    assert_int_equal(atg_merged_operation(arena, &op, n, bodies, &merged, NULL), ATG_OK);
    assert_int_equal(merged.n_samples, 2);
    assert_true(atg_str_eq(merged.samples[0].id, ATG_STR("K")));
    assert_true(atg_str_eq(merged.samples[1].id, ATG_STR("s3")));
    assert_true(merged.params.prior.given[1] == 2 && merged.params.prior.given[3] == 4);
    given[7] = 5;
    assert_int_equal(atg_merged_operation(arena, &op, n, bodies, &merged, NULL), ATG_EINVAL);
}

static void a_sample_named_like_a_body_is_refused(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    const atg_sample s[] = {{.id = {"K", 1}, .genos = typed},
                            {.id = {"s1", 2}, .body = {"K", 1}, .genos = typed}};
    atg_operation op = {.n_markers = MARKERS, .markers = markers, .n_samples = 2, .samples = s};
    const atg_body *bodies;
    uint32_t n;
    atg_err err;

    (void)state;
    assert_int_equal(atg_merge_bodies(arena, &op, &n, &bodies, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "names no body"));
}

static void merging_survives_every_failed_allocation(void **state) {
    atg_operation op = {.n_markers = MARKERS, .markers = markers, .n_samples = 4, .samples = three};
    size_t before = mem_live();
    int rc = ATG_ENOMEM;

    (void)state;
    for (long k = 0; rc; k++) {
        atg_arena *arena;
        const atg_body *bodies;
        atg_operation merged;
        uint32_t n;

        mem_fail_after(k);
        arena = atg_arena_new(1 << 20);
        rc = arena ? atg_merge_bodies(arena, &op, &n, &bodies, NULL) : ATG_ENOMEM;
        if (!rc)
            rc = atg_merged_operation(arena, &op, n, bodies, &merged, NULL);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        atg_arena_free(arena);
        assert_int_equal(mem_live(), before);
    }
}

static void mtdna_of_several_samples_is_put_together_or_left_out(void **state) {
    static const struct atg_mt_range hv1 = {16024, 16365}, hv2 = {73, 340};
    static const atg_str diffs[] = {{"16126C", 6}, {"263G", 4}, {"16311C", 6}};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_sample s[2] = {
        {.id = {"s1", 2}, .body = {"K", 1}, .genos = typed, .mt = {1, &hv1, 1, diffs}},
        {.id = {"s2", 2}, .body = {"K", 1}, .genos = typed, .mt = {1, &hv2, 1, diffs + 1}}};
    atg_operation op = {.n_markers = MARKERS, .markers = markers, .n_samples = 2, .samples = s};
    const atg_body *bodies;
    uint32_t n;

    (void)state;
    assert_int_equal(atg_merge_bodies(arena, &op, &n, &bodies, NULL), ATG_OK);
    assert_int_equal(bodies[0].merged.mt.n_ranges, 2);
    assert_int_equal(bodies[0].merged.mt.n_diffs, 2);
    assert_true(atg_str_eq(bodies[0].merged.mt.diffs[0], ATG_STR("263G")));
    s[1].mt = (atg_mt){1, &hv1, 1, diffs + 2};
    assert_int_equal(atg_merge_bodies(arena, &op, &n, &bodies, NULL), ATG_OK);
    assert_int_equal(bodies[0].merged.mt.n_ranges, 0);
    assert_non_null(strstr(bodies[0].warning.p, "mtDNA of its samples differs"));
    assert_int_equal(bodies[0].refused.n, 0);
}

static void nothing_to_merge_is_no_error(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_operation op = {.n_markers = MARKERS, .markers = markers}, merged;
    const atg_body *bodies;
    uint32_t n = 7;

    (void)state;
    assert_int_equal(atg_merge_bodies(arena, &op, &n, &bodies, NULL), ATG_OK);
    assert_int_equal(n, 0);
    assert_int_equal(atg_merged_operation(arena, &op, n, bodies, &merged, NULL), ATG_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_one_body_become_one_profile_in_any_order),
        cmocka_unit_test(the_merged_operation_has_the_bodies_as_samples),
        cmocka_unit_test(a_sample_named_like_a_body_is_refused),
        cmocka_unit_test(merging_survives_every_failed_allocation),
        cmocka_unit_test(mtdna_of_several_samples_is_put_together_or_left_out),
        cmocka_unit_test(nothing_to_merge_is_no_error),
    };
    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
