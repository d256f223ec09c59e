/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include "face/quality.h"
#include "made_face.h"

enum { SIDE = 320 };

static void close_to(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.12g is not %.12g", got, want);
}

/* Two pixels to one of the template, in the middle. */
static const face_transform to_picture = {2, 0, 48, 40};

static face_landmarks marks_of(const face_transform *t) {
    face_landmarks marks;

    for (int i = 0; i < FACE_POINTS; i++)
        marks.at[i] = face_map(t, face_template.at[i]);
    return marks;
}

static double bump(double x, double y, double wide, double high) {
    return exp(-0.5 * (x * x / (wide * wide) + y * y / (high * high)));
}

/* Brightness of a drawn face at a point of the template; `lids` closes the eyes. */
static double face_at(double x, double y, bool lids) {
    double oval = pow((x - 56.5) / 38, 2) + pow((y - 68) / 50, 2);
    double grey = oval < 1 ? 175 + 0.5 * (x - 56) - 30 * oval : 90;

    for (int side = -1; side <= 1; side += 2) {
        double dx = x - 56.4 - side * 17.6, dy = y - 52.1;

        grey -= 90 * bump(dx, dy + 11, 7, 1.2); /* brow */
        grey -= 70 * bump(dx, dy + 1.5 - 0.02 * dx * dx, 6, 0.8);
        if (!lids) {
            grey += 50 * bump(dx, dy, 4.5, 1.8);
            grey -= 130 * bump(dx, dy, 1.8, 1.8);
        }
        grey -= 45 * bump(x - 56.5 - side * 4, y - 74, 1.6, 1.2); /* nostril */
    }
    grey -= 80 * bump(x - 56.5, y - 92.8, 10, 1.1);
    return grey;
}

static drawn draw_face(bool lids) {
    drawn d = drawn_new(SIDE, SIDE);
    face_transform back = face_invert(&to_picture);
    atg_rng rng = atg_rng_seed(2);

    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++) {
            face_point p = face_map(&back, (face_point){(double)x + 0.5, (double)y + 0.5});
            double grey = face_at(p.x, p.y, lids) + 6 * (atg_rng_unit(&rng) - 0.5);

            memset(drawn_at(&d, x, y), (int)fmax(0, fmin(255, grey)), 3);
        }
    return d;
}

static face_quality assess(const drawn *d, const face_landmarks *marks) {
    drawn aligned = drawn_new(FACE_SIDE, FACE_SIDE);
    face_quality q;

    assert_int_equal(face_align(&d->p, marks, aligned.rgb, NULL), ATG_OK);
    assert_int_equal(face_assess(&d->p, marks, aligned.rgb, &q, NULL), ATG_OK);
    mem_free(aligned.rgb);
    return q;
}

static void refused_for(const drawn *d, const face_landmarks *marks, uint32_t reasons) {
    face_quality q = assess(d, marks);

    if (q.refused != reasons)
        fail_msg("refused for %x, not %x: eyes %g px, sharp %g, yaw %g, pitch %g, bright %g, "
                 "burnt %g, contrast %g, eyes %g %g, outside %g, misfit %g",
                 q.refused, reasons, q.eye_distance, q.sharpness, q.yaw, q.pitch, q.brightness,
                 q.burnt, q.contrast, q.eyes[0], q.eyes[1], q.outside, q.misfit);
}

static void each_byte(const drawn *d, double factor, double more) {
    for (size_t i = 0; i < d->p.stride * d->p.height; i++)
        d->rgb[i] = (uint8_t)fmax(0, fmin(255, d->rgb[i] * factor + more));
}

/* The mean of 2 r + 1 neighbours, `step` bytes apart, `n` of them in line. */
static void smear(const uint8_t *from, uint8_t *to, long n, long step, long r) {
    for (long i = 0; i < n; i++) {
        long sum = 0;

        for (long k = i - r; k <= i + r; k++)
            sum += from[(k < 0 ? 0 : k >= n ? n - 1 : k) * step];
        memset(to + i * step, (int)(sum / (2 * r + 1)), 3);
    }
}

