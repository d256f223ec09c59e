/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "worker_pictures.h"

/* ---- what is read ---- */

static void every_format_comes_back_clean_and_small(void **state) {
    static const struct {
        const char *suffix;
        worker_format format, clean;
    } formats[] = {
        {".jpg", WORKER_JPEG, WORKER_JPEG},
        {".jpg[interlace]", WORKER_JPEG, WORKER_JPEG},
        {".png", WORKER_PNG, WORKER_PNG},
        {".png[interlace]", WORKER_PNG, WORKER_PNG},
        {".png[palette]", WORKER_PNG, WORKER_PNG},
        {".webp", WORKER_WEBP, WORKER_JPEG},
        {".webp[lossless]", WORKER_WEBP, WORKER_JPEG},
        {".heic", WORKER_HEIC, WORKER_JPEG},
        {".tif", WORKER_TIFF, WORKER_JPEG},
        {".tif[compression=lzw,tile]", WORKER_TIFF, WORKER_JPEG},
        {".tif[compression=deflate,pyramid,tile]", WORKER_TIFF, WORKER_JPEG},
        {NULL, WORKER_BMP, WORKER_JPEG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        atg_str in = formats[i].suffix ? quarters_file(formats[i].suffix) : bitmap_file();
        worker_picture p;

        if (formats[i].format == WORKER_HEIC && !reads_heic())
            continue;
        p = read_all(in);
        assert_int_equal(p.format, formats[i].format);
        assert_int_equal(p.width, WIDTH);
        assert_int_equal(p.height, HEIGHT);
        assert_int_equal(p.orientation, 1);
        assert_int_equal(p.clean.width, WIDTH);
        assert_int_equal(p.clean.height, HEIGHT);
        expect_quarters(&p.clean, formats[i].clean, "rgbw");
        assert_int_equal(p.thumbnail.width, THUMBNAIL);
        expect_quarters(&p.thumbnail, WORKER_JPEG, "rgbw");
        assert_int_equal(p.seal.width, SEAL);
    }
}

static void all_eight_orientations_of_exif_are_turned(void **state) {
    static const char *const corners[] = {"rgbw", "grwb", "wbgr", "bwrg",
                                          "rbgw", "brwg", "wgbr", "gwrb"};
    static const char *const suffixes[] = {".jpg", ".tif", ".webp", ".png"};

    (void)state;
    for (size_t s = 0; s < sizeof(suffixes) / sizeof(*suffixes); s++)
        for (uint32_t o = 1; o <= 8; o++) {
            worker_picture p = read_all(turned_file(suffixes[s], o));

            assert_int_equal(p.orientation, o);
            assert_int_equal(p.width, o < 5 ? WIDTH : HEIGHT);
            assert_int_equal(p.clean.height, o < 5 ? HEIGHT : WIDTH);
            expect_quarters(&p.clean, s == 3 ? WORKER_PNG : WORKER_JPEG, corners[o - 1]);
            expect_quarters(&p.thumbnail, WORKER_JPEG, corners[o - 1]);
            assert_int_equal(p.seal.width, o < 5 ? SEAL : SEAL * HEIGHT / WIDTH);
        }
}

static void has_no_trace(atg_str bytes) {
    static const char *const traces[] = {"SECRET", "Exif",    "II*",  "MM\0*", "ICC_PROFILE",
                                         "iCCP",   "http://", "eXIf", "tEXt",  "Photoshop"};

    for (size_t i = 0; i < sizeof(traces) / sizeof(*traces); i++)
        if (memmem(bytes.p, bytes.n, traces[i], strlen(traces[i])))
            fail_msg("\"%s\" is still there", traces[i]);
}

static void nothing_but_pixels_comes_back(void **state) {
    static const char *const suffixes[] = {".jpg", ".png", ".webp", ".tif", ".heic"};

    (void)state;
    for (size_t s = 0; s < sizeof(suffixes) / sizeof(*suffixes); s++) {
        VipsImage *im = made_quarters(WIDTH, HEIGHT);
        static const char xmp[] = "<x:xmpmeta xmlns:x='http://SECRET'/>";
        worker_picture p;
        atg_str in;

        vips_image_set_string(im, "exif-ifd0-Make",
                              "SECRET (SECRET, ASCII, 7 components, 7 bytes)");
        vips_image_set_string(im, "exif-ifd3-GPSLatitude",
                              "47/1 33/1 SECRET (47, Rational, 3, 24)");
        vips_image_set_string(im, "exif-ifd2-UserComment", "SECRET (SECRET, Undefined, 7, 7)");
        vips_image_set_blob_copy(im, VIPS_META_XMP_NAME, xmp, sizeof(xmp));
        in = s == 4 ? heic_file("secret") : file_of(im, suffixes[s]);
        if (s == 4)
            g_object_unref(im);
        if (strcmp(suffixes[s], ".png") == 0) /* there libvips writes it compressed */
            in = with_chunk(in, "tEXt", "Author\0SECRET", 13);
        if (s == 4 && !reads_heic())
            continue;
        if (!memmem(in.p, in.n, "SECRET", 6))
            fail_msg("there is nothing secret in %s", suffixes[s]);
        p = read_all(in);
        has_no_trace(p.clean.bytes);
        has_no_trace(p.thumbnail.bytes);
        has_no_trace(p.seal.bytes);
    }
}

static void colours_of_other_spaces_become_srgb(void **state) {
    VipsImage *im, *cmyk = NULL;
    VipsBlob *profile = NULL;
    const void *data;
    size_t n;
    worker_picture p;
    double *v = NULL;
    int bands;

    (void)state;
    /* 180, 60, 60 of Display P3 is a stronger red in sRGB */
    vips_black(&im, 16, 16, "bands", 3, NULL);
    vips_linear(im, &cmyk, (double[]){1, 1, 1}, (double[]){180, 60, 60}, 3, "uchar", TRUE, NULL);
    g_object_unref(im);
    im = vips_image_copy_memory(cmyk);
    g_object_unref(cmyk);
    im->Type = VIPS_INTERPRETATION_sRGB;
    assert_int_equal(vips_profile_load("p3", &profile, NULL), 0);
    data = vips_blob_get(profile, &n);
    vips_image_set_blob_copy(im, VIPS_META_ICC_NAME, data, n);
    vips_area_unref(VIPS_AREA(profile));
    p = read_all(file_of(im, ".png"));
    im = opened(p.clean.bytes);
    assert_int_equal(vips_getpoint(im, &v, &bands, 8, 8, NULL), 0);
    assert_true(v[0] > 188 && v[1] < 60);
    g_free(v);
    g_object_unref(im);
    im = made_quarters(WIDTH, HEIGHT);
    assert_int_equal(vips_icc_export(im, &cmyk, "output_profile", "cmyk", NULL), 0);
    g_object_unref(im);
    p = read_all(file_of(cmyk, ".jpg"));
    im = opened(p.clean.bytes);
    assert_int_equal(im->Bands, 3);
    assert_int_equal(letter_at(im, WIDTH * 3 / 4, HEIGHT * 3 / 4), 'w');
    g_object_unref(im);
}

static void grey_and_sixteen_bits_and_transparency_are_read(void **state) {
    VipsImage *im = made_quarters(WIDTH, HEIGHT), *other = NULL;
    worker_picture p;

    (void)state;
    assert_int_equal(vips_colourspace(im, &other, VIPS_INTERPRETATION_RGB16, NULL), 0);
    p = read_all(file_of(other, ".png[bitdepth=16]"));
    expect_quarters(&p.clean, WORKER_PNG, "rgbw");
    assert_int_equal(vips_colourspace(im, &other, VIPS_INTERPRETATION_B_W, NULL), 0);
    p = read_all(file_of(other, ".jpg"));
    assert_int_equal(p.clean.width, WIDTH);
    /* the right half can be seen through */
    assert_int_equal(vips_addalpha(im, &other, NULL), 0);
    g_object_unref(im);
    im = vips_image_copy_memory(other);
    g_object_unref(other);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = WIDTH / 2; x < WIDTH; x++)
            *(VIPS_IMAGE_ADDR(im, x, y) + 3) = 0;
    g_object_ref(im);
    p = read_all(file_of(im, ".webp[lossless]"));
    assert_int_equal(p.clean.format, WORKER_PNG);
    expect_quarters(&p.thumbnail, WORKER_JPEG, "rwbw");
    p = read_picture(
        (worker_picture_ask){.in = {.bytes = file_of(im, ".png")}, .clean = WORKER_CLEAN_JPEG});
    expect_quarters(&p.clean, WORKER_JPEG, "rwbw");
}

