/* SPDX-License-Identifier: Apache-2.0 */
/* Toy networks in the worker: that the right ones run inside the sandbox, and the wrong ones are
 * refused in words while pictures are still read. */
#include "face_nets.h"

#include <sodium.h>
#include <unistd.h>

#include "base/bytes.h"
#include "made_picture.h"
#include "toy_onnx.h"

enum { ARENA = 64 << 20, PATH = 128, MUTANTS = 40, BLOCK = 72, WIDTH = 640, HEIGHT = 480 };

static char folder[] = "/tmp/atg-nets-XXXXXX";
static char runtime[NETWORKS_PATH];
static atg_arena *arena;

typedef struct toys {
    proto network[WORKER_NETWORKS];
    char path[WORKER_NETWORKS][2][PATH]; /* manifest, file */
    worker_networks networks;
} toys;

static void write_file(const char *path, const void *p, size_t n) {
    atg_err err = {0};

    if (file_write(path, (atg_str){p, n}, &err))
        fail_msg("%s", err.msg);
}

static const char input_of_detector[] =
    "{\"layout\": \"NCHW\", \"colour\": \"BGR\", \"divisor\": 1, \"mean\": [0, 0, 0], "
    "\"std\": [1, 1, 1], \"multiple_of\": 32}, \"output\": {\"decoder\": \"yunet\"}";
static const char input_of_embedder[] =
    "{\"layout\": \"NCHW\", \"colour\": \"RGB\", \"divisor\": 255, \"mean\": [0, 0, 0], "
    "\"std\": [1, 1, 1], \"width\": 112, \"height\": 112, \"alignment\": \"arcface\"}, "
    "\"output\": {\"dimension\": 48, \"flip_add\": true}";

/* The manifest of these bytes; files are written as they are in `t`. */
static void write_toy(toys *t, int i, const char *kind) {
    unsigned char sha[FACEMODEL_SHA];
    char hex[FACEMODEL_SHA_TEXT], json[2048];
    int n;

    crypto_hash_sha256(sha, t->network[i].p, t->network[i].n);
    bytes_hex(sha, sizeof(sha), hex);
    n = snprintf(
        json, sizeof(json),
        "{\"schema\": \"antigone-face-model/1\", \"name\": \"toy\", \"version\": \"1\", "
        "\"kind\": \"%s\", \"file\": \"toy%d.onnx\", \"bytes\": %zu, \"sha256\": \"%s\", "
        "\"licence\": \"Apache-2.0\", \"trained_on\": \"nothing\", \"origin\": \"a test\", "
        "\"input\": %s}",
        kind, i, t->network[i].n, hex, *kind == 'd' ? input_of_detector : input_of_embedder);
    for (int k = 0; k < 2; k++) {
        (void)snprintf(t->path[i][k], PATH, "%s/toy%d.%s", folder, i, k ? "onnx" : "json");
        if (k)
            write_file(t->path[i][k], t->network[i].p, t->network[i].n);
        else
            write_file(t->path[i][k], json, (size_t)n);
    }
    t->networks.of[i].manifest = t->path[i][0];
    t->networks.of[i].file = t->path[i][1];
}

static toys *made_toys(toy_fault detector, toy_fault embedder) {
    toys *t = ATG_GET(arena, toys, 1);

    assert_non_null(t);
    toy_detector(detector, &t->network[WORKER_DETECTOR]);
    toy_embedder(embedder, &t->network[WORKER_EMBEDDER]);
    t->networks.runtime = runtime;
    write_toy(t, WORKER_DETECTOR, "detector");
    write_toy(t, WORKER_EMBEDDER, "embedder");
    return t;
}

static worker_pool *pool_of(const toys *t) {
    return open_pool((worker_options){.networks = &t->networks});
}

static int set_up(void **state) {
    (void)state;
    arena = atg_arena_new(ARENA);
    return arena && mkdtemp(folder) && VIPS_INIT("test") == 0 && sodium_init() >= 0 ? 0 : -1;
}

static int tear_down(void **state) {
    char path[PATH];

    (void)state;
    for (int i = 0; i < WORKER_NETWORKS; i++)
        for (int k = 0; k < 2; k++) {
            (void)snprintf(path, sizeof(path), "%s/toy%d.%s", folder, i, k ? "onnx" : "json");
            (void)unlink(path);
        }
    (void)rmdir(folder);
    atg_arena_free(arena);
    vips_shutdown();
    return 0;
}

