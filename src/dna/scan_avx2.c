/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#ifdef __AVX2__
#include <immintrin.h>

enum { VECTORS = ATG_SCAN_LANES / 16 };

static const size_t WIDTH = 16; /* lanes of a vector */

typedef struct line {
    __m256i v[VECTORS];
} line;

static inline __m256i get(const int16_t *p) {
    return _mm256_load_si256((const void *)p);
}

static inline line get_line(const int16_t *p) {
    line x;

    for (size_t v = 0; v < VECTORS; v++)
        x.v[v] = get(p + v * WIDTH);
    return x;
}

/* Lanes that miss both bars, as a mask in each vector. */
static inline line missed(line sums, line lane_bar, int16_t body_bar) {
    __m256i body = _mm256_set1_epi16(body_bar);

    for (size_t v = 0; v < VECTORS; v++)
        sums.v[v] = _mm256_cmpgt_epi16(_mm256_min_epi16(body, lane_bar.v[v]), sums.v[v]);
    return sums;
}

static inline bool all_missed(line miss) {
    __m256i all = miss.v[0];

    for (size_t v = 1; v < VECTORS; v++)
        all = _mm256_and_si256(all, miss.v[v]);
    return _mm256_movemask_epi8(all) == -1;
}

static inline uint64_t lanes_of(line miss) {
    uint64_t lanes = 0;

    for (size_t v = 0; v < VECTORS; v += 2) {
        __m256i pair = _mm256_packs_epi16(miss.v[v], miss.v[v + 1]);
        /* packs works within halves; this puts the quarters back in order */
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(pair, 0xd8));

        lanes |= (uint64_t)~bits << (v * WIDTH);
    }
    return lanes;
}

static inline line add_lines(line sums, const int16_t *table, const uint32_t *lines, uint32_t n) {
    for (uint32_t j = 0; j < n; j++)
        for (size_t v = 0; v < VECTORS; v++)
            sums.v[v] = _mm256_adds_epi16(sums.v[v], get(table + lines[j] + v * WIDTH));
    return sums;
}

uint32_t scan_kernel_avx2(scan_tile *tile) {
    static const uint32_t rest_line = 0;
    const scan_order *order = tile->order;
    const scan_block *block = tile->block;
    line lane_bar = get_line(tile->lane_bar), start;
    uint32_t n_found = 0;

    for (size_t v = 0; v < VECTORS; v++)
        start.v[v] = _mm256_set1_epi16(block->start);
    for (uint32_t i = 0; i < tile->n; i++) {
        const uint32_t *lines = tile->lines + (size_t)tile->bodies[i] * order->n;
        line sums = add_lines(start, block->lines, lines, order->check);

        if (order->check < order->n) {
            line most = add_lines(sums, block->rest, &rest_line, 1);

            if (all_missed(missed(most, lane_bar, tile->body_bar[i])))
                continue;
            sums = add_lines(sums, block->lines, lines + order->check, order->n - order->check);
        }
        sums = missed(sums, lane_bar, tile->body_bar[i]);
        if (all_missed(sums))
            continue;
        tile->found[n_found] = i;
        tile->found_lanes[n_found++] = lanes_of(sums);
    }
    return n_found;
}

#else

uint32_t scan_kernel_avx2(scan_tile *tile) {
    return scan_kernel_portable(tile);
}

#endif
