/* SPDX-License-Identifier: Apache-2.0 */
/* Kinship, power of exclusion, and pedigrees at the limits. */
#include "testing.h"

#include "made_family.h"

enum { SEEDS = 200, DROPS = 40000, LARGE = 200 };

/* id,father,mother,sex; separated by blanks; parents before children. */
static const struct {
    const char *persons;
    int i, j;
    double kinship, kinship_x;
} relations[] = {
    {"-,-,M -,-,F", 0, 1, 0, 0},
    {"-,-,M", 0, 0, 0.5, 1},
    {"-,-,F", 0, 0, 0.5, 0.5},
    {"-,-,M -,-,F 0,1,M", 0, 2, 0.25, 0},                    /* father and son */
    {"-,-,M -,-,F 0,1,F", 0, 2, 0.25, 0.5},                  /* father and daughter */
    {"-,-,M -,-,F 0,1,M", 1, 2, 0.25, 0.5},                  /* mother and son */
    {"-,-,M -,-,F 0,1,F", 1, 2, 0.25, 0.25},                 /* mother and daughter */
    {"-,-,M -,-,F 0,1,M 0,1,M", 2, 3, 0.25, 0.5},            /* brothers */
    {"-,-,M -,-,F 0,1,F 0,1,F", 2, 3, 0.25, 0.375},          /* sisters */
    {"-,-,M -,-,F 0,1,M 0,1,F", 2, 3, 0.25, 0.25},           /* brother and sister */
    {"-,-,M -,-,F -,-,F 0,1,F 0,2,F", 3, 4, 0.125, 0.25},    /* half-sisters, father's */
    {"-,-,M -,-,F -,-,F 0,1,M 0,2,M", 3, 4, 0.125, 0},       /* half-brothers, father's */
    {"-,-,M -,-,F 0,1,M -,-,F 2,3,M", 0, 4, 0.125, 0},       /* father's father */
    {"-,-,M -,-,F 0,1,F -,-,M 3,2,M", 0, 4, 0.125, 0.5},     /* mother's father */
    {"-,-,M -,-,F 0,1,M 0,1,M -,-,F 2,4,M", 3, 5, 0.125, 0}, /* father's brother */
    {"-,-,M -,-,F 0,1,M 0,1,M -,-,F -,-,F 2,4,M 3,5,M", 6, 7, 0.0625, 0}, /* cousins */
    {"-,-,M -,-,F 0,1,M 0,1,F 2,3,F", 4, 4, 0.625, 0.625}, /* child of brother and sister */
};

static atg_pedigree read_pedigree(const char *text, atg_person *persons) {
    atg_str rest = atg_str_of(text);
    uint32_t n = 0;

    while (rest.n) {
        atg_str line = atg_str_cut(&rest, ' ');
        int32_t parents[2];

        for (int k = 0; k < 2; k++) {
            atg_str parent = atg_str_cut(&line, ',');

            parents[k] = *parent.p == '-' ? -1 : *parent.p - '0';
        }
        persons[n++] = (atg_person){.father = parents[0],
                                    .mother = parents[1],
                                    .sex = *line.p == 'M' ? ATG_SEX_MALE : ATG_SEX_FEMALE};
    }
    return (atg_pedigree){n, persons};
}

static void kinship_has_its_textbook_values(void **state) {
    (void)state;
    for (size_t r = 0; r < sizeof(relations) / sizeof(*relations); r++)
        for (int x = 0; x < 2; x++) {
            atg_person persons[MADE_PERSONS];
            atg_pedigree ped = read_pedigree(relations[r].persons, persons);
            double k[MADE_PERSONS * MADE_PERSONS],
                want = x ? relations[r].kinship_x : relations[r].kinship;

            assert_int_equal(atg_kinship(&ped, x == 1, k, NULL), ATG_OK);
            if (k[(uint32_t)relations[r].i * ped.n + (uint32_t)relations[r].j] != want)
                fail_msg("relation %zu, x %d: %g", r, x,
                         k[(uint32_t)relations[r].i * ped.n + (uint32_t)relations[r].j]);
        }
}

