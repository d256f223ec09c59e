/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/bmp.h"

#include <string.h>

enum {
    FILE_HEAD = 14,
    OFFSET = 10, /* of the pixels, in the file's head */
    CORE = 12,   /* the header of OS/2 */
    INFO = 40,   /* the first of Windows; later ones are longer */
    INFO_MAX = 124,
    MASKED = 52, /* the first that has masks in it */
    PLAIN = 0,
    RLE8 = 1,
    RLE4 = 2,
    MASKS = 3,
    MASKS_ALPHA = 6,
    COLOURS = 256,
};

/* Where the bits of a colour are in a pixel. */
typedef struct mask {
    uint32_t bits, shift, max;
} mask;

typedef struct reader {
    atg_str in;
    uint32_t size; /* of the header */
    uint32_t width, height, depth, packing, colours;
    bool top_down;
    size_t pixels; /* where they begin */
    mask masks[3];
    unsigned char palette[COLOURS][3];
    unsigned char *out;
    atg_err *err;
} reader;

static int bad(const reader *r, size_t at, const char *what) {
    return atg_fail(r->err, ATG_EPARSE, "This picture is damaged: %s at byte %zu", what, at);
}

static uint32_t get(const reader *r, size_t at, uint32_t n) {
    const unsigned char *p = (const unsigned char *)r->in.p + at;
    uint32_t x = 0;

    for (uint32_t i = 0; i < n; i++)
        x |= (uint32_t)p[i] << 8 * i;
    return x;
}

bool bmp_is(atg_str bytes) {
    return bytes.n >= FILE_HEAD && memcmp(bytes.p, "BM", 2) == 0;
}

/* ---- the header ---- */

static int read_core(reader *r) {
    r->width = get(r, FILE_HEAD + 4, 2);
    r->height = get(r, FILE_HEAD + 6, 2);
    r->depth = get(r, FILE_HEAD + 10, 2);
    return get(r, FILE_HEAD + 8, 2) == 1 ? ATG_OK : bad(r, FILE_HEAD + 8, "a wrong header");
}

static int read_info(reader *r) {
    r->width = get(r, FILE_HEAD + 4, 4);
    r->height = get(r, FILE_HEAD + 8, 4);
    r->top_down = r->height > INT32_MAX;
    if (r->top_down)
        r->height = 0U - r->height;
    r->depth = get(r, FILE_HEAD + 14, 2);
    r->packing = get(r, FILE_HEAD + 16, 4);
    r->colours = get(r, FILE_HEAD + 32, 4);
    return get(r, FILE_HEAD + 12, 2) == 1 ? ATG_OK : bad(r, FILE_HEAD + 12, "a wrong header");
}

static bool packing_fits(const reader *r) {
    switch (r->packing) {
    case PLAIN:
        return r->depth == 1 || r->depth == 4 || r->depth == 8 || r->depth == 16 ||
               r->depth == 24 || r->depth == 32;
    case RLE8:
        return r->depth == 8 && !r->top_down;
    case RLE4:
        return r->depth == 4 && !r->top_down;
    case MASKS:
    case MASKS_ALPHA:
        return r->depth == 16 || r->depth == 32;
    default:
        return false;
    }
}

static int check_header(const reader *r, uint64_t pixels) {
    if (r->width == 0 || r->height == 0 || r->width > INT32_MAX || r->height > INT32_MAX)
        return bad(r, FILE_HEAD + 4, "a wrong size");
    if (r->packing == 4 || r->packing == 5)
        return atg_fail(r->err, ATG_EINVAL, "A JPEG or PNG within a bitmap is not read");
    if (!packing_fits(r))
        return bad(r, FILE_HEAD + 14, "a depth or packing that does not exist");
    if (r->width > BMP_SIDE || r->height > BMP_SIDE)
        return atg_fail(r->err, ATG_ELIMIT, "This picture is larger than %d pixels on a side",
                        (int)BMP_SIDE);
    if ((uint64_t)r->width * r->height > pixels)
        return atg_fail(r->err, ATG_ELIMIT,
                        "This picture has %u x %u pixels: at most %llu are accepted", r->width,
                        r->height, (unsigned long long)pixels);
    return ATG_OK;
}

