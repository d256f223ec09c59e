/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <antigone/direct.h>

#include "exercise_markers.h"

#include <math.h>

enum { ARENA = 1 << 30, AUTOSOMAL = 20 };

/* An exercise on a made-up table, in its own arena. */
struct made {
    atg_arena *arena;
    atg_operation op;
    atg_truth truth;
};

static struct made make(const atg_exercise_options *o, uint32_t autosomal) {
    struct made x = {.arena = atg_arena_new(ARENA)};
    atg_err err = {0};

    assert_non_null(x.arena);
    if (atg_exercise_make(x.arena, table_size(autosomal), table_markers(x.arena, autosomal), o,
                          &x.op, &x.truth, &err))
        fail_msg("%s", err.msg);
    return x;
}

/* FNV-1a */
static uint64_t eat(uint64_t h, const void *p, size_t n) {
    const unsigned char *bytes = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ bytes[i]) * 0x100000001b3U;
    return h;
}

/* Of everything that was drawn. */
static uint64_t digest(const struct made *x) {
    uint64_t h = 0xcbf29ce484222325U;
    size_t row = x->op.n_markers * sizeof(atg_geno);

    for (uint32_t i = 0; i < x->op.n_samples; i++) {
        const atg_sample *s = &x->op.samples[i];

        h = eat(h, s->id.p, s->id.n);
        h = eat(h, s->body.p, s->body.n);
        h = eat(h, s->genos, row);
        h = eat(h, &x->truth.missing_of_sample[i], sizeof(int32_t));
    }
    for (uint32_t f = 0; f < x->op.n_families; f++)
        for (uint32_t i = 0; i < x->op.families[f].ped.n; i++) {
            const atg_person *p = &x->op.families[f].ped.persons[i];

            h = eat(h, p->id.p, p->id.n);
            h = eat(h, p->genos, p->genos ? row : 0);
        }
    return h;
}

static void the_default_is_a_ferry_with_60_missing_and_70_bodies_and_parts(void **state) {
    atg_exercise_options o = atg_exercise_default();
    atg_err err;

    (void)state;
    for (o.seed = 1; o.seed <= 20; o.seed++) {
        struct made x = make(&o, AUTOSOMAL);
        bool seen[60] = {false};
        uint32_t found = 0;

        assert_int_equal(x.op.n_missing, 60);
        assert_int_equal(x.op.n_samples, 70);
        assert_int_equal(atg_operation_check(&x.op, &err), ATG_OK);
        for (uint32_t i = 0; i < x.op.n_samples; i++) {
            int32_t m = x.truth.missing_of_sample[i];

            found += m >= 0 && !seen[m];
            if (m >= 0)
                seen[m] = true;
        }
        assert_int_equal(found, 57);
        atg_arena_free(x.arena);
    }
}

static void the_same_seed_gives_the_same_exercise_on_every_machine(void **state) {
    atg_exercise_options o = atg_exercise_default();
    struct made x, y;

    (void)state;
    o.theta = 0.03;
    o.swapped = 0.1;
    x = make(&o, AUTOSOMAL);
    y = make(&o, AUTOSOMAL);
    assert_true(digest(&x) == digest(&y));
    assert_true(digest(&x) == 0x15d3825956d0e77U);
    atg_arena_free(y.arena);
    o.seed++;
    y = make(&o, AUTOSOMAL);
    assert_false(digest(&x) == digest(&y));
    atg_arena_free(x.arena);
    atg_arena_free(y.arena);
}

static void the_number_of_bodies_and_parts_is_the_one_asked_for(void **state) {
    static const struct {
        uint32_t missing, bodies;
        double fragments, unlisted;
    } cases[] = {{60, 1, 0.11, 0.05}, {60, 5, 0.5, 0.05}, {60, 70, 0.11, 0.05},
                 {60, 90, 0, 0},      {60, 171, 1, 0},    {1000, 700, 0.3, 0.2},
                 {1, 3, 0, 0},        {7, 12, 0.11, 0.9}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        atg_exercise_options o = atg_exercise_default();
        struct made x;

        o.n_missing = cases[i].missing;
        o.n_bodies = cases[i].bodies;
        o.fragments = cases[i].fragments;
        o.unlisted = cases[i].unlisted;
        x = make(&o, 2);
        assert_int_equal(x.op.n_samples, cases[i].bodies);
        assert_int_equal(atg_operation_check(&x.op, NULL), ATG_OK);
        atg_arena_free(x.arena);
    }
}

