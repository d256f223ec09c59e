/* SPDX-License-Identifier: Apache-2.0 */
/* Own samples of missing persons: against sums over all ordered genotypes, against the direct
 * comparison of two samples, and against typed relatives. */
#include "testing.h"

#include <antigone/app.h>
#include <antigone/check.h>
#include <antigone/direct.h>

#include "dna/compiler.h"
#include "made_own.h"

enum { SEEDS = 60, SAMPLES = 3 };

static const struct kind {
    const char *name;
    made_options options;
} kinds[] = {
    {"plain", {.model = 0, .typed = 0.4}},
    {"any model", {.model = -1, .typed = 0.4}},
    {"equal", {.model = 1, .typed = 0.4}},
    {"doubtful", {.model = -1, .typed = 0.4, .partial = true, .dropout = 0.2, .dropin = 0.05}},
    {"X", {.model = -1, .typed = 0.4, .x = true, .dropout = 0.2}},
    {"silent", {.model = -1, .typed = 0.4, .silent = true, .dropout = 0.1}},
    {"inbred founders", {.model = -1, .typed = 0.4, .inbred = true, .dropout = 0.1}},
    {"nobody else typed", {.model = 1, .typed = 0, .dropout = 0.2}},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static bool is_haploid(const made_operation *o) {
    return o->family.markers[0].chrom == ATG_CHROM_X && o->family.persons[0].sex == ATG_SEX_MALE;
}

static bool anything_shown(const made_operation *o) {
    for (uint32_t i = 0; i < o->family.n; i++) {
        if (atg_geno_typed(o->family.obs[0][i].geno))
            return true;
        for (uint32_t k = 0; k < o->family.persons[i].n_own; k++)
            if (atg_geno_typed(o->family.persons[i].own[k].genos[0]))
                return true;
    }
    return false;
}

/* P of all with `obs` as the missing person, or of somebody unrelated with one common pool. */
static double brute_of(const made_operation *o, bool beside, atg_obs obs) {
    const made *f = &o->family;
    atg_person persons[MADE_PERSONS];
    atg_obs all[MADE_PERSONS];
    uint32_t at = beside ? f->n : 0;

    memcpy(persons, f->persons, sizeof(persons));
    memcpy(all, f->obs[0], sizeof(all));
    if (beside)
        persons[at] = (atg_person){.father = -1, .mother = -1, .sex = f->persons[0].sex};
    all[at] = obs;
    return made_own_brute(o, 0, &(atg_pedigree){f->n + beside, persons}, all);
}

static void open_family(prop *p, made_operation *o, made_own *own, const made_options *from,
                        uint32_t persons, uint32_t alleles) {
    made_options options = *from;
    double theta = prop_chance(p, 0.4) ? prop_between(p, 0.005, 0.2) : 0;
    uint32_t n_missing = 1 + prop_below(p, 2);

    options.persons = 2 + prop_below(p, persons - 1);
    options.alleles = 2 + prop_below(p, alleles - 1);
    made_operation_open(p, o, &options, n_missing, theta);
    made_own_give(p, o, &options, 0, MADE_OWNS - 1, own);
}

static void compile(const prop *p, const atg_operation *op, atg_obs_set set, double *ret) {
    ATG_AUTO(atg_compiler) c = atg_compiler_new();
    atg_err err = {0};

    assert_non_null(c);
    prop_ok(p, atg_compile(c, op, 0, &set, &ret, &err), &err);
}

static void tables_are_ratios_of_sums_over_all_ordered_genotypes(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, SEEDS)) {
            made_operation o;
            made_own own;
            atg_obs obs[MADE_OBS];
            double got[MADE_OBS];

            open_family(&p, &o, &own, &kinds[k].options, 4, 3);

            uint32_t n = made_observations(&o.family.markers[0], is_haploid(&o), obs);

            compile(&p, &o.op, (atg_obs_set){n, obs}, got);
            for (uint32_t i = 0; i < n; i++) {
                double with = brute_of(&o, false, obs[i]), beside = brute_of(&o, true, obs[i]);
                bool nothing = !anything_shown(&o) || beside == 0;

                prop_close(&p, kinds[k].name, pow(10, got[i]), nothing ? 1 : with / beside, 1e-9);
            }
        }
}

