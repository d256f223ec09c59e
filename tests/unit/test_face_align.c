/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include "made_face.h"

static void close_to(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.12g is not %.12g", got, want);
}

static face_transform turned(double scale, double angle, double tx, double ty) {
    return (face_transform){scale * cos(angle), scale * sin(angle), tx, ty};
}

static void a_known_turn_is_found_again(void **state) {
    atg_rng rng = atg_rng_seed(7);

    (void)state;
    for (int i = 0; i < 200; i++) {
        face_transform want = turned(0.01 + 20 * atg_rng_unit(&rng), 7 * atg_rng_unit(&rng),
                                     4000 * atg_rng_unit(&rng), -900 * atg_rng_unit(&rng));
        face_transform got;
        face_landmarks from, to;
        double rms;

        for (int k = 0; k < FACE_POINTS; k++) {
            from.at[k] = (face_point){500 * atg_rng_unit(&rng), 500 * atg_rng_unit(&rng)};
            to.at[k] = face_map(&want, from.at[k]);
        }
        assert_int_equal(face_fit(&from, &to, &got, &rms, NULL), ATG_OK);
        close_to(got.a, want.a, 1e-10);
        close_to(got.b, want.b, 1e-10);
        close_to(got.tx, want.tx, 1e-7);
        close_to(got.ty, want.ty, 1e-7);
        close_to(rms, 0, 1e-8);
    }
}

static double distance(const face_transform *t, const face_landmarks *from) {
    double sum = 0;

    for (int i = 0; i < FACE_POINTS; i++) {
        face_point p = face_map(t, from->at[i]);

        sum += pow(p.x - face_template.at[i].x, 2) + pow(p.y - face_template.at[i].y, 2);
    }
    return sqrt(sum / FACE_POINTS);
}

static void no_other_transform_comes_nearer(void **state) {
    atg_rng rng = atg_rng_seed(8);

    (void)state;
    for (int i = 0; i < 200; i++) {
        face_transform t;
        face_landmarks from;
        double rms;

        for (int k = 0; k < FACE_POINTS; k++)
            from.at[k] = (face_point){3 * face_template.at[k].x + 60 * atg_rng_unit(&rng),
                                      3 * face_template.at[k].y + 60 * atg_rng_unit(&rng)};
        assert_int_equal(face_fit(&from, &face_template, &t, &rms, NULL), ATG_OK);
        close_to(distance(&t, &from), rms, 1e-12);
        for (int d = 0; d < 8; d++) {
            face_transform other = t;
            double *part[] = {&other.a, &other.b, &other.tx, &other.ty};

            *part[d / 2] += (d % 2 ? 1 : -1) * (d < 4 ? 1e-4 : 1e-2);
            assert_true(distance(&other, &from) > rms);
        }
    }
}

/* By singular values in double precision (Umeyama 1991, equations 34 to 42), another program. */
static void the_published_formula_gives_the_same(void **state) {
    static const face_landmarks from = {
        {{812.5, 640.25}, {1033, 611.75}, {930.5, 770}, {845.25, 905.5}, {1012.75, 880}}};
    face_transform t;

    (void)state;
    assert_int_equal(face_fit(&from, &face_template, &t, NULL, NULL), ATG_OK);
    close_to(t.a, 0.1557127270116257, 1e-12);
    close_to(t.b, 0.0093531678226861856, 1e-12);
    close_to(t.tx, -80.665958097399141, 1e-9);
    close_to(t.ty, -54.842977557418564, 1e-9);
}

static void a_mirrored_face_does_not_fit(void **state) {
    face_landmarks mirrored = face_template;
    face_transform t;
    double rms;

    (void)state;
    for (int i = 0; i < FACE_POINTS; i++)
        mirrored.at[i].x = FACE_SIDE - mirrored.at[i].x;
    assert_int_equal(face_fit(&mirrored, &face_template, &t, &rms, NULL), ATG_OK);
    assert_true(rms > 15);
}

static void transforms_chain_and_turn_back(void **state) {
    face_transform a = turned(3, 0.7, 10, -4), b = turned(0.2, -2, 5, 6), ab = face_chain(&a, &b);
    face_transform back = face_invert(&ab);
    face_point p = {123, 45}, q = face_map(&a, p), r;

    (void)state;
    q = face_map(&b, q);
    r = face_map(&ab, p);
    close_to(r.x, q.x, 1e-12);
    close_to(r.y, q.y, 1e-12);
    r = face_map(&back, r);
    close_to(r.x, p.x, 1e-11);
    close_to(r.y, p.y, 1e-11);
    close_to(face_scale(&ab), 0.6, 1e-15);
}

