/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include "face/calibrate.h"

enum { ROOM = 200000 };

static const face_version version = {{4, 5}, 1};

static void close_to(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.12g is not %.12g", got, want);
}

typedef struct cases {
    uint32_t n_persons;
    uint64_t n;
    face_pair *pairs;
} cases;

static cases cases_new(uint32_t n_persons) {
    cases c = {n_persons, 0, mem_zero(ROOM, sizeof(*c.pairs))};

    assert_non_null(c.pairs);
    return c;
}

static void compare(cases *c, uint32_t probe, uint32_t person, double score) {
    c->pairs[c->n++] = (face_pair){(float)score, probe % c->n_persons, person % c->n_persons};
}

/* Sixty persons by formula, which another program can draw too; the kinds overlap. */
static cases waves(uint32_t n_persons, double apart) {
    cases c = cases_new(n_persons);

    for (uint32_t i = 0; i < n_persons; i++) {
        compare(&c, i, i, 0.22 + apart + 0.22 * sin(1.7 * i));
        for (uint32_t j = 1; j < 8; j++)
            compare(&c, i, i + j, 0.22 + 0.2 * sin(2.3 * i + 1.1 * j));
    }
    return c;
}

static int fit(const cases *c, face_method method, face_calibration *ret, atg_err *err) {
    face_calibrate_options options = {.method = method, .replicates = 200, .seed = 1};

    return face_calibrate(&version, c->n_persons, c->n, c->pairs, &options, ret, err);
}

/* Slope, intercept by BFGS and Nelder-Mead of scipy, Cllr_min by isotonic regression of sklearn. */
static void the_fit_is_that_of_other_programs(void **state) {
    cases c = waves(60, 0.28);
    face_calibration logistic, pav;
    const face_knot *k = logistic.knots;

    (void)state;
    assert_int_equal(fit(&c, FACE_LOGISTIC, &logistic, NULL), ATG_OK);
    assert_int_equal(fit(&c, FACE_PAV, &pav, NULL), ATG_OK);
    assert_int_equal(logistic.n_cases, 60);
    assert_int_equal(logistic.n_others, 60);
    assert_int_equal(logistic.n_true, 60);
    assert_int_equal(logistic.n_false, 420);
    close_to((k[1].log10_lr - k[0].log10_lr) / (k[1].score - k[0].score), 5.5642822262, 1e-5);
    close_to(k[0].log10_lr - 5.5642822262 * k[0].score, -1.9770394571, 1e-5);
    close_to(logistic.cllr_min, 0.383925395914, 1e-9);
    close_to(pav.cllr_min, 0.383925395914, 1e-9);
    close_to(face_weigh(&pav, &version, 0.35, 1).log10_lr, -0.04036598377721048, 1e-9);
    close_to(face_weigh(&pav, &version, 0.1, 1).log10_lr, -1, 0);
    close_to(face_weigh(&pav, &version, 0.7, 1).log10_lr, 1, 0);
    close_to(face_weigh(&logistic, &version, 0.4, 1).log10_lr, -1.9770394571 + 0.4 * 5.5642822262,
             1e-5);
    assert_true(logistic.cllr >= logistic.cllr_min && logistic.cllr < 1);
    assert_true(logistic.cllr_lower <= logistic.cllr && logistic.cllr <= logistic.cllr_upper);
    mem_free(c.pairs);
}

/* The pools of these scores, pooled in exact fractions (Python's fractions): 251 false pairs below
 * 0.2804; 22 true and 169 false ones up to 0.42; 38 true ones from 0.4294 on. */
static void pools_give_closed_forms(void **state) {
    double odds = 22.0 / 169 * 420 / 60; /* the middle pool's LR */
    double least = (22 * log2(1 + 1 / odds) / 60 + 169 * log2(1 + odds) / 420) / 2;
    cases c = waves(60, 0.28);
    face_calibration pav;

    (void)state;
    assert_int_equal(fit(&c, FACE_PAV, &pav, NULL), ATG_OK);
    close_to(pav.cllr_min, least, 1e-14);
    for (int i = 281; i <= 419; i++)
        close_to(face_weigh(&pav, &version, i * 0.001, 1).log10_lr, log10(odds), 1e-14);
    close_to(face_least_cllr(1), 0.13750352374993491, 1e-15); /* log2(11 / 10) */
    mem_free(c.pairs);
}

