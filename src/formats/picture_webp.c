/* SPDX-License-Identifier: Apache-2.0 */
/* WebP (RFC 9649): still pictures. */
#include <string.h>

#include "formats/picture_parts.h"

enum {
    RIFF = 12,
    AROUND = 8, /* name and length */
    EXTENDED = 10,
    HEAD = RIFF + AROUND + EXTENDED,
    ANIMATION = 0x02,
    EXIF = 0x08,
    ALPHA = 0x10,
    KEY_FRAME = 10,
    LOSSLESS = 5,
};

typedef struct webp {
    atg_str in;
    size_t at, end;
    picture_out out;
    uint32_t width, height; /* of the image data */
    uint32_t canvas_width, canvas_height, orientation;
    bool has_canvas, has_image, has_exif, has_alpha, alpha;
} webp;

static uint32_t little(const unsigned char *p, int n) {
    uint32_t x = 0;

    for (int i = n - 1; i >= 0; i--)
        x = x << 8 | p[i];
    return x;
}

static void put_little(unsigned char *p, uint32_t x, int n) {
    for (int i = 0; i < n; i++)
        p[i] = (unsigned char)(x >> 8 * i);
}

static int canvas(webp *w, atg_str body, atg_err *err) {
    const unsigned char *p = picture_at(body, 0);

    if (w->at != RIFF || body.n != EXTENDED)
        return picture_bad(err, w->at, "a wrong canvas");
    if (p[0] & ANIMATION)
        return atg_fail(err, ATG_EINVAL, "This picture is an animation: save one picture of it");
    w->canvas_width = little(p + 4, 3) + 1;
    w->canvas_height = little(p + 7, 3) + 1;
    return ATG_OK;
}

static bool lossy(webp *w, atg_str body) {
    const unsigned char *p = picture_at(body, 0);

    if (body.n < KEY_FRAME || p[0] & 1 || memcmp(p + 3, "\x9d\x01\x2a", 3) != 0)
        return false;
    w->width = little(p + 6, 2) & 0x3fff;
    w->height = little(p + 8, 2) & 0x3fff;
    return true;
}

static bool lossless(webp *w, atg_str body) {
    const unsigned char *p = picture_at(body, 0);
    uint32_t bits;

    if (body.n < LOSSLESS || p[0] != 0x2f)
        return false;
    bits = little(p + 1, 4);
    w->width = (bits & 0x3fff) + 1;
    w->height = (bits >> 14 & 0x3fff) + 1;
    w->alpha = bits >> 28 & 1;
    return bits >> 29 == 0 && !w->has_alpha;
}

static int image(webp *w, atg_str body, bool is_lossy, atg_err *err) {
    if (w->has_image || !(is_lossy ? lossy(w, body) : lossless(w, body)) || w->width == 0 ||
        w->height == 0 ||
        (w->has_canvas && (w->width != w->canvas_width || w->height != w->canvas_height)))
        return picture_bad(err, w->at, "a wrong image");
    w->has_image = true;
    return ATG_OK;
}

static int transparency(webp *w, atg_str body, atg_err *err) {
    if (!w->has_canvas || w->has_alpha || w->has_image || body.n < 2)
        return picture_bad(err, w->at, "a wrong transparency");
    w->has_alpha = w->alpha = true;
    return ATG_OK;
}

static int read_chunk(webp *w, const unsigned char *type, atg_str body, bool *ret_keep,
                      atg_err *err) {
    bool is_lossy = memcmp(type, "VP8 ", 4) == 0;

    *ret_keep = true;
    if (is_lossy || memcmp(type, "VP8L", 4) == 0)
        return image(w, body, is_lossy, err);
    if (memcmp(type, "ALPH", 4) == 0)
        return transparency(w, body, err);
    *ret_keep = false;
    if (memcmp(type, "VP8X", 4) == 0) {
        w->has_canvas = true;
        return canvas(w, body, err);
    }
    if (!w->has_canvas && !w->has_image)
        return picture_bad(err, w->at, "something before the image");
    if (memcmp(type, "EXIF", 4) == 0 && !w->has_exif) {
        bool named = body.n >= 6 && memcmp(body.p, "Exif\0", 6) == 0;

        w->orientation = picture_orientation(named ? (atg_str){body.p + 6, body.n - 6} : body);
        w->has_exif = true;
    }
    return ATG_OK;
}

static int chunks(webp *w, atg_err *err) {
    while (w->at < w->end) {
        const unsigned char *p = picture_at(w->in, w->at);
        size_t left = w->end - w->at, n = left >= AROUND ? little(p + 4, 4) : 0;
        bool keep = false;
        int rc;

        if (left < AROUND || n > left - AROUND || n + (n & 1) > left - AROUND)
            return picture_bad(err, w->at, "a part that is cut off");
        rc = read_chunk(w, p, (atg_str){w->in.p + w->at + AROUND, n}, &keep, err);
        if (rc)
            return rc;
        if (keep) {
            picture_keep(&w->out, p, AROUND + n);
            picture_keep(&w->out, "", n & 1);
        }
        w->at += AROUND + n + (n & 1);
    }
    return w->has_image ? ATG_OK : picture_bad(err, w->end, "the image is missing");
}

static void put_exif(webp *w) {
    unsigned char part[AROUND + PICTURE_EXIF] = {'E', 'X', 'I', 'F'};

    put_little(part + 4, PICTURE_EXIF, 4);
    picture_exif(w->orientation, part + AROUND);
    picture_keep(&w->out, part, sizeof(part));
}

static size_t head(const webp *w, unsigned char ret[HEAD]) {
    static const unsigned char empty[HEAD] = {'R', 'I', 'F', 'F', 0,   0,   0,   0,       'W',
                                              'E', 'B', 'P', 'V', 'P', '8', 'X', EXTENDED};
    bool turned = w->orientation != PICTURE_UPRIGHT;
    size_t n = turned || w->has_alpha ? HEAD : RIFF;

    memcpy(ret, empty, HEAD);
    put_little(ret + 4, (uint32_t)(w->out.n - w->out.head + n - AROUND), 4);
    ret[RIFF + AROUND] = (unsigned char)((turned ? EXIF : 0) | (w->alpha ? ALPHA : 0));
    put_little(ret + RIFF + AROUND + 4, w->width - 1, 3);
    put_little(ret + RIFF + AROUND + 7, w->height - 1, 3);
    return n;
}

int picture_strip_webp(atg_arena *arena, atg_str in, picture *ret, atg_err *err) {
    size_t n = little(picture_at(in, 4), 4);
    webp w = {.in = in, .at = RIFF, .end = n + AROUND, .orientation = PICTURE_UPRIGHT};
    unsigned char front[HEAD];
    int rc;

    if (n < 4 || n > in.n - AROUND)
        return picture_bad(err, in.n, "the end is missing");
    rc = picture_begin(arena, HEAD, in.n + AROUND + PICTURE_EXIF, &w.out, err);
    if (rc == ATG_OK)
        rc = chunks(&w, err);
    if (rc)
        return rc;
    if (w.orientation != PICTURE_UPRIGHT)
        put_exif(&w);
    *ret = (picture){PICTURE_WEBP, w.width, w.height, w.orientation,
                     picture_finish(&w.out, front, head(&w, front))};
    return ATG_OK;
}
