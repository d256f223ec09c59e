/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that go through a worker and come back, or not. */
#ifndef ATG_TESTS_WORKER_PICTURES_H
#define ATG_TESTS_WORKER_PICTURES_H

#include "made_bmp.h"
#include "made_picture.h"
#include "workers.h"

#include "base/bytes.h"
#include "base/file.h"

enum { ARENA = 64 << 20, WIDTH = 96, HEIGHT = 64, THUMBNAIL = 32, SEAL = 48 };

static atg_arena *arena;
static worker_pool *pool;

static inline int set_up(void **state) {
    worker_health h;

    (void)state;
    arena = atg_arena_new((size_t)ARENA * 16);
    pool = open_pool((worker_options){.uses = 100000});
    return arena && pool && VIPS_INIT("test") == 0 && worker_pool_check(pool, &h, NULL) == ATG_OK
               ? 0
               : -1;
}

static inline int tear_down(void **state) {
    (void)state;
    worker_pool_close(pool);
    atg_arena_free(arena);
    vips_shutdown();
    return 0;
}

static inline worker_picture read_picture(worker_picture_ask wanted) {
    worker_picture p = {0};
    atg_err err = {0};

    if (worker_picture_read(pool, &wanted, arena, &p, &err))
        fail_msg("%s", err.msg);
    return p;
}

static inline worker_picture read_all(atg_str bytes) {
    return read_picture((worker_picture_ask){
        .in = {.bytes = bytes}, .clean = WORKER_CLEAN_AUTO, .thumbnail = THUMBNAIL, .seal = SEAL});
}

static inline void refused_ask(worker_picture_ask wanted, int code, const char *words) {
    worker_picture p = {.width = 77};
    atg_err err = {0};
    int rc = worker_picture_read(pool, &wanted, arena, &p, &err);

    if (rc != code || !strstr(err.msg, words))
        fail_msg("expected \"%s\", got code %d: %s", words, rc, rc ? err.msg : "no failure");
    assert_int_equal(p.width, 77);
}

static inline void refused(const void *p, size_t n, int code, const char *words) {
    refused_ask((worker_picture_ask){.in = {.bytes = {p, n}}, .clean = WORKER_CLEAN_AUTO}, code,
                words);
}

/* What libvips writes, in the arena. */
static inline atg_str file_of(VipsImage *im, const char *suffix) {
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
static inline atg_str heic_file(const char *name) {
    const char *folder = getenv("ATG_PICTURES_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    atg_str path = atg_arena_printf(arena, "%s/%s.heic", folder ? folder : ".", name), bytes = {0};
    atg_err err = {0};

    assert_non_null(path.p);
    if (file_read(arena, path.p, ARENA, &bytes, &err))
        fail_msg("%s", err.msg);
    return bytes;
}

static inline bool reads_heic(void) {
    worker_health h;

    worker_pool_health(pool, &h);
    if (!(h.hold.formats >> WORKER_HEIC & 1))
        print_message("# libvips has no HEIC here: not tested\n");
    return h.hold.formats >> WORKER_HEIC & 1;
}

static inline atg_str quarters_file(const char *suffix) {
    return strcmp(suffix, ".heic") == 0 ? heic_file("quarters")
                                        : file_of(made_quarters(WIDTH, HEIGHT), suffix);
}

/* A PNG with one more chunk behind its header. */
static inline atg_str with_chunk(atg_str png, const char *type, const void *body, uint32_t n) {
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
static inline atg_str turned_file(const char *suffix, uint32_t orientation) {
    VipsImage *im = made_quarters(WIDTH, HEIGHT);
    unsigned char exif[] = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\0\0\0\0\0\0";

    if (strcmp(suffix, ".png") == 0) { /* libvips writes no EXIF into it */
        exif[19] = (unsigned char)orientation;
        return with_chunk(file_of(im, suffix), "eXIf", exif, 26);
    }
    vips_image_set_int(im, VIPS_META_ORIENTATION, (int)orientation);
    return file_of(im, suffix);
}

static inline atg_str bitmap_file(void) {
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

static inline void expect_quarters(const worker_image *image, worker_format format,
                                   const char *corners) {
    VipsImage *im = opened(image->bytes);

    assert_int_equal(image->format, format);
    assert_int_equal(image->size, image->bytes.n);
    assert_int_equal(im->Xsize, image->width);
    assert_int_equal(im->Ysize, image->height);
    assert_string_equal(quarters_of(im).corner, corners);
    g_object_unref(im);
}

#endif
