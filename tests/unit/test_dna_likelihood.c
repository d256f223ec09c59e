/* SPDX-License-Identifier: Apache-2.0 */
/* Likelihoods against sums over everything that could have been, and against what must hold
 * whatever the numbers are. */
#include "testing.h"

#include "made_family.h"

enum { BRUTE_SEEDS = 100, LARGE_SEEDS = 100, PAIRS = MADE_ALLELES * (MADE_ALLELES + 1) / 2 };

static const double thetas[] = {0, 0, 0.01, 0.03, 0.2};

static const struct kind {
    const char *name;
    made_options options;
} kinds[] = {
    {"plain", {.model = 0, .typed = 0.5}},
    {"any model", {.model = -1, .typed = 0.5}},
    {"X", {.model = -1, .typed = 0.5, .x = true}},
    {"silent", {.model = -1, .typed = 0.5, .silent = true}},
    {"X and silent", {.model = -1, .typed = 0.5, .silent = true, .x = true}},
    {"partial", {.model = -1, .typed = 0.5, .partial = true}},
    {"drop-out", {.model = -1, .typed = 0.5, .dropout = 0.2}},
    {"drop-out and drop-in", {.model = -1, .typed = 0.5, .dropout = 0.1, .dropin = 0.05}},
    {"X with drop-out", {.model = -1, .typed = 0.5, .dropout = 0.2, .dropin = 0.05, .x = true}},
    {"inbred founders", {.model = -1, .typed = 0.5, .inbred = true}},
    {"everything",
     {.model = -1,
      .typed = 0.5,
      .dropout = 0.1,
      .dropin = 0.02,
      .silent = true,
      .partial = true,
      .inbred = true}},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static double theta_of(prop *p) {
    return thetas[prop_below(p, sizeof(thetas) / sizeof(*thetas))];
}

/* Up to `persons` and `alleles`, of either at least two. */
static made_options sized(prop *p, const struct kind *kind, uint32_t persons, uint32_t alleles) {
    made_options o = kind->options;

    o.persons = 2 + prop_below(p, persons - 1);
    o.alleles = 2 + prop_below(p, alleles - 1);
    return o;
}

static double loglik(const prop *p, const made *f, const atg_pedigree *ped, double theta) {
    double ret = 0;
    atg_err err = {0};

    prop_ok(p, atg_loglik(f->markers, 0, ped, theta, &ret, &err), &err);
    return ret;
}

static void likelihoods_are_sums_over_all_ordered_genotypes(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, BRUTE_SEEDS)) {
            made_options o = sized(&p, &kinds[k], 5, 3);
            double theta = theta_of(&p);
            made f;

            made_family(&p, &f, &o);
            prop_close(&p, kinds[k].name, exp(loglik(&p, &f, &f.ped, theta)),
                       made_brute(&f, 0, &f.ped, f.obs[0], theta), 1e-11);
        }
}

/* P(seen by person `who`, and everybody else) summed over whatever may be seen of him. */
static double sum_over(prop *p, made *f, uint32_t who, double theta) {
    const atg_marker *k = &f->markers[0];
    bool haploid = k->chrom == ATG_CHROM_X && f->persons[who].sex == ATG_SEX_MALE;
    double sum = 0;

    for (int16_t a = 0; a < k->n; a++)
        for (int16_t b = a; b < brute_end(k, haploid, a); b++) {
            if (a == k->silent || b == k->silent)
                continue;
            f->genos[who][0] = (atg_geno){a, b};
            sum += exp(loglik(p, f, &f->ped, theta));
        }
    f->genos[who][0] = ATG_UNTYPED;
    return sum;
}

/* P(nothing is seen of the person), his genotypes being distributed like `of`. */
static double hidden_share(const made *f, uint32_t who, const double *of) {
    const atg_marker *k = &f->markers[0];
    bool haploid = k->chrom == ATG_CHROM_X && f->persons[who].sex == ATG_SEX_MALE;
    double d = f->persons[who].dropout, sum = 0;

    for (int b = 0; b < k->n; b++)
        for (int a = 0; a <= b; a++) {
            double lost = b == k->silent ? 1 : d;

            if (!haploid)
                lost *= a == k->silent ? 1 : d;
            sum += of[b * (b + 1) / 2 + a] * lost;
        }
    return sum;
}

