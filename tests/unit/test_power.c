/* SPDX-License-Identifier: Apache-2.0 */
/* What a family can prove, against sums over what its missing person may be. */
#include "testing.h"

#include "made_operation.h"

enum { SIMULATIONS = 2000, RUNS = 40, MEMORY = 1 << 24 };

/* Every other made operation has this coancestry, by the sampling formula summed by brute force. */
static double theta_of(const prop *p) {
    return p->seed % 2 ? 0.05 : 0;
}

/* Mean, variance and share above a threshold of log10 LR at one marker, the person true. */
typedef struct expected {
    double mean, variance, above;
} expected;

/* By brute force: P(seen | family) over everything that may be seen of person 0. */
static expected expect(const made_operation *o, uint32_t m, double threshold) {
    const atg_marker *k = &o->op.markers[m];
    bool haploid = k->chrom == ATG_CHROM_X && o->family.persons[0].sex == ATG_SEX_MALE;
    double family = made_seated(o, m, 0, (atg_obs){.geno = ATG_UNTYPED}), square = 0, all = 0;
    expected e = {0, 0, 0};

    for (int16_t a = 0; a < k->n; a++)
        for (int16_t b = a; b < brute_end(k, haploid, a); b++) {
            atg_obs obs = {.geno = {a, b}};
            double with = made_seated(o, m, 0, obs), lr = with / made_beside(o, m, 0, obs);

            if (a == k->silent || b == k->silent || with == 0)
                continue;
            all += with / family;
            e.mean += with / family * log10(lr);
            square += with / family * log10(lr) * log10(lr);
            e.above += log10(lr) >= threshold ? with / family : 0;
        }
    e.mean /= all; /* of those who show something */
    e.above /= all;
    e.variance = fmax(0, square / all - e.mean * e.mean);
    return e;
}

static atg_power_result simulate(const prop *p, const made_operation *o, uint64_t seed,
                                 atg_arena *arena) {
    const atg_power_options how = {SIMULATIONS, seed};
    atg_power_result power = {0};
    atg_err err = {0};

    prop_ok(p, atg_family_power(arena, &o->op, 0, &how, NULL, &power, &err), &err);
    return power;
}

static const made_options kinds[] = {
    {.persons = 3, .alleles = 3, .model = 0, .typed = 0.7, .markers = 2},
    {.persons = 4, .alleles = 3, .model = 1, .typed = 0.5, .markers = 2},
    {.persons = 4, .alleles = 3, .model = 5, .typed = 0.5, .markers = 2},
    {.persons = 4, .alleles = 3, .model = 1, .typed = 0.5, .markers = 2, .x = true},
    {.persons = 3, .alleles = 3, .model = 0, .typed = 0.7, .markers = 2, .silent = true},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* Is somebody but the missing person typed at each marker, without contradiction? */
static bool tells(const made_operation *o) {
    for (uint32_t m = 0; m < o->op.n_markers; m++) {
        bool any = false;

        for (uint32_t i = 1; i < o->family.n; i++)
            any |= atg_geno_typed(o->family.obs[m][i].geno);
        if (!any || made_seated(o, m, 0, (atg_obs){.geno = ATG_UNTYPED}) == 0)
            return false;
    }
    return true;
}

static void simulated_means_are_the_expected_ones_within_their_errors(void **state) {
    uint32_t n_runs = 0, within_one = 0, within_two = 0;

    (void)state;
    for (int k = 0; k < KINDS; k++)
        for (PROP_EACH(p, RUNS)) {
            ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
            double mean = 0, variance = 0, off;
            made_operation o;

            made_operation_open(&p, &o, &kinds[k], 1, theta_of(&p));
            if (!tells(&o))
                continue;

            atg_power got = simulate(&p, &o, p.seed, arena).now;

            for (uint32_t m = 0; m < o.op.n_markers; m++) {
                expected e = expect(&o, m, 0);

                mean += e.mean;
                variance += e.variance;
            }
            off = fabs(got.mean - mean);
            /* rare mutations weigh much: an error of an error; a difference of squares is rounded
             */
            prop_close_log(&p, "standard error", got.std_error, sqrt(variance / SIMULATIONS),
                           0.5 * sqrt(variance / SIMULATIONS) + 1e-9);
            if (off > 4.5 * got.std_error + 1e-12)
                fail_msg("seed %llu: mean %g, expected %g, error %g", (unsigned long long)p.seed,
                         got.mean, mean, got.std_error);
            n_runs++;
            within_one += off <= got.std_error + 1e-12;
            within_two += off <= 2 * got.std_error + 1e-12;
        }
    assert_true(n_runs > 80);
    assert_true(within_one > 0.55 * n_runs && within_two > 0.88 * n_runs);
}

static void the_share_above_the_threshold_is_the_expected_one(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++)
        for (PROP_EACH(p, RUNS)) {
            ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
            made_options one = kinds[k];
            made_operation o;
            expected e;

            one.markers = 1;
            made_operation_open(&p, &o, &one, 1, theta_of(&p));
            o.op.params.min_log10_lr = 0.2;
            if (!tells(&o))
                continue;
            e = expect(&o, 0, 0.2);

            atg_power got = simulate(&p, &o, p.seed, arena).now;

            assert_true(fabs(got.share_above - e.above) <=
                        4.5 * sqrt(e.above * (1 - e.above) / SIMULATIONS) + 1e-12);
            assert_true(fabs(got.share_above_se -
                             sqrt(got.share_above * (1 - got.share_above) / SIMULATIONS)) < 1e-12);
            assert_true(got.p05 <= got.p50 && got.p50 <= got.p95);
        }
}

