/* SPDX-License-Identifier: Apache-2.0 */
/* Two linked markers, and which markers may be multiplied. */
#include "testing.h"

#include "made_operation.h"

enum { BRUTE_SEEDS = 80, LARGE_SEEDS = 80 };

/* Two markers at once, by going through every pair of haplotypes of every person. */
typedef struct two {
    const made *f;
    double rho;
    uint32_t order[MADE_PERSONS];
    int hap[MADE_PERSONS][2][2]; /* [person][0 maternal, 1 paternal][marker]; -1: none */
} two;

static bool haploid_at(const made *f, uint32_t i) {
    return f->markers[0].chrom == ATG_CHROM_X && f->persons[i].sex == ATG_SEX_MALE;
}

static double passed(const two *t, int paternal, uint32_t parent, const int *to) {
    double sum = 0, chance[2] = {(1 - t->rho) / 2, t->rho / 2};

    if (t->hap[parent][1][0] < 0) { /* one haplotype only */
        sum = 1;
        for (int m = 0; m < 2; m++)
            sum *= t->f->matrix[m][paternal][t->hap[parent][0][m] * t->f->markers[m].n + to[m]];
        return sum;
    }
    for (int from = 0; from < 4; from++) {
        int of[2] = {from & 1, from >> 1};
        double p = chance[of[0] != of[1]];

        for (int m = 0; m < 2; m++)
            p *= t->f->matrix[m][paternal][t->hap[parent][of[m]][m] * t->f->markers[m].n + to[m]];
        sum += p;
    }
    return sum;
}

static double haplotype(const two *t, uint32_t i, int paternal) {
    const atg_person *person = &t->f->persons[i];
    const int *h = t->hap[i][paternal];

    if (person->father < 0)
        return t->f->freqs[0][h[0]] * t->f->freqs[1][h[1]];
    return passed(t, paternal, (uint32_t)(paternal ? person->father : person->mother), h);
}

static uint32_t ways(const void *user, uint32_t at) {
    const two *t = user;
    uint32_t one = (uint32_t)t->f->markers[0].n * t->f->markers[1].n;

    return haploid_at(t->f, t->order[at]) ? one : one * one;
}

static double take(void *user, uint32_t at, uint32_t way) {
    two *t = user;
    uint32_t i = t->order[at], n[2] = {t->f->markers[0].n, t->f->markers[1].n}, one = n[0] * n[1];
    bool haploid = haploid_at(t->f, i);
    double p = 1;

    t->hap[i][0][0] = (int)(way % n[0]);
    t->hap[i][0][1] = (int)(way / n[0] % n[1]);
    t->hap[i][1][0] = haploid ? -1 : (int)(way / one % n[0]);
    t->hap[i][1][1] = haploid ? -1 : (int)(way / one / n[0]);
    for (int m = 0; m < 2; m++) {
        brute b = {.marker = &t->f->markers[m]};

        p *= brute_seen(&b, &t->f->obs[m][i], t->hap[i][0][m], t->hap[i][1][m]);
    }
    for (int s = 0; s < (haploid ? 1 : 2) && p > 0; s++)
        p *= haplotype(t, i, s);
    return p;
}

static double brute_linked(const made *f, double rho) {
    two t = {.f = f, .rho = rho};

    brute_parents_first(&f->ped, t.order);
    return brute_walk(f->n, ways, take, &t);
}

static double linked(const prop *p, const made *f, const atg_pedigree *ped, double rho) {
    double ret = 0;
    atg_err err = {0};

    prop_ok(p, atg_loglik_linked(f->markers, 0, 1, rho, ped, &ret, &err), &err);
    return ret;
}

static made_options sized(prop *p, uint32_t persons, uint32_t alleles) {
    made_options o = {.model = -1, .markers = 2, .typed = 0.6};

    o.persons = 2 + prop_below(p, persons - 1);
    o.alleles = alleles;
    o.x = prop_chance(p, 0.3);
    o.silent = prop_chance(p, 0.2);
    o.partial = prop_chance(p, 0.3);
    return o;
}

