/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/picture.h"

#include <string.h>

#include "formats/picture_parts.h"

enum { TIFF_HEAD = 8, ENTRY = 12, ORIENTATION = 0x0112, SHORT = 3, LAST = 8 };

int picture_begin(atg_arena *arena, size_t head, size_t in, picture_out *ret, atg_err *err) {
    *ret = (picture_out){ATG_GET(arena, unsigned char, head + in), head, head};
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading a picture");
}

void picture_keep(picture_out *out, const void *p, size_t n) {
    memcpy(out->p + out->n, p, n);
    out->n += n;
}

atg_str picture_finish(const picture_out *out, const unsigned char *head, size_t n) {
    unsigned char *from = out->p + out->head - n;

    memcpy(from, head, n);
    return (atg_str){(const char *)from, out->n - out->head + n};
}

int picture_bad(atg_err *err, size_t at, const char *what) {
    return atg_fail(err, ATG_EPARSE, "This picture is damaged: %s at byte %zu", what, at);
}

/* A number of 2 or 4 bytes in the byte order of the block. */
static uint32_t number(atg_str exif, size_t at, size_t n, bool little) {
    uint32_t x = 0;

    for (size_t i = 0; i < n; i++)
        x = x << 8 | *picture_at(exif, at + (little ? n - 1 - i : i));
    return x;
}

uint32_t picture_orientation(atg_str exif) {
    bool little = exif.n >= TIFF_HEAD && memcmp(exif.p, "II*", 4) == 0;
    uint32_t at, n;

    if (exif.n < TIFF_HEAD || (!little && memcmp(exif.p, "MM\0*", 4) != 0))
        return PICTURE_UPRIGHT;
    at = number(exif, 4, 4, little);
    if (at > exif.n || exif.n - at < 2)
        return PICTURE_UPRIGHT;
    n = number(exif, at, 2, little);
    at += 2;
    for (uint32_t i = 0; i < n && exif.n - at >= ENTRY; i++, at += ENTRY) {
        uint32_t value = number(exif, at + 8, 2, little);

        if (number(exif, at, 2, little) != ORIENTATION)
            continue;
        if (number(exif, at + 2, 2, little) == SHORT && number(exif, at + 4, 4, little) == 1 &&
            value >= PICTURE_UPRIGHT && value <= LAST)
            return value;
        break;
    }
    return PICTURE_UPRIGHT;
}

void picture_exif(uint32_t orientation, unsigned char ret[PICTURE_EXIF]) {
    static const unsigned char block[PICTURE_EXIF] = {'M', 'M',  0, '*',   0, 0, 0, TIFF_HEAD, 0, 1,
                                                      1,   0x12, 0, SHORT, 0, 0, 0, 1};

    memcpy(ret, block, sizeof(block));
    ret[19] = (unsigned char)orientation;
}

static bool begins(atg_str bytes, size_t at, const char *with, size_t n) {
    return bytes.n >= at + n && memcmp(bytes.p + at, with, n) == 0;
}

static bool is_jpeg(atg_str bytes) {
    return begins(bytes, 0, "\xff\xd8", 2);
}

static bool is_png(atg_str bytes) {
    return begins(bytes, 0, "\x89PNG\r\n\x1a\n", 8);
}

static bool is_webp(atg_str bytes) {
    return begins(bytes, 0, "RIFF", 4) && begins(bytes, 8, "WEBP", 4);
}

bool picture_is(atg_str bytes) {
    return is_jpeg(bytes) || is_png(bytes) || is_webp(bytes);
}

int picture_strip(atg_arena *arena, atg_str bytes, picture *ret, atg_err *err) {
    picture made = {0};
    int rc;

    if (bytes.n > PICTURE_MAX)
        return atg_fail(err, ATG_ELIMIT, "This picture is longer than %d MiB", PICTURE_MAX >> 20);
    if (is_jpeg(bytes))
        rc = picture_strip_jpeg(arena, bytes, &made, err);
    else if (is_png(bytes))
        rc = picture_strip_png(arena, bytes, &made, err);
    else if (is_webp(bytes))
        rc = picture_strip_webp(arena, bytes, &made, err);
    else
        rc = atg_fail(err, ATG_EINVAL, "This is no JPEG, PNG or WebP picture");
    if (rc == ATG_OK)
        *ret = made;
    return rc;
}
