/* SPDX-License-Identifier: Apache-2.0 */
/* Mutation matrices: what each model promises, and what is refused. */
#include "testing.h"

#include <math.h>
#include <stdio.h>

#include "dna/mutation.h"

enum { MAX = 8 };

static const atg_str labels[] = {{"10", 2}, {"11", 2},   {"12", 2}, {"13", 2},
                                 {"14", 2}, {"12.3", 4}, {"X", 1},  {"9", 1}};
static const int16_t tenths[] = {100, 110, 120, 130, 140, 123, -1, 90};
static const double freqs[] = {0.1, 0.3, 0.25, 0.2, 0.15, 0, 0, 0};
static const double with_micro[] = {0.1, 0.3, 0.25, 0.15, 0.1, 0.1, 0, 0};

static atg_marker marker_of(uint16_t n, const double *p) {
    return (atg_marker){.name = ATG_STR("D1"),
                        .n = n,
                        .labels = labels,
                        .freqs = p,
                        .tenths = tenths,
                        .silent = -1,
                        .linked_to = -1};
}

static double cell(const double *m, uint16_t n, int i, int j) {
    return m[i * n + j];
}

static double rate_of(const atg_marker *k, const double *m) {
    double rate = 0;

    for (int i = 0; i < k->n; i++)
        rate += k->freqs[i] * (1 - cell(m, k->n, i, i));
    return rate;
}

static void close_to(double got, double want) {
    if (!(fabs(got - want) <= 1e-13))
        fail_msg("%.17g is not %.17g", got, want);
}

static void make(const atg_marker *k, const atg_mutation *mutation, double *ret) {
    atg_err err = {0};

    if (atg_mutation_matrix(k, mutation, ret, &err))
        fail_msg("%s", err.msg);
    for (int i = 0; i < k->n; i++) {
        double sum = 0;

        for (int j = 0; j < k->n; j++) {
            assert_true(cell(ret, k->n, i, j) >= 0);
            sum += cell(ret, k->n, i, j);
        }
        close_to(sum, 1);
    }
}

/* p M = p, and for reversible models p_i M_ij = p_j M_ji. */
static void stationary(const atg_marker *k, const double *m, bool reversible) {
    for (int j = 0; j < k->n; j++) {
        double sum = 0;

        for (int i = 0; i < k->n; i++) {
            sum += k->freqs[i] * cell(m, k->n, i, j);
            if (reversible)
                close_to(k->freqs[i] * cell(m, k->n, i, j), k->freqs[j] * cell(m, k->n, j, i));
        }
        close_to(sum, k->freqs[j]);
    }
}

static void no_model_keeps_every_allele(void **state) {
    atg_marker k = marker_of(5, freqs);
    double m[MAX * MAX];

    (void)state;
    make(&k, &(atg_mutation){0}, m);
    for (int i = 0; i < 25; i++)
        assert_true(m[i] == (i % 6 == 0));
}

static void equal_goes_anywhere_alike(void **state) {
    atg_marker k = marker_of(5, freqs);
    double m[MAX * MAX];

    (void)state;
    make(&k, &(atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.02}, m);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            close_to(cell(m, 5, i, j), i == j ? 0.98 : 0.005);
}

static void proportional_draws_a_fresh_allele_and_is_reversible(void **state) {
    atg_marker k = marker_of(5, freqs);
    double m[MAX * MAX], sum = 0, a;

    (void)state;
    make(&k, &(atg_mutation){.model = ATG_MUT_PROPORTIONAL, .rate = 0.02}, m);
    for (int i = 0; i < 5; i++)
        sum += freqs[i] * (1 - freqs[i]);
    a = 0.02 / sum;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            close_to(cell(m, 5, i, j), (i == j ? 1 - a : 0) + a * freqs[j]);
    close_to(rate_of(&k, m), 0.02);
    stationary(&k, m, true);
}

static void stepwise_falls_with_the_step_and_leaves_its_group_at_rate2(void **state) {
    atg_marker k = marker_of(6, with_micro);
    double m[MAX * MAX];

    (void)state;
    make(&k, &(atg_mutation){.model = ATG_MUT_STEPWISE, .rate = 0.02, .rate2 = 0.001, .range = 0.1},
         m);
    for (int i = 0; i < 5; i++) {
        double inside = 0;

        for (int j = 0; j < 5; j++) {
            inside += i == j ? 0 : cell(m, 6, i, j);
            if (j < 4 && i != j && i != j + 1) /* one step more: a tenth */
                close_to(j > i ? cell(m, 6, i, j + 1) * 10 : cell(m, 6, i, j) * 10,
                         j > i ? cell(m, 6, i, j) : cell(m, 6, i, j + 1));
        }
        close_to(inside, 0.02);
        close_to(cell(m, 6, i, 5), 0.001); /* the only allele of another group */
    }
    for (int j = 0; j < 5; j++)
        close_to(cell(m, 6, 5, j), 0.001 / 5);
    close_to(cell(m, 6, 5, 5), 1 - 0.001); /* a group of one mutates out of it only */
}