static void linked_likelihoods_are_sums_over_all_haplotypes(void **state) {
    (void)state;
    for (PROP_EACH(p, BRUTE_SEEDS)) {
        made_options o = sized(&p, 5, 2);
        double rho = prop_chance(&p, 0.2) ? 0 : prop_between(&p, 0, 0.5);
        made f;

        made_family(&p, &f, &o);
        prop_close(&p, "likelihood", exp(linked(&p, &f, &f.ped, rho)), brute_linked(&f, rho),
                   1e-11);
    }
}

static void half_recombination_is_no_linkage(void **state) {
    (void)state;
    for (PROP_EACH(p, LARGE_SEEDS)) {
        made_options o = sized(&p, 9, 4);
        double sum = 0;
        made f;
        atg_err err = {0};

        made_family(&p, &f, &o);
        for (uint32_t m = 0; m < 2; m++) {
            double one = 0;

            prop_ok(&p, atg_loglik(f.markers, m, &f.ped, 0, &one, &err), &err);
            sum += one;
        }
        prop_close_log(&p, "likelihood", linked(&p, &f, &f.ped, 0.5), sum, 1e-11);
    }
}

/* The values of a linked pair add up to the LR of both together. */
static void lrs_of_linked_markers_add_up(void **state) {
    (void)state;
    for (PROP_EACH(p, LARGE_SEEDS)) {
        made_options options = sized(&p, 7, 3);
        double got[2], with, without, alone = 0;
        made_operation o;
        atg_err err = {0};

        options.dropout = prop_chance(&p, 0.3) ? 0.2 : 0;
        made_operation_open(&p, &o, &options, 1, 0);
        o.family.markers[1].linked_to = 0;
        o.family.markers[1].rho = prop_between(&p, 0, 0.5);
        made_sample(&p, &o, o.family.persons[0].sex, &options);
        prop_ok(&p, atg_pair_lr(&o.op, o.samples, 0, true, got, &err), &err);
        if (isnan(got[0]) || isnan(got[1]))
            continue;
        without = linked(&p, &o.family, &o.family.ped, o.family.markers[1].rho);
        if (!isfinite(without))
            continue;
        o.family.persons[0].genos = o.genos[0];
        o.family.persons[0].dropout = o.samples[0].dropout;
        with = linked(&p, &o.family, &o.family.ped, o.family.markers[1].rho);
        for (uint32_t m = 0; m < 2; m++) {
            double one = 0;

            prop_ok(&p,
                    atg_loglik_obs(&o.family.markers[m],
                                   (atg_obs){o.genos[0][m], o.samples[0].dropout, 0},
                                   o.family.persons[0].sex, 0, &one, &err),
                    &err);
            alone += one;
        }
        prop_close_log(&p, "LR", atg_combine_lr(&o.op, got), (with - without - alone) / M_LN10,
                       1e-10);
    }
}

static void a_linked_marker_counts_by_itself_where_its_partner_says_nothing(void **state) {
    prop p = prop_seed(3);
    made_options options = {.persons = 4, .alleles = 3, .markers = 2, .model = 1, .typed = 1};
    made_operation o;
    double pair[2], single[2], pooled[2];
    atg_err err = {0};

    (void)state;
    made_operation_open(&p, &o, &options, 1, 0);
    made_sample(&p, &o, o.family.persons[0].sex, &options);
    o.genos[0][0] = ATG_UNTYPED;
    o.genos[0][1] = (atg_geno){0, 1};
    prop_ok(&p, atg_pair_lr(&o.op, o.samples, 0, true, single, &err), &err);
    o.family.markers[1].linked_to = 0;
    o.family.markers[1].rho = 0.1;
    prop_ok(&p, atg_pair_lr(&o.op, o.samples, 0, true, pair, &err), &err);
    assert_true(isnan(pair[0]) && pair[1] == single[1]);
    assert_true(atg_combine_lr(&o.op, pair) == pair[1]);
    o.op.params.theta = 0.01; /* linked pairs are not computed with theta: the second is left out */
    o.genos[0][0] = (atg_geno){0, 1};
    prop_ok(&p, atg_pair_lr(&o.op, o.samples, 0, true, pooled, &err), &err);
    assert_true(!isnan(pooled[0]) && isnan(pooled[1]));
}

