/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#include <math.h>
#include <string.h>

enum {
    STRIP = 16,     /* rows transposed at a time: one cache line of a table */
    FINEST = 12,    /* units are no smaller than 2^-12 */
    OUT = INT16_MIN /* stands for -INFINITY */
};

/* The largest power of two that keeps every sum of finite values, and any such sum plus OUT, apart
 * and inside int16 (docs/scan.md, 2). */
static void choose_scale(const atg_scan *scan, scan_block *block, double *ret_span) {
    double high = 0, low = 0, span = 0, n = scan->n_markers;
    int power = FINEST;

    for (uint32_t l = 0; l < block->n_lanes; l++) {
        const scan_range *r = &scan->ranges[block->missing[l]];

        high = fmax(high, r->high);
        low = fmin(low, r->low);
        span = fmax(span, r->span);
    }
    if (high > low) {
        (void)frexp((SCAN_TOP - 2 * n - 2) / (high - low), &power);
        power = power - 1 < FINEST ? power - 1 : FINEST;
    }
    block->scale = ldexpf(1, power);
    block->floor = (int16_t)(ceil(ldexp(high, power)) + ceil(1.02 * n) + 2 + OUT);
    *ret_span = span;
}

/* Rounded up, and up a little more for what fp32 sums may gain by rounding. */
static inline int16_t round_up(float value, float scale, float more) {
    float x = value * scale + (value == 0 ? 0 : more);

    x = x > (float)OUT ? x : (float)OUT;

    int32_t i = (int32_t)x;

    return (int16_t)(i + ((float)i < x));
}

static void fill_strip(const atg_scan *scan, const scan_block *block, size_t row, size_t n,
                       float more) {
    int16_t *lines = block->lines + row * ATG_SCAN_LANES;
    size_t n_rows = scan_n_rows(scan);

    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++) {
        int16_t strip[STRIP];

        if (l < block->n_lanes) {
            const float *t = scan->table + block->missing[l] * n_rows + row;
            float values[STRIP] = {0};

            memcpy(values, t, n * sizeof(*t));
            for (size_t i = 0; i < STRIP; i++)
                strip[i] = round_up(values[i], block->scale, more);
        } else {
            for (size_t i = 0; i < STRIP; i++)
                strip[i] = OUT;
        }
        for (size_t i = 0; i < n; i++)
            lines[i * ATG_SCAN_LANES + l] = strip[i];
    }
}

/* The most that one marker can add, lane by lane, added to `rest`. */
static void add_most(const atg_scan *scan, const scan_block *block, uint32_t marker,
                     int16_t *rest) {
    int16_t most[ATG_SCAN_LANES] = {0};

    for (size_t row = scan->offset[marker]; row < scan->offset[marker + 1]; row++) {
        const int16_t *line = block->lines + row * ATG_SCAN_LANES;

        for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
            most[l] = line[l] > most[l] ? line[l] : most[l];
    }
    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
        rest[l] = (int16_t)(rest[l] + most[l]);
}

void scan_block_fill(const atg_scan *scan, const scan_order *order, scan_block *block) {
    size_t n_rows = scan_n_rows(scan);
    double span;

    choose_scale(scan, block, &span);

    float more = (float)ldexp(span * (double)block->scale, -22);

    for (size_t row = 0; row < n_rows; row += STRIP)
        fill_strip(scan, block, row, n_rows - row < STRIP ? n_rows - row : STRIP, more);
    memset(block->lines + n_rows * ATG_SCAN_LANES, 0, sizeof(int16_t) * ATG_SCAN_LANES);

    uint32_t j = scan->n_markers;

    memset(block->rest, 0, sizeof(block->rest));
    for (uint32_t p = order->n_phases; p-- > 0;) {
        if (p + 1 < order->n_phases)
            memcpy(block->rest[p], block->rest[p + 1], sizeof(block->rest[p]));
        while (j > order->phase_end[p])
            add_most(scan, block, order->marker[--j], block->rest[p]);
    }
}