/* A child whose one parent is typed, by hand: he has one of its alleles and one of anybody. */
static void a_duo_proves_what_its_closed_form_says(void **state) {
    static const double freqs[3] = {0.2, 0.3, 0.5};
    ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
    atg_marker marker = {.n = 3, .freqs = freqs, .silent = -1, .linked_to = -1};
    atg_geno father = {0, 1};
    atg_person persons[] = {
        {.father = -1, .mother = -1, .sex = ATG_SEX_MALE, .genos = &father},
        {.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE},
        {.father = 0, .mother = 1, .sex = ATG_SEX_MALE},
    };
    uint32_t number = 0;
    atg_missing missing = {.person = 2};
    atg_family family = {.ped = {3, persons}, .n_missing = 1, .missing = &number};
    atg_operation op = {.params = atg_params_default(),
                        .n_markers = 1,
                        .markers = &marker,
                        .n_families = 1,
                        .families = &family,
                        .n_missing = 1,
                        .missing = &missing};
    const atg_power_options how = {.n_sim = 20000, .seed = 1};
    const atg_power_candidate *mother;
    atg_power_result found;
    double want = 0;
    atg_power got;

    (void)state;
    for (int passed = 0; passed < 2; passed++) /* P(0/0 | father) = p0 / 2, LR = 1 / (2 p0), ... */
        for (int other = 0; other < 3; other++) {
            double p = freqs[passed], q = freqs[other];
            double lr =
                passed == other ? 1 / (2 * p) : (1 / (4 * p) + (other < 2 ? 1 / (4 * q) : 0));

            want += 0.5 * q * log10(lr);
        }
    assert_int_equal(atg_family_power(arena, &op, 0, &how, NULL, &found, NULL), ATG_OK);
    got = found.now;
    assert_true(fabs(got.mean - want) < 4 * got.std_error && got.std_error < 0.01);
    assert_true(fabs(got.exclusion_power - 0.25) < 1e-12); /* 2/2: neither allele of the father */
    assert_true(fabs(got.expected_mismatch - 0.25) < 1e-12);
    assert_int_equal(found.n_candidates, 1); /* the mother could be typed */
    mother = &found.candidates[0];
    assert_int_equal(mother->person, 1);
    assert_true(mother->gain > 0 && fabs(mother->with.mean - got.mean - mother->gain) < 1e-12);
    assert_true(mother->gain_se > 0 && /* of the same persons with her and without */
                mother->gain_se < hypot(got.std_error, mother->with.std_error));
}

