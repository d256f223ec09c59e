/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include "face/detect.h"

static void close_to(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.12g is not %.12g", got, want);
}

/* Tensors that a test fills. */
typedef struct made {
    float *room;
    float *cls[FACE_STRIDES], *obj[FACE_STRIDES], *bbox[FACE_STRIDES], *kps[FACE_STRIDES];
} made;

static size_t cells_of(const face_look *look, int level) {
    uint32_t stride = 8U << level;

    return (size_t)(look->width / stride) * (look->height / stride);
}

static made made_for(const face_look *look) {
    size_t n = cells_of(look, 0) + cells_of(look, 1) + cells_of(look, 2);
    made m = {.room = mem_zero(n * 16, sizeof(float))};
    float *at = m.room;

    assert_non_null(m.room);
    for (int level = 0; level < FACE_STRIDES; level++) {
        size_t cells = cells_of(look, level);

        m.cls[level] = at;
        m.obj[level] = at + cells;
        m.bbox[level] = at + 2 * cells;
        m.kps[level] = at + 6 * cells;
        at += 16 * cells;
    }
    return m;
}

static face_tensors tensors_of(const made *m) {
    face_tensors t;

    for (int level = 0; level < FACE_STRIDES; level++) {
        t.cls[level] = m->cls[level];
        t.obj[level] = m->obj[level];
        t.bbox[level] = m->bbox[level];
        t.kps[level] = m->kps[level];
    }
    return t;
}

/* A face as the network would tell it, `side` wide about `centre` of the input. */
static void tell(const made *m, const face_look *look, int level, face_point centre, double side,
                 double score) {
    double s = 8 << level;
    size_t x = (size_t)(centre.x / s), y = (size_t)(centre.y / s);
    size_t cell = y * (look->width / (8U << level)) + x;

    m->cls[level][cell] = (float)score;
    m->obj[level][cell] = (float)score;
    m->bbox[level][cell * 4] = (float)(centre.x / s - (double)x);
    m->bbox[level][cell * 4 + 1] = (float)(centre.y / s - (double)y);
    m->bbox[level][cell * 4 + 2] = (float)log(side / s);
    m->bbox[level][cell * 4 + 3] = (float)log(1.25 * side / s);
    for (size_t i = 0; i < FACE_POINTS; i++) {
        face_point p = face_template.at[i];

        p.x = centre.x + (p.x - 56) * side / 80;
        p.y = centre.y + (p.y - 72) * side / 80;
        m->kps[level][cell * 10 + 2 * i] = (float)(p.x / s - (double)x);
        m->kps[level][cell * 10 + 2 * i + 1] = (float)(p.y / s - (double)y);
    }
}

static void a_picture_is_looked_at_small_first_and_never_needlessly_enlarged(void **state) {
    static const struct {
        uint32_t width, height, n, sides[FACE_LEVELS];
    } cases[] = {
        {4000, 3000, 24, {320, 640, 1280}},
        {900, 1200, 24, {320, 640, 1200}},
        {500, 300, 16, {320, 500, 0}},
        {320, 320, 8, {320, 0, 0}},
        {96, 64, 8, {320, 0, 0}},
        {1, 65535, 24, {320, 640, 1280}},
        {0, 10, 0, {0, 0, 0}},
        {10, 65536, 0, {0, 0, 0}},
    };
    face_look looks[FACE_LOOKS_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(face_plan(cases[i].width, cases[i].height, looks), cases[i].n);
        for (uint32_t k = 0; k < cases[i].n; k++) {
            assert_int_equal(looks[k].long_side, cases[i].sides[k / FACE_TURNS]);
            assert_int_equal(looks[k].turn, k % FACE_TURNS);
        }
    }
    assert_int_equal(face_plan(4000, 3000, looks), 24);
    assert_int_equal(looks[8].width, 640);
    assert_int_equal(looks[8].height, 480);
    assert_int_equal(looks[10].width, 480);
    assert_true(looks[8].to.b == 0 && looks[8].to.a == 0.16);
}