static void tables_are_the_same_whether_alleles_are_lumped_or_not(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, SEEDS)) {
            made_operation o;
            made_own own;
            atg_obs obs[MADE_OBS * 4];
            double lumped[MADE_OBS * 4], full[MADE_OBS * 4];
            made_options options = kinds[k].options;

            options.model = (int)prop_below(&p, MADE_LUMPED);
            options.typed = 0.25;
            open_family(&p, &o, &own, &options, 7, 7);

            uint32_t n = made_observations(&o.family.markers[0], is_haploid(&o), obs);

            compile(&p, &o.op, (atg_obs_set){n, obs}, lumped);
            made_unlump(&o.family, 0);
            compile(&p, &o.op, (atg_obs_set){n, obs}, full);
            for (uint32_t i = 0; i < n; i++)
                prop_close_log(&p, kinds[k].name, lumped[i], full[i], 1e-9);
        }
}

static double loglik_of(const prop *p, const made_operation *o, uint32_t m,
                        const atg_pedigree *ped) {
    double ret = 0;
    atg_err err = {0};

    prop_ok(p, atg_loglik(o->op.markers, m, ped, o->op.params.theta, &ret, &err), &err);
    return ret;
}

static void a_likelihood_counts_own_samples_once_each(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, SEEDS)) {
            made_operation o;
            made_own own;

            open_family(&p, &o, &own, &kinds[k].options, 4, 3);
            prop_close(&p, kinds[k].name, exp(loglik_of(&p, &o, 0, &o.family.ped)),
                       made_own_brute(&o, 0, &o.family.ped, o.family.obs[0]), 1e-9);
        }
}

/* The integral over theta and the sum over partitions of an urn, whichever is less work. */
static void both_ways_to_count_theta_give_the_same(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        made_options options = {
            .persons = 5, .alleles = 3, .model = -1, .typed = 0.4, .dropout = 0.2};
        atg_compiler *a = atg_compiler_new(), *b = atg_compiler_new();
        made_operation o;
        made_own own;
        kept integral, urn;
        atg_err err = {0};

        made_operation_open(&p, &o, &options, 2, prop_between(&p, 0.005, 0.2));
        made_own_give(&p, &o, &options, 1, 2, &own);

        kept_input in = {.marker = &o.op.markers[0],
                         .ped = &o.family.ped,
                         .obs = o.family.obs[0],
                         .theta = o.op.params.theta,
                         .keep = 0,
                         .way = THETA_INTEGRAL};

        assert_true(a && b);
        prop_ok(&p, compiler_keep(a, &in, &integral, &err), &err);
        in.way = THETA_URN;
        prop_ok(&p, compiler_keep(b, &in, &urn, &err), &err);
        for (size_t i = 0; i < integral.cells; i++) {
            double unit = exp(urn.log - integral.log);

            prop_close(&p, "numerator", urn.num[i] * unit, integral.num[i], 1e-9);
            prop_close(&p, "denominator", urn.den[i] * unit, integral.den[i], 1e-9);
        }
        atg_compiler_free(a);
        atg_compiler_free(b);
    }
}

/* ---- without relatives ---- */

static atg_sample as_sample(const atg_own *own, atg_sex sex) {
    return (atg_sample){.id = own->id,
                        .sex = sex,
                        .genos = own->genos,
                        .dropout = own->dropout,
                        .dropin = own->dropin};
}

/* Somebody alone, or with a relative who is not typed, a sample from before, and a body. */
static void make_alone(prop *p, made_operation *o, made_own *own, const made_options *from) {
    made_options options = *from;

    options.persons = 2;
    options.alleles = 2 + prop_below(p, 5);
    options.markers = 3;
    options.inbred = false;
    options.typed = 1;
    made_operation_open(p, o, &options, 1, p->seed % 2 ? prop_between(p, 0.01, 0.1) : 0);
    made_own_give(p, o, &options, 1, 1, own);
    o->family.persons[1].genos = NULL;
    o->families[0].ped.n = 1 + prop_below(p, 2);
    made_sample(p, o, o->family.persons[0].sex, &options);
    for (uint32_t m = 0; m < o->op.n_markers; m++)
        if (prop_chance(p, 0.7))
            o->genos[0][m] = o->family.genos[0][m];
}

