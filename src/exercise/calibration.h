/* SPDX-License-Identifier: Apache-2.0 */
/* How well likelihood ratios and posteriors agree with the truth. */
#ifndef ATG_EXERCISE_CALIBRATION_H
#define ATG_EXERCISE_CALIBRATION_H

#include <antigone/exercise.h>

#include "base/cllr.h"

enum { CALIBRATION_BINS = 5 };

/* What one unit of the bootstrap (a body or a run) adds to each figure. */
typedef struct calibration_unit {
    double cost[2]; /* sum of ln(1 + LR) over false pairs, of ln(1 + 1 / LR) over true ones */
    uint32_t n[2];
    uint32_t bin_n[CALIBRATION_BINS], bin_true[CALIBRATION_BINS];
} calibration_unit;

extern const double calibration_edges[CALIBRATION_BINS + 1];

/* The bin that a posterior falls in, or -1; the last one includes its upper edge. */
int calibration_bin(double posterior);

void calibration_add(calibration_unit *unit, double log10_lr, double posterior, bool is_true);
void calibration_sum(calibration_unit *to, const calibration_unit *from);

/* Cllr (Bruemmer & du Preez 2006); NAN without pairs of both kinds. */
double calibration_cllr(const calibration_unit *total);

/* Cllr after the best monotone recalibration (pool adjacent violators); sorts `pairs`. */
int calibration_cllr_min(cllr_case *pairs, size_t n, double *ret, atg_err *err);

/* Intervals of Cllr (percentiles) and of the bins (see docs/exercise.md), by resampling units;
 * `ret`'s bins hold their counts. */
int calibration_intervals(const calibration_unit *units, uint32_t n, atg_score *ret, atg_err *err);

/* Smallest k with P(at most k of these independent events) >= level; level < 1. */
int calibration_quantile(const double *p, size_t n, double level, uint32_t *ret, atg_err *err);

#endif
