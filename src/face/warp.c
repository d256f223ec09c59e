/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "face/align.h"

/* A picture that stands for more than REDUCE_FROM of its pixels in each of the result's is first
 * made smaller by whole boxes, so that REDUCE_TO to REDUCE_FROM are left for the exact filter. */
enum { REDUCE_FROM = 8, REDUCE_TO = 4, SHRINK_MAX = 1 << 14 };

typedef struct area {
    double x0, y0, x1, y1;
} area;

/* What part of the source the result looks at, with `margin` pixels more. */
static area seen(const face_transform *back, double width, double height, double margin) {
    area r = {INFINITY, INFINITY, -INFINITY, -INFINITY};

    for (int i = 0; i < 4; i++) {
        face_point p = face_map(back, (face_point){i & 1 ? width : 0, i & 2 ? height : 0});

        r.x0 = fmin(r.x0, p.x - margin);
        r.y0 = fmin(r.y0, p.y - margin);
        r.x1 = fmax(r.x1, p.x + margin);
        r.y1 = fmax(r.y1, p.y + margin);
    }
    return r;
}

static double clamp(double x, double least, double most) {
    return x < least ? least : x > most ? most : x;
}

/* Sum one row of pixels into boxes of `k`. */
static void add_row(const uint8_t *from, uint32_t n, uint32_t k, uint32_t *sums) {
    for (uint32_t i = 0; i < n; sums += 3) {
        uint32_t r = 0, g = 0, b = 0;

        for (uint32_t end = n - i < k ? n : i + k; i < end; i++, from += 3) {
            r += from[0];
            g += from[1];
            b += from[2];
        }
        sums[0] += r;
        sums[1] += g;
        sums[2] += b;
    }
}

/* Means of boxes of k x k pixels from (x0, y0) on, `small` of them; outside is black. */
static void reduce(const face_picture *picture, uint32_t x0, uint32_t y0, uint32_t k,
                   const face_picture *small, uint32_t *sums, uint8_t *ret) {
    uint32_t n = small->width * k < picture->width - x0 ? small->width * k : picture->width - x0;
    uint64_t whole = (uint64_t)k * k;

    for (uint32_t j = 0; j < small->height; j++) {
        memset(sums, 0, (size_t)small->width * 3 * sizeof(*sums));
        for (uint32_t y = y0 + j * k; y < y0 + (j + 1) * k && y < picture->height; y++)
            add_row(picture->rgb + y * picture->stride + (size_t)x0 * 3, n, k, sums);
        for (size_t i = 0; i < (size_t)small->width * 3; i++)
            ret[j * small->stride + i] = (uint8_t)((sums[i] + whole / 2) / whole);
    }
}

/* Replace the picture by what is seen of it, made k times smaller, in `*ret_room`. */
static int shrink(face_picture *picture, face_transform *to, area part, uint32_t k,
                  uint8_t **ret_room, atg_err *err) {
    uint32_t x0 = (uint32_t)clamp(floor(part.x0), 0, picture->width - 1);
    uint32_t y0 = (uint32_t)clamp(floor(part.y0), 0, picture->height - 1);
    uint32_t x1 = (uint32_t)clamp(ceil(part.x1), x0 + 1, picture->width);
    uint32_t y1 = (uint32_t)clamp(ceil(part.y1), y0 + 1, picture->height);
    face_picture small = {.width = (x1 - x0 + k - 1) / k, .height = (y1 - y0 + k - 1) / k};
    MEM_AUTO uint32_t *sums = mem_zero((size_t)small.width * 3, sizeof(*sums));
    face_transform up = {k, 0, x0, y0};

    small.stride = (size_t)small.width * 3;
    *ret_room = mem_alloc(small.stride * small.height);
    small.rgb = *ret_room;
    if (!sums || !small.rgb)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for a face");
    reduce(picture, x0, y0, k, &small, sums, *ret_room);
    *picture = small;
    *to = face_chain(&up, to);
    return ATG_OK;
}

static void put(const double sum[3], double weight, uint8_t *ret) {
    for (int c = 0; c < 3; c++)
        ret[c] = (uint8_t)clamp(sum[c] / weight + 0.5, 0, 255);
}

