/* SPDX-License-Identifier: Apache-2.0 */
#include "made_bmp.h"

#include "formats/bmp.h"

enum { ARENA = 8 << 20, PIXELS = 1000000 };

#define RED 0xff, 0x00, 0x00
#define GREEN 0x00, 0xff, 0x00
#define BLUE 0x00, 0x00, 0xff
#define WHITE 0xff, 0xff, 0xff

static atg_arena *arena;
static made_bmp made;

static int set_up(void **state) {
    (void)state;
    arena = atg_arena_new(ARENA);
    return arena ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    atg_arena_free(arena);
    return 0;
}

/* It has these pixels, from the top. */
static void expect(uint32_t width, uint32_t height, const unsigned char *rgb) {
    bmp b = {0};
    atg_err err = {0};

    if (bmp_read(arena, bmp_bytes(&made), PIXELS, &b, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(b.width, width);
    assert_int_equal(b.height, height);
    assert_memory_equal(b.rgb, rgb, 3 * (size_t)width * height);
}

static void refused(int code, const char *words) {
    bmp b = {.width = 77};
    atg_err err = {0};
    int rc = bmp_read(arena, bmp_bytes(&made), PIXELS, &b, &err);

    if (rc != code || !strstr(err.msg, words))
        fail_msg("expected \"%s\", got code %d: %s", words, rc, rc ? err.msg : "no failure");
    assert_int_equal(b.width, 77);
}

static void add_palette(void) {
    static const unsigned char bgr[] = {0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0};

    bmp_add(&made, bgr, sizeof(bgr));
}

static const unsigned char corners[] = {RED, GREEN, BLUE, WHITE};

static void twenty_four_bits_stand_from_below_in_padded_rows(void **state) {
    static const unsigned char rows[] = {255, 0, 0,   255, 255, 255, 0, 0, /* blue, white */
                                         0,   0, 255, 0,   255, 0,   0, 0};

    (void)state;
    bmp_begin(&made, 2, 2, 24, 0, 0);
    bmp_add(&made, rows, sizeof(rows));
    expect(2, 2, corners);
}

static void a_negative_height_stands_from_the_top(void **state) {
    static const unsigned char rows[] = {0,   0, 255, 0,   255, 0,   0, 0,
                                         255, 0, 0,   255, 255, 255, 0, 0};

    (void)state;
    bmp_begin(&made, 2, -2, 24, 0, 0);
    bmp_add(&made, rows, sizeof(rows));
    expect(2, 2, corners);
}

static void thirty_two_bits_lose_their_transparency(void **state) {
    (void)state;
    bmp_begin(&made, 2, -2, 32, 0, 0);
    bmp_put(&made, 0x00ff0000, 4);
    bmp_put(&made, 0x7f00ff00, 4);
    bmp_put(&made, 0xff0000ff, 4);
    bmp_put(&made, 0x00ffffff, 4);
    expect(2, 2, corners);
}

static void sixteen_bits_and_masks_are_spread_to_the_whole_range(void **state) {
    (void)state;
    bmp_begin(&made, 2, -2, 16, 0, 0);
    bmp_put(&made, 0x7c00 | 0x03e0U << 16, 4);
    bmp_put(&made, 0x001f | 0x7fffU << 16, 4);
    expect(2, 2, corners);
    bmp_begin(&made, 2, -2, 16, 3, 12);
    bmp_put(&made, 0xf800, 4);
    bmp_put(&made, 0x07e0, 4);
    bmp_put(&made, 0x001f, 4);
    bmp_put(&made, 0xf800 | 0x07e0U << 16, 4);
    bmp_put(&made, 0x001f | 0xffffU << 16, 4);
    expect(2, 2, corners);
}

static void palettes_of_one_four_and_eight_bits_are_looked_up(void **state) {
    static const unsigned char one[] = {RED, GREEN, GREEN, RED};

    (void)state;
    bmp_begin(&made, 2, -2, 8, 0, 16);
    add_palette();
    bmp_put(&made, 0x0100, 4);
    bmp_put(&made, 0x0302, 4);
    expect(2, 2, corners);
    bmp_begin(&made, 2, -2, 4, 0, 16);
    add_palette();
    bmp_put(&made, 0x01, 4);
    bmp_put(&made, 0x23, 4);
    expect(2, 2, corners);
    bmp_begin(&made, 2, -2, 1, 0, 8);
    bmp_add(&made, "\0\0\xff\0\0\xff\0\0", 8);
    bmp_put(&made, 0x40, 4);
    bmp_put(&made, 0x80, 4);
    expect(2, 2, one);
}

static void the_short_header_of_os2_is_read(void **state) {
    (void)state;
    made.n = 0;
    bmp_add(&made, "BM\0\0\0\0\0\0\0\0\x1a\0\0\0", 14);
    bmp_add(&made, "\x0c\0\0\0\2\0\2\0\1\0\x18\0", 12);
    bmp_add(&made, "\xff\0\0\xff\xff\xff\0\0\0\0\xff\0\xff\0\0\0", 16);
    expect(2, 2, corners);
}

static void run_lengths_of_both_depths_are_unrolled(void **state) {
    static const unsigned char picture[] = {RED, RED, RED,  GREEN, BLUE,  WHITE,
                                            RED, RED, BLUE, WHITE, GREEN, GREEN};

    (void)state;
    bmp_begin(&made, 6, 2, 8, 1, 16);
    add_palette();
    bmp_add(&made, "\2\0\0\3\2\3\1\0\1\1\0\0\3\0\1\1\1\2\1\3\0\1", 22);
    expect(6, 2, picture);
    bmp_begin(&made, 6, 2, 4, 2, 16);
    add_palette();
    /* literal, an even run of two colours, the end of a row; a jump of two to the right */
    bmp_add(&made, "\0\4\0\x23\2\x11\0\0\3\0\0\3\x12\x30\0\1", 16);
    expect(6, 2, picture);
    bmp_begin(&made, 6, 2, 8, 1, 16);
    add_palette();
    bmp_add(&made, "\0\2\2\0\0\4\2\3\1\1\0\0\3\0\0\3\1\2\3\0\0\1", 22);
    expect(6, 2, picture);
}

static void every_shorter_file_is_refused(void **state) {
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        bmp_begin(&made, 4, 4, 8, packed ? 1 : 0, 16);
        add_palette();
        if (packed)
            bmp_add(&made, "\4\0\0\0\4\1\0\0\4\2\0\0\4\3\0\1", 16);
        for (int i = 0; i < 16 && !packed; i++)
            bmp_put(&made, i % 4, 1);

        size_t whole = made.n;

        for (made.n = 0; made.n < whole; made.n++) {
            bmp b;
            atg_err err = {0};

            assert_int_not_equal(bmp_read(arena, bmp_bytes(&made), PIXELS, &b, &err), ATG_OK);
            assert_true(err.msg[0] != '\0');
        }
    }
}

static void what_lies_is_refused_with_the_place(void **state) {
    static const struct {
        size_t at;
        uint32_t value, bytes;
        int code;
        const char *words;
    } lies[] = {
        {0, 'X', 1, ATG_EINVAL, "no bitmap"},
        {10, 20, 4, ATG_EPARSE, "begin in the wrong place at byte 10"},
        {10, 100000, 4, ATG_EPARSE, "begin in the wrong place at byte 10"},
        {14, 41 << 8, 4, ATG_EPARSE, "a header that does not exist at byte 14"},
        {14, 13, 4, ATG_EPARSE, "a header that does not exist"},
        {18, 0, 4, ATG_EPARSE, "a wrong size at byte 18"},
        {18, 0x80000000, 4, ATG_EPARSE, "a wrong size"},
        {18, 0x7fffffff, 4, ATG_ELIMIT, "larger than 65535"},
        {18, 60000, 4, ATG_EPARSE, "the end is missing"},
        {22, 60000, 4, ATG_EPARSE, "the end is missing"},
        {22, 0, 4, ATG_EPARSE, "a wrong size"},
        {22, 0x80000000, 4, ATG_EPARSE, "a wrong size"},
        {26, 2, 2, ATG_EPARSE, "a wrong header at byte 26"},
        {28, 7, 2, ATG_EPARSE, "a depth or packing"},
        {28, 0, 2, ATG_EPARSE, "a depth or packing"},
        {30, 2, 4, ATG_EPARSE, "a depth or packing"},
        {30, 4, 4, ATG_EINVAL, "JPEG or PNG within"},
        {30, 77, 4, ATG_EPARSE, "a depth or packing"},
        {46, 257, 4, ATG_EPARSE, "more colours than"},
        {46, 200, 4, ATG_EPARSE, "a palette that is cut off"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        bmp_begin(&made, 4, 4, 8, 0, 16);
        add_palette();
        for (int k = 0; k < 4; k++)
            bmp_put(&made, 0x03020100, 4);
        bmp_set(&made, lies[i].at, lies[i].value, lies[i].bytes);
        refused(lies[i].code, lies[i].words);
    }
    bmp_begin(&made, 1001, 1000, 24, 0, 0);
    refused(ATG_ELIMIT, "1001 x 1000 pixels");
    bmp_begin(&made, 1, 1, 16, 3, 12);
    bmp_put(&made, 0xf00f, 4);
    bmp_put(&made, 0, 4);
    bmp_put(&made, 0, 4);
    bmp_put(&made, 0, 4);
    refused(ATG_EPARSE, "a mask with holes at byte 54");
}

static void runs_that_leave_the_picture_are_refused(void **state) {
    static const struct {
        const char *runs;
        size_t n;
        const char *words;
    } cases[] = {
        {"\5\0\0\1", 4, "a run behind the end of a row"},
        {"\0\5\0\0\0\0\0\0\0\1", 10, "a run behind the end of a row"},
        {"\0\2\5\0\0\1", 6, "a jump out of the picture"},
        {"\0\2\0\5\0\1", 6, "a jump out of the picture"},
        {"\0\0\0\0\0\0\0\0\1\0\0\1", 12, "a run behind"},
        {"\4\0\0\0\4\0", 6, "the end is missing"},
        {"\0\4\0\0", 4, "the end is missing"},
        {"\0\2\1", 3, "the end is missing"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        bmp_begin(&made, 4, 4, 8, 1, 16);
        add_palette();
        bmp_add(&made, cases[i].runs, cases[i].n);
        refused(ATG_EPARSE, cases[i].words);
    }
}

static void memory_that_runs_out_is_told(void **state) {
    size_t live = mem_live();
    int failures = 0;

    (void)state;
    bmp_begin(&made, 2, -2, 32, 0, 0);
    for (int i = 0; i < 4; i++)
        bmp_put(&made, 0x00ff0000, 4);
    for (long n = 0;; n++) {
        atg_arena *own;
        bmp b;
        int rc;

        mem_fail_after(n);
        own = atg_arena_new(ARENA);
        rc = own ? bmp_read(own, bmp_bytes(&made), PIXELS, &b, NULL) : ATG_ENOMEM;
        mem_fail_after(-1);
        atg_arena_free(own);
        if (rc == ATG_OK)
            break;
        assert_int_equal(rc, ATG_ENOMEM);
        failures++;
    }
    assert_int_equal(failures, 2);
    assert_int_equal(mem_live(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_four_bits_stand_from_below_in_padded_rows),
        cmocka_unit_test(a_negative_height_stands_from_the_top),
        cmocka_unit_test(thirty_two_bits_lose_their_transparency),
        cmocka_unit_test(sixteen_bits_and_masks_are_spread_to_the_whole_range),
        cmocka_unit_test(palettes_of_one_four_and_eight_bits_are_looked_up),
        cmocka_unit_test(the_short_header_of_os2_is_read),
        cmocka_unit_test(run_lengths_of_both_depths_are_unrolled),
        cmocka_unit_test(every_shorter_file_is_refused),
        cmocka_unit_test(what_lies_is_refused_with_the_place),
        cmocka_unit_test(runs_that_leave_the_picture_are_refused),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };

    return cmocka_run_group_tests_name("bmp", tests, set_up, tear_down);
}