static void founders_bring_their_inbreeding(void **state) {
    atg_person persons[MADE_PERSONS];
    atg_pedigree ped = read_pedigree("-,-,M -,-,F 0,1,M 0,1,F", persons);
    double k[16];

    (void)state;
    persons[0].inbreeding = 0.25;
    assert_int_equal(atg_kinship(&ped, false, k, NULL), ATG_OK);
    assert_true(k[0] == 0.625);
    assert_true(k[2 * 4 + 3] == (0.625 + 0.5) / 4);
    assert_int_equal(atg_kinship(&ped, true, k, NULL), ATG_OK);
    assert_true(k[0] == 1);
}

/* Every founder allele different, passed on by chance. */
static void drop_genes(prop *p, const atg_pedigree *ped, const uint32_t *order, int (*ret)[2]) {
    for (uint32_t n = 0; n < ped->n; n++) {
        uint32_t i = order[n];
        const atg_person *q = &ped->persons[i];

        for (int s = 0; s < 2; s++)
            ret[i][s] =
                q->father < 0 ? (int)(2 * i) + s : ret[s ? q->father : q->mother][prop_below(p, 2)];
    }
}

/* Kinship is the chance that two random alleles are one. */
static void kinship_is_identity_of_random_alleles(void **state) {
    (void)state;
    for (PROP_EACH(p, 4)) {
        made_options o = {.persons = 8, .alleles = 2};
        made f;
        double k[MADE_PERSONS * MADE_PERSONS];
        uint32_t same[MADE_PERSONS * MADE_PERSONS] = {0}, order[MADE_PERSONS];

        made_family(&p, &f, &o);
        brute_parents_first(&f.ped, order);
        for (uint32_t d = 0; d < DROPS; d++) {
            int gene[MADE_PERSONS][2] = {{0}};

            drop_genes(&p, &f.ped, order, gene);
            for (uint32_t c = 0; c < f.n * f.n; c++)
                same[c] += gene[c / f.n][prop_below(&p, 2)] == gene[c % f.n][prop_below(&p, 2)];
        }
        assert_int_equal(atg_kinship(&f.ped, false, k, NULL), ATG_OK);
        for (uint32_t c = 0; c < f.n * f.n; c++)
            if (fabs((double)same[c] / DROPS - k[c]) > 5 * sqrt(k[c] * (1 - k[c]) / DROPS))
                fail_msg("kinship %g, dropped %g", k[c], (double)same[c] / DROPS);
    }
}

static void a_pedigree_that_is_none_has_no_kinship(void **state) {
    atg_person persons[MADE_PERSONS];
    atg_pedigree ped = read_pedigree("-,-,M -,-,F 0,1,M", persons);
    double k[9];
    atg_err err = {0};

    (void)state;
    persons[0].father = 2;
    persons[0].mother = 1;
    assert_int_equal(atg_kinship(&ped, false, k, &err), ATG_EINVAL);
    assert_true(strlen(err.msg) > 0);
}

/* The power of exclusion is the share of what may be seen that makes the family impossible. */
static double share_excluded(const prop *p, made *f, uint32_t who) {
    const atg_marker *k = &f->markers[0];
    bool haploid = k->chrom == ATG_CHROM_X && f->persons[who].sex == ATG_SEX_MALE;
    atg_geno geno[1];
    double excluded = 0, own = 0;
    atg_err err = {0};

    prop_ok(p, atg_loglik(f->markers, 0, &f->ped, 0, &own, &err), &err);
    f->persons[who].genos = geno;
    for (int16_t a = 0; a < k->n && isfinite(own); a++)
        for (int16_t b = a; b < brute_end(k, haploid, a); b++) {
            double loglik = 0, seen = 0;

            geno[0] = (atg_geno){a, b};
            if (a == k->silent || b == k->silent)
                continue;
            prop_ok(p, atg_loglik(f->markers, 0, &f->ped, 0, &loglik, &err), &err);
            prop_ok(
                p,
                atg_loglik_obs(k, (atg_obs){.geno = geno[0]}, f->persons[who].sex, 0, &seen, &err),
                &err);
            excluded += isfinite(loglik) ? 0 : exp(seen);
        }
    f->persons[who].genos = NULL;
    return excluded;
}