static void options_that_make_no_sense_are_refused_with_a_sentence(void **state) {
    atg_exercise_options bad[10];
    size_t n = sizeof(bad) / sizeof(*bad);
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_operation op;
    atg_truth truth;

    (void)state;
    for (size_t i = 0; i < n; i++)
        bad[i] = atg_exercise_default();
    bad[0].n_missing = 0;
    bad[1].n_missing = 200001;
    bad[2].unlisted = 1;
    bad[3].not_found = -0.1;
    bad[4].degraded = NAN;
    bad[5].theta = 0.6;
    bad[6].mutation.rate = 0.5;
    bad[7].mutation.model = ATG_MUT_CUSTOM;
    bad[8].n_bodies = 172; /* 57 of 60 found, three parts each at most */
    bad[8].unlisted = 0;
    bad[9].mutation.model = (atg_mutation_model)99;
    for (size_t i = 0; i < n; i++) {
        atg_err err = {0};

        assert_int_equal(atg_exercise_make(arena, table_size(2), table_markers(arena, 2), &bad[i],
                                           &op, &truth, &err),
                         ATG_EINVAL);
        assert_true(strlen(err.msg) > 20);
    }
}

static void founders_have_the_alleles_of_the_table(void **state) {
    atg_exercise_options o = atg_exercise_default();
    struct made x;
    double chi2 = 0, df = 0;

    (void)state;
    o.n_missing = 3000;
    x = make(&o, AUTOSOMAL);
    for (uint32_t m = 0; m < AUTOSOMAL; m++) {
        const atg_marker *marker = &x.op.markers[m];
        double seen[TABLE_ALLELES] = {0}, n = 0;

        for (uint32_t f = 0; f < x.op.n_families; f++)
            for (uint32_t i = 0; i < x.op.families[f].ped.n; i++) {
                const atg_person *p = &x.op.families[f].ped.persons[i];

                if (!p->genos || p->father >= 0)
                    continue;
                seen[p->genos[m].a]++;
                seen[p->genos[m].b]++;
                n += 2;
            }
        for (int a = 0; a < TABLE_ALLELES; a++) {
            double want = n * marker->freqs[a];

            chi2 += (seen[a] - want) * (seen[a] - want) / want;
        }
        df += TABLE_ALLELES - 1;
    }
    assert_true(fabs(chi2 - df) < 3.3 * sqrt(2 * df)); /* about 1 in 1000 */
    atg_arena_free(x.arena);
}

/* Two alleles of one pool are alike with probability theta + (1 - theta) sum p^2. */
static void founders_are_alike_as_theta_says(void **state) {
    atg_exercise_options o = atg_exercise_default();
    double want, alike = 0, n = 0, sum2 = 0;
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    const atg_marker *marker = table_markers(arena, 1);

    (void)state;
    for (int a = 0; a < TABLE_ALLELES; a++)
        sum2 += marker->freqs[a] * marker->freqs[a];
    o.n_missing = 1;
    o.theta = 0.2;
    want = o.theta + (1 - o.theta) * sum2;
    for (o.seed = 1; o.seed <= 600; o.seed++) {
        struct made x = make(&o, AUTOSOMAL);
        const atg_pedigree *ped = &x.op.families[0].ped;
        const atg_person *who = NULL;

        for (uint32_t i = 0; i < ped->n; i++)
            if (ped->persons[i].genos && ped->persons[i].father < 0)
                who = &ped->persons[i];
        for (uint32_t m = 0; who && m < AUTOSOMAL; m++)
            alike += who->genos[m].a == who->genos[m].b;
        n += who ? AUTOSOMAL : 0;
        atg_arena_free(x.arena);
    }
    assert_true(n > 5000);
    assert_true(fabs(alike / n - want) < 4 * sqrt(want * (1 - want) / n));
}