/* A tent over the squares that the result's neighbours stand for, in the result's directions. */
static void mean_of_area(const face_picture *p, const face_transform *to, face_point at,
                         double reach, uint8_t *ret) {
    int64_t x0 = (int64_t)floor(at.x - reach), x1 = (int64_t)ceil(at.x + reach);
    int64_t y0 = (int64_t)floor(at.y - reach), y1 = (int64_t)ceil(at.y + reach);
    float a = (float)to->a, b = (float)to->b, weight = 0, sum[3] = {0, 0, 0};

    for (int64_t y = y0; y < y1; y++) {
        float dx = (float)((double)x0 + 0.5 - at.x), dy = (float)((double)y + 0.5 - at.y);
        float u = a * dx - b * dy, v = b * dx + a * dy;
        bool inside = y >= 0 && y < p->height;
        const uint8_t *row = p->rgb + (inside ? (size_t)y * p->stride : 0);

        for (int64_t x = x0; x < x1; x++) {
            float w = fmaxf(0, 1 - fabsf(u)) * fmaxf(0, 1 - fabsf(v));

            weight += w;
            if (inside && x >= 0 && x < p->width)
                for (int c = 0; c < 3; c++)
                    sum[c] += w * (float)row[3 * x + c];
            u += a;
            v += b;
        }
    }
    put((double[]){(double)sum[0], (double)sum[1], (double)sum[2]}, (double)weight, ret);
}

static void bilinear(const face_picture *p, face_point at, uint8_t *ret) {
    double fx = floor(at.x - 0.5), fy = floor(at.y - 0.5), sum[3] = {0, 0, 0};

    for (int i = 0; i < 4; i++) {
        double x = fx + (i & 1), y = fy + (i >> 1);
        double w = (1 - fabs(at.x - 0.5 - x)) * (1 - fabs(at.y - 0.5 - y));

        if (x >= 0 && y >= 0 && x < p->width && y < p->height)
            for (int c = 0; c < 3; c++)
                sum[c] += w * p->rgb[(size_t)y * p->stride + (size_t)x * 3 + c];
    }
    put(sum, 1, ret);
}

static int check(const face_picture *p, const face_transform *to, uint32_t width, uint32_t height,
                 atg_err *err) {
    double scale = face_scale(to);

    if (!p->rgb || p->width == 0 || p->height == 0 || p->width > FACE_PICTURE_MAX ||
        p->height > FACE_PICTURE_MAX || p->stride < (size_t)p->width * 3)
        return atg_fail(err, ATG_EINVAL, "A picture must have 1 to %d pixels a side",
                        FACE_PICTURE_MAX);
    if (width == 0 || height == 0 || width > FACE_PICTURE_MAX || height > FACE_PICTURE_MAX)
        return atg_fail(err, ATG_EINVAL, "The part of a picture must have 1 to %d pixels a side",
                        FACE_PICTURE_MAX);
    /* a comparison with a NaN is false */
    if (!(scale >= 1.0 / SHRINK_MAX && scale <= SHRINK_MAX && fabs(to->tx) < 1e9 &&
          fabs(to->ty) < 1e9))
        return atg_fail(err, ATG_EINVAL, "The part of a picture lies too far from it");
    return ATG_OK;
}

static void sample(const face_picture *source, const face_transform *to, uint32_t width,
                   uint32_t height, uint8_t *ret) {
    face_transform back = face_invert(to);
    double reach = fabs(back.a) + fabs(back.b);
    bool shrinks = face_scale(to) < 1;

    for (uint32_t v = 0; v < height; v++)
        for (uint32_t u = 0; u < width; u++, ret += 3) {
            face_point at = face_map(&back, (face_point){u + 0.5, v + 0.5});

            if (at.x < -reach - 1 || at.y < -reach - 1 || at.x > source->width + reach + 1 ||
                at.y > source->height + reach + 1)
                memset(ret, 0, 3);
            else if (shrinks)
                mean_of_area(source, to, at, reach, ret);
            else
                bilinear(source, at, ret);
        }
}

int face_warp(const face_picture *picture, const face_transform *to, uint32_t width,
              uint32_t height, uint8_t *ret, atg_err *err) {
    MEM_AUTO uint8_t *room = NULL;
    face_picture source = *picture;
    face_transform t = *to;
    int rc = check(picture, to, width, height, err);

    if (rc)
        return rc;
    if (face_scale(&t) < 1.0 / REDUCE_FROM) {
        uint32_t k = (uint32_t)(1 / (face_scale(&t) * REDUCE_TO));
        face_transform back = face_invert(&t);

        rc = shrink(&source, &t, seen(&back, width, height, 2 / face_scale(&t)), k, &room, err);
        if (rc)
            return rc;
    }
    sample(&source, &t, width, height, ret);
    return ATG_OK;
}