/* White blocks at these places on grey. */
static atg_str picture_of(const int (*at)[2], int n) {
    VipsImage *im = NULL, *drawn = NULL;
    double grey = 90, white[] = {255, 255, 255};
    void *p = NULL;
    size_t size = 0;
    atg_str kept;

    assert_int_equal(vips_black(&im, WIDTH, HEIGHT, "bands", 3, NULL), 0);
    assert_int_equal(vips_linear1(im, &drawn, 1, grey, "uchar", TRUE, NULL), 0);
    g_object_unref(im);
    im = vips_image_copy_memory(drawn);
    g_object_unref(drawn);
    for (int i = 0; i < n; i++)
        assert_int_equal(
            vips_draw_rect(im, white, 3, at[i][0], at[i][1], BLOCK, BLOCK, "fill", TRUE, NULL), 0);
    assert_int_equal(vips_image_write_to_buffer(im, ".png", &p, &size, NULL), 0);
    g_object_unref(im);
    kept = atg_arena_str(arena, (atg_str){p, size});
    g_free(p);
    return kept;
}

/* What has everything that a face is asked for but a face: light, dark, edges. */
static atg_str noise(void) {
    VipsImage *im = NULL, *grey = NULL;
    void *p = NULL;
    size_t size = 0;
    atg_str kept;

    assert_int_equal(
        vips_gaussnoise(&im, WIDTH, HEIGHT, "mean", 128.0, "sigma", 45.0, "seed", 7, NULL), 0);
    assert_int_equal(vips_cast_uchar(im, &grey, NULL), 0);
    assert_int_equal(vips_image_write_to_buffer(grey, ".png", &p, &size, NULL), 0);
    g_object_unref(im);
    g_object_unref(grey);
    kept = atg_arena_str(arena, (atg_str){p, size});
    g_free(p);
    return kept;
}

/* As in an aligned face, twice as large. */
#define UPRIGHT_MARKS 176, 203, 247, 203, 212, 243, 183, 284, 241, 284

static const int one_block[][2] = {{200, 160}};

/* ---- sound ones ---- */

static void a_face_goes_from_a_picture_to_a_template(void **state) {
    worker_pool *pool = pool_of(made_toys(TOY_SOUND, TOY_SOUND));
    worker_faces f = faces_of(pool, arena,
                              (worker_face_ask){.in = {.bytes = picture_of(one_block, 1)},
                                                .pick = WORKER_FACE_BEST,
                                                .aligned = true});
    const worker_face *face = &f.face[0];

    (void)state;
    assert_int_equal(f.format, WORKER_PNG);
    assert_int_equal(f.width, WIDTH);
    assert_true(f.n >= 1);
    assert_true(face->score > 0.9);
    for (int i = 0; i < 2; i++)
        assert_in_range((unsigned)face->centre[i], one_block[0][i], one_block[0][i] + BLOCK);
    worker_pool_close(pool);
}

static void an_operators_landmarks_give_a_template_of_the_embedder(void **state) {
    toys *t = made_toys(TOY_SOUND, TOY_SOUND);
    worker_pool *pool = pool_of(t);
    worker_face_ask ask = {.in = {.bytes = noise()},
                           .pick = WORKER_FACE_PLACED,
                           .aligned = true,
                           .marks = {UPRIGHT_MARKS}};
    unsigned char sha[FACEMODEL_SHA];
    worker_faces f = faces_of(pool, arena, ask);
    double length = 0;

    (void)state;
    assert_int_equal(f.n, 1);
    assert_int_equal(f.face[0].refused, 0);
    crypto_hash_sha256(sha, t->network[WORKER_EMBEDDER].p, t->network[WORKER_EMBEDDER].n);
    assert_memory_equal(f.face[0].model, sha, sizeof(sha));
    assert_int_equal(f.face[0].dimension, TOY_DIMENSION);
    for (int i = 0; i < TOY_DIMENSION; i++)
        length += (double)f.face[0].template[i] * (double)f.face[0].template[i];
    assert_true(length > 0.9999 && length < 1.0001);
    /* the mirrored face is added: rows of the pooled square are the same read backwards */
    for (int i = 0; i < TOY_DIMENSION; i++) {
        float a = f.face[0].template[i], b = f.face[0].template[i / 4 * 4 + 3 - i % 4];

        assert_true(a - b < 1e-6F && b - a < 1e-6F);
    }
    worker_pool_close(pool);
}