static bool share_an_allele(atg_geno x, atg_geno y) {
    return x.a == y.a || x.a == y.b || x.b == y.a || x.b == y.b;
}

/* Typed pairs of parent and child that do not share an allele at an autosomal marker. */
static uint32_t misfits(const atg_operation *op, uint32_t *pairs) {
    uint32_t bad = 0;

    *pairs = 0;
    for (uint32_t f = 0; f < op->n_families; f++)
        for (uint32_t i = 0; i < op->families[f].ped.n; i++) {
            const atg_person *all = op->families[f].ped.persons, *p = &all[i];
            const int32_t parents[2] = {p->father, p->mother};

            for (int k = 0; k < 2 && p->genos; k++) {
                const atg_geno *g = parents[k] < 0 ? NULL : all[parents[k]].genos;

                for (uint32_t m = 0; g && m < AUTOSOMAL; m++)
                    bad += !share_an_allele(g[m], p->genos[m]);
                *pairs += g != NULL;
            }
        }
    return bad;
}

static void parent_and_child_share_an_allele_without_mutation(void **state) {
    atg_exercise_options o = atg_exercise_default();
    struct made x;
    uint32_t pairs;

    (void)state;
    o.n_missing = 1000;
    o.wrong_relation = 0;
    o.mutation = (atg_mutation){.model = ATG_MUT_NONE};
    x = make(&o, AUTOSOMAL);
    assert_int_equal(misfits(&x.op, &pairs), 0);
    assert_true(pairs > 300);
    atg_arena_free(x.arena);
    o.wrong_relation = 0.2;
    x = make(&o, AUTOSOMAL);
    assert_true(misfits(&x.op, &pairs) > 100);
    atg_arena_free(x.arena);
}

/* Typed fathers and sons differ on the Y as often as the male rate says. */
static void men_mutate_by_their_own_rate(void **state) {
    atg_exercise_options o = atg_exercise_default();
    double n = 0, differ = 0, rate;
    struct made x;

    (void)state;
    o.n_missing = 5000;
    o.wrong_relation = 0;
    o.mutation = (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.02};
    o.male_factor = 5;
    rate = o.mutation.rate * o.male_factor;
    x = make(&o, 1);
    for (uint32_t f = 0; f < x.op.n_families; f++)
        for (uint32_t i = 0; i < x.op.families[f].ped.n; i++) {
            const atg_person *all = x.op.families[f].ped.persons, *p = &all[i];

            if (!p->genos || p->sex != ATG_SEX_MALE || p->father < 0 || !all[p->father].genos)
                continue;
            n++;
            differ += all[p->father].genos[2].a != p->genos[2].a;
        }
    assert_true(n > 300);
    assert_true(fabs(differ / n - rate) < 4 * sqrt(rate * (1 - rate) / n));
    atg_arena_free(x.arena);
}

static void check_sex(const atg_operation *op, atg_sex sex, const atg_geno *genos, bool relative) {
    const atg_geno *special = genos + AUTOSOMAL; /* X1, Y1, AMEL */

    if (sex == ATG_SEX_MALE) {
        assert_int_equal(special[0].a, special[0].b);
        assert_int_equal(special[1].a, special[1].b);
    } else {
        assert_false(atg_geno_typed(special[1]));
        assert_true(special[2].b <= 0);
    }
    if (relative) {
        assert_true(atg_geno_typed(special[0]));
        assert_int_equal(special[2].b, sex == ATG_SEX_MALE);
    }
    (void)op;
}

static void genotypes_fit_the_sex(void **state) {
    atg_exercise_options o = atg_exercise_default();
    struct made x;

    (void)state;
    o.n_missing = 500;
    x = make(&o, AUTOSOMAL);
    for (uint32_t f = 0; f < x.op.n_families; f++)
        for (uint32_t i = 0; i < x.op.families[f].ped.n; i++) {
            const atg_person *p = &x.op.families[f].ped.persons[i];

            if (p->genos)
                check_sex(&x.op, p->sex, p->genos, true);
        }
    for (uint32_t i = 0; i < x.op.n_samples; i++) {
        int32_t m = x.truth.missing_of_sample[i];
        const atg_missing *who = m < 0 ? NULL : &x.op.missing[m];

        if (who)
            check_sex(&x.op, x.op.families[who->family].ped.persons[who->person].sex,
                      x.op.samples[i].genos, false);
    }
    atg_arena_free(x.arena);
}

