/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static const double LARGEST = 1e30;     /* of a table: sums stay finite in fp32 */
static const double EXCLUDED_MEAN = -4; /* what an exclusion counts in the order of lanes */

int atg_scan_new(uint32_t n_markers, const uint32_t *n_rows, uint32_t n_missing, atg_scan **ret,
                 atg_err *err) {
    ATG_AUTO(atg_scan) scan = NULL;

    if (n_markers > ATG_MARKERS_MAX)
        return atg_fail(err, ATG_ELIMIT, "%u markers to scan; at most %d are possible", n_markers,
                        ATG_MARKERS_MAX);
    for (uint32_t m = 0; m < n_markers; m++)
        if (n_rows[m] > ATG_SCAN_ROWS_MAX)
            return atg_fail(err, ATG_ELIMIT,
                            "%u distinct observations at one marker; at most %d are possible",
                            n_rows[m], ATG_SCAN_ROWS_MAX);
    scan = mem_zero(1, sizeof(*scan));
    if (!scan)
        return atg_fail(err, ATG_ENOMEM, "Not enough memory for the scan");
    scan->n_markers = n_markers;
    scan->n_missing = n_missing;
    scan->offset = mem_zero(n_markers + 1, sizeof(*scan->offset));
    scan->ranges = mem_zero(n_missing, sizeof(*scan->ranges));
    scan->sex = mem_zero(n_missing, 1);
    for (uint32_t m = 0; m < n_markers && scan->offset; m++)
        scan->offset[m + 1] = scan->offset[m] + n_rows[m];
    if (scan->offset) {
        scan->stride = (scan_n_rows(scan) / SCAN_STRIP + 1) * SCAN_STRIP;
        scan->tables = mem_zero(n_missing * scan->stride + (size_t)SCAN_AHEAD * SCAN_STRIP,
                                sizeof(*scan->tables));
    }
    if (!scan->offset || !scan->ranges || !scan->sex || !scan->tables)
        return atg_fail(err, ATG_ENOMEM,
                        "Not enough memory for the tables of %u missing persons; scan them in "
                        "parts",
                        n_missing);
    *ret = scan;
    scan = NULL;
    return ATG_OK;
}

void atg_scan_free(atg_scan *scan) {
    if (!scan)
        return;
    mem_free(scan->offset);
    mem_free(scan->tables);
    mem_free(scan->ranges);
    mem_free(scan->sex);
    mem_free(scan);
}

/* The rows of one marker; their mean, high, low and span are added to `range`. */
static void set_marker(const double *rows, uint32_t n, float *ret, scan_range *range) {
    double high = 0, low = 0, sum = 0;

    for (uint32_t row = 0; row < n; row++) {
        double v = rows[row] > LARGEST ? LARGEST : rows[row];
        bool out = !(v >= -LARGEST);

        high = v > high ? v : high;
        low = v < low && !out ? v : low;
        sum += v > EXCLUDED_MEAN ? v : EXCLUDED_MEAN;
        ret[row] = out ? -INFINITY : (float)v;
    }
    range->high += high;
    range->low += low;
    range->span += fmax(high, -low);
    range->mean += n ? sum / n : 0;
}

void atg_scan_set(atg_scan *scan, uint32_t missing, const double *const *table) {
    scan_range range = {0};
    float *to = scan_table(scan, missing);

    for (uint32_t m = 0; m < scan->n_markers; m++)
        set_marker(table[m], scan->offset[m + 1] - scan->offset[m], to + scan->offset[m], &range);
    scan->ranges[missing] = range;
}

void atg_scan_sexes(atg_scan *scan, const uint8_t *missing_sex) {
    memcpy(scan->sex, missing_sex, scan->n_missing);
}

void atg_scan_hits_free(atg_scan_hit *hits) {
    mem_free(hits);
}