static void landmarks_that_are_none_are_refused(void **state) {
    face_landmarks bad = face_template, same = {{{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}};
    face_transform t = {9, 9, 9, 9};
    atg_err err;

    (void)state;
    bad.at[3].y = NAN;
    assert_int_equal(face_fit(&bad, &face_template, &t, NULL, &err), ATG_EINVAL);
    bad.at[3].y = INFINITY;
    assert_int_equal(face_fit(&bad, &face_template, &t, NULL, &err), ATG_EINVAL);
    bad.at[3].y = 1e300;
    assert_int_equal(face_fit(&bad, &face_template, &t, NULL, &err), ATG_EINVAL);
    assert_int_equal(face_fit(&same, &face_template, &t, NULL, &err), ATG_EINVAL);
    assert_int_equal(face_fit(&face_template, &same, &t, NULL, &err), ATG_EINVAL);
    close_to(t.a, 9, 0);
}

static void whole_steps_copy_pixels(void **state) {
    drawn d = drawn_speckled(40, 30), got = drawn_new(20, 20);
    face_transform moved = {1, 0, -7, -5};
    face_transform quarter = {0, 1, 20, 0}; /* clockwise: (x, y) -> (20 - y, x) */

    (void)state;
    assert_int_equal(face_warp(&d.p, &moved, 20, 20, got.rgb, NULL), ATG_OK);
    for (size_t y = 0; y < 20; y++)
        assert_memory_equal(drawn_at(&got, 0, y), drawn_at(&d, 7, y + 5), 60);
    assert_int_equal(face_warp(&d.p, &quarter, 20, 20, got.rgb, NULL), ATG_OK);
    for (size_t y = 0; y < 20; y++)
        for (size_t x = 0; x < 20; x++)
            assert_memory_equal(drawn_at(&got, x, y), drawn_at(&d, y, 19 - x), 3);
    mem_free(d.rgb);
    mem_free(got.rgb);
}

static void enlarging_is_linear_between_centres(void **state) {
    drawn d = drawn_new(20, 4), got = drawn_new(60, 4);
    face_transform wide = {3, 0, 0, -3};

    (void)state;
    for (size_t y = 0; y < 4; y++)
        for (size_t x = 0; x < 20; x++)
            memset(drawn_at(&d, x, y), (int)(x * 12), 3);
    assert_int_equal(face_warp(&d.p, &wide, 60, 4, got.rgb, NULL), ATG_OK);
    for (size_t x = 2; x < 58; x++)
        close_to(*drawn_at(&got, x, 0), (((double)x + 0.5) / 3 - 0.5) * 12, 0.5);
    mem_free(d.rgb);
    mem_free(got.rgb);
}

/* Turned about the picture's middle, which comes to the middle of `side` pixels. */
static face_transform about_middle(const drawn *d, double scale, double angle, double side) {
    face_transform t = turned(scale, angle, 0, 0);
    face_point middle = face_map(&t, (face_point){d->p.width / 2.0, d->p.height / 2.0});

    t.tx = side / 2 - middle.x;
    t.ty = side / 2 - middle.y;
    return t;
}

static double from_middle(size_t x, size_t y, double side) {
    return hypot((double)x + 0.5 - side / 2, (double)y + 0.5 - side / 2);
}

static void an_even_picture_stays_even_at_every_size_and_turn(void **state) {
    static const double scales[] = {3, 1, 0.9, 0.37, 0.13, 0.12, 0.05, 0.011};
    drawn d = drawn_new(1500, 1400), got = drawn_new(10, 10);

    (void)state;
    memset(d.rgb, 137, (size_t)1500 * 1400 * 3);
    for (size_t i = 0; i < sizeof(scales) / sizeof(*scales); i++)
        for (int turn = 0; turn < 16; turn++) {
            face_transform t = about_middle(&d, scales[i], turn * M_PI / 8, 10);

            assert_int_equal(face_warp(&d.p, &t, 10, 10, got.rgb, NULL), ATG_OK);
            for (size_t y = 0; y < 10; y++)
                for (size_t x = 0; x < 10; x++) /* at the smallest scale the edge is near */
                    if (from_middle(x, y, 10) < 4 + 400 * (scales[i] - 0.011))
                        assert_int_equal(*drawn_at(&got, x, y), 137);
        }
    mem_free(d.rgb);
    mem_free(got.rgb);
}

static double sinc(double x) {
    return fabs(x) < 1e-9 ? 1 : sin(M_PI * x) / (M_PI * x);
}

/* Amplitude of a wave of `cycles` a pixel after shrinking by `factor`, seen at an angle. */
static double amplitude(double cycles, double factor, double angle) {
    enum { SIDE = 900, OUT = 40 }; /* boxes of 5 and the result's pixels begin together */
    drawn d = drawn_new(SIDE, SIDE), got = drawn_new(OUT, OUT);
    face_transform t = about_middle(&d, 1 / factor, angle, OUT), back = face_invert(&t);
    double c = 0, s = 0, n = 0, k = 2 * M_PI * cycles;

    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++)
            memset(drawn_at(&d, x, y), (int)lround(128 + 100 * cos(k * ((double)x + 0.5))), 3);
    assert_int_equal(face_warp(&d.p, &t, OUT, OUT, got.rgb, NULL), ATG_OK);
    for (size_t y = 0; y < OUT; y++)
        for (size_t x = 0; x < OUT; x++) {
            face_point p = face_map(&back, (face_point){(double)x + 0.5, (double)y + 0.5});
            double r = fmin(1, from_middle(x, y, OUT) * 2 / OUT), w = pow(cos(r * M_PI / 2), 2);

            c += w * (*drawn_at(&got, x, y) - 128.0) * cos(k * p.x);
            s += w * (*drawn_at(&got, x, y) - 128.0) * sin(k * p.x);
            n += w / 2;
        }
    mem_free(d.rgb);
    mem_free(got.rgb);
    return hypot(c, s) / n / 100;
}

