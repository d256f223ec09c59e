/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <dirent.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/file.h"
#include "formats/picture.h"

enum { ARENA = 8 << 20, MADE_MAX = 4096 };

/* What must be nowhere in a stripped picture: every text of the seeds. */
static const char *const secrets[] = {"Maker", "Model", "comment",   "Somebody", "Author",
                                      "adobe", "<x/>",  "thumbnail", "SECRET"};

/* ---- pictures made by hand ---- */

typedef struct made {
    unsigned char p[MADE_MAX];
    size_t n;
} made;

static void put(made *m, const void *p, size_t n) {
    assert_true(m->n + n <= MADE_MAX);
    memcpy(m->p + m->n, p, n);
    m->n += n;
}

#define PUT(m, literal) put((m), (literal), sizeof(literal) - 1)

#define SOI "\xff\xd8"
#define FRAME "\xff\xc0\0\x0b\x08\0\2\0\3\1\1\x11\0" /* 3 x 2 grey */
#define SCAN "\xff\xda\0\x08\1\1\0\0\x3f\0"
#define DATA "\x12\xff\0\x34\xff\xd0\x56"
#define EOI "\xff\xd9"
#define JFIF "\xff\xe0\0\x10JFIF\0\1\2\0\0\1\0\1\0\0"
#define EXIF_6                                                                                     \
    "\xff\xe1\0\x2e"                                                                               \
    "Exif\0\0II*\0\x08\0\0\0\2\0\x0f\1\2\0\3\0\0\0SEC\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
#define ADOBE                                                                                      \
    "\xff\xee\0\x0e"                                                                               \
    "Adobe\0\x64\0\0\0\0\1"

static uint32_t crc_of(const unsigned char *p, size_t n) {
    uint32_t c = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
    }
    return ~c;
}

static void put_chunk(made *m, const char *type, const void *body, size_t n) {
    unsigned char number[4];
    size_t from = m->n + 4;

    bytes_put32(number, (uint32_t)n);
    put(m, number, 4);
    put(m, type, 4);
    put(m, body, n);
    bytes_put32(number, crc_of(m->p + from, m->n - from));
    put(m, number, 4);
}

#define CHUNK(m, type, literal) put_chunk((m), (type), (literal), sizeof(literal) - 1)

#define SIGNATURE "\x89PNG\r\n\x1a\n"
#define GREY "\0\0\0\3\0\0\0\2\x08\0\0\0\0"
#define COLOURS "\0\0\0\3\0\0\0\2\x08\3\0\0\0"

static made webp(const void *chunks, size_t n) {
    made m = {.n = 0};
    unsigned char size[4] = {(unsigned char)(n + 4), (unsigned char)((n + 4) >> 8)};

    PUT(&m, "RIFF");
    put(&m, size, 4);
    PUT(&m, "WEBP");
    put(&m, chunks, n);
    return m;
}

#define WEBP(literal) webp((literal), sizeof(literal) - 1)

#define LOSSY "VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\3\0\2\0"
#define LOSSLESS "VP8L\5\0\0\0\x2f\2\x40\0\0\0"
#define CANVAS "VP8X\x0a\0\0\0\0\0\0\0\2\0\0\1\0\0"

/* ---- what is asked ---- */

static atg_arena *arena;

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

static picture strip(const made *m) {
    picture p = {0};
    atg_err err = {0};
    int rc = picture_strip(arena, (atg_str){(const char *)m->p, m->n}, &p, &err);

    if (rc)
        fail_msg("%s", err.msg);
    return p;
}

static void has_no_secret(atg_str bytes) {
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        if (memmem(bytes.p, bytes.n, secrets[i], strlen(secrets[i])))
            fail_msg("%s is still there", secrets[i]);
}

static void expect(const made *m, int code, const char *words) {
    picture p = {.width = 77};
    atg_err err = {0};
    int rc = picture_strip(arena, (atg_str){(const char *)m->p, m->n}, &p, &err);

    if (rc != code || !strstr(err.msg, words))
        fail_msg("expected \"%s\", got code %d: %s", words, rc, rc ? err.msg : "no failure");
    assert_int_equal(p.width, 77);
}