static void power_of_exclusion_is_the_share_of_what_is_impossible(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        made_options o = {.persons = 3 + prop_below(&p, 5), .alleles = 4, .typed = 0.5};
        double got = 0;
        atg_err err = {0};
        made f;

        o.x = prop_chance(&p, 0.4);
        o.partial = prop_chance(&p, 0.3);
        o.silent = prop_chance(&p, 0.4);
        made_family(&p, &f, &o); /* model 0: none */

        uint32_t who = prop_below(&p, f.n);

        f.persons[who].genos = NULL;
        f.markers[0].male = (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.1}; /* is ignored */
        prop_ok(&p, atg_exclusion_power(f.markers, 0, &f.ped, who, &got, &err), &err);
        f.markers[0].male = (atg_mutation){0};
        prop_close_log(&p, "power", got, share_excluded(&p, &f, who), 1e-13);
    }
}

/* Two hundred children of one untyped couple: far below the smallest double. */
static void large_families_do_not_underflow(void **state) {
    static const double freqs[3] = {0.001, 0.009, 0.99};
    static atg_person persons[LARGE + 2];
    atg_marker marker = {.n = 3, .freqs = freqs, .silent = -1, .linked_to = -1};
    atg_geno child = {0, 1};
    double got = 0, want;

    (void)state;
    persons[0] = (atg_person){.father = -1, .mother = -1, .sex = ATG_SEX_MALE};
    persons[1] = (atg_person){.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE};
    for (int i = 0; i < LARGE; i++)
        persons[i + 2] =
            (atg_person){.father = 0, .mother = 1, .sex = ATG_SEX_MALE, .genos = &child};
    assert_int_equal(atg_loglik(&marker, 0, &(atg_pedigree){LARGE + 2, persons}, 0, &got, NULL),
                     ATG_OK);
    /* both parents homozygous and different: anything else has 2^-200 of it */
    want = log(2 * 0.001 * 0.001 * 0.009 * 0.009);
    assert_true(fabs(got - want) < 1e-9);
    for (int i = 0; i < LARGE; i++) /* each with a mother of his own: P(child) many times over */
        persons[i + 2].father = persons[i + 2].mother = -1;
    assert_int_equal(atg_loglik(&marker, 0, &(atg_pedigree){LARGE + 2, persons}, 0, &got, NULL),
                     ATG_OK);
    assert_true(fabs(got - LARGE * log(2 * 0.001 * 0.009)) < 1e-8);
}

/* Half-siblings by the hundred, each of another unknown mother. */
static void a_parent_of_a_hundred_does_not_underflow(void **state) {
    enum { KIDS = 127 };
    static const double freqs[2] = {0.0001, 0.9999};
    static atg_person persons[2 * KIDS + 1];
    atg_marker marker = {.n = 2, .freqs = freqs, .silent = -1, .linked_to = -1};
    atg_geno child = {0, 0};
    double got = 0, want;

    (void)state;
    persons[0] = (atg_person){.father = -1, .mother = -1, .sex = ATG_SEX_MALE};
    for (int i = 0; i < KIDS; i++) {
        persons[1 + i] = (atg_person){.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE};
        persons[1 + KIDS + i] =
            (atg_person){.father = 0, .mother = 1 + i, .sex = ATG_SEX_MALE, .genos = &child};
    }
    assert_int_equal(atg_loglik(&marker, 0, &(atg_pedigree){2 * KIDS + 1, persons}, 0, &got, NULL),
                     ATG_OK);
    want =
        2 * log(0.0001) + KIDS * log(0.0001); /* the father a/a, or a/b with chance 1/2 a child */
    assert_true(fabs(got - want) < 1e-9);
}

