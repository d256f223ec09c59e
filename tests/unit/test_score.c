/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include "exercise/calibration.h"

enum { N = 8 };

/* A run of N bodies and N missing, each a family with one typed relative, body i truly missing i.
 */
struct run {
    atg_identification id;
    atg_operation op;
    atg_params params;
    atg_truth truth;
    atg_marker markers[3];
    atg_person persons[N][1];
    atg_geno genos[3];
    atg_family families[N];
    atg_missing missing[N];
    atg_sample samples[N];
    atg_body bodies[N];
    uint32_t sample_lists[N];
    int32_t body_of_sample[N], missing_of_sample[N];
    bool swapped[N];
    atg_pair_result pairs[2 * N];
};

static void set_up(struct run *r) {
    *r = (struct run){0};
    for (int i = 0; i < N; i++) {
        r->persons[i][0] = (atg_person){.father = -1, .mother = -1, .genos = r->genos};
        r->families[i].ped = (atg_pedigree){1, r->persons[i]};
        r->missing[i].family = (uint32_t)i;
        r->sample_lists[i] = (uint32_t)i;
        r->bodies[i].n_samples = 1;
        r->bodies[i].samples = &r->sample_lists[i];
        r->body_of_sample[i] = r->missing_of_sample[i] = i;
    }
    for (int m = 0; m < 3; m++)
        r->markers[m] = (atg_marker){.chrom = ATG_CHROM_AUTOSOMAL, .n = 1};
    r->op = (atg_operation){.params = atg_params_default(),
                            .n_markers = 3,
                            .markers = r->markers,
                            .n_samples = N,
                            .samples = r->samples,
                            .n_families = N,
                            .families = r->families,
                            .n_missing = N,
                            .missing = r->missing};
    r->id = (atg_identification){.op = &r->op,
                                 .merged = &r->op,
                                 .n_bodies = N,
                                 .bodies = r->bodies,
                                 .body_of_sample = r->body_of_sample,
                                 .pairs = r->pairs};
    r->truth = (atg_truth){
        .n_samples = N, .missing_of_sample = r->missing_of_sample, .swapped = r->swapped};
}

static void add_pair(struct run *r, uint32_t body, uint32_t missing, double log10_lr,
                     double posterior) {
    r->pairs[r->id.n_pairs++] = (atg_pair_result){
        .body = body,
        .missing = missing,
        .log10_lr = log10_lr,
        .log10_lr_used = log10_lr,
        .n_markers = 3,
        .posterior = posterior,
        .conclusion = posterior >= 0.9995 ? ATG_PROBABLE : ATG_POSSIBLE,
    };
}

static void near(double x, double want, double tolerance) {
    if (!(fabs(x - want) <= tolerance))
        fail_msg("%.17g is not %.17g", x, want);
}

static void names_are_right_wrong_or_missed(void **state) {
    struct run r;
    atg_score s;

    (void)state;
    set_up(&r);
    add_pair(&r, 0, 0, 9, 0.9999);
    add_pair(&r, 1, 2, 7, 0.9998); /* wrong */
    add_pair(&r, 2, 3, 7, 0.9998); /* wrong, exchanged label */
    add_pair(&r, 3, 3, 3, 0.9);    /* too weak */
    r.swapped[2] = true;
    assert_int_equal(atg_exercise_score(&r.id, &r.truth, &s, NULL), ATG_OK);
    assert_int_equal(s.n_bodies, N);
    assert_int_equal(s.n_missing_found, N);
    assert_int_equal(s.n_named, 3);
    assert_int_equal(s.n_right, 1);
    assert_int_equal(s.n_wrong, 2);
    assert_int_equal(s.n_wrong_swapped, 1);
    assert_int_equal(s.n_missed, N - 1);
    near(s.predicted_wrong, 0.0005, 1e-12);
    near(s.wrong_q99, 0, 0);
}

