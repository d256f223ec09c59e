/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise_markers.h"

#include <math.h>

enum { ARENA = 1 << 30 };

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

static void the_default_is_a_ferry_with_60_missing_and_70_bodies_and_parts(void **state) {
    atg_exercise_options o = atg_exercise_default();
    uint32_t listed = 0, found = 0;
    bool seen[60] = {false};
    atg_err err;

    (void)state;
    for (o.seed = 1; o.seed <= 20; o.seed++) {
        struct made x = make(&o, 20);

        assert_int_equal(x.op.n_missing, 60);
        assert_int_equal(x.op.n_samples, 70);
        assert_int_equal(atg_operation_check(&x.op, &err), ATG_OK);
        memset(seen, 0, sizeof(seen));
        listed = found = 0;
        for (uint32_t i = 0; i < x.op.n_samples; i++) {
            int32_t m = x.truth.missing_of_sample[i];

            listed += m >= 0;
            found += m >= 0 && !seen[m];
            if (m >= 0)
                seen[m] = true;
        }
        assert_int_equal(found, 57);
        atg_arena_free(x.arena);
    }
}

static atg_str truth_text(const struct made *x, atg_buf *buf) {
    atg_str text;

    assert_int_equal(atg_truth_write_json(&x->truth, &x->op, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    return text;
}

static void a_truth_that_is_read_back_is_the_same_truth(void **state) {
    atg_exercise_options o = atg_exercise_default();
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    ATG_AUTO(atg_buf) again = atg_buf_new(ARENA);
    struct made x, y;
    atg_err err = {0};

    (void)state;
    o.seed = UINT64_MAX;
    o.swapped = 0.1;
    x = make(&o, 5);
    y = x;
    y.truth = (atg_truth){0};
    if (atg_truth_read_json(x.arena, truth_text(&x, buf), &x.op, &y.truth, &err))
        fail_msg("%s", err.msg);
    assert_true(atg_str_eq(truth_text(&x, again), truth_text(&y, buf)) == false);
    atg_buf_free(again);
    again = atg_buf_new(ARENA);
    atg_buf_free(buf);
    buf = atg_buf_new(ARENA);
    assert_true(atg_str_eq(truth_text(&x, again), truth_text(&y, buf)));
    assert_true(y.truth.options.seed == UINT64_MAX);
    atg_arena_free(x.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_a_ferry_with_60_missing_and_70_bodies_and_parts),
        cmocka_unit_test(a_truth_that_is_read_back_is_the_same_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