static void the_order_of_pairs_changes_nothing(void **state) {
    cases c = waves(60, 0.28);
    face_calibration a, b;

    (void)state;
    assert_int_equal(fit(&c, FACE_PAV, &a, NULL), ATG_OK);
    for (uint64_t i = 0; i < c.n / 2; i++) {
        face_pair t = c.pairs[i];

        c.pairs[i] = c.pairs[c.n - 1 - i];
        c.pairs[c.n - 1 - i] = t;
    }
    assert_int_equal(fit(&c, FACE_PAV, &b, NULL), ATG_OK);
    assert_int_equal(a.n_knots, b.n_knots);
    for (uint32_t i = 0; i < a.n_knots; i++) {
        close_to(a.knots[i].log10_lr, b.knots[i].log10_lr, 0);
        close_to(a.knots[i].lower, b.knots[i].lower, 0);
    }
    close_to(a.cllr, b.cllr, 1e-12);
    mem_free(c.pairs);
}

static void each_pair_is_weighed_by_the_others(void **state) {
    cases c = waves(60, 0.28);
    double *lrs = mem_zero(c.n, sizeof(*lrs)), cost[2] = {0, 0}, n[2] = {0, 0}, most = 0;
    face_calibrate_options options = {.replicates = 20, .lrs = lrs};
    face_calibration got;

    (void)state;
    assert_non_null(lrs);
    assert_int_equal(face_calibrate(&version, 60, c.n, c.pairs, &options, &got, NULL), ATG_OK);
    for (uint64_t i = 0; i < c.n; i++) {
        bool same = c.pairs[i].probe == c.pairs[i].person;
        double whole = face_weigh(&got, &version, (double)c.pairs[i].score, 1).log10_lr;

        cost[same] += log2(1 + pow(10, same ? -lrs[i] : lrs[i]));
        n[same]++;
        most = fmax(most, fabs(whole - lrs[i]));
    }
    close_to(got.cllr, (cost[0] / n[0] + cost[1] / n[1]) / 2, 1e-12);
    assert_true(most > 0 && most < 0.5); /* near the whole's, and not the whole's */
    mem_free(lrs);
    mem_free(c.pairs);
}

static void kinds_that_do_not_overlap_still_give_a_finite_line(void **state) {
    cases c = waves(60, 0.9);
    face_calibration got;
    face_lr lr;

    (void)state;
    for (int method = FACE_LOGISTIC; method <= FACE_PAV; method++) {
        assert_int_equal(fit(&c, (face_method)method, &got, NULL), ATG_OK);
        assert_int_equal(face_calibration_check(&got, NULL), ATG_OK);
        close_to(got.cllr_min, 0, 1e-12);
        /* the cap keeps it from being less than log2(1 + 1/10) */
        assert_true(got.cllr > 0.137 && got.cllr < 0.2);
        for (int i = -100; i < 200; i++) {
            lr = face_weigh(&got, &version, i * 0.01, 1);
            assert_true(lr.calibrated && fabs(lr.log10_lr) <= 1);
            assert_true(-1 <= lr.lower && lr.lower <= lr.log10_lr && lr.log10_lr <= lr.upper);
            assert_true(lr.upper <= 1);
        }
    }
    mem_free(c.pairs);
}

static void too_few_cases_are_refused(void **state) {
    face_calibration got = {.n_cases = 77};
    cases few = waves(29, 0.28), enough = waves(30, 0.28), none = {0, 0, NULL};
    atg_err err;

    (void)state;
    assert_int_equal(fit(&few, FACE_PAV, &got, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "needs 30 closed cases"));
    assert_int_equal(fit(&none, FACE_PAV, &got, &err), ATG_EINVAL);
    assert_int_equal(got.n_cases, 77);
    assert_int_equal(fit(&enough, FACE_PAV, &got, &err), ATG_OK);
    /* many pairs of few persons are few cases */
    few.n_persons = 60;
    for (uint32_t i = 0; i < 5000; i++)
        compare(&few, i % 29, i % 29, 0.6);
    assert_int_equal(fit(&few, FACE_PAV, &got, &err), ATG_EINVAL);
    mem_free(few.pairs);
    mem_free(enough.pairs);
}

