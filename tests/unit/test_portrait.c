/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <antigone/portrait.h>

#include "exercise/face.h"
#include "exercise_markers.h"
#include "formats/picture.h"

#include <math.h>

enum { ARENA = 1 << 28, PIXELS = ATG_PORTRAIT_WIDTH * ATG_PORTRAIT_HEIGHT, JPEG_MAX = 1 << 20 };

struct made {
    atg_arena *arena;
    atg_operation op;
    atg_truth truth;
    atg_portraits all;
    atg_easel *easel;
};

static struct made make(uint32_t missing, uint64_t seed) {
    struct made x = {.arena = atg_arena_new(ARENA)};
    atg_exercise_options o = atg_exercise_default();
    atg_err err = {0};

    o.n_missing = missing;
    o.seed = seed;
    o.fragments = 0.3;
    assert_non_null(x.arena);
    if (atg_exercise_make(x.arena, table_size(4), table_markers(x.arena, 4), &o, &x.op, &x.truth,
                          &err) ||
        atg_portraits_plan(x.arena, &x.op, &x.truth, &x.all, &err) || atg_easel_new(&x.easel, &err))
        fail_msg("%s", err.msg);
    return x;
}

/* The portraits point to what they were made of. */
static void settle(struct made *x) {
    x->all.op = &x->op;
    x->all.truth = &x->truth;
}

static void unmake(struct made *x) {
    atg_easel_free(x->easel);
    atg_arena_free(x->arena);
}

static const uint8_t *draw(const struct made *x, uint32_t i) {
    const uint8_t *rgb = NULL;
    atg_err err = {0};

    if (atg_portrait_draw(x->easel, &x->all, i, &rgb, &err))
        fail_msg("%s", err.msg);
    return rgb;
}

/* FNV-1a of the pixels of a document's picture, a family's and a mortuary's. */
static uint64_t digest(const struct made *x) {
    const uint32_t which[] = {0, 5, x->all.n - 1};
    uint64_t h = 0xcbf29ce484222325U;

    for (size_t k = 0; k < sizeof(which) / sizeof(*which); k++) {
        const uint8_t *rgb = draw(x, which[k]);

        for (size_t i = 0; i < (size_t)3 * PIXELS; i++)
            h = (h ^ rgb[i]) * 0x100000001b3U;
    }
    return h;
}

static void the_same_seed_gives_the_same_pixels_on_every_machine(void **state) {
    struct made x = make(6, 1), y = make(6, 2);

    (void)state;
    settle(&x);
    settle(&y);
    assert_true(digest(&x) != digest(&y));
    if (digest(&x) != 0x5e89772013e20990U)
        fail_msg("the pixels are others: %#llx", (unsigned long long)digest(&x));
    unmake(&x);
    unmake(&y);
}

static void each_missing_has_three_pictures_and_each_body_one(void **state) {
    struct made x = make(200, 3);
    uint32_t faces[200] = {0}, nobody = 0, am = 0;

    (void)state;
    settle(&x);
    for (uint32_t i = 0; i < x.all.n; i++) {
        const atg_portrait *p = &x.all.list[i];

        if (!p->dead) {
            assert_int_equal(p->missing, am / ATG_PORTRAIT_AM);
            assert_int_equal(p->view, am % ATG_PORTRAIT_AM);
            am++;
        } else {
            assert_int_equal(p->missing, x.truth.missing_of_sample[p->sample]);
            if (p->missing >= 0)
                faces[p->missing]++;
            nobody += p->missing < 0;
        }
    }
    assert_int_equal(am, 600);
    assert_true(nobody > 0);
    for (uint32_t i = 0; i < x.op.n_samples; i++)
        if (x.truth.missing_of_sample[i] >= 0)
            assert_int_equal(faces[x.truth.missing_of_sample[i]], 1);
    unmake(&x);
}

/* The middle of the face in 16 x 16 grey cells, mean 0 and length 1. */
enum { CELLS = 16, CELL_WIDE = 9, CELL_HIGH = 11, LEFT = 88, TOP = 96 };
typedef struct patch {
    double at[CELLS * CELLS];
} patch;