/* Attempts of the main thread and of another one, in a worker that runs networks. */
static void networks_run_behind_the_closed_sandbox(void **state) {
    worker_pool *pool = pool_of(made_toys(TOY_SOUND, TOY_SOUND));
    worker_health health;
    atg_str text = {0};
    atg_err err = {0};
    int tries = 0;

    (void)state;
    if (worker_pool_check(pool, &health, &err))
        fail_msg("%s", err.msg);
    if (!health.hold.faces)
        fail_msg("%s", health.hold.why_no_faces);
    assert_true(health.hold.seccomp);
    assert_non_null(strstr(health.hold.libraries, "ONNX Runtime 1."));
    if (worker_selftest(pool, FRAME_TEST_TRY, TEST_DEADLINE, arena, &text, &err))
        fail_msg("%s", err.msg);
    while (text.n) {
        atg_str line = atg_str_cut(&text, '\n');

        if (line.n > 2 && line.p[line.n - 2] == ' ' && line.p[line.n - 1] == '0')
            fail_msg("%.*s", ATG_FMT(line));
        tries++;
    }
    assert_true(tries > 20);
    worker_pool_close(pool);
}

/* ---- refused ones ---- */

static void still_reads_pictures(worker_pool *pool) {
    worker_picture_ask ask = {.in = {.bytes = picture_of(one_block, 1)}, .thumbnail = 64};
    worker_picture p;
    atg_err err = {0};

    if (worker_picture_read(pool, &ask, arena, &p, &err))
        fail_msg("%s", err.msg);
}

/* No faces for this reason, told at the start and to whoever asks. */
static void expect_none(const toys *t, const char *says) {
    worker_pool *pool = pool_of(t);
    worker_face_ask ask = {.in = {.bytes = picture_of(one_block, 1)}};
    worker_faces f = {.n = 77};
    worker_health health;
    atg_err err = {0};

    if (worker_pool_check(pool, &health, &err))
        fail_msg("%s: %s", says, err.msg);
    if (health.hold.faces || !strstr(health.hold.why_no_faces, says))
        fail_msg("expected \"%s\", got %s", says,
                 health.hold.faces ? "faces" : health.hold.why_no_faces);
    assert_int_equal(worker_faces_read(pool, &ask, arena, &f, &err), ATG_ENOTFOUND);
    assert_non_null(strstr(err.msg, says));
    assert_int_equal(f.n, 77);
    still_reads_pictures(pool);
    worker_pool_close(pool);
}