static void a_name_needs_the_conclusion_too(void **state) {
    struct run r;
    atg_score s;

    (void)state;
    set_up(&r);
    add_pair(&r, 0, 0, 9, 0.9999);
    r.pairs[0].conclusion = ATG_POSSIBLE;
    assert_int_equal(atg_exercise_score(&r.id, &r.truth, &s, NULL), ATG_OK);
    assert_int_equal(s.n_named, 0);
    near(s.wrong_bound95, 1, 0);
}

static void a_body_of_several_samples_is_who_any_of_them_is(void **state) {
    struct run r;
    atg_score s;
    static const uint32_t both[] = {5, 0};

    (void)state;
    set_up(&r);
    r.missing_of_sample[5] = -1;
    r.bodies[0] = (atg_body){.n_samples = 2, .samples = both};
    add_pair(&r, 0, 0, 9, 0.9999);
    assert_int_equal(atg_exercise_score(&r.id, &r.truth, &s, NULL), ATG_OK);
    assert_int_equal(s.n_right, 1);
    assert_int_equal(s.n_missing_found, N - 1);
}

static void what_was_missed_gets_the_first_reason_that_fits(void **state) {
    static const uint32_t twins[] = {3, 4};
    const atg_assign_symmetry symmetry = {2, twins};
    struct run r;
    atg_score s;

    (void)state;
    set_up(&r);
    r.persons[0][0].genos = NULL;
    add_pair(&r, 0, 0, 9, 0.5); /* nobody typed */
    add_pair(&r, 2, 2, -3, 0);  /* the evidence is against it, and 1 is not even kept */
    add_pair(&r, 3, 3, 9, 0.5); /* symmetric */
    add_pair(&r, 4, 4, 9, 0.5);
    add_pair(&r, 5, 5, 9, 0.4); /* strong alone */
    add_pair(&r, 6, 6, 2, 0.9); /* one marker of three */
    add_pair(&r, 7, 7, 2, 0.9); /* weak */
    r.pairs[5].n_markers = 1;
    r.id.assign.n_symmetries = 1;
    r.id.assign.symmetries = &symmetry;
    assert_int_equal(atg_exercise_score(&r.id, &r.truth, &s, NULL), ATG_OK);
    assert_int_equal(s.n_missed, N);
    assert_int_equal(s.missed_weak_family, 2);
    assert_int_equal(s.missed_conflict, 3);
    assert_int_equal(s.missed_symmetric, 2);
    assert_int_equal(s.missed_few_markers, 1);
}

static void the_bound_without_a_wrong_name_is_the_rule_of_three(void **state) {
    struct run r;
    atg_score s;

    (void)state;
    set_up(&r);
    for (uint32_t i = 0; i < N; i++)
        add_pair(&r, i, i, 9, 0.9999);
    assert_int_equal(atg_exercise_score(&r.id, &r.truth, &s, NULL), ATG_OK);
    near(s.wrong_bound95, 1 - pow(0.05, 1.0 / N), 1e-12);
    assert_int_equal(s.n_missed, 0);
    assert_true(isnan(s.cllr)); /* no false pair was kept */
    assert_int_equal(s.bins[4].n_true, N);
    near(s.bins[4].upper, 1, 0);
    assert_true(s.bins[4].lower > 0.5 && s.bins[4].lower < 0.9);
    near(s.bins[0].lower, 0, 0);
    near(s.bins[0].upper, 1, 0);
}

static void a_truth_of_another_size_is_refused(void **state) {
    struct run r;
    atg_score s;

    (void)state;
    set_up(&r);
    r.truth.n_samples--;
    assert_int_equal(atg_exercise_score(&r.id, &r.truth, &s, NULL), ATG_EINVAL);
}

