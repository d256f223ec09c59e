/* SPDX-License-Identifier: Apache-2.0 */
#include "face/codes.h"

#ifdef __AVX2__
#include "face/codes_wide.h"

enum {
    PART = 2, /* vectors at a time */
    RUN = 32, /* numbers whose products fit in 16 bits together: 8 pairs of 15 x 127 */
};

static inline __m256i add_halves(__m256i sum, __m256i lower, __m256i upper, __m256i p, __m256i q) {
    return _mm256_add_epi16(
        sum, _mm256_add_epi16(_mm256_maddubs_epi16(lower, p), _mm256_maddubs_epi16(upper, q)));
}

/* Eight numbers of 16 templates, times those of n queries.  n is known when it is compiled, and the
 * sums of 16 templates and four queries fit in the registers. */
static inline __attribute__((always_inline)) void
step(const uint8_t *half, size_t n, const int8_t *const *codes, uint32_t d, __m256i (*sum)[PART]) {
    const __m256i mask = _mm256_set1_epi8(15);
    __m256i lower[PART], upper[PART];

    for (size_t v = 0; v < PART; v++) {
        __m256i both = _mm256_load_si256((const void *)(half + v * sizeof(__m256i)));

        lower[v] = _mm256_and_si256(both, mask);
        upper[v] = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);
    }
    for (size_t i = 0; i < n; i++) {
        __m256i p = four_codes(codes[i] + d), q = four_codes(codes[i] + d + 4);

        for (size_t v = 0; v < PART; v++)
            sum[i][v] = add_halves(sum[i][v], lower[v], upper[v], p, q);
    }
}

static inline __attribute__((always_inline)) void multiply_part(const uint8_t *half, uint32_t dim,
                                                                size_t n,
                                                                const int8_t *const *codes,
                                                                __m256i (*ret)[PART]) {
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi16(1);

    for (size_t i = 0; i < n; i++)
        ret[i][0] = ret[i][1] = zero;
    for (uint32_t d = 0; d < dim;) {
        uint32_t end = dim - d < RUN ? dim : d + RUN;
        __m256i sum[TOGETHER][PART];

        for (size_t i = 0; i < n; i++)
            sum[i][0] = sum[i][1] = zero;
        for (; d < end; d += 8, half += VECTORS * sizeof(__m256i)) {
            __builtin_prefetch(half + AHEAD);
            step(half, n, codes, d, sum);
        }
        for (size_t i = 0; i < n; i++) {
            ret[i][0] = _mm256_add_epi32(ret[i][0], _mm256_madd_epi16(sum[i][0], one));
            ret[i][1] = _mm256_add_epi32(ret[i][1], _mm256_madd_epi16(sum[i][1], one));
        }
    }
}

/* Products of a group's 32 templates with n queries. */
static inline __attribute__((always_inline)) void
multiply(const uint8_t *half, uint32_t dim, size_t n, const face_probe *probes, sums *ret) {
    const int8_t *codes[TOGETHER];
    __m256i part[TOGETHER][PART];

    for (size_t i = 0; i < n; i++)
        codes[i] = probes[i].codes;
    for (size_t v = 0; v < VECTORS; v += PART) {
        multiply_part(half + v * sizeof(__m256i), dim, n, codes, part);
        for (size_t i = 0; i < n; i++) {
            ret[i].v[v] = part[i][0];
            ret[i].v[v + 1] = part[i][1];
        }
    }
}

void face_high_avx2(const uint8_t *highs, uint32_t dim, uint32_t n, const face_probe *probes,
                    uint32_t *masks, int32_t (*ret_sums)[FACE_GROUP]) {
    const face_tail *tail = face_tail_at(highs, dim);
    sums s[TOGETHER];
    uint32_t q = 0;

    for (; q + TOGETHER <= n; q += TOGETHER) {
        multiply(highs, dim, TOGETHER, probes + q, s);
        for (uint32_t i = 0; i < TOGETHER; i++)
            masks[q + i] = reaching(&probes[q + i], tail, &s[i], ret_sums[q + i]);
    }
    for (; q < n; q++) {
        multiply(highs, dim, 1, probes + q, s);
        masks[q] = reaching(&probes[q], tail, &s[0], ret_sums[q]);
    }
}

int32_t face_low_avx2(const uint8_t *row, uint32_t dim, const face_probe *probe) {
    const int8_t *codes = probe->paired;
    const __m256i mask = _mm256_set1_epi8(15), one = _mm256_set1_epi16(1);
    __m256i sum = _mm256_setzero_si256();
    __m128i half;

    for (size_t at = 0; at < face_row_size(dim); at += 32, row += 32, codes += 64) {
        __m256i both = _mm256_load_si256((const void *)row);
        __m256i p = _mm256_loadu_si256((const void *)codes);
        __m256i q = _mm256_loadu_si256((const void *)(codes + 32));
        __m256i pairs = add_halves(_mm256_setzero_si256(), _mm256_and_si256(both, mask),
                                   _mm256_and_si256(_mm256_srli_epi16(both, 4), mask), p, q);

        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, one));
    }
    half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
    return _mm_cvtsi128_si32(half);
}

#else

void face_high_avx2(const uint8_t *highs, uint32_t dim, uint32_t n, const face_probe *probes,
                    uint32_t *masks, int32_t (*sums)[FACE_GROUP]) {
    face_high_portable(highs, dim, n, probes, masks, sums);
}

int32_t face_low_avx2(const uint8_t *row, uint32_t dim, const face_probe *probe) {
    return face_low_portable(row, dim, probe);
}

#endif
