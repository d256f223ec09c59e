/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled table of a missing person against brute force, and against ratios of likelihoods of
 * the whole family. */
#include "testing.h"

#include "made_operation.h"

enum { BRUTE_SEEDS = 60, LARGE_SEEDS = 60 };

static const struct kind {
    const char *name;
    made_options options;
} kinds[] = {
    {"plain", {.model = 0, .typed = 0.4}},
    {"equal", {.model = 1, .typed = 0.4}},
    {"proportional", {.model = 2, .typed = 0.4}},
    {"fathers only", {.model = 3, .typed = 0.4}},
    {"two models", {.model = 4, .typed = 0.4}},
    {"any model", {.model = -1, .typed = 0.4}},
    {"X", {.model = -1, .typed = 0.4, .x = true}},
    {"X, equal", {.model = 1, .typed = 0.4, .x = true}},
    {"silent", {.model = -1, .typed = 0.4, .silent = true}},
    {"silent, equal", {.model = 1, .typed = 0.4, .silent = true}},
    {"silent, proportional", {.model = 2, .typed = 0.4, .silent = true}},
    {"doubtful relatives",
     {.model = -1, .typed = 0.4, .partial = true, .dropout = 0.2, .dropin = 0.05}},
    {"inbred founders", {.model = -1, .typed = 0.4, .inbred = true}},
    {"inbred founders, equal", {.model = 1, .typed = 0.4, .inbred = true}},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static double theta_of(prop *p) {
    return prop_chance(p, 0.4) ? prop_between(p, 0.005, 0.2) : 0;
}

static void open_family(prop *p, made_operation *o, const made_options *from, uint32_t persons,
                        uint32_t alleles) {
    made_options options = *from;
    double theta = theta_of(p);

    options.persons = 2 + prop_below(p, persons - 1);
    options.alleles = 2 + prop_below(p, alleles - 1);
    made_operation_open(p, o, &options, 1, theta);
}

static void compile(const prop *p, const atg_operation *op, atg_obs_set set, double *ret) {
    ATG_AUTO(atg_compiler) c = atg_compiler_new();
    atg_err err = {0};

    assert_non_null(c);
    prop_ok(p, atg_compile(c, op, 0, &set, &ret, &err), &err);
}

static bool says_nothing(const made_operation *o) {
    for (uint32_t i = 1; i < o->family.n; i++)
        if (atg_geno_typed(o->family.obs[0][i].geno))
            return false;
    return true;
}

static bool is_haploid(const made_operation *o) {
    return o->family.markers[0].chrom == ATG_CHROM_X && o->family.persons[0].sex == ATG_SEX_MALE;
}

static void tables_are_ratios_of_sums_over_all_ordered_genotypes(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, BRUTE_SEEDS)) {
            made_operation o;
            atg_obs obs[MADE_OBS];
            double got[MADE_OBS];

            open_family(&p, &o, &kinds[k].options, 4, 3);

            uint32_t n = made_observations(&o.family.markers[0], is_haploid(&o), obs);

            compile(&p, &o.op, (atg_obs_set){n, obs}, got);
            for (uint32_t i = 0; i < n; i++) {
                double with = made_seated(&o, 0, 0, obs[i]), beside = made_beside(&o, 0, 0, obs[i]);
                bool nothing = says_nothing(&o) || beside == 0;

                prop_close(&p, kinds[k].name, pow(10, got[i]), nothing ? 1 : with / beside, 1e-10);
            }
        }
}

/* Alleles that no relative has are lumped; the same matrices given by hand are not. */
static void tables_are_the_same_whether_alleles_are_lumped_or_not(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, LARGE_SEEDS)) {
            made_operation o;
            atg_obs obs[MADE_OBS * 4];
            double lumped[MADE_OBS * 4], full[MADE_OBS * 4];
            made_options options = kinds[k].options;

            options.model = (int)prop_below(&p, MADE_LUMPED);
            options.typed = 0.25;
            open_family(&p, &o, &options, 8, 7);

            uint32_t n = made_observations(&o.family.markers[0], is_haploid(&o), obs);

            compile(&p, &o.op, (atg_obs_set){n, obs}, lumped);
            made_unlump(&o.family, 0);
            compile(&p, &o.op, (atg_obs_set){n, obs}, full);
            for (uint32_t i = 0; i < n; i++)
                prop_close_log(&p, kinds[k].name, lumped[i], full[i], 1e-10);
        }
}