static void every_look_holds_the_whole_picture(void **state) {
    static const uint32_t sizes[][2] = {{4000, 3000}, {500, 333}, {97, 1200}, {96, 96}};
    face_look looks[FACE_LOOKS_MAX];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        double w = sizes[i][0], h = sizes[i][1];
        uint32_t n = face_plan(sizes[i][0], sizes[i][1], looks);

        for (uint32_t k = 0; k < n * 4; k++) {
            const face_look *look = &looks[k / 4];
            face_point p = face_map(&look->to, (face_point){k & 1 ? w : 0, k & 2 ? h : 0});

            assert_true(look->width % 32 == 0 && look->height % 32 == 0);
            assert_true(p.x > -1e-6 && p.y > -1e-6);
            assert_true(p.x < look->width + 1e-6 && p.y < look->height + 1e-6);
            close_to(cos(atan2(look->to.b, look->to.a) - look->turn * M_PI / 4), 1, 1e-12);
        }
    }
}

static void a_face_comes_back_to_its_place_from_every_look(void **state) {
    const face_point want = {2600, 1100};
    face_detect_options options = face_detect_default();
    face_look looks[FACE_LOOKS_MAX];
    uint32_t n = face_plan(4000, 3000, looks);

    (void)state;
    for (uint32_t k = 0; k < n; k++) {
        made m = made_for(&looks[k]);
        face_tensors t = tensors_of(&m);
        face_found found[4];
        face_list list = {.room = 4, .found = found};
        face_transform back = face_invert(&looks[k].to);
        face_point centre = face_map(&looks[k].to, want);

        tell(&m, &looks[k], (int)(k % 3), centre, 60, 0.75);
        assert_int_equal(face_decode(&looks[k], k, &t, &options, &list, NULL), ATG_OK);
        assert_int_equal(list.n, 1);
        close_to(found[0].score, 0.75, 1e-6);
        close_to(found[0].centre.x, want.x, 1e-3);
        close_to(found[0].centre.y, want.y, 1e-3);
        close_to(found[0].width, 60 / face_scale(&looks[k].to), 1e-3);
        close_to(found[0].height, 75 / face_scale(&looks[k].to), 1e-3);
        close_to(cos(found[0].angle + looks[k].turn * M_PI / 4), 1, 1e-12);
        for (int i = 0; i < FACE_POINTS; i++) {
            face_point p = {centre.x + (face_template.at[i].x - 56) * 0.75,
                            centre.y + (face_template.at[i].y - 72) * 0.75};

            p = face_map(&back, p);
            close_to(found[0].marks.at[i].x, p.x, 1e-2);
            close_to(found[0].marks.at[i].y, p.y, 1e-2);
        }
        mem_free(m.room);
    }
}

static void weak_and_broken_cells_are_passed_over(void **state) {
    face_detect_options options = face_detect_default();
    face_look look = {320, 0, 320, 320, {1, 0, 0, 0}};
    made m = made_for(&look);
    face_tensors t = tensors_of(&m);
    face_found found[9];
    face_list list = {.room = 9, .found = found};

    (void)state;
    tell(&m, &look, 0, (face_point){50, 50}, 40, 0.59);
    tell(&m, &look, 0, (face_point){150, 50}, 40, 0.9);
    tell(&m, &look, 0, (face_point){250, 50}, 40, 0.9);
    tell(&m, &look, 1, (face_point){50, 150}, 40, 0.9);
    tell(&m, &look, 1, (face_point){150, 150}, 40, 0.9);
    tell(&m, &look, 2, (face_point){250, 250}, 40, 0.61);
    m.cls[0][258] = NAN; /* row 6, column 18 */
    m.bbox[0][271 * 4 + 2] = 1000;
    m.kps[1][183 * 10 + 9] = -INFINITY;
    m.bbox[1][756] = 1e20F;
    assert_int_equal(face_decode(&look, 7, &t, &options, &list, NULL), ATG_OK);
    assert_int_equal(list.n, 1);
    close_to(found[0].centre.x, 250, 1e-4);
    assert_int_equal(found[0].look, 7);
    mem_free(m.room);
}

