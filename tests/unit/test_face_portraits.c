/* SPDX-License-Identifier: Apache-2.0 */
/* Portraits of people who do not exist, through real networks: they test function, and are no claim
 * of accuracy. */
#include "face_nets.h"

#include <math.h>
#include <vips/vips.h>

enum { PERSONS = 20, VIEWS = 4, DEAD = 3, ARENA = 256 << 20, SIDE = 320 };

static atg_arena *arena;
static worker_pool *pool;
static worker_face template[PERSONS][VIEWS];
static bool found[PERSONS][VIEWS];

static atg_str portrait_path(int person, int view) {
    atg_str path = atg_arena_printf(arena, "%s/id%03d_%d.jpg", portraits_folder(), person, view);

    assert_non_null(path.p);
    return path;
}

static atg_str portrait(int person, int view) {
    atg_str bytes = {0};
    atg_err err = {0};

    if (file_read(arena, portrait_path(person, view).p, 1 << 22, &bytes, &err))
        fail_msg("%s", err.msg);
    return bytes;
}

static int set_up(void **state) {
    static worker_networks networks;
    worker_options o = {.uses = 100000, .networks = &networks};
    atg_err err = {0};

    (void)state;
    arena = atg_arena_new(ARENA);
    if (!arena || VIPS_INIT("test"))
        return -1;
    if (networks_choose(arena, NULL, &networks, &err))
        fail_msg("%s", err.msg);
    pool = open_pool(o);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    worker_pool_close(pool);
    atg_arena_free(arena);
    vips_shutdown();
    return 0;
}

/* ---- each picture ---- */

static void a_face_is_found_in_every_portrait(void **state) {
    int refused = 0;

    (void)state;
    for (int p = 0; p < PERSONS; p++)
        for (int v = 0; v < VIEWS; v++) {
            worker_faces f = faces_of(pool, arena,
                                      (worker_face_ask){.in = {.bytes = portrait(p, v)},
                                                        .pick = WORKER_FACE_BEST,
                                                        .aligned = true});

            if (f.chosen < 0)
                fail_msg("no face in person %d, view %d (%u found)", p, v, f.n);
            template[p][v] = f.face[f.chosen];
            found[p][v] = f.face[f.chosen].dimension > 0;
            refused += !found[p][v];
            assert_int_equal(f.width, SIDE);
            assert_true(f.face[f.chosen].aligned.n > 8);
            assert_memory_equal(f.face[f.chosen].aligned.p, "\x89PNG", 4);
        }
    print_message("# %d of %d portraits are refused for their quality\n", refused, PERSONS * VIEWS);
    assert_int_equal(refused, 0);
}

static void a_template_has_unit_length_and_says_what_made_it(void **state) {
    (void)state;
    for (int p = 0; p < PERSONS; p++) {
        const worker_face *f = &template[p][0];

        assert_true(fabs(cosine(f, f) - 1) < 1e-5);
        assert_int_equal(f->pipeline, WORKER_PIPELINE);
        assert_int_equal(f->dimension, 128);
    }
}

/* ---- all of them ---- */

/* The rank of a person among all for a probe: by the best of the views from `first` to the one
 * before `end`, that of the probe itself left out. */
static int rank_of(int person, int view, int first, int end) {
    double best[PERSONS];
    int rank = 1;

    for (int p = 0; p < PERSONS; p++) {
        best[p] = -2;
        for (int v = first; v < end; v++)
            if (p != person || v != view)
                best[p] = fmax(best[p], cosine(&template[person][view], &template[p][v]));
    }
    for (int p = 0; p < PERSONS; p++)
        rank += p != person && best[p] >= best[person];
    return rank;
}

static void photographs_of_the_living_find_each_other(void **state) {
    int first = 0;

    (void)state;
    for (int p = 0; p < PERSONS; p++)
        for (int v = 0; v < DEAD; v++)
            first += rank_of(p, v, 0, DEAD) == 1;
    print_message("# AM to AM: rank 1 for %.3f of %d\n", (double)first / (PERSONS * DEAD),
                  PERSONS * DEAD);
    assert_true(first >= 0.97 * PERSONS * DEAD);
}

static void photographs_of_the_dead_find_those_of_the_living(void **state) {
    int first = 0, ten = 0;

    (void)state;
    for (int p = 0; p < PERSONS; p++) {
        int rank = rank_of(p, DEAD, 0, DEAD);

        first += rank == 1;
        ten += rank <= 10;
    }
    print_message("# PM to AM: rank 1 for %.3f, rank 10 for %.3f of %d\n", (double)first / PERSONS,
                  (double)ten / PERSONS, PERSONS);
    assert_int_equal(ten, PERSONS);
}