static void of_several_pages_the_first_is_shown(void **state) {
    VipsImage *pages[2] = {made_quarters(WIDTH, HEIGHT), NULL}, *joined = NULL;
    worker_picture p;

    (void)state;
    assert_int_equal(vips_invert(pages[0], &pages[1], NULL), 0);
    assert_int_equal(vips_arrayjoin(pages, &joined, 2, "across", 1, NULL), 0);
    g_object_unref(pages[0]);
    g_object_unref(pages[1]);
    vips_image_set_int(joined, VIPS_META_PAGE_HEIGHT, HEIGHT);
    g_object_ref(joined);
    p = read_all(file_of(joined, ".tif"));
    assert_int_equal(p.frames, 2);
    expect_quarters(&p.clean, WORKER_JPEG, "rgbw");
    refused_ask((worker_picture_ask){.in = {.bytes = file_of(joined, ".webp")}}, ATG_EINVAL,
                "animat");
}

/* ---- the seal image ---- */

static VipsImage *seal_of(VipsImage *im, uint32_t side) {
    worker_picture p =
        read_picture((worker_picture_ask){.in = {.bytes = file_of(im, ".png")}, .seal = side});

    assert_int_equal(p.seal.format, WORKER_JPEG);
    assert_int_equal(p.clean.width, 0);
    return opened(p.seal.bytes);
}