static void with_no_relative_it_is_the_direct_comparison(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, SEEDS)) {
            double per_marker[MADE_MARKERS], direct[MADE_MARKERS];
            made_operation o;
            made_own own;
            atg_sample before;
            atg_direct same;
            atg_err err = {0};

            make_alone(&p, &o, &own, &kinds[k].options);
            before = as_sample(o.family.persons[0].own, o.family.persons[0].sex);
            prop_ok(&p, atg_direct_compare(&o.op, &before, &o.samples[0], &same, direct, &err),
                    &err);
            prop_ok(&p, atg_pair_lr(&o.op, &o.samples[0], 0, true, per_marker, &err), &err);
            for (uint32_t m = 0; m < o.op.n_markers; m++) {
                if (isnan(direct[m])) /* untyped, or impossible for anybody */
                    assert_true(isnan(per_marker[m]) || per_marker[m] == 0);
                else
                    prop_close(&p, kinds[k].name, pow(10, per_marker[m]), pow(10, direct[m]), 1e-9);
            }
        }
}

/* Of a person of whom nothing but a certain own sample is there, which somebody else shows with
 * probability `rarity`. */
static void check_power(const atg_operation *op, double rarity) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    const atg_power_options how = {.n_sim = 10, .seed = 1};
    atg_power_result power;

    assert_int_equal(atg_family_power(arena, op, 0, &how, NULL, &power, NULL), ATG_OK);
    assert_true(fabs(power.now.mean + log10(rarity)) < 1e-12);
    assert_true(fabs(power.now.exclusion_power - (1 - rarity)) < 1e-12);
    assert_int_equal(power.n_candidates, 0);
}

static void equal_certain_heterozygotes_count_as_their_rarity(void **state) {
    static const double freqs[] = {0.1, 0.2, 0.7};
    static const atg_str labels[] = {{"1", 1}, {"2", 1}, {"3", 1}};
    static const int16_t tenths[] = {10, 20, 30};
    const atg_marker m = {.name = ATG_STR("M"),
                          .n = 3,
                          .labels = labels,
                          .freqs = freqs,
                          .tenths = tenths,
                          .silent = -1,
                          .linked_to = -1};
    const atg_geno het = {0, 1};
    const atg_own own = {.id = ATG_STR("brush"), .genos = &het};
    const atg_person person = {
        .id = ATG_STR("P"), .father = -1, .mother = -1, .n_own = 1, .own = &own};
    const uint32_t first = 0;
    const atg_missing missing = {.id = ATG_STR("AM")};
    const atg_family family = {
        .id = ATG_STR("F"), .ped = {1, &person}, .n_missing = 1, .missing = &first};
    const atg_sample body = {.id = ATG_STR("PM"), .genos = &het};
    atg_operation op = {.params = atg_params_default(),
                        .n_markers = 1,
                        .markers = &m,
                        .n_samples = 1,
                        .samples = &body,
                        .n_families = 1,
                        .families = &family,
                        .n_missing = 1,
                        .missing = &missing};
    double lr, theta = 0.03;

    (void)state;
    assert_int_equal(atg_operation_check(&op, NULL), ATG_OK);
    assert_int_equal(atg_pair_lr(&op, &body, 0, true, &lr, NULL), ATG_OK);
    assert_true(fabs(pow(10, lr) * 2 * 0.1 * 0.2 - 1) < 1e-12);
    check_power(&op, 2 * 0.1 * 0.2);
    op.params.theta = theta; /* NRC II 4.10b */
    assert_int_equal(atg_pair_lr(&op, &body, 0, true, &lr, NULL), ATG_OK);
    assert_true(fabs(pow(10, lr) * 2 * (theta + (1 - theta) * 0.1) * (theta + (1 - theta) * 0.2) /
                         ((1 + theta) * (1 + 2 * theta)) -
                     1) < 1e-12);
}

/* ---- a certain own sample is as good as a typed person ---- */

/* The family with each missing person typed as his or her first own sample says. */
static void type_missing(const made_operation *o, atg_person *ret) {
    memcpy(ret, o->family.persons, sizeof(o->family.persons));
    for (uint32_t k = 0; k < o->op.n_missing; k++) {
        ret[k].genos = ret[k].n_own ? ret[k].own[0].genos : NULL;
        ret[k].n_own = 0;
    }
}