static int read_header(reader *r, uint64_t pixels) {
    int rc;

    if (r->in.n < FILE_HEAD + 4)
        return bad(r, r->in.n, "the end is missing");
    r->size = get(r, FILE_HEAD, 4);
    r->pixels = get(r, OFFSET, 4);
    if (r->size != CORE && (r->size < INFO || r->size > INFO_MAX))
        return bad(r, FILE_HEAD, "a header that does not exist");
    if (r->in.n - FILE_HEAD < r->size)
        return bad(r, r->in.n, "the end is missing");
    rc = r->size == CORE ? read_core(r) : read_info(r);
    return rc ? rc : check_header(r, pixels);
}

/* ---- colours ---- */

static int read_mask(const reader *r, size_t at, mask *ret) {
    uint32_t bits = get(r, at, 4), shift = 0, run;

    while (bits && !(bits >> shift & 1))
        shift++;
    run = bits ? bits >> shift : 0;
    if (run & (run + 1))
        return bad(r, at, "a mask with holes");
    *ret = (mask){bits, shift, run};
    return ATG_OK;
}

/* Masks stand in the header or right behind it; `*ret_end` is where what follows begins. */
static int read_masks(reader *r, size_t *ret_end) {
    size_t at = FILE_HEAD + INFO;
    bool masks = r->packing == MASKS || r->packing == MASKS_ALPHA;
    int rc = ATG_OK;

    if (r->depth == 16) {
        for (uint32_t i = 0; i < 3; i++)
            r->masks[i] = (mask){31U << (10 - 5 * i), 10 - 5 * i, 31};
    } else {
        for (uint32_t i = 0; i < 3; i++)
            r->masks[i] = (mask){255U << (16 - 8 * i), 16 - 8 * i, 255};
    }
    *ret_end = FILE_HEAD + r->size;
    if (masks && r->size < MASKED)
        *ret_end = at + (r->packing == MASKS ? 12 : 16);
    if (*ret_end > r->in.n)
        return bad(r, r->in.n, "the end is missing");
    for (uint32_t i = 0; i < 3 && masks && rc == ATG_OK; i++)
        rc = read_mask(r, at + 4 * (size_t)i, &r->masks[i]);
    return rc;
}

static int read_palette(reader *r, size_t at) {
    uint32_t room = 1U << r->depth, n = r->colours ? r->colours : room;
    uint32_t each = r->size == CORE ? 3 : 4;

    if (n > room)
        return bad(r, FILE_HEAD + 32, "more colours than a pixel can tell");
    if ((r->in.n - at) / each < n)
        return bad(r, at, "a palette that is cut off");
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < 3; k++)
            r->palette[i][k] = (unsigned char)get(r, at + (size_t)each * i + 2 - k, 1);
    return ATG_OK;
}

static int read_colours(reader *r) {
    size_t end = FILE_HEAD + r->size;
    int rc = r->depth <= 8 ? read_palette(r, end) : read_masks(r, &end);

    if (rc == ATG_OK && (r->pixels < end || r->pixels > r->in.n))
        rc = bad(r, OFFSET, "pixels that begin in the wrong place");
    return rc;
}

/* ---- pixels ---- */

static unsigned char *at_pixel(const reader *r, uint32_t x, uint32_t y) {
    uint32_t row = r->top_down ? y : r->height - 1 - y;

    return r->out + 3 * ((size_t)row * r->width + x);
}

static void put_colour(const reader *r, uint32_t x, uint32_t y, uint32_t index) {
    memcpy(at_pixel(r, x, y), r->palette[index], 3);
}

static void put_masked(const reader *r, uint32_t x, uint32_t y, uint32_t bits) {
    unsigned char *to = at_pixel(r, x, y);

    for (int i = 0; i < 3; i++) {
        const mask *m = &r->masks[i];
        uint64_t v = (bits & m->bits) >> m->shift;

        to[i] = (unsigned char)(m->max ? (v * 255 + m->max / 2) / m->max : 0);
    }
}

static void read_row(const reader *r, size_t at, uint32_t y) {
    uint32_t bytes = r->depth / 8;

    for (uint32_t x = 0; x < r->width; x++) {
        if (r->depth < 8) {
            uint32_t per = 8 / r->depth, shift = 8 - r->depth * (x % per + 1);

            put_colour(r, x, y, get(r, at + x / per, 1) >> shift & ((1U << r->depth) - 1));
        } else if (r->depth == 8) {
            put_colour(r, x, y, get(r, at + x, 1));
        } else {
            put_masked(r, x, y, get(r, at + (size_t)x * bytes, bytes));
        }
    }
}

