/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static const double LARGEST = 1e30;     /* of a table: sums stay finite in fp32 */
static const double SMALLEST = 1e-12;   /* but 0 */
static const double EXCLUDED_MEAN = -4; /* what an exclusion counts in the order of lanes */

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Not enough memory for the scan");
}

static int check_shape(uint32_t n_markers, const uint32_t *n_rows, atg_err *err) {
    if (n_markers > ATG_MARKERS_MAX)
        return atg_fail(err, ATG_ELIMIT, "%u markers to scan; at most %d are possible", n_markers,
                        ATG_MARKERS_MAX);
    for (uint32_t m = 0; m < n_markers; m++)
        if (n_rows[m] > ATG_SCAN_ROWS_MAX)
            return atg_fail(err, ATG_ELIMIT,
                            "%u distinct observations at one marker; at most %d are possible",
                            n_rows[m], ATG_SCAN_ROWS_MAX);
    return ATG_OK;
}

/* Everything but the tables, in a scan that is all 0. */
static int shape(atg_scan *scan, uint32_t n_markers, const uint32_t *n_rows, uint32_t n_missing,
                 atg_err *err) {
    int rc = check_shape(n_markers, n_rows, err);

    if (rc)
        return rc;
    scan->n_markers = n_markers;
    scan->n_missing = n_missing;
    scan->offset = mem_zero(n_markers + 1, sizeof(*scan->offset));
    scan->sex = mem_zero(n_missing, 1);
    if (!scan->offset || !scan->sex)
        return no_memory(err);
    for (uint32_t m = 0; m < n_markers; m++)
        scan->offset[m + 1] = scan->offset[m] + n_rows[m];
    scan->stride = (scan_n_rows(scan) / SCAN_STRIP + 1) * SCAN_STRIP;
    return ATG_OK;
}

int atg_scan_new(uint32_t n_markers, const uint32_t *n_rows, uint32_t n_missing, atg_scan **ret,
                 atg_err *err) {
    ATG_AUTO(atg_scan) scan = mem_zero(1, sizeof(*scan));

    if (!scan)
        return no_memory(err);

    int rc = shape(scan, n_markers, n_rows, n_missing, err);

    if (rc)
        return rc;
    scan->ranges = mem_zero(n_missing, sizeof(*scan->ranges));
    scan->tables = mem_zero(n_missing * scan->stride + SCAN_BEHIND, sizeof(*scan->tables));
    if (!scan->ranges || !scan->tables)
        return atg_fail(err, ATG_ENOMEM,
                        "Not enough memory for the tables of %u missing persons; scan them in "
                        "parts",
                        n_missing);
    *ret = scan;
    scan = NULL;
    return ATG_OK;
}

int atg_scan_stream(uint32_t n_markers, const uint32_t *n_rows, uint32_t n_missing,
                    atg_scan_table_fn *fn, void *user, atg_scan **ret, atg_err *err) {
    ATG_AUTO(atg_scan) scan = mem_zero(1, sizeof(*scan));

    if (!scan)
        return no_memory(err);

    int rc = shape(scan, n_markers, n_rows, n_missing, err);

    if (rc)
        return rc;
    scan->fn = fn;
    scan->user = user;
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

/* The rows of one marker; what they add to `range`. */
static void set_marker(const double *rows, uint32_t n, float *ret, scan_range *range) {
    double high = 0, low = 0, sum = 0;

    for (uint32_t row = 0; row < n; row++) {
        double v = rows[row] > LARGEST ? LARGEST : rows[row];
        bool out = !(v >= -LARGEST);

        v = fabs(v) < SMALLEST ? 0 : v;
        high = v > high ? v : high;
        low = v < low && !out ? v : low;
        sum += v > EXCLUDED_MEAN ? v : EXCLUDED_MEAN;
        range->out |= out;
        ret[row] = out ? -INFINITY : (float)v;
    }
    range->high += high;
    range->low += low;
    range->span += fmax(high, -low);
    range->mean += n ? sum / n : 0;
}

scan_range scan_set_table(const atg_scan *scan, const double *const *table, float *ret) {
    scan_range range = {0};

    for (uint32_t m = 0; m < scan->n_markers; m++)
        set_marker(table[m], scan->offset[m + 1] - scan->offset[m], ret + scan->offset[m], &range);
    return range;
}

void atg_scan_set(atg_scan *scan, uint32_t missing, const double *const *table) {
    scan->ranges[missing] = scan_set_table(scan, table, scan->tables + missing * scan->stride);
}

void atg_scan_sexes(atg_scan *scan, const uint8_t *missing_sex) {
    memcpy(scan->sex, missing_sex, scan->n_missing);
}

void atg_scan_hits_free(atg_scan_hit *hits) {
    mem_free(hits);
}