/* ---- JPEG ---- */

static void a_jpeg_keeps_its_image_and_its_orientation_and_nothing_else(void **state) {
    static const char tail[] = FRAME SCAN DATA EOI;
    made m = {.n = 0};
    picture p;

    (void)state;
    PUT(&m, SOI JFIF EXIF_6 "\xff\xe1\0\x0aSECRET!!" ADOBE "\xff\xfe\0\x08SECRET" FRAME
                            "\xff\xe5\0\x08SECRET\xff\xff" SCAN DATA EOI "SECRET behind the end");
    p = strip(&m);
    has_no_secret(p.bytes);
    assert_int_equal(p.format, PICTURE_JPEG);
    assert_int_equal(p.width, 3);
    assert_int_equal(p.height, 2);
    assert_int_equal(p.orientation, 6);
    assert_int_equal(p.bytes.n, 2 + 18 + 36 + 16 + sizeof(tail) - 1);
    assert_memory_equal(p.bytes.p, SOI JFIF, 20);
    assert_memory_equal(p.bytes.p + 20,
                        "\xff\xe1\0\x22"
                        "Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0",
                        36);
    assert_memory_equal(p.bytes.p + 56, ADOBE, 16);
    assert_memory_equal(p.bytes.p + 72, tail, sizeof(tail) - 1);
}

static void a_thumbnail_in_the_header_of_a_jpeg_goes(void **state) {
    made m = {.n = 0};
    picture p;

    (void)state;
    PUT(&m, SOI "\xff\xe0\0\x19JFIF\0\1\2\0\0\1\0\1\1\3thumbnail" FRAME SCAN DATA EOI);
    p = strip(&m);
    has_no_secret(p.bytes);
    assert_memory_equal(p.bytes.p, SOI JFIF FRAME, 33);
}

