/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels of x86-64 share; for files that are compiled for AVX2 and more. */
#ifndef ATG_FACE_CODES_WIDE_H
#define ATG_FACE_CODES_WIDE_H

#include <immintrin.h>

#include "face/codes.h"

enum {
    VECTORS = FACE_GROUP / 8,
    TOGETHER = 4, /* queries at a time */
    AHEAD = 4096, /* bytes from which memory is fetched early */
};

typedef struct sums {
    __m256i v[VECTORS];
} sums;

static inline __m256i four_codes(const int8_t *codes) {
    int32_t four;

    __builtin_memcpy(&four, codes, sizeof(four));
    return _mm256_set1_epi32(four);
}

/* As face_coarse(). */
static inline uint32_t reaching(const face_probe *probe, const face_tail *tail, const sums *s,
                                int32_t *ret_sums) {
    __m256 bar = _mm256_set1_ps(probe->cut - face_bound(probe, tail->coarse));
    __m256 half_scale = _mm256_set1_ps(probe->scale * 0.5F);
    __m256i less = _mm256_set1_epi32(probe->sum * 241);
    uint32_t mask = 0;

    for (size_t v = 0; v < VECTORS; v++) {
        __m256i twice = _mm256_sub_epi32(_mm256_slli_epi32(s->v[v], 5), less);
        __m256 score = _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(twice), half_scale),
                                     _mm256_load_ps(tail->scale + 8 * v));

        mask |= (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(score, bar, _CMP_GE_OQ)) << (8 * v);
    }
    for (size_t v = 0; v < VECTORS && mask; v++)
        _mm256_storeu_si256((void *)(ret_sums + 8 * v), s->v[v]);
    return mask;
}

#endif