static double loglik(const prop *p, const made_operation *o, const atg_pedigree *ped) {
    double ret = 0;
    atg_err err = {0};

    prop_ok(p, atg_loglik(o->op.markers, 0, ped, o->op.params.theta, &ret, &err), &err);
    return ret;
}

/* log10 LR from likelihoods of the whole family: with the sample in place, and beside. */
static double by_likelihoods(const prop *p, const made_operation *o, atg_sex sex) {
    atg_person with[MADE_PERSONS + 1], beside[MADE_PERSONS + 1];
    const made *f = &o->family;
    atg_person typed = {.father = -1,
                        .mother = -1,
                        .sex = sex,
                        .genos = o->genos[0],
                        .dropout = o->samples[0].dropout,
                        .dropin = o->samples[0].dropin};
    double h1, h2;

    memcpy(with, f->persons, sizeof(f->persons));
    memcpy(beside, f->persons, sizeof(f->persons));
    with[0].genos = o->genos[0];
    with[0].dropout = typed.dropout;
    with[0].dropin = typed.dropin;
    beside[f->n] = typed;
    h1 = loglik(p, o, &(atg_pedigree){f->n, with});
    h2 = loglik(p, o, &(atg_pedigree){f->n + 1, beside});
    return isfinite(h2) ? (h1 - h2) / M_LN10 : 0;
}

static void one_pair_is_its_row_of_the_table_and_the_ratio_of_two_likelihoods(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, LARGE_SEEDS)) {
            made_operation o;
            made_options options = kinds[k].options;
            double pair = 0, row = 0, wanted;
            atg_err err = {0};

            options.dropout = prop_chance(&p, 0.5) ? 0.1 : 0;
            options.dropin = prop_chance(&p, 0.5) ? 0.02 : 0;
            options.partial = true;
            open_family(&p, &o, &options, 8, 4);
            made_sample(&p, &o, o.family.persons[0].sex, &options);
            prop_ok(&p, atg_pair_lr(&o.op, o.samples, 0, true, &pair, &err), &err);
            if (!atg_geno_typed(o.genos[0][0]) || says_nothing(&o)) {
                assert_true(isnan(pair));
                continue;
            }

            atg_obs obs = {o.genos[0][0], o.samples[0].dropout, o.samples[0].dropin};

            compile(&p, &o.op, (atg_obs_set){1, &obs}, &row);
            prop_close_log(&p, "row", pair, row, 1e-12);
            wanted = by_likelihoods(&p, &o, o.family.persons[0].sex);
            prop_close_log(&p, kinds[k].name, pair, wanted, 1e-10);
        }
}

static void without_mutation_means_the_same_markers_without_a_model(void **state) {
    (void)state;
    for (PROP_EACH(p, LARGE_SEEDS)) {
        made_operation o;
        double off = 0, none = 0;
        atg_err err = {0};

        open_family(&p, &o, &kinds[5].options, 6, 4);
        made_sample(&p, &o, o.family.persons[0].sex, &kinds[5].options);
        prop_ok(&p, atg_pair_lr(&o.op, o.samples, 0, false, &off, &err), &err);
        o.family.markers[0].female = o.family.markers[0].male = (atg_mutation){0};
        prop_ok(&p, atg_pair_lr(&o.op, o.samples, 0, true, &none, &err), &err);
        if (isnan(off) && isnan(none))
            continue;
        prop_close_log(&p, "LR", off, none, 0);
    }
}

/* All genotypes of a marker, and their probabilities. */
static uint32_t genotypes(const atg_marker *m, bool haploid, atg_obs *ret, double *ret_p) {
    uint32_t n = 0;

    for (int16_t a = 0; a < m->n; a++)
        for (int16_t b = a; b < brute_end(m, haploid, a); b++) {
            double p = haploid ? m->freqs[a] : m->freqs[a] * m->freqs[b];

            ret[n] = (atg_obs){.geno = {a, b}};
            ret_p[n++] = a == b ? p : 2 * p;
        }
    return n;
}

/* The mean of an LR over unrelated persons is 1: sum over g of P(g) LR(g). */
static void tables_average_to_one_over_the_population(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, LARGE_SEEDS)) {
            made_operation o;
            atg_obs obs[MADE_OBS];
            double got[MADE_OBS], share[MADE_OBS], sum = 0;
            uint32_t n;

            open_family(&p, &o, &kinds[k].options, 9, 5);
            o.op.params.theta = 0;
            if (o.family.markers[0].silent >= 0)
                continue; /* what is seen is not all there is */
            n = genotypes(&o.family.markers[0], is_haploid(&o), obs, share);
            compile(&p, &o.op, (atg_obs_set){n, obs}, got);
            for (uint32_t i = 0; i < n; i++)
                sum += pow(10, got[i]) * share[i];
            prop_close(&p, kinds[k].name, sum, 1, 1e-11);
        }
}

