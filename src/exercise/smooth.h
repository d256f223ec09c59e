/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of portraits.  Only + - * / and the square root, which IEEE 754 rounds in one way:
 * with contraction off, as the build has it, the same pixels on every machine.  Nothing of libm. */
#ifndef ATG_EXERCISE_SMOOTH_H
#define ATG_EXERCISE_SMOOTH_H

#include <math.h> /* sqrtf */

#include <antigone/base.h>

static inline float smooth_clamp(float x, float lo, float hi) {
    return x < lo ? lo : x > hi ? hi : x;
}

static inline float smooth_mix(float a, float b, float t) {
    return a + (b - a) * t;
}

/* 0 up to a, 1 from b on (a may be above b), a cubic between. */
static inline float smooth_step(float a, float b, float x) {
    float t = smooth_clamp((x - a) / (b - a), 0, 1);

    return t * t * (3 - 2 * t);
}

/* Near exp(-q / 2) of a squared distance q in units of its spread, and 0 from 9 on. */
static inline float smooth_bell(float q) {
    float t = 1 - q * (1.0F / 9);

    return t > 0 ? t * t * t * t : 0;
}

/* Of angles up to a quarter turn, within 2e-4. */
static inline float smooth_sin(float a) {
    float q = a * a;

    return a * (1 - q / 6 * (1 - q / 20 * (1 - q / 42)));
}
static inline float smooth_cos(float a) {
    float q = a * a;

    return 1 - q / 2 * (1 - q / 12 * (1 - q / 30 * (1 - q / 56)));
}

/* Uniform in [lo, hi). */
static inline float smooth_between(atg_rng *rng, float lo, float hi) {
    return lo + (hi - lo) * (float)atg_rng_unit(rng);
}

/* Mean 0, variance 1, within 4: six uniform numbers. */
static inline float smooth_normal(atg_rng *rng) {
    double sum = -3;

    for (int i = 0; i < 6; i++)
        sum += atg_rng_unit(rng);
    return (float)(sum * 1.4142135623730951);
}

/* Smooth noise in [-1, 1] that repeats after SMOOTH_TILE units. */
enum { SMOOTH_TILE = 64 };
typedef struct smooth_noise {
    float at[SMOOTH_TILE][SMOOTH_TILE];
} smooth_noise;

static inline void smooth_noise_make(uint64_t seed, smooth_noise *ret) {
    atg_rng rng = atg_rng_seed(seed);

    for (int i = 0; i < SMOOTH_TILE; i++)
        for (int k = 0; k < SMOOTH_TILE; k++)
            ret->at[i][k] = smooth_between(&rng, -1, 1);
}

/* |x|, |y| below 2^20 */
static inline float smooth_noise_at(const smooth_noise *n, float x, float y) {
    int xi = (int)(x + 1048576) - 1048576, yi = (int)(y + 1048576) - 1048576;
    float u = x - (float)xi, v = y - (float)yi;
    const float *row = n->at[yi & (SMOOTH_TILE - 1)], *next = n->at[(yi + 1) & (SMOOTH_TILE - 1)];
    int a = xi & (SMOOTH_TILE - 1), b = (xi + 1) & (SMOOTH_TILE - 1);

    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    return smooth_mix(smooth_mix(row[a], row[b], u), smooth_mix(next[a], next[b], u), v);
}

#endif