static double box_overlap(const face_found *a, const face_found *b) {
    double l = fmax(a->centre.x - a->width / 2, b->centre.x - b->width / 2);
    double r = fmin(a->centre.x + a->width / 2, b->centre.x + b->width / 2);
    double t = fmax(a->centre.y - a->height / 2, b->centre.y - b->height / 2);
    double d = fmin(a->centre.y + a->height / 2, b->centre.y + b->height / 2);
    double shared = l < r && t < d ? (r - l) * (d - t) : 0;

    return shared / (a->width * a->height + b->width * b->height - shared);
}

/* What is kept: pairwise apart; what was left out is covered by something better that was kept. */
static void only_the_best_of_each_place_is_kept(void **state) {
    face_look look = {640, 0, 640, 640, {1, 0, 0, 0}};
    face_detect_options all = {0.6, 1}, options = face_detect_default();
    atg_rng rng = atg_rng_seed(5);

    (void)state;
    for (int round = 0; round < 50; round++) {
        made m = made_for(&look);
        face_tensors t = tensors_of(&m);
        face_found every[64], kept[64];
        face_list before = {.room = 64, .found = every}, after = {.room = 64, .found = kept};

        for (int i = 0; i < 30; i++)
            tell(&m, &look, (int)atg_rng_below(&rng, 3),
                 (face_point){100 + 300 * atg_rng_unit(&rng), 100 + 300 * atg_rng_unit(&rng)},
                 40 + 100 * atg_rng_unit(&rng), 0.6 + 0.4 * atg_rng_unit(&rng));
        assert_int_equal(face_decode(&look, 0, &t, &all, &before, NULL), ATG_OK);
        assert_int_equal(face_decode(&look, 0, &t, &options, &after, NULL), ATG_OK);
        assert_true(after.n > 0 && after.n <= before.n);
        for (uint32_t i = 0; i < after.n; i++)
            for (uint32_t k = 0; k < i; k++)
                assert_true(box_overlap(&kept[i], &kept[k]) <= options.overlap);
        for (uint32_t i = 0; i < before.n; i++) {
            bool answered = false;

            for (uint32_t k = 0; k < after.n; k++)
                answered |= kept[k].score >= every[i].score &&
                            (box_overlap(&every[i], &kept[k]) > options.overlap ||
                             every[i].centre.x == kept[k].centre.x);
            assert_true(answered);
        }
        mem_free(m.room);
    }
}

static face_found somebody(double x, double y, double width, double score, uint32_t look) {
    return (face_found){
        .score = score, .centre = {x, y}, .width = width, .height = width * 1.2, .look = look};
}

static void looks_at_one_face_are_told_once(void **state) {
    face_found found[] = {somebody(1000, 900, 300, 0.7, 1), somebody(1010, 905, 280, 0.95, 12),
                          somebody(2500, 900, 320, 0.8, 1), somebody(990, 900, 330, 0.9, 20),
                          somebody(2480, 880, 300, 0.8, 3)};
    face_list list = {5, 5, found, 0};
    face_detect_options options = face_detect_default();

    (void)state;
    face_merge(&options, &list);
    assert_int_equal(list.n, 2);
    assert_int_equal(found[0].look, 12);
    assert_int_equal(found[1].look, 1);
    face_merge(&options, &list);
    assert_int_equal(list.n, 2);
}

static void the_face_that_is_meant_is_alone_or_much_the_largest(void **state) {
    face_found one[] = {somebody(0, 0, 50, 0.9, 0)};
    face_found main_one[] = {somebody(0, 0, 50, 0.99, 0), somebody(900, 0, 400, 0.7, 0),
                             somebody(0, 900, 200, 0.9, 0)};
    face_found two[] = {somebody(0, 0, 210, 0.99, 0), somebody(900, 0, 400, 0.99, 0)};

    (void)state;
    assert_int_equal(face_choose(&(face_list){0, 0, NULL, 0}), -1);
    assert_int_equal(face_choose(&(face_list){1, 1, one, 0}), 0);
    assert_int_equal(face_choose(&(face_list){3, 3, main_one, 0}), 1);
    assert_int_equal(face_choose(&(face_list){2, 2, two, 0}), -1);
}

