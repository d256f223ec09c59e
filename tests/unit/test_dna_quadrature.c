/* SPDX-License-Identifier: Apache-2.0 */
/* Quadrature for theta against closed forms of Beta and Dirichlet moments. */
#include "testing.h"

#include <math.h>

#include "dna/quadrature.h"
#include "dna/theta.h"
#include "prop.h"

static const double shapes[] = {1e-3, 0.02, 0.3, 0.5, 1, 1.5, 2, 7, 33, 99, 1000, 1e5};

enum { SHAPES = sizeof(shapes) / sizeof(*shapes), ALLELES = 4, SEEDS = 100 };

/* E x^k (1-x)^l under Beta(a, b): rising factorials. */
static double moment(double a, double b, uint32_t k, uint32_t l) {
    double m = 1;

    for (uint32_t i = 0; i < k + l; i++)
        m *= (i < k ? a + i : b + (i - k)) / (a + b + i);
    return m;
}

static void close_to(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("%.17g is not %.17g", got, want);
}

static void every_moment_below_twice_the_nodes_is_exact(void **state) {
    (void)state;
    /* rare alleles come first, so that the first shape is never the larger one */
    for (int i = 0; i < SHAPES; i++)
        for (int j = i; j < SHAPES; j++)
            for (uint32_t n = 1; n <= 12; n++) {
                double x[12], w[12];

                assert_int_equal(quadrature_beta(shapes[i], shapes[j], n, x, w, NULL), ATG_OK);
                for (uint32_t k = 0; k < 2 * n; k++) {
                    double high = 0, low = 0;

                    for (uint32_t q = 0; q < n; q++) {
                        high += w[q] * pow(x[q], k);
                        low += w[q] * pow(1 - x[q], k);
                    }
                    close_to(high, moment(shapes[i], shapes[j], k, 0), 1e-11);
                    close_to(low, moment(shapes[i], shapes[j], 0, k), 1e-11);
                }
            }
}

static void the_largest_rules_are_exact_too(void **state) {
    double x[QUADRATURE_MAX], w[QUADRATURE_MAX];

    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        double sum = 0;

        assert_int_equal(quadrature_beta(shapes[i], 5, QUADRATURE_MAX, x, w, NULL), ATG_OK);
        for (uint32_t q = 0; q < QUADRATURE_MAX; q++) {
            assert_true(x[q] > 0 && x[q] < 1 && w[q] >= 0);
            assert_true(q == 0 || x[q] > x[q - 1]);
            sum += w[q] * pow(x[q], 100);
        }
        close_to(sum, moment(shapes[i], 5, 100, 0), 1e-9);
    }
}

static void impossible_rules_are_refused(void **state) {
    double x[1], w[1];
    atg_err err = {0};

    (void)state;
    assert_int_equal(quadrature_beta(1, 1, 0, x, w, &err), ATG_ELIMIT);
    assert_int_equal(quadrature_beta(1, 1, QUADRATURE_MAX + 1, x, w, &err), ATG_ELIMIT);
    assert_int_equal(quadrature_beta(0, 1, 1, x, w, &err), ATG_ELIMIT);
    assert_int_equal(quadrature_beta(1, NAN, 1, x, w, &err), ATG_ELIMIT);
    assert_true(strlen(err.msg) > 0);
}

typedef struct monomial {
    uint32_t power[ALLELES];
    double sum, weights;
} monomial;

static int add_node(void *user, const double *freq, double weight, atg_err *err) {
    monomial *m = user;
    double x = weight;

    (void)err;
    m->weights += weight;
    for (uint32_t i = 0; i < ALLELES; i++)
        for (uint32_t k = 0; k < m->power[i]; k++)
            x *= freq[i];
    m->sum += x;
    return ATG_OK;
}

/* The probability of a sequence of draws, by the formula as it is written. */
static double sampled(const double *p, const uint32_t *power, double theta) {
    double product = 1;
    uint32_t seen = 0;

    for (uint32_t i = 0; i < ALLELES; i++)
        for (uint32_t k = 0; k < power[i]; k++, seen++)
            product *= (k * theta + (1 - theta) * p[i]) / (1 + ((double)seen - 1) * theta);
    return product;
}

static void draws_one_after_another_are_integrals_over_frequencies(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        double freqs[ALLELES], theta = prop_between(&p, 0.001, 0.5), rest = 1;
        atg_marker marker = {.n = ALLELES, .freqs = freqs, .silent = -1};
        matrices mats = {.marker = &marker};
        view v = {0};
        monomial m = {{0}, 0, 0};
        uint32_t degree = 0;
        atg_err err = {0};

        for (uint32_t i = 0; i + 1 < ALLELES; i++)
            rest -= freqs[i] = rest * (prop_chance(&p, 0.3) ? 0.001 : prop_between(&p, 0.1, 0.9));
        freqs[ALLELES - 1] = rest;
        for (uint32_t i = 0; i < ALLELES; i++)
            degree += m.power[i] = prop_below(&p, 5);
        prop_ok(&p, view_make(&v, &mats, NULL, VIEW_FULL, &err), &err);
        prop_ok(&p, theta_integrate(&v, theta, NULL, degree, add_node, &m, &err), &err);
        prop_close(&p, "weights", m.weights, 1, 1e-12);
        prop_close(&p, "draws", m.sum, sampled(freqs, m.power, theta), 1e-11);
        view_free(&v);
    }
}

static void too_many_founders_with_theta_are_refused_in_words(void **state) {
    static double freqs[ATG_ALLELES_MAX];
    atg_marker marker = {.name = ATG_STR("SE33"), .n = 60, .freqs = freqs, .silent = -1};
    matrices mats = {.marker = &marker};
    monomial m = {{0}, 0, 0};
    view v = {0};
    atg_err err = {0};

    (void)state;
    for (int i = 0; i < 60; i++)
        freqs[i] = 1.0 / 60;
    assert_int_equal(view_make(&v, &mats, NULL, VIEW_FULL, NULL), ATG_OK);
    assert_int_equal(theta_integrate(&v, 0.02, NULL, 12, add_node, &m, &err), ATG_ELIMIT);
    assert_non_null(strstr(err.msg, "SE33"));
    view_free(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_moment_below_twice_the_nodes_is_exact),
        cmocka_unit_test(the_largest_rules_are_exact_too),
        cmocka_unit_test(impossible_rules_are_refused),
        cmocka_unit_test(draws_one_after_another_are_integrals_over_frequencies),
        cmocka_unit_test(too_many_founders_with_theta_are_refused_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