static patch look(const uint8_t *rgb) {
    patch p = {{0}};
    double mean = 0, length = 0;

    for (int c = 0; c < CELLS * CELLS; c++) {
        for (int k = 0; k < CELL_WIDE * CELL_HIGH; k++) {
            int x = LEFT + c % CELLS * CELL_WIDE + k % CELL_WIDE;
            int y = TOP + c / CELLS * CELL_HIGH + k / CELL_WIDE;
            const uint8_t *px = rgb + 3 * ((size_t)y * ATG_PORTRAIT_WIDTH + (size_t)x);

            p.at[c] += px[0] + px[1] + px[2];
        }
        mean += p.at[c] / (CELLS * CELLS);
    }
    for (int c = 0; c < CELLS * CELLS; c++) {
        p.at[c] -= mean;
        length += p.at[c] * p.at[c];
    }
    for (int c = 0; c < CELLS * CELLS; c++)
        p.at[c] /= sqrt(length);
    return p;
}

static void different_people_differ_more_than_views_of_one_do(void **state) {
    enum { PEOPLE = 12, N = PEOPLE * ATG_PORTRAIT_AM };
    struct made x = make(PEOPLE, 5);
    double same = 0, other = 0, n_same = 0, n_other = 0;
    patch seen[N];

    (void)state;
    settle(&x);
    for (uint32_t i = 0; i < N; i++)
        seen[i] = look(draw(&x, i));
    for (int i = 0; i < N; i++)
        for (int k = 0; k < i; k++) {
            double cosine = 0;

            for (int c = 0; c < CELLS * CELLS; c++)
                cosine += seen[i].at[c] * seen[k].at[c];
            if (i / ATG_PORTRAIT_AM == k / ATG_PORTRAIT_AM) {
                same += cosine;
                n_same++;
            } else {
                other += cosine;
                n_other++;
            }
        }
    if (!(same / n_same > other / n_other + 0.05))
        fail_msg("same %.3f, others %.3f", same / n_same, other / n_other);
    unmake(&x);
}

/* Mean product of two standardised vectors, their own line's mean taken out. */
static double alike(const face_genes *a, const face_genes *b) {
    double sum = 0;

    for (int i = 0; i < FACE_TRAITS; i++)
        sum += (double)a->z[i] * (double)b->z[i];
    return sum / FACE_TRAITS;
}

static void children_are_half_their_parents_and_siblings_half_each_other(void **state) {
    enum { TIMES = 400 };
    atg_rng rng = atg_rng_seed(11);
    double with_parent = 0, with_sibling = 0, between_parents = 0, spread = 0;

    (void)state;
    for (int i = 0; i < TIMES; i++) {
        face_genes father, mother, a, b;

        face_genes_draw(&rng, NULL, &father);
        face_genes_draw(&rng, NULL, &mother);
        face_genes_child(&rng, &father, &mother, &a);
        face_genes_child(&rng, &father, &mother, &b);
        between_parents += alike(&father, &mother) / TIMES;
        with_parent += alike(&father, &a) / TIMES;
        with_sibling += alike(&a, &b) / TIMES;
        spread += alike(&father, &father) / TIMES;
    }
    assert_true(fabs(between_parents) < 0.03);
    assert_true(fabs(with_parent - 0.5) < 0.03);
    assert_true(fabs(with_sibling - 0.5) < 0.03);
    assert_true(fabs(spread - 1) < 0.03);
}

static void what_is_asked_wrongly_is_refused_with_a_sentence(void **state) {
    struct made x = make(3, 1), y = make(4, 1);
    ATG_AUTO(atg_buf) buf = atg_buf_new(JPEG_MAX);
    const uint8_t *rgb = NULL;
    atg_missing named[3];
    char name[64] = "";
    atg_portraits all;
    atg_err err = {0};

    (void)state;
    settle(&x);
    assert_int_equal(atg_portrait_draw(x.easel, &x.all, x.all.n, &rgb, &err), ATG_EINVAL);
    assert_true(strlen(err.msg) > 20);
    assert_null(rgb);
    assert_int_equal(atg_portrait_name(&x.all, x.all.n, name, sizeof(name), &err), ATG_EINVAL);
    assert_int_equal(atg_portrait_name(&x.all, 0, name, 8, &err), ATG_ELIMIT);
    assert_int_equal(atg_portraits_plan(x.arena, &x.op, &y.truth, &all, &err), ATG_EINVAL);
    assert_int_equal(atg_portrait_jpeg(draw(&x, 0), 0, 400, buf, &err), ATG_EINVAL);
    assert_int_equal(atg_portrait_jpeg(draw(&x, 0), 1, 65536, buf, &err), ATG_EINVAL);
    memcpy(named, x.op.missing, sizeof(named));
    named[0].id = ATG_STR("../../etc/passwd");
    x.op.missing = named;
    assert_int_equal(atg_portrait_name(&x.all, 0, name, sizeof(name), &err), ATG_EINVAL);
    assert_string_equal(name, "");
    assert_int_equal(atg_portraits_write_json(&x.all, buf, &err), ATG_EINVAL);
    unmake(&x);
    unmake(&y);
}