/* Persons of any two parents before them, the last few typed. */
static void tangle(prop *p, uint32_t n, uint32_t founders, const atg_geno *typed,
                   atg_person *persons) {
    for (uint32_t i = 0; i < n; i++) {
        persons[i] =
            (atg_person){.father = -1, .mother = -1, .sex = i % 2 ? ATG_SEX_FEMALE : ATG_SEX_MALE};
        if (i >= founders) {
            persons[i].father = (int32_t)(2 * prop_below(p, i / 2));
            persons[i].mother = (int32_t)(2 * prop_below(p, i / 2) + 1);
        }
        persons[i].genos = i >= n - n / 4 ? typed : NULL;
    }
}

/* With few alleles a meiosis is one table, with many it has a variable of its own; an allele that
 * nobody shows may be split in two without a change.  Tangled pedigrees go from one to the other.
 */
static void many_alleles_are_summed_as_few_are(void **state) {
    enum { FEW = 9, TANGLES = 40 };

    (void)state;
    for (PROP_EACH(p, TANGLES)) {
        static double freqs[2][FEW + 1], matrix[2][(FEW + 1) * (FEW + 1)];
        atg_person persons[28];
        atg_geno typed = {0, 1};
        uint32_t n = 12 + prop_below(&p, 16);
        double got[2] = {0};

        tangle(&p, n, n / 3, &typed, persons);
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t alleles = FEW + k;
            atg_mutation any = {.model = ATG_MUT_CUSTOM, .matrix = matrix[k]};
            atg_marker marker = {.n = (uint16_t)alleles,
                                 .freqs = freqs[k],
                                 .silent = -1,
                                 .linked_to = -1,
                                 .female = any,
                                 .male = any};
            atg_err err = {0};

            for (uint32_t i = 0; i < alleles; i++)
                freqs[k][i] = i + 1 < FEW ? 1.0 / FEW : 1.0 / FEW / (alleles - FEW + 1);
            for (uint32_t i = 0; i < alleles * alleles; i++)
                matrix[k][i] = (i % (alleles + 1) == 0 ? 0.9 : 0) + 0.1 * freqs[k][i % alleles];
            prop_ok(&p, atg_loglik(&marker, 0, &(atg_pedigree){n, persons}, 0, &got[k], &err),
                    &err);
        }
        prop_close(&p, "split", got[0], got[1], 1e-12);
    }
}

/* Every person's parents are any two of those before: nothing to cut. */
static void hopelessly_entangled_pedigrees_are_refused_in_words(void **state) {
    enum { ALLELES = 20 };
    static atg_person persons[LARGE];
    static double freqs[ALLELES], matrix[ALLELES * ALLELES];
    atg_mutation any = {.model = ATG_MUT_CUSTOM, .matrix = matrix};
    atg_marker marker = {
        .n = ALLELES, .freqs = freqs, .silent = -1, .linked_to = -1, .female = any, .male = any};
    atg_geno typed = {0, 1};
    prop p = prop_seed(5);
    double got = 7;
    atg_err err = {0};

    (void)state;
    for (int i = 0; i < ALLELES; i++)
        freqs[i] = 1.0 / ALLELES;
    for (int i = 0; i < ALLELES * ALLELES; i++)
        matrix[i] = (i % (ALLELES + 1) == 0 ? 0.9 : 0) + 0.1 / ALLELES;
    tangle(&p, LARGE, 20, &typed, persons);
    assert_int_equal(atg_loglik(&marker, 0, &(atg_pedigree){LARGE, persons}, 0, &got, &err),
                     ATG_ELIMIT);
    assert_non_null(strstr(err.msg, "entangled"));
    assert_true(got == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinship_has_its_textbook_values),
        cmocka_unit_test(founders_bring_their_inbreeding),
        cmocka_unit_test(kinship_is_identity_of_random_alleles),
        cmocka_unit_test(a_pedigree_that_is_none_has_no_kinship),
        cmocka_unit_test(power_of_exclusion_is_the_share_of_what_is_impossible),
        cmocka_unit_test(large_families_do_not_underflow),
        cmocka_unit_test(a_parent_of_a_hundred_does_not_underflow),
        cmocka_unit_test(many_alleles_are_summed_as_few_are),
        cmocka_unit_test(hopelessly_entangled_pedigrees_are_refused_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