static void malformed_jpegs_are_refused_with_the_byte(void **state) {
    static const struct {
        const char *p;
        size_t n;
        int code;
        const char *words;
    } cases[] = {
#define CASE(literal, code, words) {literal, sizeof(literal) - 1, code, words}
        CASE(SOI, ATG_EPARSE, "the end is missing at byte 2"),
        CASE(SOI EOI, ATG_EPARSE, "an end before the image at byte 2"),
        CASE(SOI FRAME EOI, ATG_EPARSE, "an end before the image at byte 15"),
        CASE(SOI "x", ATG_EPARSE, "no marker at byte 2"),
        CASE(SOI "\xff\xff\xff", ATG_EPARSE, "the end is missing at byte 5"),
        CASE(SOI SOI, ATG_EPARSE, "an unexpected marker at byte 2"),
        CASE(SOI "\xff\xd0", ATG_EPARSE, "an unexpected marker at byte 2"),
        CASE(SOI "\xff\x01", ATG_EPARSE, "an unexpected marker at byte 2"),
        CASE(SOI "\xff\xf0\0\2", ATG_EPARSE, "an unknown marker at byte 2"),
        CASE(SOI "\xff\xc8\0\2", ATG_EPARSE, "an unknown marker at byte 2"),
        CASE(SOI "\xff\xfe", ATG_EPARSE, "a segment that is cut off at byte 2"),
        CASE(SOI "\xff\xfe\0", ATG_EPARSE, "a segment that is cut off at byte 2"),
        CASE(SOI "\xff\xfe\0\1", ATG_EPARSE, "a segment of wrong length at byte 2"),
        CASE(SOI "\xff\xfe\0\5ab", ATG_EPARSE, "a segment that is cut off at byte 2"),
        CASE(SOI SCAN DATA EOI, ATG_EPARSE, "a scan before the frame at byte 2"),
        CASE(SOI FRAME FRAME, ATG_EPARSE, "a second frame at byte 15"),
        CASE(SOI "\xff\xc0\0\x0b\x08\0\0\0\3\1\1\x11\0", ATG_EPARSE, "without height"),
        CASE(SOI "\xff\xc0\0\x0b\x08\0\1\0\0\1\1\x11\0", ATG_EPARSE, "width at byte 2"),
        CASE(SOI "\xff\xc0\0\x0b\x09\0\1\0\1\1\1\x11\0", ATG_EPARSE, "a wrong frame header"),
        CASE(SOI "\xff\xc0\0\x0b\x08\0\1\0\1\5\1\x11\0", ATG_EPARSE, "a wrong frame header"),
        CASE(SOI "\xff\xc0\0\x0c\x08\0\1\0\1\1\1\x11\0X", ATG_EPARSE, "a wrong frame header"),
        CASE(SOI "\xff\xc0\0\2", ATG_EPARSE, "a wrong frame header at byte 2"),
        CASE(SOI FRAME "\xff\xda\0\2", ATG_EPARSE, "a wrong scan header at byte 15"),
        CASE(SOI FRAME "\xff\xda\0\x09\1\1\0\0\x3f\0X", ATG_EPARSE, "a wrong scan header"),
        CASE(SOI FRAME SCAN "abc", ATG_EPARSE, "the end is missing at byte 28"),
        CASE(SOI FRAME SCAN "abc\xff", ATG_EPARSE, "the end is missing at byte 29"),
        CASE(SOI FRAME SCAN "abc\xff\0", ATG_EPARSE, "the end is missing at byte 30"),
        CASE(SOI FRAME SCAN DATA "\xff\xff\xff", ATG_EPARSE, "the end is missing at byte 35"),
        CASE(SOI FRAME SCAN DATA FRAME EOI, ATG_EPARSE, "a second frame at byte 32"),
        CASE(SOI "\xff\xdb\0\2", ATG_EPARSE, "a wrong table at byte 2"),
        CASE(SOI "\xff\xdb\0\4\0\1", ATG_EPARSE, "a wrong table at byte 2"),
        CASE(SOI "\xff\xc4\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\7", ATG_EPARSE,
             "a wrong table at byte 2"),
        CASE(SOI "\xff\xdd\0\3\0", ATG_EPARSE, "a wrong restart interval at byte 2"),
        CASE(SOI "\xff\xc3\0\2", ATG_EINVAL, "lossless"),
        CASE(SOI "\xff\xc9\0\2", ATG_EINVAL, "arithmetic"),
        CASE(SOI "\xff\xcc\0\2", ATG_EINVAL, "arithmetic"),
        CASE(SOI FRAME SCAN DATA "\xff\xdc\0\4\0\1", ATG_EINVAL, "unknown height"),
        CASE("", ATG_EINVAL, "no JPEG, PNG or WebP"),
        CASE("\xff", ATG_EINVAL, "no JPEG, PNG or WebP"),
        CASE("II*\0........", ATG_EINVAL, "no JPEG, PNG or WebP"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        made m = {.n = 0};

        put(&m, cases[i].p, cases[i].n);
        expect(&m, cases[i].code, cases[i].words);
    }
}

static void an_orientation_is_read_as_exif_writes_it_or_not_at_all(void **state) {
    static const struct {
        const char *tiff;
        size_t n;
        uint32_t orientation;
    } cases[] = {
#define TIFF(literal, orientation) {literal, sizeof(literal) - 1, orientation}
        TIFF("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0\0", 3),
        TIFF("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x08\0\0\0", 8),
        TIFF("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\x09\0\0", 1),     /* no such orientation */
        TIFF("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\0\0\0", 1),       /* nor this */
        TIFF("MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\3\0\0", 1),       /* of another type */
        TIFF("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\2\0\3\0\0", 1),       /* two of them */
        TIFF("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0", 1),         /* cut off */
        TIFF("MM\0*\xff\xff\xff\xff\0\1\1\x12\0\3\0\0\0\1\0\3\0\0", 1), /* outside */
        TIFF("MM\0*\0\0\0\x08", 1),
        TIFF("XX\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0\0", 1),
        TIFF("", 1),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        made m = {.n = 0};
        unsigned char size = (unsigned char)(cases[i].n + 8);

        PUT(&m, SOI "\xff\xe1\0");
        put(&m, &size, 1);
        PUT(&m, "Exif\0\0");
        put(&m, cases[i].tiff, cases[i].n);
        PUT(&m, FRAME SCAN DATA EOI);
        if (strip(&m).orientation != cases[i].orientation)
            fail_msg("case %zu", i);
    }
}

/* ---- PNG ---- */

static void a_png_keeps_its_image_and_its_orientation_and_nothing_else(void **state) {
    static const char tiff[] = "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x08\0\0\0";
    made m = {.n = 0}, want = {.n = 0};
    picture p;

    (void)state;
    PUT(&m, SIGNATURE);
    CHUNK(&m, "IHDR", COLOURS);
    CHUNK(&m, "sRGB", "\0");
    CHUNK(&m, "gAMA", "\0\0\xb1\x8f");
    CHUNK(&m, "gAMA", "\0\0\xb1\x8f");
    CHUNK(&m, "iCCP", "SECRET\0\0SECRET");
    CHUNK(&m, "PLTE", "rgbRGB");
    CHUNK(&m, "tRNS", "\x10");
    CHUNK(&m, "tEXt", "Author\0SECRET");
    CHUNK(&m, "IDAT", "one");
    CHUNK(&m, "IDAT", "two");
    CHUNK(&m, "tIME", "\7\xe9\1\1\1\1\1");
    put_chunk(&m, "eXIf", tiff, sizeof(tiff) - 1);
    CHUNK(&m, "sECR", "SECRET");
    CHUNK(&m, "IEND", "");
    PUT(&m, "SECRET behind the end");

    PUT(&want, SIGNATURE);
    CHUNK(&want, "IHDR", COLOURS);
    CHUNK(&want, "eXIf", "MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\x08\0\0\0\0\0\0");
    CHUNK(&want, "sRGB", "\0");
    CHUNK(&want, "gAMA", "\0\0\xb1\x8f");
    CHUNK(&want, "PLTE", "rgbRGB");
    CHUNK(&want, "tRNS", "\x10");
    CHUNK(&want, "IDAT", "one");
    CHUNK(&want, "IDAT", "two");
    CHUNK(&want, "IEND", "");
    p = strip(&m);
    has_no_secret(p.bytes);
    assert_int_equal(p.format, PICTURE_PNG);
    assert_int_equal(p.width, 3);
    assert_int_equal(p.height, 2);
    assert_int_equal(p.orientation, 8);
    assert_int_equal(p.bytes.n, want.n);
    assert_memory_equal(p.bytes.p, want.p, want.n);
}

typedef struct part {
    const char *type, *body;
    size_t n;
} part;

#define PART(type, literal)                                                                        \
    { type, literal, sizeof(literal) - 1 }
#define HEADER PART("IHDR", GREY)
#define IMAGE PART("IDAT", "x")
#define LAST PART("IEND", "")

static void malformed_pngs_are_refused_with_the_byte(void **state) {
    static const struct {
        part parts[5];
        int code;
        const char *words;
    } cases[] = {
        {{HEADER, IMAGE}, ATG_EPARSE, "the end is missing at byte 46"},
        {{HEADER, LAST}, ATG_EPARSE, "an end before the image at byte 33"},
        {{LAST}, ATG_EPARSE, "an end before the image at byte 8"},
        {{IMAGE, HEADER, LAST}, ATG_EPARSE, "something before the header at byte 8"},
        {{PART("tEXt", "x"), HEADER}, ATG_EPARSE, "something before the header at byte 8"},
        {{HEADER, HEADER}, ATG_EPARSE, "a second header at byte 33"},
        {{PART("IHDR", "\0\0\0\3")}, ATG_EPARSE, "a wrong header at byte 8"},
        {{PART("IHDR", "\0\0\0\0\0\0\0\2\x08\0\0\0\0")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\0\0\3\0\0\0\0\x08\0\0\0\0")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\0\0\3\0\0\0\2\3\0\0\0\0")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\0\0\3\0\0\0\2\4\2\0\0\0")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\0\0\3\0\0\0\2\x10\3\0\0\0")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\0\0\3\0\0\0\2\x08\1\0\0\0")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\0\0\3\0\0\0\2\x08\7\0\0\0")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\0\0\3\0\0\0\2\x08\0\1\0\0")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\0\0\3\0\0\0\2\x08\0\0\0\2")}, ATG_EPARSE, "a wrong header"},
        {{PART("IHDR", "\0\1\0\0\0\0\0\2\x08\0\0\0\0")}, ATG_ELIMIT, "65535 pixels"},
        {{PART("IHDR", "\0\0\0\1\xff\0\0\2\x08\0\0\0\0")}, ATG_ELIMIT, "65535 pixels"},
        {{HEADER, PART("PLTE", "rgb")}, ATG_EPARSE, "a wrong palette at byte 33"},
        {{PART("IHDR", COLOURS), PART("PLTE", "rg")}, ATG_EPARSE, "a wrong palette"},
        {{PART("IHDR", COLOURS), PART("PLTE", "")}, ATG_EPARSE, "a wrong palette"},
        {{PART("IHDR", COLOURS), PART("PLTE", "rgb"), PART("PLTE", "rgb")},
         ATG_EPARSE,
         "a wrong palette at byte 48"},
        {{PART("IHDR", COLOURS), IMAGE}, ATG_EPARSE, "without a palette at byte 33"},
        {{PART("IHDR", COLOURS), PART("PLTE", "rgb"), PART("tRNS", "12")},
         ATG_EPARSE,
         "a wrong transparency at byte 48"},
        {{HEADER, PART("tRNS", "123")}, ATG_EPARSE, "a wrong transparency at byte 33"},
        {{HEADER, IMAGE, PART("tRNS", "12")}, ATG_EPARSE, "a wrong transparency at byte 46"},
        {{HEADER, IMAGE, PART("tEXt", "x"), IMAGE}, ATG_EPARSE, "do not follow each other"},
        {{HEADER, IMAGE, PART("NEED", "x")}, ATG_EPARSE, "needed to draw it at byte 46"},
        {{HEADER, IMAGE, PART("a1bc", "x")}, ATG_EPARSE, "a part without a name at byte 46"},
        {{HEADER, IMAGE, PART("IEND", "x")}, ATG_EPARSE, "an end before the image"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        made m = {.n = 0};

        PUT(&m, SIGNATURE);
        for (const part *p = cases[i].parts; p < cases[i].parts + 5 && p->type; p++)
            put_chunk(&m, p->type, p->body, p->n);
        expect(&m, cases[i].code, cases[i].words);
    }
}

