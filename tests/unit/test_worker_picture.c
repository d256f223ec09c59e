/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "base/file.h"
#include "made_bmp.h"
#include "made_picture.h"
#include "workers.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { ARENA = 64 << 20, WIDTH = 96, HEIGHT = 64, THUMBNAIL = 32, SEAL = 48 };

static atg_arena *arena;
static worker_pool *pool;

static int set_up(void **state) {
    worker_health h;

    (void)state;
    arena = atg_arena_new((size_t)ARENA * 16);
    pool = open_pool((worker_options){.uses = 100000});
    return arena && pool && VIPS_INIT("test") == 0 && worker_pool_check(pool, &h, NULL) == ATG_OK
               ? 0
               : -1;
}

static int tear_down(void **state) {
    (void)state;
    worker_pool_close(pool);
    atg_arena_free(arena);
    vips_shutdown();
    return 0;
}

static worker_picture read_picture(worker_picture_ask ask) {
    worker_picture p = {0};
    atg_err err = {0};

    if (worker_picture_read(pool, &ask, arena, &p, &err))
        fail_msg("%s", err.msg);
    return p;
}

static worker_picture read_all(atg_str bytes) {
    return read_picture((worker_picture_ask){
        .in = {.bytes = bytes}, .clean = WORKER_CLEAN_AUTO, .thumbnail = THUMBNAIL, .seal = SEAL});
}

static void refused_ask(worker_picture_ask ask, int code, const char *words) {
    worker_picture p = {.width = 77};
    atg_err err = {0};
    int rc = worker_picture_read(pool, &ask, arena, &p, &err);

    if (rc != code || !strstr(err.msg, words))
        fail_msg("expected \"%s\", got code %d: %s", words, rc, rc ? err.msg : "no failure");
    assert_int_equal(p.width, 77);
}

static void refused(const void *p, size_t n, int code, const char *words) {
    refused_ask((worker_picture_ask){.in = {.bytes = {p, n}}, .clean = WORKER_CLEAN_AUTO}, code,
                words);
}

