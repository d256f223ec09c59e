/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "exercise_markers.h"

#include <stdio.h>

enum { ARENA = 1 << 26 };

struct made {
    atg_arena *arena;
    atg_operation op;
    atg_truth truth;
};

static struct made make(uint32_t n_missing) {
    struct made x = {.arena = atg_arena_new(ARENA)};
    atg_exercise_options o = atg_exercise_default();

    o.n_missing = n_missing;
    o.seed = UINT64_MAX;
    o.swapped = 0.2;
    o.own = 0.25;
    o.wrong_relation = 0.2;
    assert_non_null(x.arena);
    assert_int_equal(atg_exercise_make(x.arena, table_size(2), table_markers(x.arena, 2), &o, &x.op,
                                       &x.truth, NULL),
                     ATG_OK);
    return x;
}

/* The text lives in the arena. */
static atg_str text_of(const struct made *x, const atg_truth *truth) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_str text;

    assert_int_equal(atg_truth_write_json(truth, &x->op, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    return atg_arena_str(x->arena, text);
}

static void a_truth_that_is_read_back_is_the_same_truth(void **state) {
    struct made x = make(60);
    atg_truth again;
    atg_err err = {0};

    (void)state;
    if (atg_truth_read_json(x.arena, text_of(&x, &x.truth), &x.op, &again, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(again.n_samples, x.truth.n_samples);
    for (uint32_t i = 0; i < again.n_samples; i++) {
        assert_int_equal(again.missing_of_sample[i], x.truth.missing_of_sample[i]);
        assert_int_equal(again.swapped[i], x.truth.swapped[i]);
    }
    assert_int_equal(again.n_relatives_wrong, x.truth.n_relatives_wrong);
    for (uint32_t i = 0; i < again.n_relatives_wrong; i++) {
        assert_int_equal(again.wrong[i].family, x.truth.wrong[i].family);
        assert_int_equal(again.wrong[i].person, x.truth.wrong[i].person);
    }
    assert_true(again.options.seed == UINT64_MAX);
    assert_memory_equal(&again.options, &x.truth.options, sizeof(again.options));
    atg_arena_free(x.arena);
}

/* `text` with its first `what` replaced. */
static atg_str spoiled(atg_arena *arena, atg_str text, const char *what, const char *by) {
    const char *at = strstr(text.p, what);

    assert_non_null(at);
    return atg_arena_printf(arena, "%.*s%s%s", (int)(at - text.p), text.p, by, at + strlen(what));
}

static void a_truth_that_does_not_fit_is_refused_with_a_sentence(void **state) {
    static const struct {
        const char *what, *by, *says;
    } cases[] = {
        {"antigone-truth/1", "antigone-truth/2", "not a truth file"},
        {"{", "[", "not JSON"},
        {"PM-FE-000002", "PM-FE-000001", "twice"},
        {"PM-FE-000002", "nobody", "nobody"},
        {"AM-FE-", "AM-XX-", "AM-XX-"},
        {"\"missing\": \"", "\"missing\": 1, \"x\": \"", "must be null or one of the missing"},
        {"\"18446744073709551615\"", "\"18446744073709551616\"", "64 bits"},
        {"\"18446744073709551615\"", "\"1x\"", "64 bits"},
        {"\"18446744073709551615\"", "5", "as text"},
        {"\"n_missing\": 12", "\"n_missing\": -12", "whole number"},
        {"\"n_missing\": 12", "\"n_missing\": 1.5", "whole number"},
        {"\"theta\": 0", "\"theta\": \"0\"", "theta"},
        {"\"equal\"", "\"custom\"", "mutation model"},
        {"\"samples\": [", "\"samples\": [{},", "each of the operation's"},
        {"\"wrong_relatives\": [", "\"wrong_relatives\": {}, \"x\": [", "list"},
        {"\"wrong_relatives\": [", "\"wrong_relatives\": [{\"family\": \"F001\"},", "lacks"},
    };
    struct made x = make(12);
    atg_str text = text_of(&x, &x.truth);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        atg_truth truth;
        atg_err err = {0};
        atg_str bad = spoiled(x.arena, text, cases[i].what, cases[i].by);

        assert_int_equal(atg_truth_read_json(x.arena, bad, &x.op, &truth, &err), ATG_EPARSE);
        if (!strstr(err.msg, cases[i].says))
            fail_msg("case %zu: %s", i, err.msg);
    }
    atg_arena_free(x.arena);
}

static void a_truth_of_another_operation_is_not_written(void **state) {
    struct made x = make(12), y = make(30);
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);

    (void)state;
    assert_int_equal(atg_truth_write_json(&x.truth, &y.op, buf, NULL), ATG_EINVAL);
    x.truth.options.mutation.model = ATG_MUT_CUSTOM;
    assert_int_equal(atg_truth_write_json(&x.truth, &x.op, buf, NULL), ATG_EINVAL);
    atg_arena_free(x.arena);
    atg_arena_free(y.arena);
}

static void memory_that_runs_out_while_reading_is_reported_and_nothing_leaks(void **state) {
    struct made x = make(12);
    atg_str text = text_of(&x, &x.truth);
    size_t live = mem_live();
    int rc = ATG_ENOMEM;

    (void)state;
    for (long n = 0; rc; n++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        atg_truth truth;

        mem_fail_after(n);
        rc = atg_truth_read_json(arena, text, &x.op, &truth, NULL);
        mem_fail_after(-1);
        if (rc)
            assert_int_equal(rc, ATG_ENOMEM);
        assert_true(n < 1000);
    }
    assert_int_equal(mem_live(), live);
    atg_arena_free(x.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_truth_that_is_read_back_is_the_same_truth),
        cmocka_unit_test(a_truth_that_does_not_fit_is_refused_with_a_sentence),
        cmocka_unit_test(a_truth_of_another_operation_is_not_written),
        cmocka_unit_test(memory_that_runs_out_while_reading_is_reported_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
