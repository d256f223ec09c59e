/* SPDX-License-Identifier: Apache-2.0 */
/* PNG (W3C, third edition). */
#include <string.h>

#include "base/bytes.h"
#include "formats/picture_parts.h"

enum {
    SIGNATURE = 8,
    AROUND = 12, /* length, type, check sum */
    IHDR = 13,
    EXIF = AROUND + PICTURE_EXIF,
    HEAD = SIGNATURE + AROUND + IHDR + EXIF,
    PALETTE = 3,
};

typedef struct png {
    atg_str in;
    size_t at; /* of the chunk that is looked at */
    picture_out out;
    unsigned char header[IHDR];
    uint32_t orientation, palette; /* colours */
    bool has_header, has_exif, has_gamma, has_srgb, has_transparency;
    enum { BEFORE, WITHIN, BEHIND } image; /* where it is, seen from the image data */
} png;

/* The polynomial of the check sum, four bits at a time. */
static uint32_t crc(const unsigned char *p, size_t n) {
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t c = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        c = c >> 4 ^ table[c & 15];
        c = c >> 4 ^ table[c & 15];
    }
    return ~c;
}

static bool depth_fits(unsigned char colour, unsigned char depth) {
    static const unsigned char most[] = {16, 0, 16, 8, 16, 0, 16};

    if (colour >= sizeof(most) || depth == 0 || depth > most[colour] || (depth & (depth - 1)))
        return false;
    return depth >= 8 || colour == 0 || colour == PALETTE;
}

static int read_header(png *g, atg_str body, atg_err *err) {
    const unsigned char *p = picture_at(body, 0);

    if (g->has_header)
        return picture_bad(err, g->at, "a second header");
    if (body.n != IHDR || bytes_get32(p) == 0 || bytes_get32(p + 4) == 0 ||
        !depth_fits(p[9], p[8]) || p[10] || p[11] || p[12] > 1)
        return picture_bad(err, g->at, "a wrong header");
    if (bytes_get32(p) > PICTURE_SIDE || bytes_get32(p + 4) > PICTURE_SIDE)
        return atg_fail(err, ATG_ELIMIT, "This picture is larger than %d pixels on a side",
                        (int)PICTURE_SIDE);
    memcpy(g->header, p, IHDR);
    g->has_header = true;
    return ATG_OK;
}

static int read_palette(png *g, atg_str body, bool *ret_keep, atg_err *err) {
    unsigned char colour = g->header[9];

    if (g->palette || g->image != BEFORE || colour == 0 || colour == 4 || body.n == 0 ||
        body.n % 3 || body.n > 768)
        return picture_bad(err, g->at, "a wrong palette");
    g->palette = (uint32_t)body.n / 3;
    *ret_keep = true;
    return ATG_OK;
}

static int read_transparency(png *g, atg_str body, bool *ret_keep, atg_err *err) {
    unsigned char colour = g->header[9];
    bool fits = colour == PALETTE ? body.n > 0 && body.n <= g->palette
                                  : body.n == (colour == 0   ? 2
                                               : colour == 2 ? 6
                                                             : SIZE_MAX);

    if (g->has_transparency || g->image != BEFORE || !fits)
        return picture_bad(err, g->at, "a wrong transparency");
    *ret_keep = g->has_transparency = true;
    return ATG_OK;
}

static int read_image(png *g, bool *ret_keep, atg_err *err) {
    if (g->image == BEHIND)
        return picture_bad(err, g->at, "image data that do not follow each other");
    if (g->header[9] == PALETTE && !g->palette)
        return picture_bad(err, g->at, "image data without a palette");
    g->image = WITHIN;
    *ret_keep = true;
    return ATG_OK;
}

/* What may be left out: two of them are kept, and one is read. */
static void read_other(png *g, const unsigned char *type, atg_str body, bool *ret_keep) {
    if (memcmp(type, "gAMA", 4) == 0 && body.n == 4 && g->image == BEFORE && !g->palette)
        *ret_keep = !g->has_gamma;
    g->has_gamma |= *ret_keep;
    if (memcmp(type, "sRGB", 4) == 0 && body.n == 1 && g->image == BEFORE && !g->palette &&
        *picture_at(body, 0) <= 3) {
        *ret_keep = !g->has_srgb;
        g->has_srgb = true;
    }
    if (memcmp(type, "eXIf", 4) == 0 && !g->has_exif) {
        g->orientation = picture_orientation(body);
        g->has_exif = true;
    }
}