/* Whole bodies are one to one with the missing; parts are two or three of one person; what the
 * mortuary put together is one person. */
static void truth_is_one_to_one_apart_from_parts(void **state) {
    atg_exercise_options o = atg_exercise_default();
    struct made x;
    uint32_t whole[1000] = {0}, parts[1000] = {0}, put_together = 0, apart = 0;

    (void)state;
    o.n_missing = 1000;
    o.fragments = 0.3;
    x = make(&o, 2);
    for (uint32_t i = 0; i < x.op.n_samples; i++) {
        const atg_sample *s = &x.op.samples[i];
        int32_t m = x.truth.missing_of_sample[i];

        for (uint32_t k = 0; k < i; k++) {
            assert_false(atg_str_eq(s->id, x.op.samples[k].id));
            if (s->body.n && atg_str_eq(s->body, x.op.samples[k].body))
                assert_int_equal(m, x.truth.missing_of_sample[k]);
        }
        put_together += s->body.n > 0;
        apart += s->part && !s->body.n;
        if (m >= 0)
            (s->part ? parts : whole)[m]++;
    }
    for (int m = 0; m < 1000; m++) {
        assert_true(whole[m] <= 1 && parts[m] <= 3 && parts[m] != 1);
        assert_false(whole[m] && parts[m]);
    }
    assert_true(put_together > 200 && apart > 200);
    atg_arena_free(x.arena);
}

static void errors_are_as_many_as_asked_for_and_are_in_the_truth(void **state) {
    atg_exercise_options o = atg_exercise_default();
    uint32_t typed = 0, swapped = 0;
    struct made x;

    (void)state;
    o.n_missing = 400;
    o.wrong_relation = 0.1;
    o.swapped = 0.05;
    x = make(&o, 2);
    for (uint32_t f = 0; f < x.op.n_families; f++)
        for (uint32_t i = 0; i < x.op.families[f].ped.n; i++)
            typed += x.op.families[f].ped.persons[i].genos != NULL;
    assert_int_equal(x.truth.n_relatives_wrong, (uint32_t)(typed * 0.1 + 0.5));
    for (uint32_t i = 0; i < x.truth.n_relatives_wrong; i++) {
        const struct atg_truth_wrong *w = &x.truth.wrong[i];

        assert_non_null(x.op.families[w->family].ped.persons[w->person].genos);
    }
    for (uint32_t i = 0; i < x.op.n_samples; i++)
        swapped += x.truth.swapped[i];
    assert_int_equal(swapped, (uint32_t)(x.op.n_samples * 0.05 + 0.5) / 2 * 2);
    atg_arena_free(x.arena);
}

static void own_samples_are_the_missing_persons_and_move_nothing_else(void **state) {
    atg_exercise_options o = atg_exercise_default();
    struct made plain = make(&o, AUTOSOMAL), x;
    uint32_t n = 0, same = 0;

    (void)state;
    o.own = 0.5;
    x = make(&o, AUTOSOMAL);
    assert_true(digest(&plain) == digest(&x));
    atg_arena_free(x.arena);
    o.degraded = o.partial = 0;
    x = make(&o, AUTOSOMAL);
    assert_int_equal(atg_operation_check(&x.op, NULL), ATG_OK);
    for (uint32_t i = 0; i < x.op.n_samples; i++) {
        int32_t j = x.truth.missing_of_sample[i];
        const atg_missing *m = j < 0 ? NULL : &x.op.missing[j];
        const atg_person *who = m ? &x.op.families[m->family].ped.persons[m->person] : NULL;

        for (uint32_t k = 0; who && k < who->n_own; k++) {
            const atg_sample own = {.sex = who->sex, .genos = who->own[k].genos};
            atg_direct d;

            assert_int_equal(atg_direct_compare(&x.op, &x.op.samples[i], &own, &d, NULL, NULL),
                             ATG_OK);
            assert_int_equal(d.n_different, 0);
            same += d.log10_lr > 6;
        }
    }
    assert_true(same > 15);
    for (uint32_t f = 0; f < x.op.n_families; f++)
        for (uint32_t i = 0; i < x.op.families[f].ped.n; i++)
            n += x.op.families[f].ped.persons[i].n_own;
    assert_int_equal(n, 30);
    atg_arena_free(x.arena);
    atg_arena_free(plain.arena);
}