/* Along rows and columns, three times: nearly a bell. */
static void blur(const drawn *d, long r) {
    drawn next = drawn_new(SIDE, SIDE);

    for (int pass = 0; pass < 3; pass++) {
        for (size_t y = 0; y < SIDE; y++)
            smear(drawn_at(d, 0, y), drawn_at(&next, 0, y), SIDE, 3, r);
        for (size_t x = 0; x < SIDE; x++)
            smear(drawn_at(&next, x, 0), drawn_at(d, x, 0), SIDE, (long)d->p.stride, r);
    }
    mem_free(next.rgb);
}

static void cover(const drawn *d, face_point at, double wide, double high, int grey) {
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++)
            if (fabs((double)x - at.x) < wide && fabs((double)y - at.y) < high)
                memset(drawn_at(d, x, y), grey, 3);
}

static void a_plain_face_is_taken_with_open_and_with_closed_eyes(void **state) {
    face_landmarks marks = marks_of(&to_picture);

    (void)state;
    for (int lids = 0; lids < 2; lids++) {
        drawn d = draw_face(lids);
        face_quality q = assess(&d, &marks);

        refused_for(&d, &marks, 0);
        assert_int_equal(q.cautions, 0);
        close_to(q.eye_distance, 70.5, 0.1);
        close_to(q.yaw, 0, 1);
        close_to(q.pitch, 0, 1);
        close_to(q.roll, 0, 1);
        assert_true(q.misfit < 1e-6 && q.outside == 0);
        mem_free(d.rgb);
    }
}

static void poor_light_is_named(void **state) {
    static const struct {
        double factor, more;
        uint32_t reasons;
    } cases[] = {
        {0.25, 0, 1 << FACE_DARK},
        {1.6, 0, 1 << FACE_OVEREXPOSED},
        {0.12, 110, 1 << FACE_LOW_CONTRAST},
        {0.7, 0, 0},
    };
    face_landmarks marks = marks_of(&to_picture);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        drawn d = draw_face(true);

        each_byte(&d, cases[i].factor, cases[i].more);
        refused_for(&d, &marks, cases[i].reasons);
        mem_free(d.rgb);
    }
}

static void a_blurred_face_is_named(void **state) {
    face_landmarks marks = marks_of(&to_picture);
    drawn d = draw_face(true);

    (void)state;
    blur(&d, 1);
    refused_for(&d, &marks, 0);
    blur(&d, 5);
    assert_true(assess(&d, &marks).refused & 1 << FACE_BLURRED);
    mem_free(d.rgb);
}

static void covered_eyes_are_named_and_one_is_enough_to_go_on(void **state) {
    face_landmarks marks = marks_of(&to_picture);
    face_point between = {(marks.at[0].x + marks.at[1].x) / 2, marks.at[0].y};
    drawn d = draw_face(true);

    (void)state;
    cover(&d, marks.at[0], 28, 16, 200);
    refused_for(&d, &marks, 0);
    assert_true(assess(&d, &marks).cautions & 1 << FACE_EYES_COVERED);
    cover(&d, between, 70, 16, 10);
    assert_true(assess(&d, &marks).refused & 1 << FACE_EYES_COVERED);
    mem_free(d.rgb);
}

static void a_small_face_is_named(void **state) {
    drawn d = draw_face(true), small = drawn_new(45, 45);
    face_transform shrink = {0.14, 0, 0, 0}, t = face_chain(&to_picture, &shrink);
    face_landmarks marks = marks_of(&t);

    (void)state;
    assert_int_equal(face_warp(&d.p, &shrink, 45, 45, small.rgb, NULL), ATG_OK);
    assert_true(assess(&small, &marks).refused & 1 << FACE_TOO_SMALL);
    mem_free(d.rgb);
    mem_free(small.rgb);
}