static void likelihoods_sum_to_one_over_what_may_be_seen(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, LARGE_SEEDS)) {
            made_options o = sized(&p, &kinds[k], 8, 5);
            double theta = o.alleles > 4 ? 0 : theta_of(&p), of[PAIRS], all;
            atg_err err = {0};
            made f;

            o.dropin = 0; /* three alleles seen would be missing from the sum */
            made_family(&p, &f, &o);

            uint32_t who = prop_below(&p, f.n);

            f.genos[who][0] = ATG_UNTYPED;
            prop_ok(&p,
                    atg_genotype_distribution(
                        &(atg_person_at){f.markers, 0, &f.ped, who, theta, NULL}, of, &all, &err),
                    &err);
            if (isfinite(all))
                prop_close(&p, kinds[k].name, sum_over(&p, &f, who, theta),
                           exp(all) * (1 - hidden_share(&f, who, of)), 1e-11);
        }
}

static void the_order_of_persons_does_not_matter(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, LARGE_SEEDS)) {
            made_options o = sized(&p, &kinds[k], 11, 4);
            double theta = theta_of(&p);
            atg_person turned[MADE_PERSONS];
            made f;

            made_family(&p, &f, &o);

            uint32_t by = 1 + prop_below(&p, f.n - 1);

            for (uint32_t i = 0; i < f.n; i++) {
                atg_person *q = &turned[(i + by) % f.n];

                *q = f.persons[i];
                q->father = q->father < 0 ? -1 : (int32_t)(((uint32_t)q->father + by) % f.n);
                q->mother = q->mother < 0 ? -1 : (int32_t)(((uint32_t)q->mother + by) % f.n);
            }
            prop_close_log(&p, kinds[k].name, loglik(&p, &f, &(atg_pedigree){f.n, turned}, theta),
                           loglik(&p, &f, &f.ped, theta), 1e-11);
        }
}

/* Allele i becomes to[i], with all that belongs to it. */
static void relabel(made *f, const uint32_t *to) {
    atg_marker *k = &f->markers[0];
    made old = *f;

    for (uint32_t i = 0; i < k->n; i++) {
        f->freqs[0][to[i]] = old.freqs[0][i];
        f->tenths[0][to[i]] = old.tenths[0][i];
        for (uint32_t j = 0; j < k->n; j++)
            for (int s = 0; s < 2; s++)
                f->given[0][s][to[i] * k->n + to[j]] = old.given[0][s][i * k->n + j];
    }
    k->silent = (int16_t)(k->silent < 0 ? -1 : (int)to[k->silent]);
    for (uint32_t i = 0; i < f->n; i++) {
        atg_geno g = old.genos[i][0];

        f->genos[i][0] = (atg_geno){(int16_t)(g.a < 0 ? -1 : (int)to[g.a]),
                                    (int16_t)(g.b < 0 ? -1 : (int)to[g.b])};
    }
}

static void the_order_of_alleles_does_not_matter(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, LARGE_SEEDS)) {
            made_options o = sized(&p, &kinds[k], 7, 5);
            double theta = theta_of(&p), before;
            uint32_t to[MADE_ALLELES] = {3, 0, 4, 1, 2};
            made f;

            o.alleles = 5;
            made_family(&p, &f, &o);
            if (f.markers[0].female.model == ATG_MUT_DAWID)
                continue; /* its steps are counted along the table */
            before = loglik(&p, &f, &f.ped, theta);
            relabel(&f, to);
            prop_close_log(&p, kinds[k].name, loglik(&p, &f, &f.ped, theta), before, 1e-11);
        }
}

static void lumping_alleles_changes_nothing(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, LARGE_SEEDS)) {
            double theta = theta_of(&p), lumped;
            made_options o = sized(&p, &kinds[k], 8, theta > 0 ? 4 : 8);
            made f;

            o.model = (int)prop_below(&p, MADE_LUMPED);
            o.typed = 0.3;
            made_family(&p, &f, &o);
            lumped = loglik(&p, &f, &f.ped, theta);
            made_unlump(&f, 0);
            prop_close_log(&p, kinds[k].name, lumped, loglik(&p, &f, &f.ped, theta), 1e-11);
        }
}