/* What libvips writes, in the arena. */
static atg_str file_of(VipsImage *im, const char *suffix) {
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

/* A stored HEIC: not every libvips can write one, and the encoder leaks. */
static atg_str heic_file(const char *name) {
    const char *folder = getenv("ATG_PICTURES_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    atg_str path = atg_arena_printf(arena, "%s/%s.heic", folder ? folder : ".", name), bytes = {0};
    atg_err err = {0};

    assert_non_null(path.p);
    if (file_read(arena, path.p, ARENA, &bytes, &err))
        fail_msg("%s", err.msg);
    return bytes;
}

static bool reads_heic(void) {
    worker_health h;

    worker_pool_health(pool, &h);
    if (!(h.hold.formats >> WORKER_HEIC & 1))
        print_message("# libvips has no HEIC here: not tested\n");
    return h.hold.formats >> WORKER_HEIC & 1;
}

static atg_str quarters_file(const char *suffix) {
    return strcmp(suffix, ".heic") == 0 ? heic_file("quarters")
                                        : file_of(made_quarters(WIDTH, HEIGHT), suffix);
}

/* A PNG with one more chunk behind its header. */
static atg_str with_chunk(atg_str png, const char *type, const void *body, uint32_t n) {
    enum { HEAD = 33, AROUND = 12 };
    unsigned char *p = ATG_GET(arena, unsigned char, png.n + n + AROUND);
    uint32_t c = UINT32_MAX;

    assert_true(p && png.p && png.n > HEAD);
    memcpy(p, png.p, HEAD);
    bytes_put32(p + HEAD, n);
    memcpy(p + HEAD + 4, type, 4);
    memcpy(p + HEAD + 8, body, n);
    for (size_t i = HEAD + 4; i < HEAD + 8 + n; i++) {
        c ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
    }
    bytes_put32(p + HEAD + 8 + n, ~c);
    memcpy(p + HEAD + AROUND + n, png.p + HEAD, png.n - HEAD);
    return (atg_str){(char *)p, png.n + n + AROUND};
}

/* Quarters that a camera held this way. */
static atg_str turned_file(const char *suffix, uint32_t orientation) {
    VipsImage *im = made_quarters(WIDTH, HEIGHT);
    unsigned char exif[] = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\0\0\0\0\0\0";

    if (strcmp(suffix, ".png") == 0) { /* libvips writes no EXIF into it */
        exif[19] = (unsigned char)orientation;
        return with_chunk(file_of(im, suffix), "eXIf", exif, 26);
    }
    vips_image_set_int(im, VIPS_META_ORIENTATION, (int)orientation);
    return file_of(im, suffix);
}

static atg_str bitmap_file(void) {
    static made_bmp m;
    static const char letters[] = "bwrg"; /* from below */

    bmp_begin(&m, WIDTH, HEIGHT, 24, 0, 0);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            unsigned char rgb[3];

            colour_of(letters[2 * (y >= HEIGHT / 2) + (x >= WIDTH / 2)], rgb);
            for (int i = 2; i >= 0; i--)
                bmp_put(&m, rgb[i], 1);
        }
    return atg_arena_str(arena, bmp_bytes(&m));
}

static void expect_quarters(const worker_image *image, worker_format format, const char *corners) {
    VipsImage *im = opened(image->bytes);

    assert_int_equal(image->format, format);
    assert_int_equal(image->size, image->bytes.n);
    assert_int_equal(im->Xsize, image->width);
    assert_int_equal(im->Ysize, image->height);
    assert_string_equal(quarters_of(im).corner, corners);
    g_object_unref(im);
}

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

/* ---- what is refused ---- */

static void other_kinds_are_refused_by_name(void **state) {
    static const struct {
        const char *p;
        size_t n;
        const char *words;
    } kinds[] = {
        {"GIF89a\1\0\1\0", 10, "a GIF"},
        {"%PDF-1.7\n", 9, "a PDF"},
        {"<svg xmlns='http://www.w3.org/2000/svg'/>", 41, "SVG"},
        {"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>", 70, "SVG"},
        {"PK\3\4\24\0\0\0", 8, "a ZIP"},
        {"\0\0\0\x1c"
         "ftypavif\0\0\0\0avif",
         20, "\"avif\""},
        {"\0\0\0\x1c"
         "ftyphevc\0\0\0\0hevc",
         20, "a sequence of pictures"},
        {"\0\0\0\x1c"
         "ftyp\1\2\3\4\0\0\0\0",
         16, "\"????\""},
        {"\0\0\0\x0cJXL \r\n\x87\n", 12, "a JPEG XL"},
        {"II+\0\x08\0\0\0", 8, "a BigTIFF"},
        {"push graphic-context\nviewbox 0 0 1 1\n", 37, "no picture of a kind that is read"},
        {"P6\n1 1\n255\nabc", 14, "no picture of a kind that is read"},
        {"#!/bin/sh\n", 10, "no picture of a kind that is read"},
        {"x", 1, "no picture of a kind that is read"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        refused(kinds[i].p, kinds[i].n, ATG_EINVAL, kinds[i].words);
    refused("", 0, ATG_EPARSE, "empty");
}

static const char *const every_suffix[] = {".jpg",
                                           ".jpg[interlace]",
                                           ".png",
                                           ".webp",
                                           ".heic",
                                           ".webp[lossless,near_lossless]",
                                           ".tif[compression=lzw]",
                                           ".tif"};

static void a_file_that_is_cut_off_anywhere_is_refused(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof(every_suffix) / sizeof(*every_suffix); s++) {
        VipsImage *noise = NULL, *bytes = NULL;
        atg_str whole;

        assert_int_equal(vips_gaussnoise(&noise, WIDTH, HEIGHT, "mean", 128.0, NULL), 0);
        assert_int_equal(vips_cast_uchar(noise, &bytes, NULL), 0);
        g_object_unref(noise);
        if (strcmp(every_suffix[s], ".heic") == 0) {
            g_object_unref(bytes);
            whole = heic_file("quarters");
        } else {
            whole = file_of(bytes, every_suffix[s]);
        }
        for (int i = 1; i < 12; i++) {
            size_t n = whole.n * (size_t)i / 12;
            worker_picture p;
            atg_err err = {0};
            worker_picture_ask ask = {.in = {.bytes = {whole.p, n}}, .clean = WORKER_CLEAN_AUTO};
            int rc = worker_picture_read(pool, &ask, arena, &p, &err);

            if (rc != ATG_EPARSE)
                fail_msg("%s cut at %zu of %zu: %d %s", every_suffix[s], n, whole.n, rc, err.msg);
        }
    }
}

/* The first place of `what` in it. */
static size_t place_of(atg_str bytes, const char *what, size_t n) {
    const char *at = memmem(bytes.p, bytes.n, what, n);

    assert_true(at != NULL);
    return (size_t)(at - bytes.p);
}

/* A copy with two bytes at `at` replaced. */
static atg_str with_two(atg_str bytes, size_t at, unsigned hi, unsigned lo) {
    char *p = ATG_GET(arena, char, bytes.n);

    assert_non_null(p);
    memcpy(p, bytes.p, bytes.n);
    p[at] = (char)hi;
    p[at + 1] = (char)lo;
    return (atg_str){p, bytes.n};
}

static void a_size_that_lies_is_refused(void **state) {
    atg_str jpeg = quarters_file(".jpg"), tiff = quarters_file(".tif"), heic, webp, lie;
    size_t at = place_of(jpeg, "\xff\xc0", 2) + 5;

    (void)state;
    /* taller than its scans; of more pixels than may be */
    lie = with_two(jpeg, at, 0, 200);
    refused(lie.p, lie.n, ATG_EPARSE, "damaged");
    lie = with_two(with_two(jpeg, at, 0xff, 0xff), at + 2, 0xff, 0xff);
    refused(lie.p, lie.n, ATG_ELIMIT, "65535 x 65535 pixels");
    lie = with_two(jpeg, at, 0, 0);
    refused(lie.p, lie.n, ATG_EPARSE, "damaged");
    /* ImageLength of a TIFF, a short in little-endian order */
    at = place_of(tiff, "\1\1\3\0\1\0\0\0\x40\0", 10) + 8;
    lie = with_two(tiff, at, 0xff, 0xff);
    refused(lie.p, lie.n, ATG_EPARSE, "damaged");
    /* within its VP8 frame */
    webp = quarters_file(".webp");
    at = place_of(webp, "\x9d\x01\x2a", 3) + 3;
    lie = with_two(webp, at, 0xff, 0x3f);
    refused(lie.p, lie.n, ATG_EPARSE, "damaged");
    if (!reads_heic())
        return;
    heic = quarters_file(".heic");
    at = place_of(heic, "ispe\0\0\0\0\0\0\0\x60", 12) + 10;
    lie = with_two(heic, at, 0x7f, 0xff);
    refused(lie.p, lie.n, ATG_EPARSE, "damaged");
}

static void a_small_file_of_many_pixels_is_refused_before_they_are_made(void **state) {
    static made_bmp m;
    VipsImage *black = NULL;
    atg_str png;

    (void)state;
    assert_int_equal(vips_black(&black, 20000, 6000, NULL), 0);
    png = file_of(black, ".png");
    assert_true(png.n < 500000);
    refused(png.p, png.n, ATG_ELIMIT, "20000 x 6000 pixels");
    bmp_begin(&m, 65535, 65535, 8, 1, 0);
    for (int i = 0; i < 256; i++)
        bmp_put(&m, 0, 4);
    bmp_set(&m, 10, (uint32_t)m.n, 4);
    bmp_add(&m, "\0\1", 2);
    refused(m.p, m.n, ATG_ELIMIT, "65535 x 65535 pixels");
}

/* A file that holds another one is judged by the outer; one behind the end is not looked at. */
static void a_file_within_a_file_is_not_looked_for(void **state) {
    atg_str jpeg = quarters_file(".jpg"), png = quarters_file(".png");
    char *both = ATG_GET(arena, char, jpeg.n + png.n);
    static made_bmp m;
    worker_picture p;

    (void)state;
    assert_non_null(both);
    memcpy(both, jpeg.p, jpeg.n);
    memcpy(both + jpeg.n, png.p, png.n);
    p = read_all((atg_str){both, jpeg.n + png.n});
    assert_int_equal(p.format, WORKER_JPEG);
    assert_null(memmem(p.clean.bytes.p, p.clean.bytes.n, "PNG", 3));
    bmp_begin(&m, WIDTH, HEIGHT, 0, 4, 0);
    bmp_add(&m, jpeg.p, jpeg.n);
    refused(m.p, m.n, ATG_EINVAL, "within a bitmap");
    bmp_begin(&m, WIDTH, HEIGHT, 24, 0, 0);
    refused(m.p, m.n, ATG_EPARSE, "the end is missing");
}

static void whatever_is_changed_in_a_file_the_worker_answers(void **state) {
    enum { CHANGES = 60 };
    atg_rng rng = atg_rng_seed(4);
    uint32_t read = 0, not_read = 0;
    worker_health h;

    (void)state;
    for (size_t s = 0; s < sizeof(every_suffix) / sizeof(*every_suffix); s++) {
        atg_str whole = quarters_file(every_suffix[s]);

        for (int i = 0; i < CHANGES; i++) {
            atg_str bytes = atg_arena_str(arena, whole);
            worker_picture p;
            atg_err err = {0};
            unsigned char *at;

            assert_non_null(bytes.p);
            memcpy(&at, &bytes.p, sizeof(at));
            for (uint64_t k = 1 + atg_rng_below(&rng, 6); k; k--)
                at[atg_rng_below(&rng, bytes.n)] ^= (unsigned char)(1U << atg_rng_below(&rng, 8));

            worker_picture_ask ask = {
                .in = {.bytes = bytes}, .clean = WORKER_CLEAN_AUTO, .thumbnail = 32, .seal = 32};
            int rc = worker_picture_read(pool, &ask, arena, &p, &err);

            read += rc == ATG_OK;
            not_read += rc != ATG_OK;
            if (rc && rc != ATG_EPARSE && rc != ATG_EINVAL && rc != ATG_ELIMIT)
                fail_msg("%s: %d %s", every_suffix[s], rc, err.msg);
        }
    }
    worker_pool_health(pool, &h);
    assert_int_equal(h.ended + h.late, 0);
    print_message("# %u of %u changed files were read\n", read, read + not_read);
}

/* ---- many ---- */

/* Kilobytes that the innermost child has in memory. */
static long resident_of_worker(void) {
    char path[64], line[128];
    int pid = (int)getpid(), child = pid;
    long kib = 0;
    FILE *f;

    while (child) {
        pid = child;
        child = 0;
        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
        f = fopen(path, "re");
        assert_non_null(f);
        if (fscanf(f, "%d", &child) != 1) /* NOLINT(cert-err34-c): written by the kernel */
            child = 0;
        (void)fclose(f);
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    (void)fclose(f);
    return kib;
}

static void a_thousand_pictures_leave_no_memory_behind(void **state) {
    atg_str files[] = {quarters_file(".jpg"), quarters_file(".png"), quarters_file(".webp"),
                       quarters_file(".tif"), bitmap_file(),         ATG_STR("GIF89a"),
                       {"\xff\xd8\xff", 3}};
    enum { KINDS = 7, WARM = 140, ALL = 1000, MIB = 1024 };
    worker_health h;
    size_t live = 0;
    long before = 0;

    (void)state;
    for (int i = 0; i < ALL; i++) {
        ATG_AUTO(atg_arena) own = atg_arena_new(ARENA);
        worker_picture_ask ask = {.in = {.bytes = files[i % KINDS]},
                                  .clean = WORKER_CLEAN_AUTO,
                                  .thumbnail = 32,
                                  .seal = 32};
        worker_picture p;
        int rc = worker_picture_read(pool, &ask, own, &p, NULL);

        assert_true((rc == ATG_OK) == (i % KINDS < 5));
        if (i == WARM) {
            before = resident_of_worker();
            live = mem_live();
        }
    }

    long after = resident_of_worker();

    print_message("# the worker had %ld KiB after %d, %ld KiB after %d\n", before, WARM, after,
                  ALL);
    /* sanitizers, which go without a limit, keep what was freed */
    worker_pool_health(pool, &h);
    assert_true(!h.hold.memory || after < before + 8L * MIB);
    assert_true(mem_live() <= live);
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
        cmocka_unit_test(quality_size_and_ceilings_are_kept),
        cmocka_unit_test(other_kinds_are_refused_by_name),
        cmocka_unit_test(a_file_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_size_that_lies_is_refused),
        cmocka_unit_test(a_small_file_of_many_pixels_is_refused_before_they_are_made),
        cmocka_unit_test(a_file_within_a_file_is_not_looked_for),
        cmocka_unit_test(whatever_is_changed_in_a_file_the_worker_answers),
        cmocka_unit_test(a_thousand_pictures_leave_no_memory_behind),
    };

    return cmocka_run_group_tests_name("worker_picture", tests, set_up, tear_down);
}