static void a_changed_byte_and_a_cut_png_are_noticed(void **state) {
    made m = {.n = 0}, other;
    atg_err err = {0};
    picture p;

    (void)state;
    PUT(&m, SIGNATURE);
    CHUNK(&m, "IHDR", GREY);
    CHUNK(&m, "IDAT", "image");
    CHUNK(&m, "IEND", "");
    (void)strip(&m);
    for (size_t i = 0; i < m.n; i++) {
        other = m;
        other.p[i] ^= 1;
        assert_int_not_equal(picture_strip(arena, (atg_str){(char *)other.p, other.n}, &p, &err),
                             ATG_OK);
        assert_int_not_equal(picture_strip(arena, (atg_str){(char *)m.p, i}, &p, &err), ATG_OK);
    }
    other = m;
    bytes_put32(other.p + 33, UINT32_MAX);
    expect(&other, ATG_EPARSE, "a part that is cut off at byte 33");
}

/* ---- WebP ---- */

static void a_webp_keeps_its_image_and_its_orientation_and_nothing_else(void **state) {
    static const char want[] =
        "VP8X\x0a\0\0\0\x08\0\0\0\2\0\0\1\0\0" LOSSY
        "EXIF\x1a\0\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\5\0\0\0\0\0\0";
    made m = WEBP("VP8X\x0a\0\0\0\x2c\0\0\0\2\0\0\1\0\0"
                  "ICCP\6\0\0\0SECRET" LOSSY
                  "EXIF\x1c\0\0\0Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\5\0\0\0"
                  "XMP \6\0\0\0SECRET"
                  "secr\7\0\0\0SECRET!\0");
    picture p;

    (void)state;
    PUT(&m, "SECRET behind the end");
    p = strip(&m);
    has_no_secret(p.bytes);
    assert_int_equal(p.format, PICTURE_WEBP);
    assert_int_equal(p.width, 3);
    assert_int_equal(p.height, 2);
    assert_int_equal(p.orientation, 5);
    assert_int_equal(p.bytes.n, 12 + sizeof(want) - 1);
    assert_memory_equal(p.bytes.p + 12, want, sizeof(want) - 1);
    m = WEBP(CANVAS LOSSLESS "XMP \6\0\0\0SECRET");
    p = strip(&m);
    assert_int_equal(p.bytes.n, 12 + 14);
    m = WEBP(CANVAS "ALPH\3\0\0\0\0ab\0" LOSSY);
    p = strip(&m);
    assert_int_equal(p.bytes.n, 12 + 18 + 12 + 18);
    assert_int_equal(p.bytes.p[20], 0x10);
}