static void networks_of_a_wrong_shape_are_refused_in_words(void **state) {
    static const struct {
        toy_fault detector, embedder;
        const char *says;
    } cases[] = {
        {TOY_OUTPUTS, TOY_SOUND, "The network has no output \"kps_32\""},
        {TOY_SHAPE, TOY_SOUND, "detector's output kps_8 has"},
        {TOY_SMALL, TOY_SOUND, "A detector must take pictures of any size"},
        {TOY_SOUND, TOY_SMALL, "An embedder must take one face of 112 by 112"},
        {TOY_SOUND, TOY_OUTPUTS, "must have one output"},
        {TOY_SOUND, TOY_RANK, "must have one input"},
        {TOY_SOUND, TOY_NAN, "is not finite"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        expect_none(made_toys(cases[i].detector, cases[i].embedder), cases[i].says);
}

static void a_file_that_is_not_the_manifests_is_never_loaded(void **state) {
    toys *t = made_toys(TOY_SOUND, TOY_SOUND);
    proto *e = &t->network[WORKER_EMBEDDER];

    (void)state;
    write_file(t->path[WORKER_EMBEDDER][1], e->p, e->n - 1);
    expect_none(t, "or was cut off");
    e->p[e->n / 2] ^= 1;
    write_file(t->path[WORKER_EMBEDDER][1], e->p, e->n);
    expect_none(t, "has the SHA-256");
    (void)unlink(t->path[WORKER_EMBEDDER][1]);
    expect_none(t, "toy1.onnx");
}

static void a_manifest_that_does_not_fit_is_refused(void **state) {
    toys *t = made_toys(TOY_SOUND, TOY_SOUND);

    (void)state;
    write_toy(t, WORKER_DETECTOR, "embedder");
    expect_none(t, "is no manifest of a detector");
    t = made_toys(TOY_SOUND, TOY_SOUND);
    write_file(t->path[WORKER_DETECTOR][0], "{", 1);
    expect_none(t, "JSON");
}

static void bytes_that_are_no_network_are_refused(void **state) {
    toys *t = made_toys(TOY_SOUND, TOY_SOUND);
    proto *d = &t->network[WORKER_DETECTOR];

    (void)state;
    d->n /= 2; /* cut off, and the manifest is of what is left */
    write_toy(t, WORKER_DETECTOR, "detector");
    expect_none(t, "ONNX Runtime refuses the network");
    d->n = 4;
    memcpy(d->p, "ONNX", 4);
    write_toy(t, WORKER_DETECTOR, "detector");
    expect_none(t, "ONNX Runtime refuses the network");
}

static void a_library_that_is_none_is_told(void **state) {
    toys *t = made_toys(TOY_SOUND, TOY_SOUND);

    (void)state;
    t->networks.runtime = "/nonexistent/libonnxruntime.so.1";
    expect_none(t, "cannot be loaded");
    t->networks.runtime = "libm.so.6";
    expect_none(t, "cannot be loaded");
}

static void without_networks_everything_else_is_done(void **state) {
    worker_pool *pool = open_pool((worker_options){.uses = 0});
    worker_face_ask ask = {.in = {.bytes = picture_of(one_block, 1)}};
    worker_faces f;
    atg_err err = {0};

    (void)state;
    assert_int_equal(worker_faces_read(pool, &ask, arena, &f, &err), ATG_ENOTFOUND);
    assert_non_null(strstr(err.msg, "antigone model list"));
    still_reads_pictures(pool);
    worker_pool_close(pool);
}

/* What only a bright face brings out fails that request alone. */
static void numbers_that_are_not_finite_are_no_template(void **state) {
    worker_pool *pool = pool_of(made_toys(TOY_SOUND, TOY_NAN_LATER));
    worker_face_ask ask = {
        .in = {.bytes = noise()}, .pick = WORKER_FACE_PLACED, .marks = {UPRIGHT_MARKS}};
    worker_faces f;
    worker_health before, after;
    atg_err err = {0};

    (void)state;
    if (worker_pool_check(pool, &before, &err))
        fail_msg("%s", err.msg);
    assert_true(before.hold.faces);
    assert_int_equal(worker_faces_read(pool, &ask, arena, &f, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "not finite"));
    still_reads_pictures(pool);
    worker_pool_health(pool, &after);
    assert_int_equal(after.started, before.started);
    worker_pool_close(pool);
}

/* Whatever a changed network does inside, this process goes on and says something. */
static void changed_networks_do_no_harm(void **state) {
    atg_rng rng = atg_rng_seed(5);
    int work = 0, refused = 0, ended = 0;

    (void)state;
    for (int i = 0; i < MUTANTS; i++) {
        toys *t = made_toys(TOY_SOUND, TOY_SOUND);
        int which = i % WORKER_NETWORKS;
        proto *b = &t->network[which];
        worker_health health;
        atg_err err = {0};
        worker_pool *pool;
        int rc;

        for (uint64_t n = atg_rng_below(&rng, 2) + 1; n; n--)
            b->p[atg_rng_below(&rng, b->n)] = (unsigned char)atg_rng_next(&rng);
        write_toy(t, which, which ? "embedder" : "detector");
        pool = pool_of(t);
        rc = worker_pool_check(pool, &health, &err);
        if (rc)
            assert_true(err.msg[0]);
        else if (!health.hold.faces)
            assert_true(health.hold.why_no_faces[0]);
        if (i < 4)
            print_message("# for example: %s\n", rc ? err.msg : health.hold.why_no_faces);
        ended += rc != 0;
        work += !rc && health.hold.faces;
        refused += !rc && !health.hold.faces;
        worker_pool_close(pool);
    }
    print_message("# of %d changed networks %d work, %d are refused, %d end the worker\n", MUTANTS,
                  work, refused, ended);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_face_goes_from_a_picture_to_a_template),
        cmocka_unit_test(an_operators_landmarks_give_a_template_of_the_embedder),
        cmocka_unit_test(networks_run_behind_the_closed_sandbox),
        cmocka_unit_test(networks_of_a_wrong_shape_are_refused_in_words),
        cmocka_unit_test(a_file_that_is_not_the_manifests_is_never_loaded),
        cmocka_unit_test(a_manifest_that_does_not_fit_is_refused),
        cmocka_unit_test(bytes_that_are_no_network_are_refused),
        cmocka_unit_test(a_library_that_is_none_is_told),
        cmocka_unit_test(without_networks_everything_else_is_done),
        cmocka_unit_test(numbers_that_are_not_finite_are_no_template),
        cmocka_unit_test(changed_networks_do_no_harm),
    };
    atg_err err = {0};

    if (networks_runtime(runtime, sizeof(runtime), &err))
        return left_out(err.msg);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