static void alleles_drop_out_as_often_as_the_sample_says(void **state) {
    atg_exercise_options o = atg_exercise_default();
    double want = 0, var = 0, lost = 0;
    struct made x;

    (void)state;
    o.n_missing = 1000;
    o.degraded = 1;
    o.partial = 0;
    x = make(&o, AUTOSOMAL);
    for (uint32_t i = 0; i < x.op.n_samples; i++) {
        const atg_sample *s = &x.op.samples[i];
        double both = s->dropout * s->dropout;

        assert_true(s->dropout > 0);
        want += both * AUTOSOMAL;
        var += both * (1 - both) * AUTOSOMAL;
        for (uint32_t m = 0; m < AUTOSOMAL; m++)
            lost += !atg_geno_typed(s->genos[m]);
    }
    assert_true(fabs(lost - want) < 4 * sqrt(var));
    atg_arena_free(x.arena);
}

static void every_number_of_missing_in_a_family_occurs_up_to_five(void **state) {
    atg_exercise_options o = atg_exercise_default();
    uint32_t seen[6] = {0}, nobody = 0;
    struct made x;

    (void)state;
    o.n_missing = 1000;
    x = make(&o, 1);
    for (uint32_t f = 0; f < x.op.n_families; f++) {
        const atg_family *fam = &x.op.families[f];
        uint32_t typed = 0;

        assert_in_range(fam->n_missing, 1, 5);
        seen[fam->n_missing]++;
        for (uint32_t i = 0; i < fam->ped.n; i++)
            typed += fam->ped.persons[i].genos != NULL;
        nobody += typed == 0;
    }
    for (int k = 1; k <= 5; k++)
        assert_true(seen[k] > 0);
    assert_true(nobody > 0);
    atg_arena_free(x.arena);
}

static void memory_that_runs_out_is_reported_and_nothing_leaks(void **state) {
    atg_exercise_options o = atg_exercise_default();
    size_t live = mem_live();
    int rc = ATG_ENOMEM;

    (void)state;
    o.n_missing = 8;
    o.theta = 0.01;
    for (long n = 0; rc; n++) {
        atg_operation op = {0};
        atg_truth truth;
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        atg_marker *markers = table_markers(arena, 12);

        mem_fail_after(n);
        rc = atg_exercise_make(arena, table_size(12), markers, &o, &op, &truth, NULL);
        mem_fail_after(-1);
        if (rc)
            assert_int_equal(rc, ATG_ENOMEM);
        assert_int_equal(op.n_samples, rc ? 0 : 9);
        assert_true(n < 1000);
    }
    assert_int_equal(mem_live(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_a_ferry_with_60_missing_and_70_bodies_and_parts),
        cmocka_unit_test(the_same_seed_gives_the_same_exercise_on_every_machine),
        cmocka_unit_test(the_number_of_bodies_and_parts_is_the_one_asked_for),
        cmocka_unit_test(options_that_make_no_sense_are_refused_with_a_sentence),
        cmocka_unit_test(founders_have_the_alleles_of_the_table),
        cmocka_unit_test(founders_are_alike_as_theta_says),
        cmocka_unit_test(parent_and_child_share_an_allele_without_mutation),
        cmocka_unit_test(men_mutate_by_their_own_rate),
        cmocka_unit_test(genotypes_fit_the_sex),
        cmocka_unit_test(truth_is_one_to_one_apart_from_parts),
        cmocka_unit_test(errors_are_as_many_as_asked_for_and_are_in_the_truth),
        cmocka_unit_test(own_samples_are_the_missing_persons_and_move_nothing_else),
        cmocka_unit_test(alleles_drop_out_as_often_as_the_sample_says),
        cmocka_unit_test(every_number_of_missing_in_a_family_occurs_up_to_five),
        cmocka_unit_test(memory_that_runs_out_is_reported_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