static void malformed_webps_are_refused_with_the_byte(void **state) {
    const struct {
        made m;
        int code;
        const char *words;
    } cases[] = {
        {WEBP(""), ATG_EPARSE, "the image is missing at byte 12"},
        {WEBP(CANVAS), ATG_EPARSE, "the image is missing at byte 30"},
        {WEBP("VP8 "), ATG_EPARSE, "a part that is cut off at byte 12"},
        {WEBP("VP8 \xff\0\0\0"), ATG_EPARSE, "a part that is cut off at byte 12"},
        {WEBP("VP8 \1\0\0\0x"), ATG_EPARSE, "a part that is cut off at byte 12"},
        {WEBP("VP8 \2\0\0\0xx"), ATG_EPARSE, "a wrong image at byte 12"},
        {WEBP("VP8 \x0a\0\0\0\x11\0\0\x9d\x01\x2a\3\0\2\0"), ATG_EPARSE, "a wrong image"},
        {WEBP("VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2b\3\0\2\0"), ATG_EPARSE, "a wrong image"},
        {WEBP("VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\0\0\2\0"), ATG_EPARSE, "a wrong image"},
        {WEBP("VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\3\0\0\0"), ATG_EPARSE, "a wrong image"},
        {WEBP(LOSSY LOSSY), ATG_EPARSE, "a wrong image at byte 30"},
        {WEBP("VP8L\5\0\0\0\x2e\2\x40\0\0\0"), ATG_EPARSE, "a wrong image at byte 12"},
        {WEBP("VP8L\5\0\0\0\x2f\2\x40\0\x20\0"), ATG_EPARSE, "a wrong image at byte 12"},
        {WEBP("VP8L\4\0\0\0\x2f\2\x40\0"), ATG_EPARSE, "a wrong image at byte 12"},
        {WEBP("VP8X\x0a\0\0\0\0\0\0\0\3\0\0\1\0\0" LOSSY), ATG_EPARSE, "a wrong image"},
        {WEBP("VP8X\x08\0\0\0\0\0\0\0\2\0\0\1"), ATG_EPARSE, "a wrong canvas at byte 12"},
        {WEBP(LOSSY CANVAS), ATG_EPARSE, "a wrong canvas at byte 30"},
        {WEBP("VP8X\x0a\0\0\0\2\0\0\0\2\0\0\1\0\0"), ATG_EINVAL, "animation"},
        {WEBP("ALPH\2\0\0\0ab" LOSSY), ATG_EPARSE, "a wrong transparency at byte 12"},
        {WEBP(CANVAS "ALPH\0\0\0\0" LOSSY), ATG_EPARSE, "a wrong transparency at byte 30"},
        {WEBP(CANVAS LOSSY "ALPH\2\0\0\0ab"), ATG_EPARSE, "a wrong transparency at byte 48"},
        {WEBP(CANVAS "ALPH\2\0\0\0ab" LOSSLESS), ATG_EPARSE, "a wrong image at byte 40"},
        {WEBP("XMP \2\0\0\0ab" LOSSY), ATG_EPARSE, "something before the image at byte 12"},
        {{"RIFF\3\0\0\0WEBP", 12}, ATG_EPARSE, "the end is missing at byte 12"},
        {{"RIFF\5\0\0\0WEBP", 12}, ATG_EPARSE, "the end is missing at byte 12"},
        {{"RIFF\xff\xff\xff\xffWEBP", 12}, ATG_EPARSE, "the end is missing at byte 12"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        expect(&cases[i].m, cases[i].code, cases[i].words);
}

/* ---- pictures of other programs ---- */

static atg_str seed(const char *name) {
    const char *folder = getenv("ATG_CORPUS_DIR"); /* NOLINT(concurrency-mt-unsafe) */
    char path[4096];
    atg_str bytes = {0};
    atg_err err = {0};

    snprintf(path, sizeof(path), "%s/picture/%s", folder ? folder : "tests/fuzz/corpus", name);
    if (file_read(arena, path, PICTURE_MAX, &bytes, &err))
        fail_msg("%s", err.msg);
    return bytes;
}

static void pictures_of_other_programs_are_stripped(void **state) {
    static const struct {
        const char *name;
        picture_format format;
        uint32_t orientation;
        bool same; /* nothing to take off */
    } seeds[] = {
        {"plain.jpg", PICTURE_JPEG, 1, true},  {"exif.jpg", PICTURE_JPEG, 6, false},
        {"grey.jpg", PICTURE_JPEG, 1, true},   {"cmyk.jpg", PICTURE_JPEG, 1, true},
        {"plain.png", PICTURE_PNG, 1, true},   {"progressive.jpg", PICTURE_JPEG, 1, true},
        {"exif.png", PICTURE_PNG, 6, false},   {"palette.png", PICTURE_PNG, 1, true},
        {"alpha.png", PICTURE_PNG, 1, true},   {"lossy.webp", PICTURE_WEBP, 1, true},
        {"exif.webp", PICTURE_WEBP, 6, false}, {"lossless.webp", PICTURE_WEBP, 1, true},
        {"alpha.webp", PICTURE_WEBP, 1, true}, {"alpha_lossless.webp", PICTURE_WEBP, 6, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
        atg_str bytes = seed(seeds[i].name);
        picture p = {0};
        atg_err err = {0};

        if (picture_strip(arena, bytes, &p, &err))
            fail_msg("%s: %s", seeds[i].name, err.msg);
        has_no_secret(p.bytes);
        assert_int_equal(p.format, seeds[i].format);
        assert_int_equal(p.width, 16);
        assert_int_equal(p.height, 8);
        assert_int_equal(p.orientation, seeds[i].orientation);
        if (atg_str_eq(p.bytes, bytes) != seeds[i].same)
            fail_msg("%s", seeds[i].name);
    }
}

static void stripping_survives_every_failed_allocation(void **state) {
    static const char *const names[] = {"exif.jpg", "exif.png", "exif.webp"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        atg_str bytes = seed(names[i]);
        long n = 0;
        int rc;

        do {
            atg_arena *small;
            picture p = {.width = 77};
            atg_err err = {0};

            mem_fail_after(n++);
            small = atg_arena_new(ARENA);
            rc = small ? picture_strip(small, bytes, &p, &err) : ATG_ENOMEM;
            mem_fail_after(-1);
            atg_arena_free(small);
            assert_true(rc == ATG_OK || (rc == ATG_ENOMEM && p.width == 77));
        } while (rc);
        assert_true(n > 1);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_jpeg_keeps_its_image_and_its_orientation_and_nothing_else),
        TEST(a_thumbnail_in_the_header_of_a_jpeg_goes),
        TEST(malformed_jpegs_are_refused_with_the_byte),
        TEST(an_orientation_is_read_as_exif_writes_it_or_not_at_all),
        TEST(a_png_keeps_its_image_and_its_orientation_and_nothing_else),
        TEST(malformed_pngs_are_refused_with_the_byte),
        TEST(a_changed_byte_and_a_cut_png_are_noticed),
        TEST(a_webp_keeps_its_image_and_its_orientation_and_nothing_else),
        TEST(malformed_webps_are_refused_with_the_byte),
        TEST(pictures_of_other_programs_are_stripped),
        TEST(stripping_survives_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