static void scores_that_mean_nothing_are_refused(void **state) {
    face_calibration got;
    cases c = waves(60, -0.1);
    face_calibrate_options options = {0};
    atg_err err;

    (void)state;
    assert_int_equal(fit(&c, FACE_LOGISTIC, &got, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "do not score higher"));
    c.pairs[5].score = NAN;
    assert_int_equal(fit(&c, FACE_LOGISTIC, &got, &err), ATG_EINVAL);
    c.pairs[5].score = 0;
    c.pairs[6].person = 60;
    assert_int_equal(fit(&c, FACE_LOGISTIC, &got, &err), ATG_EINVAL);
    options.method = (face_method)7;
    assert_int_equal(face_calibrate(&version, 60, c.n, c.pairs, &options, &got, &err), ATG_EINVAL);
    options = (face_calibrate_options){.replicates = 10001};
    assert_int_equal(face_calibrate(&version, 60, c.n, c.pairs, &options, &got, &err), ATG_EINVAL);
    options = (face_calibrate_options){0};
    assert_int_equal(
        face_calibrate(&version, 60, FACE_PAIRS_MAX + 1, c.pairs, &options, &got, &err),
        ATG_ELIMIT);
    mem_free(c.pairs);
}

static void the_cap_can_be_lowered_and_never_raised(void **state) {
    cases c = waves(60, 0.28);
    face_calibrate_options options = {.cap = 1.01, .replicates = 20};
    face_calibration got;
    atg_err err;

    (void)state;
    assert_int_equal(face_calibrate(&version, 60, c.n, c.pairs, &options, &got, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "never raised"));
    options.cap = -1;
    assert_int_equal(face_calibrate(&version, 60, c.n, c.pairs, &options, &got, &err), ATG_EINVAL);
    options.cap = NAN;
    assert_int_equal(face_calibrate(&version, 60, c.n, c.pairs, &options, &got, &err), ATG_EINVAL);
    options.cap = 0.6;
    assert_int_equal(face_calibrate(&version, 60, c.n, c.pairs, &options, &got, &err), ATG_OK);
    close_to(face_weigh(&got, &version, 0.9, 1).log10_lr, 0.6, 0);
    close_to(face_weigh(&got, &version, 0.9, 100).log10_lr, 0.6, 0);
    close_to(face_weigh(&got, &version, 0.9, 0.3).log10_lr, 0.3, 0);
    close_to(face_weigh(&got, &version, -5, 0.3).log10_lr, -0.3, 0);
    /* a stored one that says otherwise does not count */
    got.cap = 2;
    assert_false(face_weigh(&got, &version, 0.9, 5).calibrated);
    mem_free(c.pairs);
}

static void says_nothing(face_lr lr) {
    assert_false(lr.calibrated);
    assert_true(lr.log10_lr == 0 && lr.lower == 0 && lr.upper == 0);
}

static void without_a_calibration_of_its_own_a_score_weighs_nothing(void **state) {
    cases c = waves(60, 0.28);
    face_version other = version, later = version;
    face_calibration got, bad;

    (void)state;
    other.model[0]++;
    later.pipeline++;
    assert_int_equal(fit(&c, FACE_PAV, &got, NULL), ATG_OK);
    says_nothing(face_weigh(NULL, &version, 0.9, 1));
    says_nothing(face_weigh(&got, &other, 0.9, 1));
    says_nothing(face_weigh(&got, &later, 0.9, 1));
    says_nothing(face_weigh(&got, &version, NAN, 1));
    says_nothing(face_weigh(&got, &version, 0.9, 0));
    says_nothing(face_weigh(&got, &version, 0.9, NAN));
    assert_true(face_weigh(&got, &version, 0.9, 1).calibrated);
    bad = got;
    bad.knots[1].log10_lr = -9;
    assert_int_equal(face_calibration_check(&bad, NULL), ATG_EINVAL);
    says_nothing(face_weigh(&bad, &version, 0.9, 1));
    bad = got;
    bad.n_knots = FACE_KNOTS_MAX + 1;
    says_nothing(face_weigh(&bad, &version, 0.9, 1));
    bad = got;
    bad.knots[0].score = NAN;
    says_nothing(face_weigh(&bad, &version, 0.9, 1));
    bad = got;
    bad.n_cases = 29;
    says_nothing(face_weigh(&bad, &version, 0.9, 1));
    mem_free(c.pairs);
}

