/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    DROP_FROM = 8, /* markers: with fewer there is little to drop */
};

typedef struct lane_key {
    double mean;
    uint32_t missing;
    uint8_t sex;
} lane_key;

static int compare_lanes(const void *a, const void *b) {
    const lane_key *x = a, *y = b;

    if (x->sex != y->sex)
        return x->sex < y->sex ? -1 : 1;
    if (x->mean != y->mean)
        return x->mean > y->mean ? -1 : 1;
    return (x->missing > y->missing) - (x->missing < y->missing);
}

int scan_order_lanes(const atg_scan *scan, uint32_t *ret, atg_err *err) {
    MEM_AUTO lane_key *keys = mem_alloc(scan->n_missing * sizeof(*keys));

    if (!keys)
        return atg_fail(err, ATG_ENOMEM, "Not enough memory to sort the missing persons");
    for (uint32_t i = 0; i < scan->n_missing; i++)
        keys[i] = (lane_key){scan->ranges ? scan->ranges[i].mean : 0, i, scan->sex[i]};
    qsort(keys, scan->n_missing, sizeof(*keys), compare_lanes);
    for (uint32_t i = 0; i < scan->n_missing; i++)
        ret[i] = keys[i].missing;
    return ATG_OK;
}

/* Probability that two bodies typed at this marker have the same row. */
static double match_probability(const atg_scan *scan, uint32_t marker, const uint32_t *counts) {
    double sum = 0, squares = 0;

    for (uint32_t row = scan->offset[marker]; row < scan->offset[marker + 1]; row++) {
        sum += counts[row];
        squares += (double)counts[row] * counts[row];
    }
    return sum > 0 ? squares / (sum * sum) : 1;
}

int scan_order_markers(const atg_scan *scan, const atg_scan_bodies *bodies, bool drop,
                       scan_order *ret, atg_err *err) {
    MEM_AUTO uint32_t *counts = mem_zero(scan_n_rows(scan), sizeof(*counts));
    double drops[ATG_MARKERS_MAX];
    uint32_t n = scan->n_markers;

    if (!counts)
        return atg_fail(err, ATG_ENOMEM, "Not enough memory to sort the markers");
    for (uint32_t b = 0; b < bodies->n; b++)
        for (uint32_t m = 0; m < n; m++) {
            uint32_t row = scan->offset[m] + bodies->rows[(size_t)b * n + m];

            if (row < scan->offset[m + 1])
                counts[row]++;
        }
    for (uint32_t m = 0; m < n; m++) {
        double d = -match_probability(scan, m, counts);
        uint32_t j = m;

        for (; j && drops[j - 1] < d; j--) {
            drops[j] = drops[j - 1];
            ret->marker[j] = ret->marker[j - 1];
        }
        drops[j] = d;
        ret->marker[j] = m;
    }
    ret->n = n;
    ret->check = drop && n >= DROP_FROM ? 7 * n / 12 : n;
    return ATG_OK;
}
