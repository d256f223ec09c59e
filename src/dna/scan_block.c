/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#include <math.h>
#include <string.h>

enum {
    LINE = 16,      /* fp32 values of a cache line */
    FINEST = 12,    /* units are no smaller than 2^-12 */
    OUT = INT16_MIN /* stands for -INFINITY */
};

static int16_t clamp(double x) {
    return (int16_t)fmin(fmax(x, OUT), SCAN_TOP);
}

/* The largest power of two at which no sum overflows (docs/scan.md, 2). */
static void choose_scale(const atg_scan *scan, scan_block *block) {
    const scan_range *range = &block->range;
    double n = scan->n_markers, depth = range->out ? -range->low : -range->low / 2;
    double room = (range->out ? SCAN_TOP : SCAN_TOP - OUT) - 2 * n - 4;
    int power = FINEST;

    if (range->high + depth > 0) {
        (void)frexp(fmin(room / (range->high + depth), (SCAN_TOP - 2 * n) / range->high), &power);
        power = power - 1 < FINEST ? power - 1 : FINEST;
    }
    block->scale = ldexpf(1, power);
    if (range->out) {
        block->start = 0;
        block->floor = clamp(ceil(ldexp(range->high, power)) + ceil(1.04 * n) + 2 + OUT);
    } else {
        block->start = clamp(OUT + 2 + floor(ldexp(depth, power)));
        block->floor = OUT;
    }
}

/* Rounded up, and up a little more for what fp32 sums may gain by rounding; in plain steps that a
 * compiler turns into vectors. */
static void round_up(const float *values, float scale, float more, int16_t *ret) {
    for (size_t i = 0; i < SCAN_STRIP; i++) {
        float x = values[i] * scale + (values[i] == 0 ? 0 : more);

        x = x > (float)OUT ? x : (float)OUT;

        int32_t whole = (int32_t)x;

        ret[i] = (int16_t)(whole + ((float)whole < x));
    }
}

static void fill_strip(const scan_block *block, size_t row, float more) {
    int16_t *lines = block->lines + row * ATG_SCAN_LANES;

    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++) {
        int16_t strip[SCAN_STRIP];

        for (size_t i = 0; i < SCAN_STRIP; i++)
            strip[i] = OUT;
        if (l < block->n_lanes) {
            const float *values = block->tables[l] + row;

            for (size_t i = 0; i < SCAN_STRIP; i += LINE)
                __builtin_prefetch(values + SCAN_AHEAD + i);
            round_up(values, block->scale, more, strip);
        }
        for (size_t i = 0; i < SCAN_STRIP; i++)
            lines[i * ATG_SCAN_LANES + l] = strip[i];
    }
}

/* The most that one marker can add, lane by lane, added to block->rest. */
static void add_most(const atg_scan *scan, scan_block *block, uint32_t marker) {
    int16_t most[ATG_SCAN_LANES] = {0};

    for (size_t row = scan->offset[marker]; row < scan->offset[marker + 1]; row++) {
        const int16_t *line = block->lines + row * ATG_SCAN_LANES;

        for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
            most[l] = (int16_t)(line[l] > most[l] ? line[l] : most[l]);
    }
    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++)
        block->rest[l] = (int16_t)(block->rest[l] + most[l]);
}

void scan_block_fill(const atg_scan *scan, const scan_order *order, scan_block *block) {
    choose_scale(scan, block);

    float more = (float)ldexp(block->range.span * (double)block->scale, -22);

    for (size_t row = 0; row < scan->stride; row += SCAN_STRIP)
        fill_strip(block, row, more);
    memset(block->rest, 0, sizeof(block->rest));
    for (uint32_t j = order->check; j < order->n; j++)
        add_most(scan, block, order->marker[j]);
}
