/* SPDX-License-Identifier: Apache-2.0 */
#include "face/codes.h"

#ifdef __AVX2__
#include <immintrin.h>

enum {
    VECTORS = FACE_GROUP / 8,
    RUN = 32,     /* numbers whose products fit in 16 bits together: 8 pairs of 15 x 127 */
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

static inline __m256i add_halves(__m256i sum, __m256i lower, __m256i upper, __m256i p, __m256i q) {
    return _mm256_add_epi16(
        sum, _mm256_add_epi16(_mm256_maddubs_epi16(lower, p), _mm256_maddubs_epi16(upper, q)));
}

/* Eight numbers of 32 templates, times those of n queries; n is known when it is compiled. */
static inline __attribute__((always_inline)) void
step(const uint8_t *half, size_t n, const int8_t *const *codes, sums *short_sums) {
    const __m256i mask = _mm256_set1_epi8(15);
    __m256i p[2], q[2];

    for (size_t i = 0; i < n; i++) {
        p[i] = four_codes(codes[i]);
        q[i] = four_codes(codes[i] + 4);
    }
    for (size_t v = 0; v < VECTORS; v++) {
        __m256i both = _mm256_load_si256((const void *)(half + v * sizeof(__m256i)));
        __m256i lower = _mm256_and_si256(both, mask);
        __m256i upper = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);

        for (size_t i = 0; i < n; i++)
            short_sums[i].v[v] = add_halves(short_sums[i].v[v], lower, upper, p[i], q[i]);
    }
}

static inline sums no_sums(void) {
    sums s;

    for (size_t v = 0; v < VECTORS; v++)
        s.v[v] = _mm256_setzero_si256();
    return s;
}

static inline void add_short(sums *to, const sums *from) {
    for (size_t v = 0; v < VECTORS; v++)
        to->v[v] = _mm256_add_epi32(to->v[v], _mm256_madd_epi16(from->v[v], _mm256_set1_epi16(1)));
}

static inline __attribute__((always_inline)) void
multiply(const uint8_t *half, uint32_t dim, size_t n, const face_probe *probes, sums *ret) {
    const int8_t *codes[2] = {probes[0].codes, probes[n - 1].codes};

    ret[0] = ret[n - 1] = no_sums();
    for (uint32_t from = 0; from < dim; from += RUN) {
        uint32_t to = dim - from < RUN ? dim : from + RUN;
        sums short_sums[2] = {no_sums(), no_sums()};

        for (uint32_t d = from; d < to; d += 8, half += sizeof(sums)) {
            __builtin_prefetch(half + AHEAD);
            __builtin_prefetch(half + AHEAD + 64);
            step(half, n, codes, short_sums);
            codes[0] += 8;
            codes[1] += 8;
        }
        add_short(&ret[0], &short_sums[0]);
        if (n > 1)
            add_short(&ret[1], &short_sums[1]);
    }
}

/* An L that is not read counts as 7.5: then 16 H + L - 128 is 16 H - 120.5. */
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

void face_high_avx2(const uint8_t *highs, uint32_t dim, uint32_t n, const face_probe *probes,
                    uint32_t *masks, int32_t (*ret_sums)[FACE_GROUP]) {
    const face_tail *tail = face_tail_at(highs, dim);
    sums s[2];
    uint32_t q = 0;

    for (; q + 2 <= n; q += 2) {
        multiply(highs, dim, 2, probes + q, s);
        masks[q] = reaching(&probes[q], tail, &s[0], ret_sums[q]);
        masks[q + 1] = reaching(&probes[q + 1], tail, &s[1], ret_sums[q + 1]);
    }
    if (q < n) {
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
