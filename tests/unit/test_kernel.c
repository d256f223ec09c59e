/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include "dna/kernel.h"

enum { N = 6 };

static const double freqs[N] = {0.1, 0.25, 0.05, 0.3, 0.2, 0.1};

static atg_marker marker_with(int16_t silent) {
    return (atg_marker){
        .name = ATG_STR("M"), .n = N, .freqs = freqs, .silent = silent, .linked_to = -1};
}

static atg_obs seen_as(int a, int b, double d, double c) {
    return (atg_obs){{(int16_t)a, (int16_t)b}, d, c};
}

static void close_to(double got, double want) {
    if (fabs(got - want) > 1e-14)
        fail_msg("%.17g is not %.17g", got, want);
}

static void drop_out_follows_the_published_kernel(void **state) {
    static const double rates[] = {0, 0.02, 0.2, 0.9};
    atg_marker m = marker_with(-1);

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        double d = rates[i];

        close_to(kernel_prob(&m, seen_as(0, 0, d, 0), 0, 0), 1 - d * d);
        close_to(kernel_prob(&m, seen_as(0, 0, d, 0), 0, 1), d * (1 - d));
        close_to(kernel_prob(&m, seen_as(0, 0, d, 0), 1, 0), d * (1 - d));
        close_to(kernel_prob(&m, seen_as(0, 1, d, 0), 0, 1), (1 - d) * (1 - d));
        close_to(kernel_prob(&m, seen_as(1, 0, d, 0), 0, 1), (1 - d) * (1 - d));
        close_to(kernel_prob(&m, seen_as(0, 1, d, 0), 0, 0), 0);
        close_to(kernel_prob(&m, seen_as(0, 0, d, 0), 1, 1), 0);
        close_to(kernel_prob(&m, seen_as(0, 0, d, 0), 1, 2), 0);
        close_to(kernel_prob(&m, seen_as(0, 0, d, 0), 0, -1), 1 - d);
        close_to(kernel_prob(&m, seen_as(0, 0, d, 0), 1, -1), 0);
    }
}

static void a_homozygote_may_hide_a_silent_allele(void **state) {
    atg_marker m = marker_with(5);

    (void)state;
    close_to(kernel_prob(&m, seen_as(0, 0, 0, 0), 0, 0), 1);
    close_to(kernel_prob(&m, seen_as(0, 0, 0, 0), 0, 5), 1);
    close_to(kernel_prob(&m, seen_as(0, 0, 0, 0), 5, 5), 0);
    close_to(kernel_prob(&m, seen_as(0, 1, 0, 0), 0, 5), 0);
    close_to(kernel_prob(&m, seen_as(0, 0, 0.3, 0), 0, 5), 0.7);
    close_to(kernel_prob(&m, seen_as(0, ATG_ALLELE_UNREAD, 0, 0), 0, 5), 1);
    close_to(kernel_prob(&m, seen_as(5, 5, 0, 0), 5, 5), 0);
}

static void one_allele_read_says_that_it_is_there(void **state) {
    atg_marker m = marker_with(-1);

    (void)state;
    close_to(kernel_prob(&m, seen_as(1, -1, 0, 0), 1, 3), 1);
    close_to(kernel_prob(&m, seen_as(1, -1, 0.4, 0), 1, 3), 1);
    close_to(kernel_prob(&m, seen_as(1, -1, 0, 0), 1, 1), 1);
    close_to(kernel_prob(&m, seen_as(1, -1, 0, 0), 0, 3), 0);
    close_to(kernel_prob(&m, seen_as(1, -1, 0, 0.1), 0, 3), 0.1 * 0.25);
    close_to(kernel_prob(&m, seen_as(1, -1, 0, 0), 1, -1), 1);
    close_to(kernel_prob(&m, seen_as(-1, -1, 0.2, 0.1), 0, 3), 1);
}

static int bit_of(const atg_marker *m, int allele) {
    return allele < 0 || allele == m->silent ? 0 : 1 << allele;
}

/* The same by listing what every copy and the extra allele do; also the probabilities that
 * nothing and that three alleles are seen. */
static double brute(const atg_marker *m, atg_obs obs, const int *truth, double *nothing,
                    double *three) {
    int want = (1 << obs.geno.a) | (1 << obs.geno.b);
    double left[2] = {obs.dropout, 1 - obs.dropout}, sum = 0;

    *nothing = *three = 0;
    for (int keep = 0; keep < 4; keep++)
        for (int extra = -1; extra < m->n; extra++) {
            double w = extra < 0 ? 1 - obs.dropin : obs.dropin * m->freqs[extra];
            int set = bit_of(m, extra), first = keep % 2, second = keep / 2;

            w *= left[first] * left[second];
            set |= first * bit_of(m, truth[0]) | second * bit_of(m, truth[1]);
            sum += set == want ? w : 0;
            *nothing += set ? 0 : w;
            *three += __builtin_popcount((unsigned)set) == 3 ? w : 0;
        }
    return sum;
}