static void a_full_list_keeps_the_best(void **state) {
    face_detect_options options = face_detect_default();
    face_look look = {640, 0, 640, 640, {1, 0, 0, 0}};
    made m = made_for(&look);
    face_tensors t = tensors_of(&m);
    face_found found[3];
    face_list list = {.room = 3, .found = found};

    (void)state;
    for (int i = 0; i < 5; i++)
        tell(&m, &look, 0, (face_point){100 + 100.0 * i, 300}, 40, 0.7 + 0.05 * i);
    assert_int_equal(face_decode(&look, 0, &t, &options, &list, NULL), ATG_OK);
    assert_int_equal(list.n, 3);
    assert_int_equal(list.dropped, 2);
    memset(m.room, 0, sizeof(float));
    tell(&m, &look, 0, (face_point){100, 300}, 40, 0.99);
    assert_int_equal(face_decode(&look, 1, &t, &options, &list, NULL), ATG_OK);
    face_merge(&options, &list);
    close_to(found[0].score, 0.99, 1e-6);
    close_to(found[1].score, 0.9, 1e-6);
    mem_free(m.room);
}

static void any_bytes_are_survived(void **state) {
    face_detect_options options = {0, 0.3};
    face_look look = {96, 0, 96, 64, {0.5, 0.25, 3, 4}};
    atg_rng rng = atg_rng_seed(11);

    (void)state;
    for (int round = 0; round < 300; round++) {
        made m = made_for(&look);
        face_tensors t = tensors_of(&m);
        face_found found[70];
        face_list list = {.room = 70, .found = found};

        size_t cells = cells_of(&look, 0) + cells_of(&look, 1) + cells_of(&look, 2);

        for (size_t i = 0; i < cells * 16; i++) {
            uint32_t bits = (uint32_t)atg_rng_next(&rng);

            memcpy(m.room + i, &bits, sizeof(bits));
        }
        assert_int_equal(face_decode(&look, 0, &t, &options, &list, NULL), ATG_OK);
        face_merge(&options, &list);
        assert_true(list.n <= FACE_FOUND_MAX);
        for (uint32_t i = 0; i < list.n; i++) {
            assert_true(found[i].score >= 0 && found[i].score <= 1);
            assert_true(isfinite(found[i].centre.x + found[i].width + found[i].marks.at[4].y));
        }
        mem_free(m.room);
    }
}

static void sizes_and_short_memory_are_told(void **state) {
    face_detect_options options = {0, 1};
    face_look look = {320, 0, 320, 320, {1, 0, 0, 0}}, bad = {320, 0, 320, 330, {1, 0, 0, 0}};
    made m = made_for(&look);
    face_tensors t = tensors_of(&m);
    face_found found[64];
    face_list list = {.room = 64, .found = found};
    size_t live = mem_live();
    long n = 0;
    int rc;

    (void)state;
    assert_int_equal(face_decode(&bad, 0, &t, &options, &list, NULL), ATG_EINVAL);
    do {
        list.n = 0;
        mem_fail_after(n++);
        rc = face_decode(&look, 0, &t, &options, &list, NULL);
        mem_fail_after(-1);
        assert_int_equal(mem_live(), live);
        assert_true(rc == ATG_OK || (rc == ATG_ENOMEM && list.n == 0));
    } while (rc);
    assert_true(n > 3);
    mem_free(m.room);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_looked_at_small_first_and_never_needlessly_enlarged),
        cmocka_unit_test(every_look_holds_the_whole_picture),
        cmocka_unit_test(a_face_comes_back_to_its_place_from_every_look),
        cmocka_unit_test(weak_and_broken_cells_are_passed_over),
        cmocka_unit_test(only_the_best_of_each_place_is_kept),
        cmocka_unit_test(looks_at_one_face_are_told_once),
        cmocka_unit_test(the_face_that_is_meant_is_alone_or_much_the_largest),
        cmocka_unit_test(a_full_list_keeps_the_best),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(sizes_and_short_memory_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
