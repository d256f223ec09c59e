/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG (ITU-T T.81, annex B): baseline, extended and progressive, Huffman coded. */
#include <string.h>

#include "base/bytes.h"
#include "formats/picture_parts.h"

enum {
    SOF0 = 0xc0,
    SOF2 = 0xc2,
    DHT = 0xc4,
    SOF_LAST = 0xcf,
    JPG = 0xc8,
    DAC = 0xcc,
    RST0 = 0xd0,
    RST7 = 0xd7,
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    DQT = 0xdb,
    DNL = 0xdc,
    DRI = 0xdd,
    APP0 = 0xe0,
    APP1 = 0xe1,
    APP14 = 0xee,
    APP15 = 0xef,
    COM = 0xfe,

    HEAD_JFIF = 18,
    HEAD_EXIF = 10 + PICTURE_EXIF,
    HEAD_ADOBE = 16,
    HEAD_ALL = 2 + HEAD_JFIF + HEAD_EXIF + HEAD_ADOBE,
    SMALL = 7,
    COMPONENTS = 4,
};

typedef struct jpeg {
    atg_str in;
    size_t at;
    picture_out out;
    uint32_t width, height, orientation;
    bool has_frame, has_scan, has_jfif, has_adobe, has_exif;
    unsigned char jfif[SMALL];  /* version, units, density */
    unsigned char adobe[SMALL]; /* version, flags, colour transform */
} jpeg;

static uint32_t two(const unsigned char *p) {
    return (uint32_t)p[0] << 8 | p[1];
}

/* What application segments and comments tell that a reader needs; the rest is dropped. */
static void note(jpeg *j, int marker, atg_str body) {
    const unsigned char *p = picture_at(body, 0);

    if (marker == APP0 && body.n >= 14 && memcmp(p, "JFIF", 5) == 0 && !j->has_jfif) {
        memcpy(j->jfif, p + 5, SMALL);
        j->has_jfif = true;
    }
    if (marker == APP1 && body.n >= 6 && memcmp(p, "Exif\0", 6) == 0 && !j->has_exif) {
        j->orientation = picture_orientation((atg_str){body.p + 6, body.n - 6});
        j->has_exif = true;
    }
    if (marker == APP14 && body.n >= 12 && memcmp(p, "Adobe", 5) == 0 && !j->has_adobe) {
        memcpy(j->adobe, p + 5, SMALL);
        j->has_adobe = true;
    }
}

static bool tables_fit(atg_str body, bool huffman) {
    const unsigned char *p = picture_at(body, 0);
    size_t left = body.n;

    while (left) {
        size_t n = huffman ? 17 : p[0] >> 4 ? 129 : 65, values = 0;

        if (left < n || (p[0] & 15) > 3 || p[0] >> 4 > 1)
            return false;
        for (size_t i = 1; huffman && i < n; i++)
            values += p[i];
        n += values;
        if (values > 256 || left < n)
            return false;
        p += n;
        left -= n;
    }
    return body.n > 0;
}

static int frame(jpeg *j, atg_str body, atg_err *err) {
    const unsigned char *p = picture_at(body, 0);

    if (j->has_frame)
        return picture_bad(err, j->at, "a second frame");
    if (body.n < 6 || (p[0] != 8 && p[0] != 12) || p[5] < 1 || p[5] > COMPONENTS ||
        body.n != 6 + 3 * (size_t)p[5])
        return picture_bad(err, j->at, "a wrong frame header");
    j->height = two(p + 1);
    j->width = two(p + 3);
    if (j->height == 0 || j->width == 0)
        return picture_bad(err, j->at, "a frame without height or width");
    j->has_frame = true;
    return ATG_OK;
}

static int scan_header(const jpeg *j, atg_str body, atg_err *err) {
    size_t n = body.n ? *picture_at(body, 0) : 0;

    if (!j->has_frame)
        return picture_bad(err, j->at, "a scan before the frame");
    if (n < 1 || n > COMPONENTS || body.n != 4 + 2 * n)
        return picture_bad(err, j->at, "a wrong scan header");
    return ATG_OK;
}

static int check(jpeg *j, int marker, atg_str body, atg_err *err) {
    switch (marker) {
    case DHT:
    case DQT:
        return tables_fit(body, marker == DHT) ? ATG_OK : picture_bad(err, j->at, "a wrong table");
    case DRI:
        return body.n == 2 ? ATG_OK : picture_bad(err, j->at, "a wrong restart interval");
    case SOS:
        return scan_header(j, body, err);
    default:
        if (marker >= SOF0 && marker <= SOF2)
            return frame(j, body, err);
        if ((marker > SOF2 && marker <= SOF_LAST && marker != JPG && marker != DAC) ||
            marker == DAC || marker == DNL)
            return atg_fail(err, ATG_EINVAL,
                            "This kind of JPEG (arithmetic, lossless, hierarchical or of unknown "
                            "height) is not accepted: save it as baseline or progressive JPEG");
        return picture_bad(err, j->at, "an unknown marker");
    }
}

