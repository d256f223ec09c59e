/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that a test draws, in memory of exactly their size. */
#ifndef ATG_TESTS_MADE_FACE_H
#define ATG_TESTS_MADE_FACE_H

#include "testing.h"

#include <math.h>

#include "face/align.h"

typedef struct drawn {
    face_picture p;
    uint8_t *rgb;
} drawn;

/* Black; give `rgb` back to mem_free(). */
static inline drawn drawn_new(uint32_t width, uint32_t height) {
    uint8_t *rgb = mem_zero((size_t)width * height, 3);

    assert_non_null(rgb);
    return (drawn){{rgb, width, height, (size_t)width * 3}, rgb};
}

static inline uint8_t *drawn_at(const drawn *d, size_t x, size_t y) {
    return d->rgb + y * d->p.stride + x * 3;
}

static inline drawn drawn_speckled(uint32_t width, uint32_t height) {
    drawn d = drawn_new(width, height);
    atg_rng rng = atg_rng_seed(3);

    for (size_t i = 0; i < (size_t)width * height * 3; i++)
        d.rgb[i] = (uint8_t)atg_rng_below(&rng, 256);
    return d;
}

static inline void drawn_disc(const drawn *d, face_point centre, double radius, int grey) {
    for (size_t y = 0; y < d->p.height; y++)
        for (size_t x = 0; x < d->p.width; x++)
            if (hypot((double)x + 0.5 - centre.x, (double)y + 0.5 - centre.y) < radius)
                memset(drawn_at(d, x, y), grey, 3);
}

#endif
