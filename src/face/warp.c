/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "face/align.h"

/* A turned picture that stands for more than REDUCE_FROM of its pixels in each of the result's is
 * first made smaller by whole boxes, so that REDUCE_TO to REDUCE_FROM are left for the filter. */
enum { REDUCE_FROM = 6, REDUCE_TO = 3, SHRINK_MAX = 1 << 14 };

/* So little shrinking that four neighbours do. */
static const double nearly_whole = 0.95;

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
    uint32_t x0 = (uint32_t)clamp(floor(part.x0), 0, picture->width - 1) / k * k;
    uint32_t y0 = (uint32_t)clamp(floor(part.y0), 0, picture->height - 1) / k * k;
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

typedef float four __attribute__((vector_size(16)));
typedef uint8_t four_bytes __attribute__((vector_size(4)));

/* Red, green, blue and something. */
static inline four pixel_of(const face_picture *p, size_t x, size_t y) {
    const uint8_t *at = p->rgb + y * p->stride + x * 3;
    four_bytes bytes = {at[0], at[1], at[2], 0};

    if (x + 1 < p->width)
        memcpy(&bytes, at, sizeof(bytes));
    return __builtin_convertvector(bytes, four);
}

static void put(four sum, float weight, uint8_t *ret) {
    for (int c = 0; c < 3; c++)
        ret[c] = (uint8_t)fminf(sum[c] / weight + 0.5F, 255);
}

static int64_t floor_of(double x) {
    int64_t i = (int64_t)x;

    return i - ((double)i > x);
}

/* Leave of from..to what has |slope d + offset| < 1. */
static void narrow(double slope, double offset, double *from, double *to) {
    double a = (-1 - offset) / slope, b = (1 - offset) / slope;

    if (fabs(slope) < 1e-12) {
        *to = fabs(offset) < 1 ? *to : *from;
        return;
    }
    *from = fmax(*from, a < b ? a : b);
    *to = fmin(*to, a < b ? b : a);
}

/* A tent over the squares that the result's neighbours stand for, in the result's directions. */
static void mean_of_area(const face_picture *p, const face_transform *to, face_point at,
                         double reach, uint8_t *ret) {
    float a = (float)to->a, b = (float)to->b, weight = 0;
    int64_t y1 = floor_of(at.y + reach) + 1;
    four sum = {0, 0, 0, 0};

    for (int64_t y = floor_of(at.y - reach); y < y1; y++) {
        double dy = (double)y + 0.5 - at.y, lo = -reach, hi = reach;
        bool inside = y >= 0 && y < p->height;

        narrow(to->a, -to->b * dy, &lo, &hi);
        narrow(to->b, to->a * dy, &lo, &hi);
        for (int64_t x = floor_of(lo + at.x + 0.5), x1 = floor_of(hi + at.x + 0.5); x < x1; x++) {
            float dx = (float)((double)x + 0.5 - at.x);
            float u = 1 - fabsf(a * dx - b * (float)dy), v = 1 - fabsf(b * dx + a * (float)dy);
            float w = u > 0 && v > 0 ? u * v : 0;

            weight += w;
            if (inside && x >= 0 && x < p->width)
                sum += w * pixel_of(p, (size_t)x, (size_t)y);
        }
    }
    put(sum, weight, ret);
}

static void bilinear(const face_picture *p, face_point at, uint8_t *ret) {
    int64_t x0 = floor_of(at.x - 0.5), y0 = floor_of(at.y - 0.5);
    float fx = (float)(at.x - 0.5 - (double)x0), fy = (float)(at.y - 0.5 - (double)y0);
    four sum = {0, 0, 0, 0};

    for (int i = 0; i < 4; i++) {
        int64_t x = x0 + (i & 1), y = y0 + (i >> 1);
        float w = (i & 1 ? fx : 1 - fx) * (i >> 1 ? fy : 1 - fy);

        if (x >= 0 && y >= 0 && x < p->width && y < p->height)
            sum += w * pixel_of(p, (size_t)x, (size_t)y);
    }
    put(sum, 1, ret);
}

/* Where a source pixel falls among the result's n: with weight 1 - share on `at`, share on the
 * next. */
typedef struct falls {
    int64_t at;
    float share;
} falls;

static falls where(double scale, double shift, int64_t i) {
    double x = scale * ((double)i + 0.5) + shift - 0.5;
    int64_t at = floor_of(x);

    return (falls){at, (float)(x - (double)at)};
}