/* A tent over two of the result's pixels has the response sinc^2 along its axes, and the product of
 * two between them.  Summed over pixels `step` apart instead of integrated it becomes the kernel of
 * Fejer; boxes of k pixels before it have that of Dirichlet. */
static double tent(double cycles, double factor, double step) {
    return pow(sinc(cycles * factor) / sinc(cycles * step), 2);
}

static void waves_fade_as_the_filter_says(void **state) {
    (void)state;
    for (int i = 1; i < 6; i++) {
        close_to(amplitude(0.03 * i, 3, 0), tent(0.03 * i, 3, 1), 0.01);
        close_to(amplitude(0.01 * i, 5.5, 0.5),
                 tent(0.01 * i * cos(0.5), 5.5, 1) * tent(0.01 * i * sin(0.5), 5.5, 1), 0.01);
        close_to(amplitude(0.004 * i, 15, 0), tent(0.004 * i, 15, 1), 0.01);
        close_to(amplitude(0.004 * i, 15, M_PI / 2),
                 tent(0.004 * i, 15, 5) * sinc(5 * 0.004 * i) / sinc(0.004 * i), 0.01);
    }
}

static void even_disc(const drawn *d, double grey, double tolerance) {
    double side = d->p.width;

    for (size_t y = 0; y < d->p.height; y++)
        for (size_t x = 0; x < d->p.width; x++)
            if (from_middle(x, y, side) < side / 2 - 1)
                close_to(*drawn_at(d, x, y), grey, tolerance);
}

static void nothing_aliases_when_a_picture_shrinks_much(void **state) {
    static const double factors[] = {3, 7.9, 8.1, 16, 33};
    drawn d = drawn_new(1200, 1200), got = drawn_new(20, 20);

    (void)state;
    for (size_t y = 0; y < 1200; y++)
        for (size_t x = 0; x < 1200; x++) /* the finest pattern there is */
            memset(drawn_at(&d, x, y), (x + y) % 2 ? 255 : 0, 3);
    for (size_t i = 0; i < sizeof(factors) / sizeof(*factors); i++)
        for (int turn = 0; turn < 8; turn++) {
            face_transform t = about_middle(&d, 1 / factors[i], turn * 0.35, 20);

            assert_int_equal(face_warp(&d.p, &t, 20, 20, got.rgb, NULL), ATG_OK);
            even_disc(&got, 127.5, 3);
        }
    mem_free(d.rgb);
    mem_free(got.rgb);
}

static void what_lies_outside_is_black(void **state) {
    drawn d = drawn_new(50, 50), got = drawn_new(100, 100);
    face_transform t = {1, 0, 25, 25}, far = {1, 0, 1e6, 0}, tiny = {0.01, 0, 0.25, 0.25};

    (void)state;
    memset(d.rgb, 200, d.p.stride * 50);
    assert_int_equal(face_warp(&d.p, &t, 100, 100, got.rgb, NULL), ATG_OK);
    for (size_t y = 0; y < 100; y++)
        for (size_t x = 0; x < 100; x++)
            assert_int_equal(*drawn_at(&got, x, y),
                             x >= 25 && x < 75 && y >= 25 && y < 75 ? 200 : 0);
    assert_int_equal(face_warp(&d.p, &far, 100, 100, got.rgb, NULL), ATG_OK);
    for (size_t i = 0; i < got.p.stride * 100; i++)
        assert_int_equal(got.rgb[i], 0);
    /* shrunk to less than a pixel, it is there by its area */
    assert_int_equal(face_warp(&d.p, &tiny, 1, 1, got.rgb, NULL), ATG_OK);
    assert_true(got.rgb[0] > 30 && got.rgb[0] < 60);
    mem_free(d.rgb);
    mem_free(got.rgb);
}