/* Of a row in the file, which is padded. */
static size_t row_size(const reader *r) {
    return ((size_t)r->width * r->depth + 31) / 32 * 4;
}

static int read_rows(const reader *r) {
    for (uint32_t y = 0; y < r->height; y++)
        read_row(r, r->pixels + row_size(r) * y, y);
    return ATG_OK;
}

/* ---- run lengths ---- */

typedef struct runs {
    size_t at;
    uint32_t x, y;
} runs;

static uint32_t nibble(const reader *r, size_t at, uint32_t i) {
    return r->depth == 8 ? get(r, at + i, 1) : get(r, at + i / 2, 1) >> (i % 2 ? 0 : 4) & 15;
}

/* `n` pixels from `at`, whose colours go round after `period`. */
static int put_run(const reader *r, runs *s, size_t at, uint32_t n, uint32_t period) {
    if (s->y >= r->height || n > r->width - s->x)
        return bad(r, s->at, "a run behind the end of a row");
    for (uint32_t i = 0; i < n; i++)
        put_colour(r, s->x++, s->y, nibble(r, at, i % period));
    return ATG_OK;
}

/* Pixels one by one, to an even number of bytes. */
static int put_literal(const reader *r, runs *s, uint32_t n) {
    size_t bytes = r->depth == 8 ? n : (n + 1) / 2;
    size_t at = s->at + 2;
    int rc;

    if (r->in.n - at < bytes + bytes % 2)
        return bad(r, r->in.n, "the end is missing");
    rc = put_run(r, s, at, n, n);
    s->at = at + bytes + bytes % 2;
    return rc;
}

static int jump(const reader *r, runs *s) {
    if (r->in.n - s->at < 4)
        return bad(r, r->in.n, "the end is missing");
    if (get(r, s->at + 2, 1) > r->width - s->x || get(r, s->at + 3, 1) > r->height - s->y)
        return bad(r, s->at, "a jump out of the picture");
    s->x += get(r, s->at + 2, 1);
    s->y += get(r, s->at + 3, 1);
    s->at += 4;
    return ATG_OK;
}

static int read_runs(const reader *r) {
    runs s = {.at = r->pixels};
    int rc = ATG_OK;

    for (size_t i = 0; i < (size_t)r->width * r->height; i++)
        memcpy(r->out + 3 * i, r->palette[0], 3);
    while (rc == ATG_OK) {
        uint32_t n, what;

        if (r->in.n - s.at < 2)
            return bad(r, r->in.n, "the end is missing");
        n = get(r, s.at, 1);
        what = get(r, s.at + 1, 1);
        if (n) {
            rc = put_run(r, &s, s.at + 1, n, r->depth == 8 ? 1 : 2);
            s.at += 2;
        } else if (what == 0) {
            s = (runs){s.at + 2, 0, s.y < r->height ? s.y + 1 : s.y};
        } else if (what == 1) {
            break;
        } else {
            rc = what == 2 ? jump(r, &s) : put_literal(r, &s, what);
        }
    }
    return rc;
}

int bmp_read(atg_arena *arena, atg_str bytes, uint64_t pixels, bmp *ret, atg_err *err) {
    reader r = {.in = bytes, .err = err};
    bool packed;
    int rc;

    if (!bmp_is(bytes))
        return atg_fail(err, ATG_EINVAL, "This is no bitmap");
    rc = read_header(&r, pixels);
    if (rc == ATG_OK)
        rc = read_colours(&r);
    if (rc)
        return rc;
    packed = r.packing == RLE8 || r.packing == RLE4;
    /* before room is made for them */
    if (!packed && (r.in.n - r.pixels) / row_size(&r) < r.height)
        return bad(&r, r.in.n, "the end is missing");
    r.out = ATG_GET(arena, unsigned char, 3 * (size_t)r.width * r.height);
    if (!r.out)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for %u x %u pixels", r.width, r.height);
    rc = packed ? read_runs(&r) : read_rows(&r);
    if (rc == ATG_OK)
        *ret = (bmp){r.width, r.height, r.out};
    return rc;
}
