/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include "dna/kernel.h"

enum { N = 7, MARKERS = 3 };

static const double freqs[N] = {0.1, 0.25, 0.05, 0.2, 0.2, 0.1, 0.1};

static atg_marker marker_of(atg_chrom chrom, int16_t silent) {
    return (atg_marker){.name = ATG_STR("M"),
                        .chrom = chrom,
                        .n = N,
                        .freqs = freqs,
                        .silent = silent,
                        .linked_to = -1};
}

static atg_operation operation_of(uint32_t n, const atg_marker *markers, double theta) {
    return (atg_operation){.params = {.theta = theta}, .n_markers = n, .markers = markers};
}

static atg_sample sample_of(const atg_geno *genos, double d, double c) {
    return (atg_sample){.id = ATG_STR("s"), .genos = genos, .dropout = d, .dropin = c};
}

static atg_direct compare(const atg_operation *op, atg_sample x, atg_sample y) {
    atg_direct ret = {0};

    assert_int_equal(atg_direct_compare(op, &x, &y, &ret, NULL, NULL), ATG_OK);
    return ret;
}

static void close_to(double got, double want) {
    if (!(fabs(got - want) <= 1e-12 * (1 + fabs(want))))
        fail_msg("%.17g is not %.17g", got, want);
}

static void one_genotype_twice_counts_as_its_rarity(void **state) {
    const atg_marker plain = marker_of(ATG_CHROM_AUTOSOMAL, -1);
    const atg_marker silent = marker_of(ATG_CHROM_AUTOSOMAL, 6);
    const atg_geno het = {1, 3}, turned = {3, 1}, hom = {2, 2};
    atg_operation op = operation_of(1, &plain, 0);
    atg_direct got = compare(&op, sample_of(&het, 0, 0), sample_of(&turned, 0, 0));

    (void)state;
    assert_int_equal(got.n_compared, 1);
    assert_int_equal(got.n_different, 0);
    close_to(got.log10_lr, -log10(2 * 0.25 * 0.2));
    got = compare(&op, sample_of(&hom, 0, 0), sample_of(&hom, 0, 0));
    close_to(got.log10_lr, -log10(0.05 * 0.05));
    op.markers = &silent;
    got = compare(&op, sample_of(&hom, 0, 0), sample_of(&hom, 0, 0));
    close_to(got.log10_lr, -log10(0.05 * 0.05 + 2 * 0.05 * 0.1));
}

static void two_genotypes_are_two_persons(void **state) {
    const atg_marker m = marker_of(ATG_CHROM_AUTOSOMAL, -1);
    const atg_geno x = {1, 3}, y = {1, 2}, hom = {1, 1}, part = {1, -1}, other = {4, -1};
    atg_operation op = operation_of(1, &m, 0);
    atg_direct got = compare(&op, sample_of(&x, 0, 0), sample_of(&y, 0, 0));

    (void)state;
    assert_int_equal(got.n_different, 1);
    assert_true(isinf(got.log10_lr) && got.log10_lr < 0);
    got = compare(&op, sample_of(&x, 0, 0), sample_of(&hom, 0.1, 0)); /* drop-out explains it */
    assert_int_equal(got.n_different, 1);
    assert_true(isfinite(got.log10_lr));
    got = compare(&op, sample_of(&x, 0, 0), sample_of(&part, 0, 0));
    assert_int_equal(got.n_different, 0);
    close_to(got.log10_lr, -log10(1 - 0.75 * 0.75));
    got = compare(&op, sample_of(&x, 0, 0), sample_of(&other, 0, 0));
    assert_int_equal(got.n_different, 1);
}

static void theta_gives_the_match_probability_of_balding_and_nichols(void **state) {
    const atg_marker m = marker_of(ATG_CHROM_AUTOSOMAL, -1);
    const atg_geno het = {1, 3}, hom = {2, 2};
    static const double thetas[] = {0, 0.01, 0.03, 0.2};

    (void)state;
    for (size_t i = 0; i < sizeof(thetas) / sizeof(*thetas); i++) {
        double t = thetas[i], below = (1 + t) * (1 + 2 * t);
        atg_operation op = operation_of(1, &m, t);
        atg_direct got = compare(&op, sample_of(&het, 0, 0), sample_of(&het, 0, 0));

        close_to(got.log10_lr, -log10(2 * (t + (1 - t) * 0.25) * (t + (1 - t) * 0.2) / below));
        got = compare(&op, sample_of(&hom, 0, 0), sample_of(&hom, 0, 0));
        close_to(got.log10_lr, -log10((2 * t + (1 - t) * 0.05) * (3 * t + (1 - t) * 0.05) / below));
    }
}

/* Probability of drawing these alleles one after another. */
static double drawn(const int *alleles, int n, double theta) {
    double p = 1;

    for (int i = 0; i < n; i++) {
        int same = 0;

        for (int k = 0; k < i; k++)
            same += alleles[k] == alleles[i];
        p *= (same * theta + (1 - theta) * freqs[alleles[i]]) / (1 + (i - 1) * theta);
    }
    return p;
}