static void a_face_is_brought_to_the_template(void **state) {
    drawn d = drawn_new(2000, 1500), got = drawn_new(FACE_SIDE, FACE_SIDE);
    face_transform to_picture = turned(7.3, 2.4, 1300, 700);
    face_landmarks marks;

    (void)state;
    for (int i = 0; i < FACE_POINTS; i++) {
        marks.at[i] = face_map(&to_picture, face_template.at[i]);
        drawn_disc(&d, marks.at[i], 25, 255);
    }
    assert_int_equal(face_align(&d.p, &marks, got.rgb, NULL), ATG_OK);
    for (int i = 0; i < FACE_POINTS; i++) {
        face_point want = face_template.at[i], sum = {0, 0};
        double n = 0;

        for (size_t y = 0; y < FACE_SIDE; y++)
            for (size_t x = 0; x < FACE_SIDE; x++) {
                face_point p = {(double)x + 0.5, (double)y + 0.5};
                double bright = *drawn_at(&got, x, y);

                if (hypot(p.x - want.x, p.y - want.y) > 7)
                    continue;
                sum.x += bright * p.x;
                sum.y += bright * p.y;
                n += bright;
            }
        close_to(sum.x / n, want.x, 0.1);
        close_to(sum.y / n, want.y, 0.1);
    }
    mem_free(d.rgb);
    mem_free(got.rgb);
}

static void pictures_and_parts_that_cannot_be_are_refused(void **state) {
    uint8_t pixel[3] = {1, 2, 3}, got[3];
    face_picture good = {pixel, 1, 1, 3}, bad[4] = {good, good, good, good};
    face_transform t = {1, 0, 0, 0}, broken[5] = {t, t, t, t, t};
    atg_err err;

    (void)state;
    bad[0].rgb = NULL;
    bad[1].width = 0;
    bad[2].height = FACE_PICTURE_MAX + 1;
    bad[3].stride = 2;
    broken[0].a = 0;
    broken[1].a = NAN;
    broken[2].a = 1e9;
    broken[3].tx = NAN;
    broken[4].ty = -INFINITY;
    for (int i = 0; i < 4; i++)
        assert_int_equal(face_warp(&bad[i], &t, 1, 1, got, &err), ATG_EINVAL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(face_warp(&good, &broken[i], 1, 1, got, &err), ATG_EINVAL);
    assert_int_equal(face_warp(&good, &t, 0, 1, got, &err), ATG_EINVAL);
    assert_int_equal(face_warp(&good, &t, 1, FACE_PICTURE_MAX + 1, got, &err), ATG_EINVAL);
    assert_int_equal(face_warp(&good, &t, 1, 1, got, &err), ATG_OK);
    assert_memory_equal(got, pixel, 3);
}

static void shrinking_needs_memory(face_transform t) {
    drawn d = drawn_speckled(300, 300);
    uint8_t got[100];
    size_t live = mem_live();
    long n = 0;
    int rc;

    do {
        mem_fail_after(n++);
        rc = face_warp(&d.p, &t, 3, 3, got, NULL);
        mem_fail_after(-1);
        assert_int_equal(mem_live(), live);
        if (rc)
            assert_int_equal(rc, ATG_ENOMEM);
    } while (rc);
    assert_true(n > 2);
    mem_free(d.rgb);
}

static void memory_that_runs_short_is_told(void **state) {
    (void)state;
    shrinking_needs_memory((face_transform){0.01, 0, 0, 0});
    shrinking_needs_memory((face_transform){0.01, 0.001, 0, 0});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_turn_is_found_again),
        cmocka_unit_test(no_other_transform_comes_nearer),
        cmocka_unit_test(the_published_formula_gives_the_same),
        cmocka_unit_test(a_mirrored_face_does_not_fit),
        cmocka_unit_test(transforms_chain_and_turn_back),
        cmocka_unit_test(landmarks_that_are_none_are_refused),
        cmocka_unit_test(whole_steps_copy_pixels),
        cmocka_unit_test(enlarging_is_linear_between_centres),
        cmocka_unit_test(an_even_picture_stays_even_at_every_size_and_turn),
        cmocka_unit_test(waves_fade_as_the_filter_says),
        cmocka_unit_test(nothing_aliases_when_a_picture_shrinks_much),
        cmocka_unit_test(what_lies_outside_is_black),
        cmocka_unit_test(a_face_is_brought_to_the_template),
        cmocka_unit_test(pictures_and_parts_that_cannot_be_are_refused),
        cmocka_unit_test(memory_that_runs_short_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
