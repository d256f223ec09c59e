/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include "report/plot.h"

static uint32_t count(atg_str s, const char *what) {
    uint32_t n = 0;

    for (size_t i = 0; i + strlen(what) <= s.n; i++)
        n += memcmp(s.p + i, what, strlen(what)) == 0;
    return n;
}

static void has(atg_str s, const char *what) {
    if (count(s, what) == 0)
        fail_msg("no %s in %.*s", what, ATG_FMT(s));
}

static void a_tippett_plot_steps_down_at_each_value(void **state) {
    static const double of_true[] = {1, -0.5}, of_false[] = {-1, 0.5, -1, -1};
    const plot_lrs lrs = {2, 4, of_true, of_false};
    atg_buf *buf = atg_buf_new(1 << 20);
    atg_str s;

    (void)state;
    assert_int_equal(plot_tippett(&lrs, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    assert_int_equal(count(s, "<svg"), 1);
    assert_int_equal(count(s, "</svg>"), 1);
    /* x from -1 at 56 to 1 at 404, y from 100 % at 34 to 0 at 254 */
    has(s, "d=\"M56.0 34.0H143.0V144.0H404.0V254.0H404.0\"");
    has(s, "d=\"M56.0 34.0H56.0V89.0H56.0V144.0H56.0V199.0H317.0V254.0H404.0\"");
    atg_buf_free(buf);
}

static void a_reliability_plot_shows_the_share_that_is_true(void **state) {
    /* posterior 10/11 and 1/11: 3 of 4 true and 1 of 4 false lie above */
    static const double of_true[] = {1, 1, 1, -1}, of_false[] = {-1, -1, 1, -1};
    const plot_lrs lrs = {4, 4, of_true, of_false};
    atg_buf *buf = atg_buf_new(1 << 20);
    atg_str s;

    (void)state;
    assert_int_equal(plot_reliability(&lrs, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    assert_int_equal(count(s, "<circle"), 2);
    has(s, "<circle cx=\"87.6\" cy=\"199.0\""); /* 1/11, 25 % */
    has(s, "<circle cx=\"372.4\" cy=\"89.0\""); /* 10/11, 75 % */
    assert_int_equal(count(s, ">4</text>"), 2);
    atg_buf_free(buf);
}

static void many_pairs_make_a_small_plot(void **state) {
    enum { N = 100000 };
    double *values = mem_zero(N, sizeof(*values));
    plot_lrs lrs = {N, N, values, values};
    atg_buf *buf = atg_buf_new(1 << 16);

    (void)state;
    assert_non_null(values);
    for (uint32_t i = 0; i < N; i++)
        values[i] = sin(i);
    assert_int_equal(plot_tippett(&lrs, buf, NULL), ATG_OK);
    atg_buf_free(buf);
    mem_free(values);
}

static void plots_of_one_kind_and_short_memory_are_told(void **state) {
    static const double one[] = {0.3};
    const plot_lrs none = {1, 0, one, one}, good = {1, 1, one, one};
    atg_buf *buf = atg_buf_new(1 << 16), *small = atg_buf_new(100);

    (void)state;
    assert_int_equal(plot_tippett(&none, buf, NULL), ATG_EINVAL);
    assert_int_equal(plot_reliability(&none, buf, NULL), ATG_EINVAL);
    assert_int_equal(plot_reliability(&good, small, NULL), ATG_ELIMIT);
    mem_fail_after(0);
    assert_int_equal(plot_tippett(&good, buf, NULL), ATG_ENOMEM);
    mem_fail_after(-1);
    atg_buf_free(buf);
    atg_buf_free(small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tippett_plot_steps_down_at_each_value),
        cmocka_unit_test(a_reliability_plot_shows_the_share_that_is_true),
        cmocka_unit_test(many_pairs_make_a_small_plot),
        cmocka_unit_test(plots_of_one_kind_and_short_memory_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
