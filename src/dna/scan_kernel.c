/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

static void add_lines(int32_t *sums, const int16_t *table, const uint32_t *lines, uint32_t n) {
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
            sums[l] += table[lines[j] + l];
}

/* As a sum that saturates: whatever is below reaches a bar at INT16_MIN. */
static int32_t saturated(int32_t sum) {
    return sum > INT16_MIN ? sum : INT16_MIN;
}

static bool any_passes(const int32_t *sums, const int16_t *rest, const int16_t *lane_bar,
                       int16_t body_bar) {
    int32_t any = 0;

    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++) {
        int32_t most = saturated(sums[l] + rest[l]);

        any |= (most >= body_bar) | (most >= lane_bar[l]);
    }
    return any != 0;
}

static uint64_t passing(const int32_t *sums, const int16_t *lane_bar, int16_t body_bar) {
    uint64_t lanes = 0;

    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
        lanes |= (uint64_t)(saturated(sums[l]) >= body_bar || saturated(sums[l]) >= lane_bar[l])
                 << l;
    return lanes;
}

uint32_t scan_kernel_portable(scan_tile *tile) {
    static const int16_t none[ATG_SCAN_LANES];
    const scan_order *order = tile->order;
    const scan_block *block = tile->block;
    uint32_t n_found = 0;

    for (uint32_t i = 0; i < tile->n; i++) {
        const uint32_t *lines = tile->lines + (size_t)tile->bodies[i] * order->n;
        int32_t sums[ATG_SCAN_LANES];

        for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
            sums[l] = block->start;
        add_lines(sums, block->lines, lines, order->check);
        if (order->check < order->n) {
            if (!any_passes(sums, block->rest, tile->lane_bar, tile->body_bar[i]))
                continue;
            add_lines(sums, block->lines, lines + order->check, order->n - order->check);
        }
        if (!any_passes(sums, none, tile->lane_bar, tile->body_bar[i]))
            continue;
        tile->found[n_found] = i;
        tile->found_lanes[n_found++] = passing(sums, tile->lane_bar, tile->body_bar[i]);
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