static void cllr_is_the_published_formula(void **state) {
    struct run r;
    atg_score s;

    (void)state;
    set_up(&r);
    add_pair(&r, 0, 0, 1, 0.9);
    add_pair(&r, 0, 1, -1, 0.1);
    add_pair(&r, 1, 1, 0, 0.5);
    add_pair(&r, 1, 2, -INFINITY, 0);
    assert_int_equal(atg_exercise_score(&r.id, &r.truth, &s, NULL), ATG_OK);
    near(s.cllr, (log2(1.1) / 2 + 0.5 + log2(1.1) / 2) / 2, 1e-12);
    near(s.cllr_min, 0, 1e-12); /* true and false pairs are in separate ranges */
    assert_true(s.cllr_lower <= s.cllr && s.cllr <= s.cllr_upper);
}

static void an_excluded_true_pair_costs_without_limit(void **state) {
    calibration_unit unit = {0};

    (void)state;
    calibration_add(&unit, -INFINITY, 0, true);
    calibration_add(&unit, -2, 0, false);
    assert_true(isinf(calibration_cllr(&unit)));
}

/* Isotonic regression by its max-min formula, at every index. */
static double by_formula(const cllr_case *p, int n, int at) {
    double best = 0;

    for (int i = 0; i <= at; i++) {
        double least = 1;

        for (int k = at; k < n; k++) {
            double sum = 0;

            for (int j = i; j <= k; j++)
                sum += p[j].is_true;
            least = fmin(least, sum / (k - i + 1));
        }
        best = fmax(best, least);
    }
    return best;
}

static void the_least_cllr_is_that_of_the_best_monotone_recalibration(void **state) {
    atg_rng rng = atg_rng_seed(5);

    (void)state;
    for (int t = 0; t < 200; t++) {
        cllr_case p[20];
        double n[2] = {0, 0}, cost[2] = {0, 0}, least;

        for (int i = 0; i < 20; i++) {
            p[i] = (cllr_case){i, 1, atg_rng_unit(&rng) * 20 < i};
            n[p[i].is_true]++;
        }
        if (n[0] == 0 || n[1] == 0)
            continue;
        for (int i = 0; i < 20; i++) {
            double q = by_formula(p, 20, i), lr = q / (1 - q) * n[0] / n[1];

            if (p[i].is_true)
                cost[1] += log2(1 + 1 / lr);
            else
                cost[0] += log2(1 + lr);
        }
        assert_int_equal(calibration_cllr_min(p, 20, &least, NULL), ATG_OK);
        near(least, (cost[0] / n[0] + cost[1] / n[1]) / 2, 1e-12);
    }
}

static void equal_scores_are_recalibrated_together(void **state) {
    cllr_case p[] = {{1, 1, true}, {1, 1, false}, {1, 1, true}, {1, 1, false}};
    double least;

    (void)state;
    assert_int_equal(calibration_cllr_min(p, 4, &least, NULL), ATG_OK);
    near(least, 1, 1e-12);
}

static void the_quantile_is_that_of_the_sum_of_unequal_events(void **state) {
    double half[10], rare[1000];
    const double three[] = {0.9, 0.5, 0.02};
    uint32_t k;

    (void)state;
    for (int i = 0; i < 10; i++)
        half[i] = 0.5;
    for (int i = 0; i < 1000; i++)
        rare[i] = 0.001;
    assert_int_equal(calibration_quantile(half, 10, 0.99, &k, NULL), ATG_OK);
    assert_int_equal(k, 9); /* P(at most 8) = 1013 / 1024 */
    assert_int_equal(calibration_quantile(half, 10, 1013.0 / 1024, &k, NULL), ATG_OK);
    assert_int_equal(k, 8);
    assert_int_equal(calibration_quantile(rare, 1000, 0.99, &k, NULL), ATG_OK);
    assert_int_equal(k, 4); /* Poisson(1): 0.981, 0.996 */
    assert_int_equal(calibration_quantile(three, 3, 0.99, &k, NULL), ATG_OK);
    assert_int_equal(k, 2); /* all three: 0.009 */
    assert_int_equal(calibration_quantile(three, 0, 0.99, &k, NULL), ATG_OK);
    assert_int_equal(k, 0);
}