static void a_certain_own_sample_says_what_a_typed_person_does(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        made_options options = {
            .persons = 6, .alleles = 4, .markers = 2, .model = -1, .typed = 0.5};
        atg_person typed[MADE_PERSONS];
        made_operation o;
        made_own own;
        double got, want;
        atg_err err = {0};

        made_operation_open(&p, &o, &options, 2, 0);
        made_own_give(&p, &o, &options, 1, 1, &own);
        type_missing(&o, typed);
        for (uint32_t m = 0; m < 2; m++)
            prop_close_log(&p, "likelihood", loglik_of(&p, &o, m, &o.family.ped),
                           loglik_of(&p, &o, m, &(atg_pedigree){o.family.n, typed}), 1e-10);
        prop_ok(&p, atg_loglik_linked(o.op.markers, 0, 1, 0.1, &o.family.ped, &got, &err), &err);
        prop_ok(&p,
                atg_loglik_linked(o.op.markers, 0, 1, 0.1, &(atg_pedigree){o.family.n, typed},
                                  &want, &err),
                &err);
        prop_close_log(&p, "linked", got, want, 1e-10);
    }
}

/* ---- several missing persons ---- */

static void put(const made_operation *o, int32_t sample, atg_person *ret) {
    ret->genos = sample < 0 ? NULL : o->samples[sample].genos;
    ret->dropout = sample < 0 ? 0 : o->samples[sample].dropout;
    ret->dropin = sample < 0 ? 0 : o->samples[sample].dropin;
}

/* log10 LR of a tuple: the family and own samples with the bodies in place, and beside. */
static double tuple_lr(const prop *p, const made_operation *o, const int32_t *tuple) {
    atg_person with[MADE_PERSONS + MADE_MISSING], beside[MADE_PERSONS + MADE_MISSING];
    const made *f = &o->family;
    uint32_t n = f->n;

    if (!isfinite(loglik_of(p, o, 0, &f->ped)))
        return 0;
    memcpy(with, f->persons, sizeof(f->persons));
    memcpy(beside, f->persons, sizeof(f->persons));
    for (uint32_t k = 0; k < o->op.n_missing; k++) {
        put(o, tuple[k], &with[k]);
        if (tuple[k] < 0)
            continue;
        beside[n] = (atg_person){.father = -1, .mother = -1, .sex = f->persons[k].sex};
        put(o, tuple[k], &beside[n++]);
    }
    return (loglik_of(p, o, 0, &(atg_pedigree){f->n, with}) -
            loglik_of(p, o, 0, &(atg_pedigree){n, beside})) /
           M_LN10;
}

static void own_samples_of_one_missing_person_count_for_the_others(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, SEEDS)) {
            ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
            made_options options = kinds[k].options;
            uint32_t n_missing = 2 + prop_below(&p, 2);
            double theta = prop_chance(&p, 0.25) ? prop_between(&p, 0.005, 0.1) : 0;
            made_operation o;
            made_own own;
            atg_tuples t;
            atg_err err = {0};

            options.persons = n_missing + 1 + prop_below(&p, 4);
            options.alleles = 3;
            made_operation_open(&p, &o, &options, n_missing, theta);
            made_own_give(&p, &o, &options, 0, 2, &own);
            for (uint32_t i = 0; i < SAMPLES; i++)
                made_sample(&p, &o, o.family.persons[i % 2].sex, &options);
            prop_ok(&p, atg_family_tuples(arena, &o.op, 0, NULL, true, &t, &err), &err);
            for (uint64_t i = 0; i < t.n; i++)
                prop_close_log(&p, kinds[k].name, t.log10_lr[i],
                               tuple_lr(&p, &o, t.samples + i * t.n_places), 1e-9);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_ratios_of_sums_over_all_ordered_genotypes),
        cmocka_unit_test(tables_are_the_same_whether_alleles_are_lumped_or_not),
        cmocka_unit_test(a_likelihood_counts_own_samples_once_each),
        cmocka_unit_test(both_ways_to_count_theta_give_the_same),
        cmocka_unit_test(with_no_relative_it_is_the_direct_comparison),
        cmocka_unit_test(equal_certain_heterozygotes_count_as_their_rarity),
        cmocka_unit_test(a_certain_own_sample_says_what_a_typed_person_does),
        cmocka_unit_test(own_samples_of_one_missing_person_count_for_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
