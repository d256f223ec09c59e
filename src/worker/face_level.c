/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "worker/face.h"

/* ---- making smaller ---- */

/* Along a line, pixel i of the result is the mean from i / scale to (i + 1) / scale. */
typedef struct span {
    uint32_t from, to; /* whole pixels that it touches: [from, to) */
    float first, last; /* what counts of the first and the last of them */
} span;

static span span_of(uint32_t i, double scale, uint32_t n) {
    double from = i / scale, to = fmin((i + 1) / scale, n);
    span s = {.from = (uint32_t)from, .to = (uint32_t)ceil(to)};

    if (s.from >= n)
        s.from = n - 1;
    if (s.to <= s.from)
        s.to = s.from + 1;
    s.first = (float)(fmin(to, s.from + 1.0) - from);
    s.last = s.to - s.from > 1 ? (float)(to - (s.to - 1.0)) : s.first;
    return s;
}

static float weight(const span *s, uint32_t k) {
    return k == s->from ? s->first : k + 1 == s->to ? s->last : 1;
}

static void add_rows(const face_picture *p, const span *s, size_t n, float *sum) {
    memset(sum, 0, n * sizeof(*sum));
    for (uint32_t y = s->from; y < s->to; y++) {
        const uint8_t *row = p->rgb + y * p->stride;
        float w = weight(s, y);

        for (size_t i = 0; i < n; i++)
            sum[i] += w * (float)row[i];
    }
}

static void add_columns(const float *sum, const span *across, uint32_t width, float area,
                        uint8_t *ret) {
    for (uint32_t x = 0; x < width; x++, ret += 3) {
        const span *s = &across[x];
        const float *p = sum + (size_t)3 * s->from;
        float r = s->first * p[0], g = s->first * p[1], b = s->first * p[2];
        float whole = s->first;

        for (uint32_t k = s->from + 1; k < s->to; k++) {
            float w = k + 1 == s->to ? s->last : 1;

            p += 3;
            r += w * p[0];
            g += w * p[1];
            b += w * p[2];
            whole += w;
        }

        float unit = 1 / (whole * area); /* a mean: 255 at most */

        ret[0] = (uint8_t)(r * unit + 0.5F);
        ret[1] = (uint8_t)(g * unit + 0.5F);
        ret[2] = (uint8_t)(b * unit + 0.5F);
    }
}

static float rows_weight(const span *s) {
    float sum = 0;

    for (uint32_t y = s->from; y < s->to; y++)
        sum += weight(s, y);
    return sum;
}

int face_level_make(const face_level *from, uint32_t long_side, double scale, face_level *ret,
                    atg_err *err) {
    const face_picture *in = &from->picture;
    uint32_t width = (uint32_t)ceil(in->width * scale - 1e-6);
    uint32_t height = (uint32_t)ceil(in->height * scale - 1e-6);
    size_t n = (size_t)in->width * 3;
    MEM_AUTO float *sum = mem_alloc(n * sizeof(*sum));
    MEM_AUTO span *across = mem_alloc(width * sizeof(*across));
    uint8_t *room = mem_alloc((size_t)width * height * 3);

    if (!sum || !across || !room) {
        mem_free(room);
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    }
    for (uint32_t x = 0; x < width; x++)
        across[x] = span_of(x, scale, in->width);
    for (uint32_t y = 0; y < height; y++) {
        span s = span_of(y, scale, in->height);

        add_rows(in, &s, n, sum);
        add_columns(sum, across, width, rows_weight(&s), room + (size_t)y * width * 3);
    }
    *ret = (face_level){
        long_side, from->scale * scale, {room, width, height, (size_t)width * 3}, room};
    return ATG_OK;
}

void face_level_free(face_level *level) {
    mem_free(level->room);
    level->room = NULL;
}

/* ---- looking at it ---- */

/* Coordinates in units of 1/2^SHIFT of a pixel, added up in finer ones. */
enum { SHIFT = 8, ONE = 1 << SHIFT, FINE_SHIFT = 32 };
static const double fine = 4294967296.0;

static void put(float *const plane[3], size_t i, const face_values *v, const uint8_t rgb[3]) {
    for (int c = 0; c < 3; c++)
        plane[c][i] = v->of[c][rgb[c]];
}

/* Between four pixels; `x` and `y` are those of the upper left one. */
static void between(const uint8_t *p, size_t stride, uint32_t fx, uint32_t fy, uint8_t ret[3]) {
    uint32_t w11 = fx * fy, w10 = fx * ONE - w11, w01 = fy * ONE - w11;
    uint32_t w00 = (uint32_t)ONE * ONE - w11 - w10 - w01;

    for (int c = 0; c < 3; c++)
        ret[c] = (uint8_t)((w00 * p[c] + w10 * p[3 + c] + w01 * p[stride + c] +
                            w11 * p[stride + 3 + c] + ONE * ONE / 2) >>
                           (2 * SHIFT));
}

/* At the edge: what lies outside is black. */
static void between_some(const face_picture *in, int64_t x, int64_t y, uint32_t fx, uint32_t fy,
                         uint8_t ret[3]) {
    uint8_t four[2][6] = {{0}, {0}};

    for (int k = 0; k < 4; k++) {
        int64_t at = x + (k & 1), row = y + (k >> 1);

        if (at >= 0 && row >= 0 && at < in->width && row < in->height)
            memcpy(&four[k >> 1][k & 1 ? 3 : 0],
                   in->rgb + (size_t)row * in->stride + (size_t)at * 3, 3);
    }
    between(&four[0][0], sizeof(four[0]), fx, fy, ret);
}

void face_level_planes(const face_picture *level, const face_transform *to, uint32_t width,
                       uint32_t height, const face_values *values, bool bgr, float *ret) {
    face_transform back = face_invert(to);
    size_t n = (size_t)width * height, i = 0;
    float *const planes[2][3] = {{ret, ret + n, ret + 2 * n}, {ret + 2 * n, ret + n, ret}};
    face_values swapped = *values;

    /* the values belong to the planes, the colours of a pixel are red, green, blue */
    for (int c = 0; c < 3; c++)
        memcpy(swapped.of[c], values->of[bgr ? 2 - c : c], sizeof(swapped.of[c]));
    int64_t across = llrint(back.a * fine), down = llrint(back.b * fine);

    for (uint32_t v = 0; v < height; v++) {
        face_point at = face_map(&back, (face_point){0.5, v + 0.5});
        int64_t fx = llrint((at.x - 0.5) * fine), fy = llrint((at.y - 0.5) * fine);

        for (uint32_t u = 0; u < width; u++, i++, fx += across, fy += down) {
            int64_t x = fx >> (FINE_SHIFT - SHIFT), y = fy >> (FINE_SHIFT - SHIFT);
            int64_t px = x >> SHIFT, py = y >> SHIFT;
            uint32_t rx = (uint32_t)(x & (ONE - 1)), ry = (uint32_t)(y & (ONE - 1));
            uint8_t rgb[3] = {0, 0, 0};

            if (px >= 0 && py >= 0 && px + 1 < level->width && py + 1 < level->height)
                between(level->rgb + (size_t)py * level->stride + (size_t)px * 3, level->stride, rx,
                        ry, rgb);
            else if (px >= -1 && py >= -1 && px < level->width && py < level->height)
                between_some(level, px, py, rx, ry, rgb);
            put(planes[bgr], i, &swapped, rgb);
        }
    }
}
