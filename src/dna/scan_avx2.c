/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#ifdef __AVX2__
#include <immintrin.h>

enum { WIDTH = 16, VECTORS = ATG_SCAN_LANES / WIDTH };

typedef struct line {
    __m256i v[VECTORS];
} line;

static inline __m256i get(const int16_t *p) {
    return _mm256_load_si256((const void *)p);
}

static inline line get_line(const int16_t *p) {
    line x;

    for (int v = 0; v < VECTORS; v++)
        x.v[v] = get(p + v * WIDTH);
    return x;
}

/* Lanes that miss both bars, as a mask in each vector. */
static inline line missed(line sums, const int16_t *rest, const line *lane_bar, int16_t body_bar) {
    __m256i body = _mm256_set1_epi16(body_bar);

    for (int v = 0; v < VECTORS; v++)
        sums.v[v] = _mm256_cmpgt_epi16(_mm256_min_epi16(body, lane_bar->v[v]),
                                       _mm256_adds_epi16(sums.v[v], get(rest + v * WIDTH)));
    return sums;
}

static inline bool all_missed(line miss) {
    __m256i all = miss.v[0];

    for (int v = 1; v < VECTORS; v++)
        all = _mm256_and_si256(all, miss.v[v]);
    return _mm256_movemask_epi8(all) == -1;
}

static inline uint64_t lanes_of(line miss) {
    uint64_t lanes = 0;

    for (int v = 0; v < VECTORS; v += 2) {
        __m256i pair = _mm256_packs_epi16(miss.v[v], miss.v[v + 1]);
        /* packs works within halves; this puts the quarters back in order */
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(pair, 0xd8));

        lanes |= (uint64_t)~bits << (v * WIDTH);
    }
    return lanes;
}

/* Add up the lines of one phase for the bodies in `alive`, and keep those that may still pass: the
 * list and their sums move up, without a branch that could be guessed wrong. */
static uint32_t run_phase(scan_tile *tile, uint32_t phase, uint32_t *alive, uint32_t n) {
    const scan_order *order = tile->order;
    uint32_t n_markers = order->phase_end[order->n_phases - 1], n_left = 0;
    uint32_t from = phase ? order->phase_end[phase - 1] : 0, to = order->phase_end[phase];
    const int16_t *rest = tile->block->rest[phase], *table = tile->block->lines;
    line lane_bar = get_line(tile->lane_bar), none = {0};

    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = alive[k];
        const uint32_t *lines = tile->lines + (size_t)tile->bodies[i] * n_markers;
        line sums = phase ? get_line(tile->sums + (size_t)k * ATG_SCAN_LANES) : none;

        for (uint32_t j = from; j < to; j++)
            for (int v = 0; v < VECTORS; v++)
                sums.v[v] = _mm256_adds_epi16(sums.v[v], get(table + lines[j] + v * WIDTH));
        for (int v = 0; v < VECTORS; v++)
            _mm256_store_si256((void *)(tile->sums + (size_t)n_left * ATG_SCAN_LANES + v * WIDTH),
                               sums.v[v]);
        alive[n_left] = i;
        n_left += !all_missed(missed(sums, rest, &lane_bar, tile->body_bar[i]));
    }
    return n_left;
}

uint32_t scan_kernel_avx2(scan_tile *tile) {
    uint32_t last = tile->order->n_phases - 1, n = tile->n;
    line lane_bar = get_line(tile->lane_bar);

    for (uint32_t i = 0; i < n; i++)
        tile->found[i] = i;
    for (uint32_t p = 0; p <= last; p++)
        n = run_phase(tile, p, tile->found, n);
    for (uint32_t k = 0; k < n; k++)
        tile->found_lanes[k] =
            lanes_of(missed(get_line(tile->sums + (size_t)k * ATG_SCAN_LANES),
                            tile->block->rest[last], &lane_bar, tile->body_bar[tile->found[k]]));
    return n;
}

#else

uint32_t scan_kernel_avx2(scan_tile *tile) {
    return scan_kernel_portable(tile);
}

#endif