/* Entropy-coded data, from `j->at` to the marker that ends them. */
static int scan_data(jpeg *j, atg_err *err) {
    size_t start = j->at;

    for (;;) {
        const unsigned char *ff = memchr(picture_at(j->in, j->at), 0xff, j->in.n - j->at);

        j->at = ff ? (size_t)(ff - picture_at(j->in, 0)) : j->in.n;
        if (j->in.n - j->at < 2)
            return picture_bad(err, j->in.n, "the end is missing");
        if (ff[1] != 0 && (ff[1] < RST0 || ff[1] > RST7))
            break;
        j->at += 2;
    }
    picture_keep(&j->out, picture_at(j->in, start), j->at - start);
    j->has_scan = true;
    return ATG_OK;
}

/* One segment, whose marker stands at `j->at`; behind it afterwards. */
static int segment(jpeg *j, int marker, size_t body_at, atg_err *err) {
    size_t left = j->in.n - body_at, n = left >= 2 ? two(picture_at(j->in, body_at)) : 0;
    atg_str body;
    int rc = ATG_OK;

    if (n < 2 || n > left)
        return picture_bad(err, j->at,
                           left < 2 || n > left ? "a segment that is cut off"
                                                : "a segment of wrong length");
    body = (atg_str){j->in.p + body_at + 2, n - 2};
    if ((marker >= APP0 && marker <= APP15) || marker == COM) {
        note(j, marker, body);
    } else {
        rc = check(j, marker, body, err);
        if (rc == ATG_OK) {
            picture_keep(&j->out, (unsigned char[]){0xff, (unsigned char)marker}, 2);
            picture_keep(&j->out, picture_at(j->in, body_at), n);
        }
    }
    j->at = body_at + n;
    return rc == ATG_OK && marker == SOS ? scan_data(j, err) : rc;
}

/* The marker at `j->at`, which fill bytes may stand before; `*ret_behind` is the byte after it. */
static int next_marker(const jpeg *j, int *ret, size_t *ret_behind, atg_err *err) {
    size_t at = j->at;

    if (at < j->in.n && *picture_at(j->in, at) != 0xff)
        return picture_bad(err, at, "something that is no marker");
    while (at < j->in.n && *picture_at(j->in, at) == 0xff)
        at++;
    if (at >= j->in.n)
        return picture_bad(err, j->in.n, "the end is missing");
    *ret = *picture_at(j->in, at);
    *ret_behind = at + 1;
    return ATG_OK;
}

static int segments(jpeg *j, atg_err *err) {
    for (;;) {
        int marker = 0;
        size_t behind = 0;
        int rc = next_marker(j, &marker, &behind, err);

        if (rc)
            return rc;
        if (marker == EOI && j->has_scan)
            break;
        if (marker == EOI)
            return picture_bad(err, j->at, "an end before the image");
        if (marker < SOF0 || (marker >= RST0 && marker <= SOI))
            return picture_bad(err, j->at, "an unexpected marker");
        rc = segment(j, marker, behind, err);
        if (rc)
            return rc;
    }
    picture_keep(&j->out, "\xff\xd9", 2);
    return ATG_OK;
}

static size_t head(const jpeg *j, unsigned char ret[HEAD_ALL]) {
    unsigned char *p = ret;

    memcpy(p, "\xff\xd8", 2);
    p += 2;
    if (j->has_jfif) {
        memcpy(p, "\xff\xe0\0\x10JFIF", 9);
        memcpy(p + 9, j->jfif, SMALL);
        p[16] = p[17] = 0; /* no thumbnail */
        p += HEAD_JFIF;
    }
    if (j->orientation != PICTURE_UPRIGHT) {
        memcpy(p,
               "\xff\xe1\0\x22"
               "Exif\0",
               10);
        picture_exif(j->orientation, p + 10);
        p += HEAD_EXIF;
    }
    if (j->has_adobe) {
        memcpy(p,
               "\xff\xee\0\x0e"
               "Adobe",
               9);
        memcpy(p + 9, j->adobe, SMALL);
        p += HEAD_ADOBE;
    }
    return (size_t)(p - ret);
}

int picture_strip_jpeg(atg_arena *arena, atg_str in, picture *ret, atg_err *err) {
    jpeg j = {.in = in, .at = 2, .orientation = PICTURE_UPRIGHT};
    unsigned char front[HEAD_ALL];
    int rc = picture_begin(arena, HEAD_ALL, in.n, &j.out, err);

    if (rc == ATG_OK)
        rc = segments(&j, err);
    if (rc)
        return rc;
    *ret = (picture){PICTURE_JPEG, j.width, j.height, j.orientation,
                     picture_finish(&j.out, front, head(&j, front))};
    return ATG_OK;
}