/* Stripes that are as bright as a grey picture on the whole. */
static VipsImage *stripes(int width, int period, int amplitude) {
    size_t n = (size_t)width * width;
    unsigned char *p = malloc(n);
    VipsImage *im;

    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(128 + (i % width / (period / 2) % 2 ? amplitude : -amplitude));
    im = vips_image_new_from_memory_copy(p, n, width, width, 1, VIPS_FORMAT_UCHAR);
    free(p);
    im->Type = VIPS_INTERPRETATION_B_W;
    return im;
}

static double spread(VipsImage *im) {
    double d = 0;

    assert_int_equal(vips_deviate(im, &d, NULL), 0);
    g_object_unref(im);
    return d;
}

static void a_seal_image_of_fine_detail_is_a_grey_field(void **state) {
    (void)state;
    /* as large as eyes, mouths and letters are in a picture of a face or of a document */
    for (int period = 4; period <= 60; period *= 2) {
        double left = spread(seal_of(stripes(480, period, 120), 320));

        if (left > 8)
            fail_msg("of stripes of %d pixels %g is left", period, left);
    }
}

static void a_seal_image_has_no_edge(void **state) {
    VipsImage *im = seal_of(made_quarters(960, 640), 320), *bands;
    int steepest = 0;

    (void)state;
    assert_int_equal(vips_extract_band(im, &bands, 1, NULL), 0);
    for (int y = 0; y < im->Ysize; y++)
        for (int x = 1; x < im->Xsize; x++) {
            int step = VIPS_IMAGE_ADDR(im, x, y)[1] - VIPS_IMAGE_ADDR(im, x - 1, y)[1];

            steepest = step > steepest ? step : -step > steepest ? -step : steepest;
        }
    /* of 210 from one quarter to the next */
    if (steepest > 12)
        fail_msg("a step of %d", steepest);
    g_object_unref(bands);
    g_object_unref(im);
}

static void a_seal_image_of_a_tiny_picture_shows_none_of_its_pixels(void **state) {
    (void)state;
    assert_true(spread(seal_of(stripes(16, 8, 100), 320)) < 8);
    assert_true(spread(seal_of(stripes(8, 4, 100), 320)) < 8);
    g_object_unref(seal_of(made_quarters(2, 1), 320));
    g_object_unref(seal_of(made_quarters(2000, 2), 320));
}

/* ---- the ways in and out ---- */

static int count_bytes(void *user, atg_str bytes, atg_err *err) {
    (void)err;
    *(size_t *)user += bytes.n;
    return ATG_OK;
}

static int disk_full(void *user, atg_str bytes, atg_err *err) {
    (void)user;
    (void)bytes;
    return atg_fail(err, ATG_EIO, "The disk is full");
}