/* With one more relative typed: the mean over what he may be of the mean given what he is. */
static double expect_with(made_operation *o, uint32_t relative) {
    const atg_marker *k = &o->op.markers[0];
    bool haploid = k->chrom == ATG_CHROM_X && o->family.persons[relative].sex == ATG_SEX_MALE;
    double family = made_seated(o, 0, 0, (atg_obs){.geno = ATG_UNTYPED}), mean = 0;

    for (int16_t a = 0; a < k->n; a++)
        for (int16_t b = a; b < brute_end(k, haploid, a); b++) {
            double with;

            o->family.obs[0][relative].geno = (atg_geno){a, b};
            with = made_seated(o, 0, 0, (atg_obs){.geno = ATG_UNTYPED});
            if (with > 0)
                mean += with / family * expect(o, 0, 0).mean;
        }
    o->family.obs[0][relative].geno = ATG_UNTYPED;
    return mean;
}

static void candidates_gain_what_is_expected_of_them(void **state) {
    (void)state;
    for (int k = 0; k + 1 < KINDS; k++)
        for (PROP_EACH(p, RUNS)) {
            ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
            made_options one = kinds[k];
            made_operation o;
            uint32_t untyped;

            one.markers = 1;
            made_operation_open(&p, &o, &one, 1, theta_of(&p));
            if (!tells(&o))
                continue;
            untyped = 1 + prop_below(&p, o.family.n - 1);
            o.family.persons[untyped].genos = NULL;
            o.family.obs[0][untyped].geno = ATG_UNTYPED;
            if (!tells(&o))
                continue;

            atg_power_result got = simulate(&p, &o, p.seed, arena);
            const atg_power_candidate *only = got.candidates;

            assert_int_equal(got.n_candidates, 1);
            assert_int_equal(only->person, untyped);
            double with = expect_with(&o, untyped), gain = with - expect(&o, 0, 0).mean;

            if (fabs(only->with.mean - with) > 4.5 * only->with.std_error + 1e-9)
                fail_msg("seed %llu: with %g, expected %g, error %g", (unsigned long long)p.seed,
                         only->with.mean, with, only->with.std_error);
            if (fabs(only->gain - gain) > 4.5 * only->gain_se + 1e-9)
                fail_msg("seed %llu: gain %g, expected %g, error %g", (unsigned long long)p.seed,
                         only->gain, gain, only->gain_se);
        }
}

static void power_is_the_same_for_the_same_seed(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
    prop p = prop_seed(1);
    made_operation o;
    atg_power one, two, other;

    (void)state;
    made_operation_open(&p, &o, &kinds[1], 1, 0);
    one = simulate(&p, &o, 7, arena).now;
    two = simulate(&p, &o, 7, arena).now;
    other = simulate(&p, &o, 8, arena).now;
    assert_true(one.mean == two.mean && one.p05 == two.p05 && one.std_error == two.std_error);
    assert_true(one.mean != other.mean);
}

static void a_family_of_nobody_typed_proves_nothing(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
    prop p = prop_seed(2);
    made_options none = kinds[1];
    made_operation o;

    (void)state;
    none.typed = 0;
    made_operation_open(&p, &o, &none, 1, 0);

    atg_power got = simulate(&p, &o, 7, arena).now;

    assert_true(got.mean == 0 && got.std_error == 0 && got.share_above == 0);
    assert_true(got.exclusion_power == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulated_means_are_the_expected_ones_within_their_errors),
        cmocka_unit_test(the_share_above_the_threshold_is_the_expected_one),
        cmocka_unit_test(a_duo_proves_what_its_closed_form_says),
        cmocka_unit_test(candidates_gain_what_is_expected_of_them),
        cmocka_unit_test(power_is_the_same_for_the_same_seed),
        cmocka_unit_test(a_family_of_nobody_typed_proves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
