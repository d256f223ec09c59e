/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

static bool any_passes(const int32_t *sums, const int16_t *rest, const int16_t *lane_bar,
                       int16_t body_bar) {
    int32_t any = 0;

    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++) {
        int32_t most = sums[l] + rest[l];

        any |= (most >= body_bar) | (most >= lane_bar[l]);
    }
    return any != 0;
}

static uint64_t passing(const int32_t *sums, const int16_t *lane_bar, int16_t body_bar) {
    uint64_t lanes = 0;

    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
        lanes |= (uint64_t)(sums[l] >= body_bar || sums[l] >= lane_bar[l]) << l;
    return lanes;
}

uint32_t scan_kernel_portable(scan_tile *tile) {
    const scan_order *order = tile->order;
    uint32_t n_markers = order->phase_end[order->n_phases - 1], n_found = 0;

    for (uint32_t i = 0; i < tile->n; i++) {
        const uint32_t *lines = tile->lines + (size_t)tile->bodies[i] * n_markers;
        int32_t sums[ATG_SCAN_LANES] = {0};
        bool alive = true;

        for (uint32_t p = 0, j = 0; p < order->n_phases && alive; p++) {
            for (; j < order->phase_end[p]; j++) {
                const int16_t *line = tile->block->lines + lines[j];

                for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
                    sums[l] += line[l];
            }
            alive = any_passes(sums, tile->block->rest[p], tile->lane_bar, tile->body_bar[i]);
        }
        if (alive) {
            tile->found[n_found] = i;
            tile->found_lanes[n_found++] = passing(sums, tile->lane_bar, tile->body_bar[i]);
        }
    }
    return n_found;
}

bool scan_has_avx2(void) {
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}