static double gauss(atg_rng *rng) {
    double r = sqrt(-2 * log(1 - atg_rng_unit(rng)));

    return r * cos(2 * M_PI * atg_rng_unit(rng));
}

/* Both kinds normal with one deviation: ln LR = (m1 - m0) (x - (m1 + m0) / 2) / s^2. */
static cases normal(atg_rng *rng, uint32_t n) {
    cases c = cases_new(n);

    for (uint32_t i = 0; i < n; i++) {
        compare(&c, i, i, 0.5 + 0.15 * gauss(rng));
        for (uint32_t j = 1; j < 10; j++)
            compare(&c, i, i + j, 0.2 + 0.15 * gauss(rng));
    }
    return c;
}

static double truth(double score) {
    return 0.3 * (score - 0.35) / (0.15 * 0.15) / M_LN10;
}

static void the_interval_holds_the_truth_nineteen_times_in_twenty(void **state) {
    enum { ROUNDS = 100 };
    static const double scores[] = {0.25, 0.35, 0.45};
    atg_rng rng = atg_rng_seed(31);
    uint32_t held[3] = {0};
    double cllrs = 0, means[3] = {0};

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        cases c = normal(&rng, 120);
        face_calibrate_options options = {.replicates = 100, .seed = (uint64_t)round};
        face_calibration got;

        assert_int_equal(face_calibrate(&version, c.n_persons, c.n, c.pairs, &options, &got, NULL),
                         ATG_OK);
        for (int i = 0; i < 3; i++) {
            face_lr lr = face_weigh(&got, &version, scores[i], 1);

            held[i] += lr.lower <= truth(scores[i]) && truth(scores[i]) <= lr.upper;
            means[i] += lr.log10_lr / ROUNDS;
        }
        cllrs += got.cllr / ROUNDS;
        mem_free(c.pairs);
    }
    /* 87 of 100 or fewer would happen once in 700 times */
    for (int i = 0; i < 3; i++) {
        assert_true(held[i] >= 87);
        close_to(means[i], truth(scores[i]), 0.05);
    }
    assert_true(cllrs > 0.45 && cllrs < 0.6);
}

/* Forty persons of whom three are missed and each looks like the next, 35 with two missed, and some
 * of no recorded group. */
static cases grouped(uint32_t *group) {
    cases c = cases_new(90);

    for (uint32_t i = 0; i < c.n_persons; i++) {
        group[i] = i < 40 ? 0 : i < 75 ? 1 : FACE_GROUP_NONE;
        compare(&c, i, i, i % 40 < 3 && i < 75 ? 0.1 : 0.8);
        compare(&c, i, i, i == 41 ? 0.9 : 0.05); /* another photograph */
        for (uint32_t j = 1; j < 30; j++)
            compare(&c, i, i + j, i < 40 && j == 1 ? 0.7 : 0.2);
    }
    return c;
}

static void rates_of_groups_are_counted_by_person(void **state) {
    uint32_t group[90];
    cases c = grouped(group);
    face_grouping groups = {2, group};
    face_rates rates[2];

    (void)state;
    assert_int_equal(face_group_rates(90, c.n, c.pairs, &groups, 0.6, rates, NULL), ATG_OK);
    assert_int_equal(rates[0].n_cases, 40);
    assert_int_equal(rates[0].n_missed, 3);
    close_to(rates[0].miss, 0.075, 1e-15);
    close_to(rates[0].miss_lower, 0.015742179851, 1e-11); /* scipy.stats.beta */
    close_to(rates[0].miss_upper, 0.203864748733, 1e-11);
    assert_int_equal(rates[1].n_cases, 35);
    assert_int_equal(rates[1].n_missed, 2);
    /* within the group: 29 behind each of the first 11, then ever fewer */
    assert_int_equal(rates[0].n_probes, 39);
    assert_int_equal(rates[0].n_false, 29 * 11 + 28 * 29 / 2);
    assert_int_equal(rates[0].n_matched, 39);
    assert_true(rates[0].match_lower <= rates[0].match && rates[0].match <= rates[0].match_upper);
    assert_int_equal(rates[1].n_matched, 0);
    close_to(rates[1].match_lower, 0, 0);
    close_to(rates[1].match_upper, 1 - pow(0.025, 1 / 34.0), 1e-11);
    assert_true(rates[0].enough && rates[1].enough);
    mem_free(c.pairs);
}

