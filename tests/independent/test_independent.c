/* SPDX-License-Identifier: Apache-2.0 */
/* The engine against a program that shares nothing with it: provable.c, named by the environment
 * variable ATG_PROVABLE. */
#include "testing.h"

#include <math.h>

#include "exercise_markers.h"
#include "ferry.h"

static double engine_lr(const atg_operation *op, uint32_t body, uint32_t missing) {
    double per_marker[ATG_MARKERS_MAX];
    atg_err err = {0};

    if (atg_pair_lr(op, &op->samples[body], missing, true, per_marker, &err))
        fail_msg("%s", err.msg);
    return atg_combine_lr(op, per_marker);
}

static bool sex_fits(const atg_operation *op, uint32_t body, uint32_t missing) {
    const atg_missing *m = &op->missing[missing];

    return atg_sex_fits(op->samples[body].sex, op->families[m->family].ped.persons[m->person].sex);
}

/* Compares a body's line; returns how many pairs it held. */
static uint32_t check_line(const atg_operation *merged, const char *line) {
    json_t *root = json_loads(line, 0, NULL);
    const json_t *pairs = json_object_get(root, "pairs");
    const char *id = json_string_value(json_object_get(root, "body"));
    uint32_t n = 0, body = 0;

    assert_non_null(id);
    while (body < merged->n_samples && !atg_str_eq(merged->samples[body].id, atg_str_of(id)))
        body++;
    assert_true(body < merged->n_samples);
    for (uint32_t m = 0; m < merged->n_missing; m++) {
        const json_t *v = json_object_get(pairs, merged->missing[m].id.p);
        double lr;

        if (!v && !sex_fits(merged, body, m))
            continue;
        lr = engine_lr(merged, body, m);
        if (!v) {
            if (!isinf(lr))
                fail_msg("%s %s %g", id, merged->missing[m].id.p, lr);
            continue;
        }
        n++;
        if (!(fabs(lr - json_number_value(v)) <= 1e-9 * fmax(1, fabs(lr))))
            fail_msg("%s, %s: %.15g, the other program says %.15g", id, merged->missing[m].id.p, lr,
                     json_number_value(v));
    }
    json_decref(root);
    return n;
}

/* Every pair of a body of one sample; samples of one body are not merged by the other program,
 * which multiplies what they show. */
static void compare_all(const atg_exercise_options *o, uint32_t n_markers,
                        const atg_marker *markers, atg_arena *arena) {
    static char line[LINE];
    struct made x = make(o, n_markers, markers, arena);
    FILE *out = run_program(&x, "-1000");
    uint32_t pairs = 0, bodies = 0;

    while (fgets(line, sizeof(line), out)) {
        pairs += check_line(&x.op, line);
        bodies++;
    }
    assert_int_equal(pclose(out), 0);
    assert_int_equal(bodies, x.op.n_samples);
    assert_true(pairs > x.op.n_samples);
    clean_up(&x);
}

static void the_engine_agrees_on_every_pair_of_a_ferry(void **state) {
    static const atg_mutation models[] = {
        {.model = ATG_MUT_NONE},
        {.model = ATG_MUT_EQUAL, .rate = 0.002},
        {.model = ATG_MUT_PROPORTIONAL, .rate = 0.002},
        {.model = ATG_MUT_STEPWISE, .rate = 0.002, .rate2 = 1e-5, .range = 0.1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        atg_exercise_options o = atg_exercise_default();

        o.seed = 10 + i;
        o.n_missing = 20;
        o.fragments = 0;
        o.degraded = 0.5;
        o.mutation = models[i];
        compare_all(&o, table_size(6), table_markers(arena, 6), arena);
    }
}

static void the_engine_agrees_with_the_frequencies_that_are_shipped(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_exercise_options o = atg_exercise_default();
    atg_frequencies freqs = shipped(arena, NULL);

    (void)state;
    o.n_missing = 12;
    o.fragments = 0;
    compare_all(&o, freqs.n_markers, freqs.markers, arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_agrees_on_every_pair_of_a_ferry),
        cmocka_unit_test(the_engine_agrees_with_the_frequencies_that_are_shipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