static void a_face_at_the_edge_and_misplaced_marks_are_named(void **state) {
    face_landmarks marks = marks_of(&to_picture), swapped = marks;
    drawn d = draw_face(true);
    face_picture whole = d.p;

    (void)state;
    swapped.at[0] = marks.at[1];
    swapped.at[1] = marks.at[0];
    assert_true(assess(&d, &swapped).refused & 1 << FACE_MISPLACED);
    d.p.rgb = drawn_at(&d, 160, 0); /* the picture begins in the middle of the face */
    d.p.width -= 160;
    for (int i = 0; i < FACE_POINTS; i++)
        marks.at[i].x -= 160;
    assert_true(assess(&d, &marks).refused & 1 << FACE_CUT_OFF);
    d.p = whole;
    mem_free(d.rgb);
}

/* The head of the model, turned by known angles and seen from far. */
static face_landmarks turned_head(double yaw, double pitch, double roll) {
    static const double head[FACE_POINTS][3] = {{-17.62, -20.30, -3.2},
                                                {17.62, -20.30, -3.2},
                                                {0, -0.17, 12.8},
                                                {-14.59, 20.385, -3.2},
                                                {14.59, 20.385, -3.2}};
    face_landmarks marks;

    for (int i = 0; i < FACE_POINTS; i++) {
        double x = head[i][0] * cos(yaw) + head[i][2] * sin(yaw);
        double z = head[i][2] * cos(yaw) - head[i][0] * sin(yaw);
        double y = head[i][1] * cos(pitch) - z * sin(pitch);

        marks.at[i] = (face_point){160 + 2 * (x * cos(roll) - y * sin(roll)),
                                   150 + 2 * (x * sin(roll) + y * cos(roll))};
    }
    return marks;
}

static void a_turned_head_is_measured(void **state) {
    drawn d = draw_face(true);

    (void)state;
    for (int yaw = -60; yaw <= 60; yaw += 15)
        for (int pitch = -45; pitch <= 45; pitch += 15)
            for (int roll = -180; roll < 180; roll += 60) {
                face_landmarks marks =
                    turned_head(yaw * M_PI / 180, pitch * M_PI / 180, roll * M_PI / 180);
                face_quality q = assess(&d, &marks);
                bool turned = abs(yaw) > 40 || abs(pitch) > 40;

                close_to(q.yaw, yaw, 1e-6);
                close_to(q.pitch, pitch, 1e-6);
                close_to(cos((q.roll - roll) * M_PI / 180), 1, 1e-12);
                assert_int_equal(q.refused >> FACE_TURNED & 1, turned);
            }
    mem_free(d.rgb);
}

static void every_reason_has_a_name_and_a_sentence(void **state) {
    (void)state;
    for (int r = 0; r < FACE_REASONS; r++) {
        assert_true(strlen(face_reason_name((face_reason)r)) > 3);
        assert_true(strlen(face_reason_sentence((face_reason)r)) > 20);
    }
    assert_string_equal(face_reason_name(FACE_REASONS), "");
    assert_string_equal(face_reason_sentence(FACE_REASONS), "");
}

static void marks_that_are_none_are_refused(void **state) {
    drawn d = drawn_new(112, 112);
    face_landmarks same = {{{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}};
    face_quality q;

    (void)state;
    assert_int_equal(face_assess(&d.p, &same, d.rgb, &q, NULL), ATG_EINVAL);
    mem_free(d.rgb);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_face_is_taken_with_open_and_with_closed_eyes),
        cmocka_unit_test(poor_light_is_named),
        cmocka_unit_test(a_blurred_face_is_named),
        cmocka_unit_test(covered_eyes_are_named_and_one_is_enough_to_go_on),
        cmocka_unit_test(a_small_face_is_named),
        cmocka_unit_test(a_face_at_the_edge_and_misplaced_marks_are_named),
        cmocka_unit_test(a_turned_head_is_measured),
        cmocka_unit_test(every_reason_has_a_name_and_a_sentence),
        cmocka_unit_test(marks_that_are_none_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
