/* SPDX-License-Identifier: Apache-2.0 */
/* One fit of a calibration to weighted cases. */
#ifndef ATG_FACE_CALIBRATE_PARTS_H
#define ATG_FACE_CALIBRATE_PARTS_H

#include "base/cllr.h"
#include "face/calibrate.h"

/* Beyond this a log10 LR is not followed: the cap lies far below. */
#define FACE_LR_END 3.0

typedef struct face_curve {
    face_method method;
    double slope, intercept; /* FACE_LOGISTIC: log10 LR = intercept + slope score */
    size_t n;                /* FACE_PAV: pools, in room of the caller's */
    cllr_pool *pools;
    double all, all_true; /* sums of weights */
} face_curve;

/* Fit to cases sorted by score; `n_cases` independent ones set the weight of the prior.  False
 * when there are not both kinds. */
bool face_curve_fit(face_curve *curve, const cllr_case *cases, size_t n, double n_cases);

/* log10 LR of a score, within FACE_LR_END. */
double face_curve_at(const face_curve *curve, double score);

/* Points of a rising curve, at most FACE_KNOTS_MAX: only score and log10_lr are set. */
uint32_t face_curve_knots(const face_curve *curve, face_knot ret[FACE_KNOTS_MAX]);

#endif
