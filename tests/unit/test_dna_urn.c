/* SPDX-License-Identifier: Apache-2.0 */
/* Theta as an urn: the weights of its partitions, and its sums, and those over what came down from
 * whom, against the integrals. */
#include "testing.h"

#include <math.h>
#include <string.h>

#include "dna/compiler.h"
#include "dna/urn.h"
#include "made_operation.h"

enum { SEEDS = 60, BLOCKS = URN_DRAWS_MAX };

static const double masses[] = {0.2, 1, 9, 99, 1e4};

typedef struct totals {
    uint32_t n, draws;
    double weight, none, one, two, together; /* `together`: draws 0 and 1 are in one block */
} totals;

static int add_up(void *user, const urn_term *term, atg_err *err) {
    totals *t = user;

    (void)err;
    t->n++;
    t->weight += term->weight;
    t->none += term->none;
    for (uint32_t a = 0; a < term->n_blocks; a++) {
        t->one += term->one[a];
        for (uint32_t b = 0; b < term->n_blocks; b++)
            t->two += term->two[a][b];
    }
    if (t->draws > 1 && term->block[0] == term->block[1])
        t->together += term->weight;
    return ATG_OK;
}

static void close_to(double got, double want) {
    if (!(fabs(got - want) <= 1e-12 * fabs(want)))
        fail_msg("%.17g is not %.17g", got, want);
}

static totals totals_of(double mass, uint32_t n, const urn_twin *twin, uint32_t more) {
    totals t = {.draws = n};

    assert_int_equal(urn_each(mass, n, twin, more, add_up, &t, NULL), ATG_OK);
    return t;
}

static void weights_of_all_partitions_sum_to_one(void **state) {
    static const urn_twin apart[URN_DRAWS_MAX] = {URN_APART};
    static const double bell[] = {1, 1, 2, 5, 15, 52, 203, 877};

    (void)state;
    for (size_t i = 0; i < sizeof(masses) / sizeof(*masses); i++)
        for (uint32_t n = 0; n < 8; n++) {
            totals t = totals_of(masses[i], n, apart, 0);

            close_to(t.n, bell[n]);
            close_to(urn_partitions(n), bell[n]);
            close_to(t.weight, 1);
            if (n > 1)
                close_to(t.together, 1 / (masses[i] + 1));
        }
    assert_true(isinf(urn_partitions(URN_DRAWS_MAX + 1)));
}

/* With A (A + 1) ways for two more draws, all of them together are sure. */
static void what_is_drawn_next_is_sure_to_be_something(void **state) {
    static const urn_twin copies[URN_DRAWS_MAX] = {URN_COPY, URN_APART, URN_COPY};

    (void)state;
    for (size_t i = 0; i < sizeof(masses) / sizeof(*masses); i++)
        for (uint32_t n = 0; n < 7; n++) {
            double a = masses[i];
            totals one = totals_of(a, n, copies, 1), two = totals_of(a, n, copies, 2);

            close_to(one.none * a + one.one, 1);
            /* new and new or the same; new and an old one, in either order; an old one twice; old
             */
            close_to(two.none * a * (a + 1) + two.one * (2 * a + 1) + two.two, 1);
        }
}

static void draws_that_may_be_exchanged_are_gone_through_once(void **state) {
    static const urn_twin exchange[] = {URN_EXCHANGE, URN_APART, URN_EXCHANGE, URN_APART};
    totals t = totals_of(3, 4, exchange, 0);

    (void)state;
    assert_true(t.n < 15);
    close_to(t.weight, 1);
    close_to(t.together, 1.0 / 4);
}

static void a_copy_is_the_same_allele_half_of_the_time(void **state) {
    static const urn_twin copy[] = {URN_COPY, URN_APART};
    totals t = totals_of(3, 2, copy, 0);

    (void)state;
    close_to(t.weight, 1);
    close_to(t.together, 0.5 + 0.5 / 4);
}

static void too_many_draws_are_refused(void **state) {
    static const urn_twin apart[URN_DRAWS_MAX + 1] = {URN_APART};
    totals t = {0};
    atg_err err = {0};

    (void)state;
    assert_int_equal(urn_each(1, URN_DRAWS_MAX + 1, apart, 0, add_up, &t, &err), ATG_ELIMIT);
}

static void compare_cells(const prop *p, const char *name, const kept *want,
                          const double *want_cells, const kept *got, const double *got_cells) {
    double unit = exp(got->log - want->log);

    for (size_t i = 0; i < want->cells; i++)
        prop_close(p, name, got_cells[i] * unit, want_cells[i], 1e-9);
}

/* Another way and the integral on one family, with the first person's alleles kept or not. */
static void compare_ways(const prop *p, const made_operation *o, double theta, int keep,
                         theta_way way) {
    atg_compiler *a = atg_compiler_new(), *b = atg_compiler_new();
    kept_input in = {.marker = &o->op.markers[0],
                     .ped = &o->family.ped,
                     .obs = o->family.obs[0],
                     .theta = theta,
                     .keep = keep,
                     .way = THETA_INTEGRAL};
    atg_err err = {0};
    kept integral, other;

    assert_true(a && b);
    prop_ok(p, compiler_keep(a, &in, &integral, &err), &err);
    in.way = way;
    prop_ok(p, compiler_keep(b, &in, &other, &err), &err);
    assert_int_equal(integral.cells, other.cells);
    prop_close(p, "total", other.total * exp(other.log - integral.log), integral.total, 1e-9);
    compare_cells(p, "numerator", &integral, integral.num, &other, other.num);
    if (keep >= 0)
        compare_cells(p, "denominator", &integral, integral.den, &other, other.den);
    atg_compiler_free(a);
    atg_compiler_free(b);
}

static void all_ways_give_what_an_integral_gives(void **state) {
    static const made_options all[] = {
        {.model = -1, .typed = 0.4},
        {.model = -1, .typed = 0.7},
        {.model = -1, .typed = 0.4, .x = true},
        {.model = -1, .typed = 0.7, .x = true},
        {.model = -1, .typed = 0.5, .silent = true},
        {.model = -1, .typed = 0.5, .partial = true, .dropout = 0.2, .dropin = 0.05},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(all) / sizeof(*all); k++)
        for (PROP_EACH(p, SEEDS)) {
            made_options options = all[k];
            double theta = prop_between(&p, 0.005, 0.2);
            made_operation o;

            options.alleles = 2 + prop_below(&p, 3);
            options.persons = 4 + prop_below(&p, 4);
            made_operation_open(&p, &o, &options, 1, theta);
            for (int keep = -1; keep < 1; keep++) {
                compare_ways(&p, &o, theta, keep, THETA_URN);
                compare_ways(&p, &o, theta, keep, THETA_DESCENT);
            }
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_all_partitions_sum_to_one),
        cmocka_unit_test(what_is_drawn_next_is_sure_to_be_something),
        cmocka_unit_test(draws_that_may_be_exchanged_are_gone_through_once),
        cmocka_unit_test(a_copy_is_the_same_allele_half_of_the_time),
        cmocka_unit_test(too_many_draws_are_refused),
        cmocka_unit_test(all_ways_give_what_an_integral_gives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