static void onestep_goes_to_neighbours_only(void **state) {
    static const double p[] = {0.2, 0.3, 0.5};
    static const atg_str few[] = {{"10", 2}, {"11", 2}, {"13", 2}};
    static const int16_t steps[] = {100, 110, 130};
    atg_marker k = marker_of(5, freqs), gap = marker_of(3, p);
    double m[MAX * MAX];

    (void)state;
    make(&k, &(atg_mutation){.model = ATG_MUT_ONESTEP, .rate = 0.02}, m);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            close_to(cell(m, 5, i, j), i == j             ? 0.98
                                       : abs(i - j) != 1  ? 0
                                       : i == 0 || i == 4 ? 0.02
                                                          : 0.01);
    gap.labels = few;
    gap.tenths = steps;
    make(&gap, &(atg_mutation){.model = ATG_MUT_ONESTEP, .rate = 0.02}, m);
    close_to(cell(m, 3, 2, 2), 1); /* nobody one step away */
    close_to(cell(m, 3, 0, 1), 0.02);
}

static void dawid_is_stationary_at_its_rate(void **state) {
    atg_marker k = marker_of(5, freqs);
    double m[MAX * MAX];

    (void)state;
    make(&k, &(atg_mutation){.model = ATG_MUT_DAWID, .rate = 0.01, .range = 0.3}, m);
    stationary(&k, m, true);
    close_to(rate_of(&k, m), 0.01);
    close_to(cell(m, 5, 0, 2) / cell(m, 5, 0, 1), 0.3);
}

static void transforms_make_a_model_stationary(void **state) {
    static const struct {
        atg_mutation_transform transform;
        bool reversible, keeps_rate;
    } cases[] = {{ATG_MUT_PM, false, true},
                 {ATG_MUT_MH, true, true},
                 {ATG_MUT_BA, true, true},
                 {ATG_MUT_PR, true, true}};
    static const atg_mutation_model models[] = {ATG_MUT_EQUAL, ATG_MUT_STEPWISE,
                                                ATG_MUT_PROPORTIONAL};
    atg_marker k = marker_of(6, with_micro);

    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
        for (size_t q = 0; q < sizeof(models) / sizeof(*models); q++) {
            atg_mutation mutation = {
                .model = models[q], .rate = 0.003, .rate2 = 0.0002, .range = 0.2};
            double plain[MAX * MAX], m[MAX * MAX];

            make(&k, &mutation, plain);
            mutation.transform = cases[c].transform;
            make(&k, &mutation, m);
            stationary(&k, m, cases[c].reversible);
            if (cases[c].keeps_rate)
                close_to(rate_of(&k, m), rate_of(&k, plain));
        }
}

static void a_silent_allele_neither_comes_nor_goes(void **state) {
    static const atg_mutation_model models[] = {ATG_MUT_EQUAL, ATG_MUT_PROPORTIONAL,
                                                ATG_MUT_STEPWISE, ATG_MUT_ONESTEP, ATG_MUT_DAWID};
    atg_marker k = marker_of(5, freqs);

    (void)state;
    for (int16_t silent = 0; silent < 5; silent += 4)
        for (size_t q = 0; q < sizeof(models) / sizeof(*models); q++) {
            atg_mutation mutation = {
                .model = models[q], .rate = 0.02, .rate2 = 0.001, .range = 0.2};
            double m[MAX * MAX];

            k.silent = silent;
            make(&k, &mutation, m);
            for (int j = 0; j < 5; j++) {
                close_to(cell(m, 5, silent, j), j == silent);
                close_to(cell(m, 5, j, silent), j == silent);
            }
            assert_true(cell(m, 5, 1, 1) < 1);
        }
}

static void one_allele_cannot_mutate(void **state) {
    static const double one[] = {1};
    atg_marker k = marker_of(1, one);
    double m[1];

    (void)state;
    for (int model = ATG_MUT_NONE; model < ATG_MUT_CUSTOM; model++) {
        atg_mutation mutation = {.model = (atg_mutation_model)model, .rate = 0.02, .range = 0.1};

        make(&k, &mutation, m);
        assert_true(m[0] == 1);
    }
}

static void a_rate_of_zero_is_no_mutation(void **state) {
    atg_marker k = marker_of(6, with_micro);

    (void)state;
    for (int model = ATG_MUT_EQUAL; model <= ATG_MUT_STEPWISE; model++)
        for (int transform = ATG_MUT_AS_IS; transform <= ATG_MUT_PR; transform++) {
            atg_mutation mutation = {.model = (atg_mutation_model)model,
                                     .transform = (atg_mutation_transform)transform,
                                     .range = 0.1};
            double m[MAX * MAX];

            make(&k, &mutation, m);
            for (int i = 0; i < 36; i++)
                assert_true(m[i] == (i % 7 == 0));
            assert_int_equal(mutation_form_of(&k, &mutation).kind, MUTATION_IDENTITY);
        }
}