/* LR by listing every ordered genotype of both persons, no alleles lumped. */
static double listed_lr(const atg_marker *m, atg_obs x, atg_obs y, double theta) {
    double same = 0, apart = 0;

    for (int i = 0; i < N * N; i++) {
        int g[4] = {i / N, i % N};
        double kx = kernel_prob(m, x, g[0], g[1]);

        same += drawn(g, 2, theta) * kx * kernel_prob(m, y, g[0], g[1]);
        for (int j = 0; j < N * N && kx > 0; j++) {
            g[2] = j / N;
            g[3] = j % N;
            apart += drawn(g, 4, theta) * kx * kernel_prob(m, y, g[2], g[3]);
        }
    }
    return same / apart;
}

static int16_t any_allele(atg_rng *rng) {
    return (int16_t)atg_rng_below(rng, N - 1); /* the last may be silent */
}

static atg_geno any_geno(atg_rng *rng) {
    atg_geno g = {any_allele(rng), any_allele(rng)};

    if (atg_rng_below(rng, 5) == 0)
        g.b = ATG_ALLELE_UNREAD;
    return g;
}

static void it_agrees_with_listing_all_genotypes_and_is_symmetric(void **state) {
    static const double rates[] = {0, 0.1, 0.4}, thetas[] = {0, 0.02, 0.1};
    atg_rng rng = atg_rng_seed(7);

    (void)state;
    for (int round = 0; round < 300; round++) {
        const atg_marker m = marker_of(ATG_CHROM_AUTOSOMAL, round % 2 ? -1 : N - 1);
        atg_operation op = operation_of(1, &m, thetas[atg_rng_below(&rng, 3)]);
        atg_geno gx = any_geno(&rng), gy = any_geno(&rng);
        atg_sample x = sample_of(&gx, rates[atg_rng_below(&rng, 3)], rates[atg_rng_below(&rng, 3)]);
        atg_sample y = sample_of(&gy, rates[atg_rng_below(&rng, 3)], rates[atg_rng_below(&rng, 3)]);
        double want = log10(listed_lr(&m, (atg_obs){gx, x.dropout, x.dropin},
                                      (atg_obs){gy, y.dropout, y.dropin}, op.params.theta));
        double one = compare(&op, x, y).log10_lr, two = compare(&op, y, x).log10_lr;

        if (isinf(want)) {
            assert_true(isinf(one) && isinf(two));
            continue;
        }
        close_to(one, want);
        close_to(two, want);
    }
}

static void x_markers_follow_the_sex(void **state) {
    atg_marker m[MARKERS] = {marker_of(ATG_CHROM_X, -1), marker_of(ATG_CHROM_X, -1),
                             marker_of(ATG_CHROM_Y, -1)};
    const atg_geno single[MARKERS] = {{1, 1}, {2, 2}, {0, 0}};
    const atg_geno pair[MARKERS] = {{1, 2}, {2, 2}, {0, 0}};
    atg_operation op = operation_of(MARKERS, m, 0);
    atg_sample man = sample_of(single, 0, 0), woman = sample_of(single, 0, 0), unknown = man;

    (void)state;
    man.sex = ATG_SEX_MALE;
    woman.sex = ATG_SEX_FEMALE;
    close_to(compare(&op, man, man).log10_lr, -log10(0.25) - log10(0.05));
    close_to(compare(&op, man, unknown).log10_lr, -log10(0.25) - log10(0.05));
    close_to(compare(&op, woman, woman).log10_lr, -2 * log10(0.25) - 2 * log10(0.05));
    assert_int_equal(compare(&op, unknown, unknown).n_compared, 0);
    assert_int_equal(compare(&op, man, woman).n_compared, 0);
    unknown.genos = pair; /* two alleles: a woman */
    assert_int_equal(compare(&op, unknown, unknown).n_compared, 2);
    m[0].linkage_group = m[1].linkage_group = 4;
    close_to(compare(&op, man, man).log10_lr, -log10(0.25));
}

static void a_mixture_is_never_compared(void **state) {
    const atg_marker m = marker_of(ATG_CHROM_AUTOSOMAL, -1);
    const atg_geno g = {1, 1};
    atg_operation op = operation_of(1, &m, 0);
    atg_sample mixed = sample_of(&g, 0, 0);
    double per_marker = 0;
    atg_direct got;

    (void)state;
    mixed.mixture = true;
    assert_int_equal(atg_direct_compare(&op, &mixed, &mixed, &got, &per_marker, NULL), ATG_OK);
    assert_int_equal(got.n_compared, 0);
    assert_true(isnan(per_marker));
    mixed.genos = NULL;
    assert_int_equal(atg_direct_compare(&op, &mixed, &mixed, &got, NULL, NULL), ATG_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_genotype_twice_counts_as_its_rarity),
        cmocka_unit_test(two_genotypes_are_two_persons),
        cmocka_unit_test(theta_gives_the_match_probability_of_balding_and_nichols),
        cmocka_unit_test(it_agrees_with_listing_all_genotypes_and_is_symmetric),
        cmocka_unit_test(x_markers_follow_the_sex),
        cmocka_unit_test(a_mixture_is_never_compared),
    };
    return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