static void a_family_that_contradicts_itself_at_one_marker_leaves_the_other(void **state) {
    static const double freqs[2] = {0.4, 0.6};
    atg_geno father[2] = {{0, 0}, {0, 1}}, child[2] = {{1, 1}, {0, 0}}, body[2] = {{0, 0}, {0, 1}};
    atg_person persons[] = {
        {.father = -1, .mother = -1, .sex = ATG_SEX_MALE, .genos = father},
        {.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE},
        {.father = 0, .mother = 1, .sex = ATG_SEX_MALE, .genos = child},
    };
    uint32_t number = 0;
    atg_missing missing = {.person = 1};
    atg_family family = {.ped = {3, persons}, .n_missing = 1, .missing = &number};
    atg_marker markers[2];
    atg_operation op = {.params = atg_params_default(),
                        .n_markers = 2,
                        .markers = markers,
                        .n_families = 1,
                        .families = &family,
                        .n_missing = 1,
                        .missing = &missing};
    atg_sample sample = {.sex = ATG_SEX_FEMALE, .genos = body};
    double got[2];

    (void)state;
    for (int m = 0; m < 2; m++)
        markers[m] =
            (atg_marker){.n = 2, .freqs = freqs, .silent = -1, .linked_to = (int16_t)(m - 1)};
    markers[1].rho = 0.1;
    assert_int_equal(atg_pair_lr(&op, &sample, 0, true, got, NULL), ATG_OK);
    assert_true(got[0] == 0);
    assert_true(fabs(pow(10, got[1]) - 0.5 / 0.4) < 1e-12); /* mother and child share allele 0 */
}

static void of_a_linkage_group_the_most_telling_marker_is_taken(void **state) {
    static const double even[2] = {0.5, 0.5}, uneven[2] = {0.9, 0.1};
    static const struct {
        atg_chrom chrom;
        uint16_t group;
        int16_t linked_to;
        const double *freqs;
        bool taken;
    } cases[] = {
        {ATG_CHROM_AUTOSOMAL, 0, -1, even, true}, {ATG_CHROM_AUTOSOMAL, 0, 0, even, false},
        {ATG_CHROM_Y, 0, -1, even, false},        {ATG_CHROM_AMELOGENIN, 0, -1, even, false},
        {ATG_CHROM_X, 1, -1, uneven, false},      {ATG_CHROM_X, 1, -1, even, true},
        {ATG_CHROM_X, 1, -1, even, false},        {ATG_CHROM_X, 2, -1, uneven, true},
        {ATG_CHROM_X, 0, -1, uneven, true},       {ATG_CHROM_X, 0, -1, even, true},
    };
    enum { N = sizeof(cases) / sizeof(*cases) };
    atg_marker markers[N];
    atg_operation op = {.n_markers = N, .markers = markers};
    bool taken[N];
    double values[N], sum = 0;

    (void)state;
    for (int i = 0; i < N; i++) {
        markers[i] = (atg_marker){.chrom = cases[i].chrom,
                                  .n = 2,
                                  .freqs = cases[i].freqs,
                                  .silent = -1,
                                  .linkage_group = cases[i].group,
                                  .linked_to = cases[i].linked_to};
        values[i] = cases[i].chrom == ATG_CHROM_Y ? (double)NAN : i + 1;
        sum += cases[i].taken || cases[i].linked_to == 0 ? values[i] : 0;
    }
    atg_independent_markers(&op, taken);
    for (int i = 0; i < N; i++)
        assert_int_equal(taken[i], cases[i].taken);
    assert_true(fabs(atg_combine_lr(&op, values) - sum) < 1e-12);
    values[0] = NAN;
    assert_true(fabs(atg_combine_lr(&op, values) - (sum - 1)) < 1e-12);
    values[9] = -INFINITY;
    assert_true(isinf(atg_combine_lr(&op, values)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linked_likelihoods_are_sums_over_all_haplotypes),
        cmocka_unit_test(half_recombination_is_no_linkage),
        cmocka_unit_test(lrs_of_linked_markers_add_up),
        cmocka_unit_test(a_linked_marker_counts_by_itself_where_its_partner_says_nothing),
        cmocka_unit_test(a_family_that_contradicts_itself_at_one_marker_leaves_the_other),
        cmocka_unit_test(of_a_linkage_group_the_most_telling_marker_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