/* Between groups at rate2, though inside a group nothing mutates. */
static void stepwise_at_rate2_alone_is_a_mutation(void **state) {
    atg_marker k = marker_of(6, with_micro);
    atg_mutation mutation = {.model = ATG_MUT_STEPWISE, .rate2 = 0.001, .range = 0.1};
    double m[MAX * MAX];

    (void)state;
    make(&k, &mutation, m);
    close_to(cell(m, 6, 0, 5), 0.001);
    assert_int_equal(mutation_form_of(&k, &mutation).kind, MUTATION_GENERAL);
}

static void what_is_no_model_is_refused_in_words(void **state) {
    static const double rare[] = {0.001, 0.599, 0.2, 0.1, 0.1};
    static const double lopsided[] = {0.001, 0.999};
    static double bad_sum[25], negative[25];
    atg_marker usual = marker_of(5, freqs), micro = marker_of(6, with_micro), text = micro,
               one_rare = marker_of(5, rare), two = marker_of(2, lopsided);
    static const atg_str unread[] = {{"10", 2}, {"11", 2}, {"12", 2},
                                     {"13", 2}, {"14", 2}, {"long", 4}};
    static const int16_t no_repeat[] = {100, 110, 120, 130, 140, -1};
    const struct {
        const atg_marker *marker;
        atg_mutation mutation;
        const char *says;
    } cases[] = {
        {&usual, {.model = ATG_MUT_EQUAL, .rate = -0.1}, "rate"},
        {&usual, {.model = ATG_MUT_EQUAL, .rate = 1.5}, "rate"},
        {&usual, {.model = ATG_MUT_EQUAL, .rate = (double)NAN}, "rate"},
        {&usual, {.model = ATG_MUT_STEPWISE, .rate = 0.1, .range = 0}, "range"},
        {&usual, {.model = ATG_MUT_STEPWISE, .rate = 0.1, .range = 1}, "range"},
        {&usual, {.model = ATG_MUT_DAWID, .rate = 0.1}, "range"},
        {&usual, {.model = ATG_MUT_STEPWISE, .rate = 0.9, .rate2 = 0.2, .range = 0.1}, "rate"},
        {&text, {.model = ATG_MUT_STEPWISE, .rate = 0.1, .range = 0.1}, "long"},
        {&micro, {.model = ATG_MUT_ONESTEP, .rate = 0.1}, "12.3"},
        {&micro, {.model = ATG_MUT_DAWID, .rate = 0.1, .range = 0.1}, "12.3"},
        {&usual, {.model = ATG_MUT_CUSTOM}, "missing"},
        {&usual, {.model = ATG_MUT_CUSTOM, .matrix = bad_sum}, "sums to"},
        {&usual, {.model = ATG_MUT_CUSTOM, .matrix = negative}, "outside"},
        {&one_rare, {.model = ATG_MUT_DAWID, .rate = 0.1, .range = 0.1}, "above 1"},
        {&two, {.model = ATG_MUT_PROPORTIONAL, .rate = 0.5}, "above 1"},
        {&one_rare,
         {.model = ATG_MUT_STEPWISE, .transform = ATG_MUT_PM, .rate = 0.3, .range = 0.1},
         "above 1"},
        {&one_rare, {.model = ATG_MUT_EQUAL, .transform = ATG_MUT_PR, .rate = 0.1}, "above 1"},
    };

    (void)state;
    text.labels = unread;
    text.tenths = no_repeat;
    for (int i = 0; i < 25; i++) {
        bad_sum[i] = i % 6 == 0 ? 0.9 : 0;
        negative[i] = i % 6 == 0 ? 1.1 : i % 5 == 0 ? -0.1 : 0;
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        double m[MAX * MAX];
        atg_err err = {0};
        int rc = atg_mutation_matrix(cases[i].marker, &cases[i].mutation, m, &err);

        if (rc != ATG_EINVAL || !strstr(err.msg, cases[i].says) || !strstr(err.msg, "D1"))
            fail_msg("case %zu: code %d, \"%s\"", i, rc, err.msg);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_model_keeps_every_allele),
        cmocka_unit_test(equal_goes_anywhere_alike),
        cmocka_unit_test(proportional_draws_a_fresh_allele_and_is_reversible),
        cmocka_unit_test(stepwise_falls_with_the_step_and_leaves_its_group_at_rate2),
        cmocka_unit_test(onestep_goes_to_neighbours_only),
        cmocka_unit_test(dawid_is_stationary_at_its_rate),
        cmocka_unit_test(transforms_make_a_model_stationary),
        cmocka_unit_test(a_silent_allele_neither_comes_nor_goes),
        cmocka_unit_test(one_allele_cannot_mutate),
        cmocka_unit_test(a_rate_of_zero_is_no_mutation),
        cmocka_unit_test(stepwise_at_rate2_alone_is_a_mutation),
        cmocka_unit_test(what_is_no_model_is_refused_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