static void the_file_is_a_jpeg_that_our_reader_takes(void **state) {
    struct made x = make(2, 1);
    ATG_AUTO(atg_buf) buf = atg_buf_new(JPEG_MAX);
    atg_err err = {0};
    picture p;
    atg_str s;

    (void)state;
    settle(&x);
    assert_int_equal(
        atg_portrait_jpeg(draw(&x, 1), ATG_PORTRAIT_WIDTH, ATG_PORTRAIT_HEIGHT, buf, &err), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, &err), ATG_OK);
    assert_in_range(s.n, 8000, 60000);
    if (picture_strip(x.arena, s, &p, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(p.width, ATG_PORTRAIT_WIDTH);
    assert_int_equal(p.height, ATG_PORTRAIT_HEIGHT);
    unmake(&x);
}

static void the_list_names_each_picture_and_not_whose_remains_they_are(void **state) {
    struct made x = make(3, 1);
    ATG_AUTO(atg_buf) buf = atg_buf_new(JPEG_MAX);
    char name[64];
    atg_str s;

    (void)state;
    settle(&x);
    assert_int_equal(atg_portraits_write_json(&x.all, buf, NULL), ATG_OK);
    atg_buf_add(buf, (atg_str){"", 1});
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    for (uint32_t i = 0; i < x.all.n; i++) {
        const char *at;

        assert_int_equal(atg_portrait_name(&x.all, i, name, sizeof(name), NULL), ATG_OK);
        at = strstr(s.p, name);
        assert_non_null(at);
        assert_null(strstr(at + 1, name));
    }
    assert_null(strstr(strstr(s.p, "\"remains\""), "AM-FE"));
    unmake(&x);
}

static void memory_that_runs_out_is_reported_and_nothing_leaks(void **state) {
    struct made x = make(3, 1);
    size_t live = mem_live();
    int rc = ATG_ENOMEM;

    (void)state;
    settle(&x);
    for (long n = 0; rc; n++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        ATG_AUTO(atg_easel) easel = NULL;
        ATG_AUTO(atg_buf) buf = atg_buf_new(JPEG_MAX);
        const uint8_t *rgb;
        atg_portraits all;

        mem_fail_after(n);
        rc = atg_portraits_plan(arena, &x.op, &x.truth, &all, NULL);
        if (!rc)
            rc = atg_easel_new(&easel, NULL);
        if (!rc)
            rc = atg_portrait_draw(easel, &all, 0, &rgb, NULL);
        if (!rc)
            rc = atg_portrait_jpeg(rgb, ATG_PORTRAIT_WIDTH, ATG_PORTRAIT_HEIGHT, buf, NULL);
        if (!rc)
            rc = atg_portraits_write_json(&all, buf, NULL);
        mem_fail_after(-1);
        if (rc)
            assert_int_equal(rc, ATG_ENOMEM);
        assert_true(n < 100);
    }
    assert_int_equal(mem_live(), live);
    unmake(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_pixels_on_every_machine),
        cmocka_unit_test(each_missing_has_three_pictures_and_each_body_one),
        cmocka_unit_test(different_people_differ_more_than_views_of_one_do),
        cmocka_unit_test(children_are_half_their_parents_and_siblings_half_each_other),
        cmocka_unit_test(what_is_asked_wrongly_is_refused_with_a_sentence),
        cmocka_unit_test(the_file_is_a_jpeg_that_our_reader_takes),
        cmocka_unit_test(the_list_names_each_picture_and_not_whose_remains_they_are),
        cmocka_unit_test(memory_that_runs_out_is_reported_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