/* ---- turned, scaled ---- */

static VipsImage *read_portrait(int person, int view) {
    VipsImage *im = vips_image_new_from_file(portrait_path(person, view).p, NULL);

    assert_non_null(im);
    return im;
}

static atg_str as_jpeg(VipsImage *im, const char *suffix) {
    size_t n = 0;
    void *p = NULL;
    atg_str kept;

    if (vips_image_write_to_buffer(im, suffix, &p, &n, NULL))
        fail_msg("%s", vips_error_buffer());
    kept = atg_arena_str(arena, (atg_str){p, n});
    assert_non_null(kept.p);
    g_free(p);
    g_object_unref(im);
    return kept;
}

static VipsImage *turned_by(VipsImage *in, double degrees) {
    VipsArrayDouble *grey = vips_array_double_newv(3, 110.0, 110.0, 110.0);
    VipsImage *out = NULL;

    assert_int_equal(vips_rotate(in, &out, degrees, "background", grey, NULL), 0);
    vips_area_unref(VIPS_AREA(grey));
    g_object_unref(in);
    return out;
}

static VipsImage *scaled_to(VipsImage *in, int side) {
    VipsImage *out = NULL;

    assert_int_equal(vips_resize(in, &out, (double)side / in->Xsize, NULL), 0);
    g_object_unref(in);
    return out;
}

static const worker_face *one_face(atg_str bytes, const char *what, double much) {
    worker_faces f =
        faces_of(pool, arena, (worker_face_ask){.in = {.bytes = bytes}, .pick = WORKER_FACE_BEST});

    if (f.chosen < 0)
        fail_msg("%s %.0f: %u faces, none chosen", what, much, f.n);
    return &f.face[f.chosen];
}

/* Clockwise by vips_rotate(), as a camera held the other way would. */
static void a_turned_face_is_found_and_stays_the_same(void **state) {
    static const double degrees[] = {45, 90, 135, 180};

    (void)state;
    for (int p = 0; p < PERSONS; p++)
        for (int v = 0; v < VIEWS; v += DEAD)
            for (size_t i = 0; i < sizeof(degrees) / sizeof(*degrees); i++) {
                VipsImage *im = turned_by(read_portrait(p, v), degrees[i]);
                const worker_face *f = one_face(as_jpeg(im, ".jpg[Q=95]"), "turned by", degrees[i]);

                /* other people's reach 0.6: among its own it is recognised */
                if (cosine(f, &template[p][v]) < 0.6)
                    fail_msg("person %d view %d turned by %.0f: %.3f", p, v, degrees[i],
                             cosine(f, &template[p][v]));
            }
}

static void a_small_or_large_face_is_found(void **state) {
    static const int sides[] = {96, 128, 200, 640, 1280, 2000, 4000};

    (void)state;
    for (int p = 0; p < PERSONS; p += 4)
        for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
            VipsImage *im = scaled_to(read_portrait(p, 0), sides[i]);
            const worker_face *f = one_face(as_jpeg(im, ".jpg[Q=95]"), "scaled to", sides[i]);
            double k = (double)sides[i] / SIDE;

            for (int m = 0; m < WORKER_MARKS; m++)
                if (fabs(f->marks[m] / k - template[p][0].marks[m]) > 8)
                    fail_msg("person %d scaled to %d: landmark %d at %.1f, not %.1f", p, sides[i],
                             m, f->marks[m] / k, template[p][0].marks[m]);
            if (sides[i] >= 200 && cosine(f, &template[p][0]) < 0.8)
                fail_msg("person %d scaled to %d: %.3f", p, sides[i], cosine(f, &template[p][0]));
        }
}

/* ---- orders of the file and of the operator ---- */