/* Limits by bisection on binomial sums in exact fractions (Python's fractions and math.comb). */
static void intervals_of_rates_are_exact(void **state) {
    static const struct {
        uint32_t missed, n;
        double lower, upper;
    } exact[] = {
        {0, 30, 0, 0.115703308222028},
        {1, 30, 0.000843570926630478, 0.172169455633413},
        {7, 31, 0.0959421683457511, 0.410963866138673},
        {2, 35, 0.00699676362830952, 0.191571406345239},
        {15, 64, 0.137515478440596, 0.356934110396266},
        {30, 30, 0.884296691777972, 1},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(exact) / sizeof(*exact); k++) {
        uint32_t group[64] = {0};
        cases c = cases_new(exact[k].n);
        face_rates r;

        for (uint32_t i = 0; i < c.n_persons; i++) {
            compare(&c, i, i, i < exact[k].missed ? 0.1 : 0.8);
            /* as many false matches as misses, each probe with one other */
            compare(&c, i, i + 1, i < exact[k].missed ? 0.8 : 0.1);
        }
        assert_int_equal(
            face_group_rates(c.n_persons, c.n, c.pairs, &(face_grouping){1, group}, 0.5, &r, NULL),
            ATG_OK);
        close_to(r.miss_lower, exact[k].lower, 1e-12);
        close_to(r.miss_upper, exact[k].upper, 1e-12);
        assert_int_equal(r.n_matched, exact[k].missed);
        close_to(r.match_lower, exact[k].lower, 1e-12);
        close_to(r.match_upper, exact[k].upper, 1e-12);
        mem_free(c.pairs);
    }
}

static void a_group_of_few_is_told_to_be_too_small(void **state) {
    uint32_t group[90];
    cases c = grouped(group);
    face_grouping groups = {2, group};
    face_rates rates[2];

    (void)state;
    for (uint32_t i = 29; i < 90; i++)
        group[i] = FACE_GROUP_NONE;
    assert_int_equal(face_group_rates(90, c.n, c.pairs, &groups, 0.6, rates, NULL), ATG_OK);
    assert_int_equal(rates[0].n_cases, 29);
    assert_false(rates[0].enough);
    assert_int_equal(rates[1].n_cases, 0);
    assert_true(isnan(rates[1].miss) && isnan(rates[1].match));
    c.pairs[3].probe = 90;
    assert_int_equal(face_group_rates(90, c.n, c.pairs, &groups, 0.6, rates, NULL), ATG_EINVAL);
    mem_free(c.pairs);
}

static void memory_that_runs_short_is_told(void **state) {
    cases c = waves(60, 0.28);
    uint32_t group[60] = {0};
    face_grouping groups = {1, group};
    face_rates rates;
    face_calibration got;
    size_t live = mem_live();
    long n = 0;
    int rc;

    (void)state;
    do {
        mem_fail_after(n++);
        rc = fit(&c, FACE_PAV, &got, NULL);
        mem_fail_after(-1);
        assert_int_equal(mem_live(), live);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
    } while (rc);
    assert_true(n > 6);
    mem_fail_after(0);
    assert_int_equal(face_group_rates(60, c.n, c.pairs, &groups, 0.6, &rates, NULL), ATG_ENOMEM);
    mem_fail_after(-1);
    mem_free(c.pairs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fit_is_that_of_other_programs),
        cmocka_unit_test(pools_give_closed_forms),
        cmocka_unit_test(the_order_of_pairs_changes_nothing),
        cmocka_unit_test(each_pair_is_weighed_by_the_others),
        cmocka_unit_test(kinds_that_do_not_overlap_still_give_a_finite_line),
        cmocka_unit_test(too_few_cases_are_refused),
        cmocka_unit_test(scores_that_mean_nothing_are_refused),
        cmocka_unit_test(the_cap_can_be_lowered_and_never_raised),
        cmocka_unit_test(without_a_calibration_of_its_own_a_score_weighs_nothing),
        cmocka_unit_test(the_interval_holds_the_truth_nineteen_times_in_twenty),
        cmocka_unit_test(rates_of_groups_are_counted_by_person),
        cmocka_unit_test(intervals_of_rates_are_exact),
        cmocka_unit_test(a_group_of_few_is_told_to_be_too_small),
        cmocka_unit_test(memory_that_runs_short_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
