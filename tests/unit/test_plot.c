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
    const plot_lrs lrs = {2, 4, of_true, of_false, 2, 4, 1};
    atg_buf *buf = atg_buf_new(1 << 20);
    atg_str s;

    (void)state;
    assert_int_equal(plot_tippett(&lrs, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    assert_int_equal(count(s, "<svg"), 1);
    assert_int_equal(count(s, "</svg>"), 1);
    /* x from -1.25 at 70 to 1.25 at 600, y from 100 % at 82 to 0 at 388 */
    has(s, "d=\"M70.0 82.0H229.0V235.0H547.0V388.0H600.0\"");
    has(s, "d=\"M70.0 82.0H123.0V158.5H123.0V235.0H123.0V311.5H441.0V388.0H600.0\"");
    has(s, "same person: 2 pairs, 2 persons; LR below 1 in 50 %");
    has(s, "different persons: 4 pairs, 4 persons; LR above 1 in 25 %");
    assert_int_equal(count(s, ">cap</text>"), 2);
    atg_buf_free(buf);
}

static void a_reliability_plot_shows_the_share_that_is_true(void **state) {
    /* posterior 10/11 and 1/11: 3 of 4 true and 1 of 4 false lie above */
    static const double of_true[] = {1, 1, 1, -1}, of_false[] = {-1, -1, 1, -1};
    const plot_lrs lrs = {4, 4, of_true, of_false, 4, 4, 0};
    atg_buf *buf = atg_buf_new(1 << 20);
    atg_str s;

    (void)state;
    assert_int_equal(plot_reliability(&lrs, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    assert_int_equal(count(s, "<circle"), 3);    /* one is the legend's */
    has(s, "<circle cx=\"118.2\" cy=\"311.5\""); /* 1/11, 25 % */
    has(s, "<circle cx=\"551.8\" cy=\"158.5\""); /* 10/11, 75 % */
    /* the limits of 1 of 4: 1 - 0.975^(1/4), and where (1 - p)^4 + 4 p (1 - p)^3 is 0.025 */
    has(s, "d=\"M118.2 386.1L118.2 141.4\"");
    has(s, "d=\"M551.8 328.6L551.8 83.9\"");
    assert_int_equal(count(s, ">3</text>"), 2);
    assert_int_equal(count(s, ">cap</text>"), 0);
    atg_buf_free(buf);
}

/* Persons, not pairs: a thousand pairs of ten persons tell no more than ten. */
static void many_pairs_of_few_persons_are_few(void **state) {
    enum { N = 1000 };
    double of_true[10], *of_false = mem_zero(N, sizeof(*of_false));
    plot_lrs lrs = {10, N, of_true, of_false, 10, 10, 0};
    atg_buf *buf = atg_buf_new(1 << 20);
    atg_str s;

    (void)state;
    assert_non_null(of_false);
    for (uint32_t i = 0; i < 10; i++)
        of_true[i] = 1;
    for (uint32_t i = 0; i < N; i++)
        of_false[i] = -1;
    assert_int_equal(plot_reliability(&lrs, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    /* 1 - 0.025^(1/10) = 0.30850 at 388 - 306 x 0.30850 */
    has(s, "d=\"M118.2 388.0L118.2 293.6\"");
    has(s, "d=\"M551.8 176.4L551.8 82.0\"");
    atg_buf_free(buf);
    mem_free(of_false);
}

static void a_calibration_is_cut_off_at_its_cap(void **state) {
    static const plot_point points[] = {{0.25, -2, -2.5, -1.5}, {0.75, 2, 1.5, 2.5}};
    atg_buf *buf = atg_buf_new(1 << 20);
    atg_str s;

    (void)state;
    assert_int_equal(plot_calibration(points, 1, 1, buf, NULL), ATG_EINVAL);
    assert_int_equal(plot_calibration(points, 2, 1, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    /* log10 LR from -1.25 at 388 to 1.25 at 82, in eight parts */
    has(s, "d=\"M70.0 357.4L136.2 357.4L202.5 357.4L268.8 296.2L335.0 235.0L401.2 173.8L467.5 112.6"
           "L533.8 112.6L600.0 112.6\"");
    assert_int_equal(count(s, ">cap</text>"), 2);
    atg_buf_free(buf);
}

static void many_pairs_make_a_small_plot(void **state) {
    enum { N = 100000 };
    double *values = mem_zero(N, sizeof(*values));
    plot_lrs lrs = {N, N, values, values, N, N, 1};
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
    const plot_lrs none = {1, 0, one, one, 1, 0, 1}, good = {1, 1, one, one, 1, 1, 1};
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
        cmocka_unit_test(many_pairs_of_few_persons_are_few),
        cmocka_unit_test(a_calibration_is_cut_off_at_its_cap),
        cmocka_unit_test(many_pairs_make_a_small_plot),
        cmocka_unit_test(plots_of_one_kind_and_short_memory_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