static int read_chunk(png *g, const unsigned char *type, atg_str body, bool *ret_keep,
                      atg_err *err) {
    bool header = memcmp(type, "IHDR", 4) == 0;

    if (!header && !g->has_header)
        return picture_bad(err, g->at, "something before the header");
    if (header)
        return read_header(g, body, err);
    if (memcmp(type, "IDAT", 4) == 0)
        return read_image(g, ret_keep, err);
    if (g->image == WITHIN)
        g->image = BEHIND;
    if (memcmp(type, "PLTE", 4) == 0)
        return read_palette(g, body, ret_keep, err);
    if (memcmp(type, "tRNS", 4) == 0)
        return read_transparency(g, body, ret_keep, err);
    if (!(type[0] & 0x20))
        return picture_bad(err, g->at, "an unknown part that is needed to draw it");
    read_other(g, type, body, ret_keep);
    return ATG_OK;
}

static bool letters(const unsigned char *p) {
    for (int i = 0; i < 4; i++)
        if ((p[i] | 0x20) < 'a' || (p[i] | 0x20) > 'z')
            return false;
    return true;
}

/* The chunk at `g->at`; behind it afterwards.  `*ret_end`: it was the last. */
static int chunk(png *g, bool *ret_end, atg_err *err) {
    const unsigned char *p = picture_at(g->in, g->at);
    size_t left = g->in.n - g->at, n = left >= AROUND ? bytes_get32(p) : 0;
    bool keep = false;
    int rc;

    if (left < AROUND || n > left - AROUND)
        return picture_bad(err, g->at, left ? "a part that is cut off" : "the end is missing");
    if (!letters(p + 4))
        return picture_bad(err, g->at, "a part without a name");
    if (crc(p + 4, n + 4) != bytes_get32(p + 8 + n))
        return picture_bad(err, g->at, "a part that was changed");
    if (memcmp(p + 4, "IEND", 4) == 0) {
        if (n || g->image == BEFORE)
            return picture_bad(err, g->at, "an end before the image");
        *ret_end = keep = true;
        rc = ATG_OK;
    } else {
        rc = read_chunk(g, p + 4, (atg_str){g->in.p + g->at + 8, n}, &keep, err);
    }
    if (rc == ATG_OK && keep)
        picture_keep(&g->out, p, n + AROUND);
    g->at += n + AROUND;
    return rc;
}

static unsigned char *put_chunk(unsigned char *p, const char *type, const void *body, size_t n) {
    bytes_put32(p, (uint32_t)n);
    memcpy(p + 4, type, 4);
    memcpy(p + 8, body, n);
    bytes_put32(p + 8 + n, crc(p + 4, n + 4));
    return p + n + AROUND;
}

int picture_strip_png(atg_arena *arena, atg_str in, picture *ret, atg_err *err) {
    png g = {.in = in, .at = SIGNATURE, .orientation = PICTURE_UPRIGHT};
    unsigned char head[HEAD], exif[PICTURE_EXIF], *p = head;
    bool end = false;
    int rc = picture_begin(arena, HEAD, in.n, &g.out, err);

    while (rc == ATG_OK && !end)
        rc = chunk(&g, &end, err);
    if (rc)
        return rc;
    memcpy(p, in.p, SIGNATURE);
    p = put_chunk(p + SIGNATURE, "IHDR", g.header, IHDR);
    if (g.orientation != PICTURE_UPRIGHT) {
        picture_exif(g.orientation, exif);
        p = put_chunk(p, "eXIf", exif, sizeof(exif));
    }
    *ret = (picture){PICTURE_PNG, bytes_get32(g.header), bytes_get32(g.header + 4), g.orientation,
                     picture_finish(&g.out, head, (size_t)(p - head))};
    return ATG_OK;
}