static void a_file_is_read_from_a_descriptor_and_goes_to_a_sink(void **state) {
    char path[] = "/tmp/antigone-test-XXXXXX";
    atg_str bytes = quarters_file(".png");
    size_t got = 0;
    worker_sink count = {count_bytes, &got}, full = {disk_full, NULL};
    worker_picture_ask ask = {.clean = WORKER_CLEAN_AUTO, .clean_to = &count};
    int fd = mkstemp(path), reading = open(path, O_RDONLY | O_CLOEXEC);
    worker_picture p;

    (void)state;
    assert_true(fd >= 0 && reading >= 0);
    (void)unlink(path);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    ask.in.fd = reading;
    p = read_picture(ask);
    assert_null(p.clean.bytes.p);
    assert_int_equal(p.clean.size, got);
    assert_int_equal(p.clean.width, WIDTH);
    assert_true(got > 0);
    ask.clean_to = &full;
    refused_ask(ask, ATG_EIO, "The disk is full");
    ask.clean_to = NULL;
    ask.in.fd = fd;
    refused_ask(ask, ATG_EINVAL, "open for writing");
    ask.in.fd = STDIN_FILENO;
    (void)close(fd);
    (void)close(reading);
    ask.in.fd = reading;
    refused_ask(ask, ATG_EINVAL, "no regular file");
}

static void memory_of_the_parent_that_runs_out_is_told(void **state) {
    atg_str bytes = quarters_file(".jpg");
    worker_picture_ask ask = {.in = {.bytes = bytes}, .clean = WORKER_CLEAN_AUTO, .thumbnail = 32};
    size_t live = mem_live();
    int failures = 0, rc = ATG_ENOMEM;

    (void)state;
    for (long n = 0; rc; n++) {
        atg_arena *own;
        worker_picture p;

        mem_fail_after(n);
        own = atg_arena_new(ARENA);
        rc = own ? worker_picture_read(pool, &ask, own, &p, NULL) : ATG_ENOMEM;
        mem_fail_after(-1);
        atg_arena_free(own);
        if (rc)
            assert_int_equal(rc, ATG_ENOMEM);
        failures += rc != 0;
    }
    assert_true(failures >= 4);
    assert_int_equal(mem_live(), live);
}

static void quality_size_and_ceilings_are_kept(void **state) {
    VipsImage *noise = NULL;
    atg_str bytes;
    worker_picture low, high;

    (void)state;
    assert_int_equal(vips_gaussnoise(&noise, 200, 200, "mean", 128.0, "sigma", 40.0, NULL), 0);
    bytes = file_of(noise, ".tif");
    low = read_picture((worker_picture_ask){
        .in = {.bytes = bytes}, .clean = WORKER_CLEAN_JPEG, .quality = 20, .thumbnail = 500});
    high = read_picture(
        (worker_picture_ask){.in = {.bytes = bytes}, .clean = WORKER_CLEAN_JPEG, .quality = 95});
    assert_true(low.clean.size * 2 < high.clean.size);
    assert_int_equal(low.thumbnail.width, 200); /* never larger than the picture */
    refused_ask(
        (worker_picture_ask){.in = {.bytes = bytes}, .clean = WORKER_CLEAN_JPEG, .clean_max = 1000},
        ATG_ELIMIT, "too long");
    refused_ask((worker_picture_ask){.in = {.bytes = bytes}, .pixels = 39999}, ATG_ELIMIT,
                "200 x 200 pixels: at most 39999");
    refused_ask((worker_picture_ask){.in = {.bytes = bytes}, .quality = 101}, ATG_EINVAL, "range");
    refused_ask((worker_picture_ask){.in = {.bytes = bytes}, .thumbnail = WORKER_SIDE_MAX + 1},
                ATG_EINVAL, "range");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_comes_back_clean_and_small),
        cmocka_unit_test(all_eight_orientations_of_exif_are_turned),
        cmocka_unit_test(nothing_but_pixels_comes_back),
        cmocka_unit_test(colours_of_other_spaces_become_srgb),
        cmocka_unit_test(grey_and_sixteen_bits_and_transparency_are_read),
        cmocka_unit_test(of_several_pages_the_first_is_shown),
        cmocka_unit_test(a_seal_image_of_fine_detail_is_a_grey_field),
        cmocka_unit_test(a_seal_image_has_no_edge),
        cmocka_unit_test(a_seal_image_of_a_tiny_picture_shows_none_of_its_pixels),
        cmocka_unit_test(a_file_is_read_from_a_descriptor_and_goes_to_a_sink),
        cmocka_unit_test(memory_of_the_parent_that_runs_out_is_told),
        cmocka_unit_test(quality_size_and_ceilings_are_kept),
    };

    return cmocka_run_group_tests_name("worker_picture", tests, set_up, tear_down);
}