/* P(a/b and everything seen) / P(everything seen), for every a/b of a person. */
static void same_distribution(const prop *p, made *f, uint32_t who, double theta,
                              const double *of) {
    const atg_marker *k = &f->markers[0];
    bool haploid = k->chrom == ATG_CHROM_X && f->persons[who].sex == ATG_SEX_MALE;
    atg_obs kept = f->obs[0][who];
    double all = made_brute(f, 0, &f->ped, f->obs[0], theta);

    for (int16_t a = 0; a < (int16_t)k->n; a++)
        for (int16_t b = a; b < brute_end(k, haploid, a); b++) {
            brute at = {.marker = k};
            double seen = brute_seen(&at, &kept, b, haploid ? -1 : a), certain;

            f->obs[0][who] = (atg_obs){.geno = {a, b}};
            certain = made_brute(f, 0, &f->ped, f->obs[0], theta);
            prop_close(p, "share of a genotype", of[b * (b + 1) / 2 + a], certain * seen / all,
                       1e-11);
        }
}

/* Of anybody: related parents, founders, typed persons. */
static void distributions_of_genotypes_are_ratios_of_likelihoods(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, BRUTE_SEEDS)) {
            made_options o = sized(&p, &kinds[k], 4, 3);
            double theta = theta_of(&p), of[PAIRS], loglik_all, all;
            atg_err err = {0};
            made f;

            made_family(&p, &f, &o);

            uint32_t who = prop_below(&p, f.n);

            prop_ok(
                &p,
                atg_genotype_distribution(&(atg_person_at){f.markers, 0, &f.ped, who, theta, NULL},
                                          of, &loglik_all, &err),
                &err);
            all = made_brute(&f, 0, &f.ped, f.obs[0], theta);
            prop_close(&p, "likelihood", exp(loglik_all), all, 1e-11);
            if (all > 0 && f.markers[0].silent < 0) /* silent: seen is not the genotype */
                same_distribution(&p, &f, who, theta, of);
        }
}

static void distributions_of_genotypes_sum_to_one(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, LARGE_SEEDS)) {
            double theta = theta_of(&p), of[PAIRS], all, sum = 0;
            made_options o = sized(&p, &kinds[k], 9, theta > 0 ? 4 : 7);
            atg_err err = {0};
            made f;

            made_family(&p, &f, &o);
            prop_ok(&p,
                    atg_genotype_distribution(
                        &(atg_person_at){f.markers, 0, &f.ped, prop_below(&p, f.n), theta, NULL},
                        of, &all, &err),
                    &err);
            for (uint32_t g = 0; g < o.alleles * (o.alleles + 1) / 2; g++)
                sum += of[g];
            prop_close(&p, kinds[k].name, sum, isfinite(all) ? 1 : 0, 1e-11);
        }
}

static void a_single_observation_has_the_probability_of_a_founder(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, BRUTE_SEEDS)) {
            made_options o = sized(&p, &kinds[k], 2, 4);
            double theta = theta_of(&p), got = 0;
            atg_err err = {0};
            made f;

            o.inbred = false;
            made_family(&p, &f, &o);
            for (uint32_t i = 0; i < 2; i++) {
                atg_person alone = f.persons[i];

                alone.father = alone.mother = -1;
                prop_ok(&p, atg_loglik_obs(f.markers, f.obs[0][i], alone.sex, theta, &got, &err),
                        &err);
                prop_close(&p, kinds[k].name, exp(got),
                           made_brute(&f, 0, &(atg_pedigree){1, &alone}, &f.obs[0][i], theta),
                           1e-12);
            }
        }
}

static void an_impossible_family_has_likelihood_zero(void **state) {
    static const double freqs[3] = {0.2, 0.3, 0.5};
    atg_marker marker = {.n = 3, .freqs = freqs, .silent = -1, .linked_to = -1};
    atg_geno father = {0, 0}, child = {1, 1};
    atg_person persons[] = {
        {.father = -1, .mother = -1, .sex = ATG_SEX_MALE, .genos = &father},
        {.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE},
        {.father = 0, .mother = 1, .sex = ATG_SEX_MALE, .genos = &child},
    };
    atg_pedigree ped = {3, persons};
    double got = 0, of[6];

    (void)state;
    assert_int_equal(atg_loglik(&marker, 0, &ped, 0, &got, NULL), ATG_OK);
    assert_true(isinf(got) && got < 0);
    assert_int_equal(atg_loglik(&marker, 0, &ped, 0.02, &got, NULL), ATG_OK);
    assert_true(isinf(got) && got < 0);
    assert_int_equal(
        atg_genotype_distribution(&(atg_person_at){&marker, 0, &ped, 1, 0, NULL}, of, &got, NULL),
        ATG_OK);
    assert_true(isinf(got) && got < 0);
    for (int g = 0; g < 6; g++)
        assert_true(of[g] == 0);
    marker.male = (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.001};
    assert_int_equal(atg_loglik(&marker, 0, &ped, 0, &got, NULL), ATG_OK);
    assert_true(fabs(exp(got) - 0.04 * 0.0005 * 0.3) < 1e-15);
}