/* Calibrated posteriors: the intervals of all bins together hold the mean posterior in about 95 of
 * 100 trials. */
static void the_intervals_hold_what_is_calibrated(void **state) {
    atg_rng rng = atg_rng_seed(11);
    int held = 0;

    (void)state;
    for (int t = 0; t < 100; t++) {
        calibration_unit units[400] = {{.n = {0}}};
        atg_score s = {0};
        bool all = true;

        for (int i = 0; i < 400; i++) {
            double u = atg_rng_unit(&rng), p = u < 0.5 ? 1 - u * u * u : u * u;
            bool is_true = atg_rng_unit(&rng) < p;
            int bin = calibration_bin(p);

            calibration_add(&units[i], 0, p, is_true);
            if (bin < 0)
                continue;
            s.bins[bin].n++;
            s.bins[bin].n_true += is_true;
            s.bins[bin].mean_posterior += p;
        }
        assert_int_equal(calibration_intervals(units, 400, &s, NULL), ATG_OK);
        for (int b = 0; b < CALIBRATION_BINS; b++) {
            double mean = s.bins[b].mean_posterior / s.bins[b].n;

            if (s.bins[b].n)
                all = all && s.bins[b].lower <= mean && mean <= s.bins[b].upper;
        }
        held += all;
    }
    assert_in_range(held, 90, 100);
}

static void several_runs_are_scored_as_one(void **state) {
    static struct run r[12];
    const atg_identification *runs[12];
    const atg_truth *truths[12];
    atg_score one, all;

    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        set_up(&r[i]);
        add_pair(&r[i], 0, 0, 9, 0.9999);
        add_pair(&r[i], 0, 1, i % 2 ? 1 : -1, 0.02);
        runs[i] = &r[i].id;
        truths[i] = &r[i].truth;
    }
    assert_int_equal(atg_exercise_score(&r[0].id, &r[0].truth, &one, NULL), ATG_OK);
    assert_int_equal(atg_exercise_score_runs(12, runs, truths, &all, NULL), ATG_OK);
    assert_int_equal(all.n_named, 12 * one.n_named);
    assert_int_equal(all.bins[0].n, 12 * one.bins[0].n);
    assert_true(all.cllr_lower < all.cllr && all.cllr < all.cllr_upper);
}

static void memory_that_runs_out_while_scoring_is_reported_and_nothing_leaks(void **state) {
    size_t live = mem_live();
    int rc = ATG_ENOMEM;
    struct run r;
    atg_score s;

    (void)state;
    set_up(&r);
    add_pair(&r, 0, 0, 9, 0.9999);
    for (long n = 0; rc; n++) {
        mem_fail_after(n);
        rc = atg_exercise_score(&r.id, &r.truth, &s, NULL);
        mem_fail_after(-1);
        if (rc)
            assert_int_equal(rc, ATG_ENOMEM);
        assert_true(n < 100);
    }
    assert_int_equal(mem_live(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_right_wrong_or_missed),
        cmocka_unit_test(a_name_needs_the_conclusion_too),
        cmocka_unit_test(a_body_of_several_samples_is_who_any_of_them_is),
        cmocka_unit_test(what_was_missed_gets_the_first_reason_that_fits),
        cmocka_unit_test(the_bound_without_a_wrong_name_is_the_rule_of_three),
        cmocka_unit_test(a_truth_of_another_size_is_refused),
        cmocka_unit_test(cllr_is_the_published_formula),
        cmocka_unit_test(an_excluded_true_pair_costs_without_limit),
        cmocka_unit_test(the_least_cllr_is_that_of_the_best_monotone_recalibration),
        cmocka_unit_test(equal_scores_are_recalibrated_together),
        cmocka_unit_test(the_quantile_is_that_of_the_sum_of_unequal_events),
        cmocka_unit_test(the_intervals_hold_what_is_calibrated),
        cmocka_unit_test(several_runs_are_scored_as_one),
        cmocka_unit_test(memory_that_runs_out_while_scoring_is_reported_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
