/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps made by hand. */
#ifndef ATG_TESTS_MADE_BMP_H
#define ATG_TESTS_MADE_BMP_H

#include "testing.h"

enum { MADE_BMP_MAX = 1 << 16 };

typedef struct made_bmp {
    unsigned char p[MADE_BMP_MAX];
    size_t n;
} made_bmp;

static inline void bmp_put(made_bmp *m, uint32_t x, uint32_t bytes) {
    assert_true(m->n + bytes <= MADE_BMP_MAX);
    for (uint32_t i = 0; i < bytes; i++)
        m->p[m->n++] = (unsigned char)(x >> 8 * i);
}

static inline void bmp_add(made_bmp *m, const void *p, size_t n) {
    assert_true(m->n + n <= MADE_BMP_MAX);
    memcpy(m->p + m->n, p, n);
    m->n += n;
}

static inline void bmp_set(made_bmp *m, size_t at, uint32_t x, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++)
        m->p[at + i] = (unsigned char)(x >> 8 * i);
}

/* Heads of a file whose pixels begin behind `extra` bytes of masks or palette. */
static inline void bmp_begin(made_bmp *m, int32_t width, int32_t height, uint32_t depth,
                             uint32_t packing, uint32_t extra) {
    m->n = 0;
    bmp_add(m, "BM", 2);
    bmp_put(m, 0, 4);
    bmp_put(m, 0, 4);
    bmp_put(m, 54 + extra, 4);
    bmp_put(m, 40, 4);
    bmp_put(m, (uint32_t)width, 4);
    bmp_put(m, (uint32_t)height, 4);
    bmp_put(m, 1, 2);
    bmp_put(m, depth, 2);
    bmp_put(m, packing, 4);
    for (int i = 0; i < 3; i++)
        bmp_put(m, 0, 4);
    bmp_put(m, depth <= 8 ? extra / 4 : 0, 4);
    bmp_put(m, 0, 4);
}

static inline atg_str bmp_bytes(const made_bmp *m) {
    return (atg_str){(const char *)m->p, m->n};
}

#endif
