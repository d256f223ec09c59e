/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "worker_pictures.h"

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

static void a_picture_that_needs_more_memory_than_there_is_is_refused(void **state) {
    static const unsigned char exif[26] = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6";
    worker_pool *small = open_pool((worker_options){.memory = (uint64_t)400 << 20});
    VipsImage *black = NULL;
    worker_picture_ask ask = {.clean = WORKER_CLEAN_JPEG};
    worker_picture p;
    worker_health h;
    atg_err err = {0};
    int rc;

    (void)state;
    assert_int_equal(worker_pool_check(small, &h, NULL), ATG_OK);
    /* turning it takes 300 MB */
    assert_int_equal(vips_black(&black, 10000, 10000, NULL), 0);
    ask.in.bytes = with_chunk(file_of(black, ".png[compression=1]"), "eXIf", exif, sizeof(exif));
    rc = worker_picture_read(small, &ask, arena, &p, &err);
    if (h.hold.memory && (rc != ATG_ELIMIT || !strstr(err.msg, "needs more memory")))
        fail_msg("%d %s", rc, err.msg);
    assert_works(small, arena);
    worker_pool_health(small, &h);
    assert_int_equal(h.ended, 0);
    worker_pool_close(small);
}

static void a_picture_that_takes_too_long_is_refused(void **state) {
    VipsImage *noise = NULL, *bytes = NULL;
    worker_picture_ask ask = {.clean = WORKER_CLEAN_PNG, .deadline_ms = 100};

    (void)state;
    assert_int_equal(vips_gaussnoise(&noise, 5000, 5000, "mean", 128.0, NULL), 0);
    assert_int_equal(vips_cast_uchar(noise, &bytes, NULL), 0);
    g_object_unref(noise);
    ask.in.bytes = file_of(bytes, ".tif");
    refused_ask(ask, ATG_ELIMIT, "takes longer than the 1 s");
    assert_works(pool, arena);
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
    assert_int_equal(h.ended, 0);
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
        cmocka_unit_test(other_kinds_are_refused_by_name),
        cmocka_unit_test(a_file_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_size_that_lies_is_refused),
        cmocka_unit_test(a_small_file_of_many_pixels_is_refused_before_they_are_made),
        cmocka_unit_test(a_picture_that_needs_more_memory_than_there_is_is_refused),
        cmocka_unit_test(a_picture_that_takes_too_long_is_refused),
        cmocka_unit_test(a_file_within_a_file_is_not_looked_for),
        cmocka_unit_test(whatever_is_changed_in_a_file_the_worker_answers),
        cmocka_unit_test(a_thousand_pictures_leave_no_memory_behind),
    };

    return cmocka_run_group_tests_name("worker_refused", tests, set_up, tear_down);
}