static void a_compiler_can_be_used_again_for_other_families(void **state) {
    ATG_AUTO(atg_compiler) c = atg_compiler_new();
    made_operation first, second;
    atg_obs obs[2][MADE_OBS];
    double alone[MADE_OBS], again[MADE_OBS], *to = again;
    prop p = prop_seed(7);
    atg_err err = {0};

    (void)state;
    assert_non_null(c);
    open_family(&p, &first, &kinds[1].options, 6, 4);
    open_family(&p, &second, &kinds[12].options, 6, 4);

    atg_obs_set one = {made_observations(&first.family.markers[0], false, obs[0]), obs[0]};
    atg_obs_set two = {made_observations(&second.family.markers[0], false, obs[1]), obs[1]};

    compile(&p, &second.op, two, alone);
    for (int k = 0; k < 3; k++) {
        prop_ok(&p, atg_compile(c, &first.op, 0, &one, &to, &err), &err);
        prop_ok(&p, atg_compile(c, &second.op, 0, &two, &to, &err), &err);
        assert_memory_equal(again, alone, two.n * sizeof(*again));
    }
}

static void rows_are_zero_where_there_is_nothing_to_compare(void **state) {
    static const double freqs[2] = {0.5, 0.5};
    atg_geno typed[4] = {{0, 1}, {0, 0}, {0, 0}, {0, 1}};
    atg_marker markers[4];
    atg_person persons[] = {
        {.father = -1, .mother = -1, .sex = ATG_SEX_UNKNOWN},
        {.father = -1, .mother = -1, .sex = ATG_SEX_UNKNOWN, .genos = typed},
        {.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE},
    };
    uint32_t number = 0;
    atg_family family = {.ped = {3, persons}, .n_missing = 1, .missing = &number};
    atg_missing missing = {.person = 0};
    atg_operation op = {.params = atg_params_default(),
                        .n_markers = 4,
                        .markers = markers,
                        .n_families = 1,
                        .families = &family,
                        .n_missing = 1,
                        .missing = &missing};
    atg_obs obs = {.geno = {0, 0}};
    atg_obs_set sets[4] = {{1, &obs}, {1, &obs}, {1, &obs}, {1, &obs}};
    double rows[4] = {9, 9, 9, 9}, *to[4] = {&rows[0], &rows[1], &rows[2], &rows[3]}, pair[4];
    atg_geno sample_genos[4] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
    atg_sample sample = {.genos = sample_genos};
    ATG_AUTO(atg_compiler) c = atg_compiler_new();

    (void)state;
    for (int m = 0; m < 4; m++)
        markers[m] = (atg_marker){.n = 2, .freqs = freqs, .silent = -1, .linked_to = -1};
    markers[1].chrom = ATG_CHROM_Y;
    markers[2].chrom = ATG_CHROM_AMELOGENIN;
    markers[3].chrom = ATG_CHROM_X;
    persons[1].sex = ATG_SEX_FEMALE;
    assert_int_equal(atg_compile(c, &op, 0, sets, to, NULL), ATG_OK);
    for (int m = 0; m < 4; m++) /* unrelated at the first marker; the others say nothing */
        assert_true(fabs(rows[m]) < 1e-12);
    assert_int_equal(atg_pair_lr(&op, &sample, 0, true, pair, NULL), ATG_OK);
    assert_true(fabs(pair[0]) < 1e-12);
    for (int m = 1; m < 4; m++)
        assert_true(isnan(pair[m]));
    assert_true(fabs(atg_combine_lr(&op, pair)) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_ratios_of_sums_over_all_ordered_genotypes),
        cmocka_unit_test(tables_are_the_same_whether_alleles_are_lumped_or_not),
        cmocka_unit_test(one_pair_is_its_row_of_the_table_and_the_ratio_of_two_likelihoods),
        cmocka_unit_test(without_mutation_means_the_same_markers_without_a_model),
        cmocka_unit_test(tables_average_to_one_over_the_population),
        cmocka_unit_test(a_compiler_can_be_used_again_for_other_families),
        cmocka_unit_test(rows_are_zero_where_there_is_nothing_to_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