static void markers_of_a_haplotype_and_amelogenin_have_no_likelihood(void **state) {
    static const double freqs[2] = {0.5, 0.5};
    atg_marker marker = {.n = 2, .freqs = freqs, .silent = -1, .linked_to = -1};
    atg_geno geno = {0, 1};
    atg_person person = {.father = -1, .mother = -1, .sex = ATG_SEX_MALE, .genos = &geno};
    atg_pedigree ped = {1, &person};
    double got = 1;

    (void)state;
    marker.chrom = ATG_CHROM_Y;
    assert_int_equal(atg_loglik(&marker, 0, &ped, 0, &got, NULL), ATG_OK);
    assert_true(got == 0);
    marker.chrom = ATG_CHROM_AMELOGENIN;
    got = 1;
    assert_int_equal(atg_loglik(&marker, 0, &ped, 0, &got, NULL), ATG_OK);
    assert_true(got == 0);
}

static const int16_t many = 46; /* alleles */
enum { MANY = 46 };

static atg_geno sorted(int16_t a, int16_t b) {
    return a < b ? (atg_geno){a, b} : (atg_geno){b, a};
}

/* Children of whom one allele each was read, at a marker of so many alleles that the table of their
 * parents' four does not do: one more of them is the sum over what the other allele may be. */
static void alleles_that_were_not_read_are_summed_over_at_markers_of_many_alleles(void **state) {
    static const int16_t read[] = {5, 30, 12};
    double freqs[MANY];
    int16_t tenths[MANY];
    atg_mutation step = {.model = ATG_MUT_STEPWISE, .rate = 0.01, .rate2 = 1e-4, .range = 0.2};
    atg_marker marker = {.n = MANY,
                         .freqs = freqs,
                         .tenths = tenths,
                         .silent = -1,
                         .linked_to = -1,
                         .female = step,
                         .male = step};
    atg_geno seen[3];
    atg_person persons[] = {{.father = -1, .mother = -1, .sex = ATG_SEX_MALE},
                            {.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE},
                            {.father = 0, .mother = 1, .sex = ATG_SEX_MALE, .genos = &seen[0]},
                            {.father = 0, .mother = 1, .sex = ATG_SEX_MALE, .genos = &seen[1]},
                            {.father = 0, .mother = 1, .sex = ATG_SEX_MALE, .genos = &seen[2]}};

    (void)state;
    for (int16_t a = 0; a < many; a++) {
        freqs[a] = 2.0 * (a + 1) / (MANY * (MANY + 1));
        tenths[a] = (int16_t)(10 * (a + 5));
    }
    for (uint32_t n = 0; n < 3; n++) {
        atg_pedigree ped = {3 + n, persons};
        double got = 0, one = 0, sum = 0;

        seen[n] = (atg_geno){read[n], ATG_ALLELE_UNREAD};
        assert_int_equal(atg_loglik(&marker, 0, &ped, 0, &got, NULL), ATG_OK);
        for (int16_t a = 0; a < many; a++) {
            seen[n] = sorted(a, read[n]);
            assert_int_equal(atg_loglik(&marker, 0, &ped, 0, &one, NULL), ATG_OK);
            sum += exp(one);
        }
        seen[n] = (atg_geno){read[n], ATG_ALLELE_UNREAD};
        assert_true(fabs(exp(got) / sum - 1) < 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(likelihoods_are_sums_over_all_ordered_genotypes),
        cmocka_unit_test(likelihoods_sum_to_one_over_what_may_be_seen),
        cmocka_unit_test(the_order_of_persons_does_not_matter),
        cmocka_unit_test(the_order_of_alleles_does_not_matter),
        cmocka_unit_test(lumping_alleles_changes_nothing),
        cmocka_unit_test(distributions_of_genotypes_are_ratios_of_likelihoods),
        cmocka_unit_test(distributions_of_genotypes_sum_to_one),
        cmocka_unit_test(a_single_observation_has_the_probability_of_a_founder),
        cmocka_unit_test(an_impossible_family_has_likelihood_zero),
        cmocka_unit_test(markers_of_a_haplotype_and_amelogenin_have_no_likelihood),
        cmocka_unit_test(alleles_that_were_not_read_are_summed_over_at_markers_of_many_alleles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