/* Sum over observations for one true genotype, checking each against the listing. */
static double sum_over_observations(const atg_marker *m, int a, int b, double d, double c) {
    const int truth[2] = {a, b};
    double sum = 0, nothing = 0, three = 0;

    for (int x = 0; x < N; x++)
        for (int y = x; y < N; y++) {
            double got = kernel_prob(m, seen_as(x, y, d, c), a, b);

            if (x == m->silent || y == m->silent)
                close_to(got, 0);
            else
                close_to(got, brute(m, seen_as(x, y, d, c), truth, &nothing, &three));
            sum += got;
        }
    return sum + nothing + three;
}

static void all_that_can_be_seen_sums_to_one(void **state) {
    static const struct {
        double d, c;
    } rates[] = {{0, 0}, {0.02, 0}, {0.3, 0.05}, {0, 0.2}, {0.9, 0.9}};

    (void)state;
    for (int silent = -1; silent < N; silent += N) {
        atg_marker m = marker_with((int16_t)silent);

        for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++)
            for (int a = 0; a < N; a++)
                for (int b = a; b < N; b++)
                    close_to(sum_over_observations(&m, a, b, rates[i].d, rates[i].c), 1);
    }
}

static void one_copy_sums_to_one_too(void **state) {
    atg_marker m = marker_with(-1);
    double d = 0.3, c = 0.1;

    (void)state;
    for (int a = 0; a < N; a++) {
        double sum = d * (1 - c); /* nothing seen */

        for (int x = 0; x < N; x++)
            for (int y = x; y < N; y++)
                sum += kernel_prob(&m, seen_as(x, y, d, c), a, -1);
        close_to(sum, 1);
    }
}

/* Population probability of an observation. */
static double population(const atg_marker *m, atg_obs obs) {
    double sum = 0;

    for (int a = 0; a < m->n; a++)
        for (int b = a; b < m->n; b++)
            sum += (a == b ? 1 : 2) * m->freqs[a] * m->freqs[b] * kernel_prob(m, obs, a, b);
    return sum;
}

static void the_population_agrees_with_published_numbers(void **state) {
    /* Norwegian TH01 (norSTR 0.1.0, MIT); 9.3/- alone: pedprobr 1.1.0 */
    static const double th01[] = {0.003017, 0.214111, 0.207505, 0.092022, 0.001,
                                  0.133013, 0.339581, 0.007751, 0.001,    0.001};
    atg_marker m = {.n = 10, .freqs = th01, .silent = -1};

    (void)state;
    close_to(population(&m, seen_as(6, -1, 0, 0)), 0.5638467444390001);
}

/* Likelihood of a father and his child, both observed, by listing their genotypes. */
static double duo(const atg_marker *m, atg_obs father, atg_obs child) {
    const double *p = m->freqs;
    double sum = 0;

    for (int a = 0; a < m->n; a++)
        for (int b = 0; b < m->n; b++) {
            double of_father = p[a] * p[b] * kernel_prob(m, father, a, b);

            for (int c = 0; c < m->n && of_father > 0; c++)
                sum += of_father * p[c] * 0.5 *
                       (kernel_prob(m, child, a, c) + kernel_prob(m, child, b, c));
        }
    return sum;
}

static void father_and_child_agree_with_published_numbers(void **state) {
    /* D16S539 of norSTR 0.1.0 (MIT); likelihoods: pedprobr 1.1.0, cases dropout-001, dropout-002,
     * silent-001, partial-001 and partial-002 of the reference collection. */
    static const double d16[] = {0.001,    0.010114, 0.135803, 0.054426, 0.306221,
                                 0.285369, 0.172817, 0.031748, 0.002502};
    static const double hiding[] = {
        0.053881740000000004,  0.30315879, 0.28251530999999996, 0.17108883, 0.031430519999999997,
        0.0024769799999999997, 0.00099,    0.01001286,          0.13444497, 0.01};
    atg_marker plain = {.n = 9, .freqs = d16, .silent = -1};
    atg_marker silent = {.n = 10, .freqs = hiding, .silent = 9};
    const struct {
        const atg_marker *m;
        atg_obs father, child;
        double want;
    } cases[] = {
        {&plain, seen_as(5, 6, 0, 0), seen_as(6, 6, 0.02, 0), 0.009485945907305888},
        {&plain, seen_as(4, 6, 0, 0), seen_as(4, 4, 0.2, 0), 0.02402429503066154},
        {&silent, seen_as(1, 1, 0, 0), seen_as(2, 2, 0, 0), 0.000856469995360749},
        {&plain, seen_as(4, -1, 0, 0), seen_as(4, 5, 0, 0), 0.11414540289869533},
        {&plain, seen_as(4, 6, 0, 0), seen_as(5, -1, 0, 0), 0.030203566001073066},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        close_to(duo(cases[i].m, cases[i].father, cases[i].child), cases[i].want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drop_out_follows_the_published_kernel),
        cmocka_unit_test(a_homozygote_may_hide_a_silent_allele),
        cmocka_unit_test(one_allele_read_says_that_it_is_there),
        cmocka_unit_test(all_that_can_be_seen_sums_to_one),
        cmocka_unit_test(one_copy_sums_to_one_too),
        cmocka_unit_test(the_population_agrees_with_published_numbers),
        cmocka_unit_test(father_and_child_agree_with_published_numbers),
    };
    return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
