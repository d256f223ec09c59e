/* SPDX-License-Identifier: Apache-2.0 */
#include "face/codes.h"

#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
#include "face/codes_wide.h"

/* Eight numbers of 32 templates, times those of n queries, which is known when it is compiled: one
 * instruction multiplies bytes and adds fours up in 32 bits, and there are 32 registers. */
static inline __attribute__((always_inline)) void
multiply(const uint8_t *half, uint32_t dim, size_t n, const face_probe *probes, sums *ret) {
    const __m256i mask = _mm256_set1_epi8(15);
    sums sum[TOGETHER];

    for (size_t i = 0; i < n; i++)
        for (size_t v = 0; v < VECTORS; v++)
            sum[i].v[v] = _mm256_setzero_si256();
    for (uint32_t d = 0; d < dim; d += 8, half += sizeof(sums)) {
        __builtin_prefetch(half + AHEAD);
        __builtin_prefetch(half + AHEAD + 64);
        for (size_t v = 0; v < VECTORS; v++) {
            __m256i both = _mm256_load_si256((const void *)(half + v * sizeof(__m256i)));
            __m256i lower = _mm256_and_si256(both, mask);
            __m256i upper = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);

            for (size_t i = 0; i < n; i++) {
                __m256i s =
                    _mm256_dpbusd_epi32(sum[i].v[v], lower, four_codes(probes[i].codes + d));

                sum[i].v[v] = _mm256_dpbusd_epi32(s, upper, four_codes(probes[i].codes + d + 4));
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        ret[i] = sum[i];
}

void face_high_vnni(const uint8_t *highs, uint32_t dim, uint32_t n, const face_probe *probes,
                    uint32_t *masks, int32_t (*ret_sums)[FACE_GROUP]) {
    const face_tail *tail = face_tail_at(highs, dim);
    sums s[TOGETHER];

    for (uint32_t q = 0; q < n;) {
        uint32_t some = n - q >= TOGETHER ? TOGETHER : 1;

        if (some > 1)
            multiply(highs, dim, TOGETHER, probes + q, s);
        else
            multiply(highs, dim, 1, probes + q, s);
        for (uint32_t i = 0; i < some; i++, q++)
            masks[q] = reaching(&probes[q], tail, &s[i], ret_sums[q]);
    }
}

#else

void face_high_vnni(const uint8_t *highs, uint32_t dim, uint32_t n, const face_probe *probes,
                    uint32_t *masks, int32_t (*ret_sums)[FACE_GROUP]) {
    face_high_avx2(highs, dim, n, probes, masks, ret_sums);
}

#endif