/* What falls on each of the result's n pixels in all, from outside the source too. */
static void weights_of(double scale, double shift, uint32_t source, uint32_t n, float *ret) {
    int64_t more = 2 * (int64_t)(1 / scale) + 2;

    for (int64_t i = -more; i < source + more; i++) {
        falls f = where(scale, shift, i);

        if (f.at >= 0 && f.at < n)
            ret[f.at] += 1 - f.share;
        if (f.at + 1 >= 0 && f.at + 1 < n)
            ret[f.at + 1] += f.share;
    }
}

/* One row of the source, made shorter; `ret` has one pixel more on each side. */
static void shorten(const face_picture *p, size_t y, const falls *columns, uint32_t width,
                    four *ret) {
    four here = {0, 0, 0, 0}, next = here;
    int64_t at = -2;

    memset(ret, 0, ((size_t)width + 2) * sizeof(*ret));
    for (uint32_t x = 0; x < p->width; x++) {
        falls f = columns[x];
        four light = pixel_of(p, x, y);

        if (f.at < -1 || f.at >= width)
            continue;
        if (f.at != at) {
            if (at >= -1) {
                ret[at + 1] += here;
                ret[at + 2] += next;
            }
            at = f.at;
            here = next = (four){0, 0, 0, 0};
        }
        here += (1 - f.share) * light;
        next += f.share * light;
    }
    if (at >= -1) {
        ret[at + 1] += here;
        ret[at + 2] += next;
    }
}

typedef struct rows {
    float *across, *down; /* weights of the columns and rows */
    falls *columns;       /* of the source */
    four *row, *sums[2];  /* two rows of the result are being added up */
} rows;

static void finish_row(rows *r, int64_t v, uint32_t width, uint32_t height, uint8_t *ret) {
    four *done = r->sums[0];

    if (v >= 0 && v < height)
        for (uint32_t u = 0; u < width; u++)
            if (r->across[u] > 0 && r->down[v] > 0)
                put(done[u + 1], r->across[u] * r->down[v], ret + ((size_t)v * width + u) * 3);
    memset(done, 0, (width + 2) * sizeof(*done));
    r->sums[0] = r->sums[1];
    r->sums[1] = done;
}

/* An upright picture made smaller: the same tent, along rows and then along columns. */
static int shrink_upright(const face_picture *p, const face_transform *to, uint32_t width,
                          uint32_t height, uint8_t *ret, atg_err *err) {
    MEM_AUTO float *weights = mem_zero((size_t)width + height, sizeof(*weights));
    MEM_AUTO four *room = mem_zero(((size_t)width + 2) * 3, sizeof(*room));
    MEM_AUTO falls *columns = mem_zero(p->width, sizeof(*columns));
    int64_t v = where(to->a, to->ty, 0).at;
    rows r;

    if (!weights || !room || !columns)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for a face");
    r = (rows){weights,
               weights + width,
               columns,
               room,
               {room + width + 2, room + 2 * ((size_t)width + 2)}};
    for (uint32_t x = 0; x < p->width; x++)
        columns[x] = where(to->a, to->tx, x);
    weights_of(to->a, to->tx, p->width, width, r.across);
    weights_of(to->a, to->ty, p->height, height, r.down);
    memset(ret, 0, (size_t)width * height * 3);
    for (uint32_t y = 0; y < p->height; y++) {
        falls f = where(to->a, to->ty, y);

        for (; v < f.at; v++)
            finish_row(&r, v, width, height, ret);
        if (f.at < -1 || f.at >= height)
            continue;
        shorten(p, y, r.columns, width, r.row);
        for (size_t u = 0; u < width + 2; u++) {
            r.sums[0][u] += (1 - f.share) * r.row[u];
            r.sums[1][u] += f.share * r.row[u];
        }
    }
    finish_row(&r, v, width, height, ret);
    finish_row(&r, v + 1, width, height, ret);
    return ATG_OK;
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
    bool shrinks = face_scale(to) < nearly_whole;

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
    if (t.b == 0 && t.a > 0 && t.a < nearly_whole)
        return shrink_upright(picture, to, width, height, ret, err);
    if (face_scale(&t) < 1.0 / REDUCE_FROM) {
        uint32_t k = (uint32_t)(1 / (face_scale(&t) * REDUCE_TO) + 1e-9);
        face_transform back = face_invert(&t);

        rc = shrink(&source, &t, seen(&back, width, height, 2 / face_scale(&t)), k, &room, err);
        if (rc)
            return rc;
    }
    sample(&source, &t, width, height, ret);
    return ATG_OK;
}