static void the_orientation_of_a_file_is_honoured(void **state) {
    const worker_face *upright = &template[1][0];

    (void)state;
    for (int o = 1; o <= 8; o++) {
        VipsImage *kept = read_portrait(1, 0), *im = NULL, *stored = NULL;
        int back[] = {0, 1, 2, 3, 4, 5, 8, 7, 6};

        /* a copy: libvips gives the same picture for the same file */
        assert_int_equal(vips_copy(kept, &im, NULL), 0);
        g_object_unref(kept);
        vips_image_set_int(im, VIPS_META_ORIENTATION, back[o]);
        assert_int_equal(vips_autorot(im, &stored, NULL), 0);
        g_object_unref(im);
        vips_image_set_int(stored, VIPS_META_ORIENTATION, o);

        const worker_face *f = one_face(as_jpeg(stored, ".jpg[Q=95]"), "orientation", o);

        for (int m = 0; m < WORKER_MARKS; m++)
            if (fabs(f->marks[m] - upright->marks[m]) > 4)
                fail_msg("orientation %d: landmark %d at %.1f, not %.1f", o, m, f->marks[m],
                         upright->marks[m]);
        assert_true(cosine(f, upright) > 0.95);
    }
}

static void landmarks_of_an_operator_are_taken(void **state) {
    worker_face_ask ask = {.in = {.bytes = portrait(2, 0)}, .pick = WORKER_FACE_PLACED};
    worker_faces f;
    atg_err err = {0};

    (void)state;
    memcpy(ask.marks, template[2][0].marks, sizeof(ask.marks));
    f = faces_of(pool, arena, ask);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.chosen, 0);
    assert_true(cosine(&f.face[0], &template[2][0]) > 0.9999);
    ask.marks[3] = SIDE + 1;
    assert_int_equal(worker_faces_read(pool, &ask, arena, &f, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "Landmark 2 lies outside"));
    ask.marks[3] = NAN;
    assert_int_not_equal(worker_faces_read(pool, &ask, arena, &f, &err), ATG_OK);
}

static void of_several_faces_an_operator_chooses(void **state) {
    VipsImage *two[2] = {read_portrait(3, 0), read_portrait(5, 0)}, *both = NULL;
    worker_faces f;
    double best = 0;

    (void)state;
    assert_int_equal(vips_arrayjoin(two, &both, 2, NULL), 0);
    g_object_unref(two[0]);
    g_object_unref(two[1]);
    f = faces_of(
        pool, arena,
        (worker_face_ask){.in = {.bytes = as_jpeg(both, ".png")}, .pick = WORKER_FACE_ALL});
    assert_int_equal(f.n, 2);
    assert_int_equal(f.chosen, -1);
    for (uint32_t i = 0; i < f.n; i++)
        best += fmax(cosine(&f.face[i], &template[3][0]), cosine(&f.face[i], &template[5][0]));
    assert_true(best > 1.8);
}

static void the_same_picture_gives_the_same_bits(void **state) {
    worker_faces again = faces_of(
        pool, arena, (worker_face_ask){.in = {.bytes = portrait(4, 1)}, .pick = WORKER_FACE_BEST});

    (void)state;
    assert_memory_equal(again.face[0].template, template[4][1].template,
                        sizeof(template[4][1].template));
}

static void a_picture_without_a_face_is_no_failure(void **state) {
    VipsImage *black = NULL;
    worker_faces f;

    (void)state;
    assert_int_equal(vips_black(&black, 400, 300, "bands", 3, NULL), 0);
    f = faces_of(
        pool, arena,
        (worker_face_ask){.in = {.bytes = as_jpeg(black, ".jpg")}, .pick = WORKER_FACE_BEST});
    assert_int_equal(f.n, 0);
    assert_int_equal(f.chosen, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_face_is_found_in_every_portrait),
        cmocka_unit_test(a_template_has_unit_length_and_says_what_made_it),
        cmocka_unit_test(photographs_of_the_living_find_each_other),
        cmocka_unit_test(photographs_of_the_dead_find_those_of_the_living),
        cmocka_unit_test(a_turned_face_is_found_and_stays_the_same),
        cmocka_unit_test(a_small_or_large_face_is_found),
        cmocka_unit_test(the_orientation_of_a_file_is_honoured),
        cmocka_unit_test(landmarks_of_an_operator_are_taken),
        cmocka_unit_test(of_several_faces_an_operator_chooses),
        cmocka_unit_test(the_same_picture_gives_the_same_bits),
        cmocka_unit_test(a_picture_without_a_face_is_no_failure),
    };
    ATG_AUTO(atg_arena) looked = atg_arena_new(1 << 24);
    worker_networks networks;
    atg_err err = {0};

    if (!portraits_folder())
        return left_out("ATG_FACES names no folder of portraits");
    if (!looked || networks_choose(looked, NULL, &networks, &err))
        return left_out(err.msg);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
