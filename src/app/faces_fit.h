/* SPDX-License-Identifier: Apache-2.0 */
/* A calibration of faces from the closed cases to its plots, as one use case. */
#ifndef ATG_APP_FACES_FIT_H
#define ATG_APP_FACES_FIT_H

#include "app/faces_calibrate.h"

typedef struct faces_fit_wish {
    double cap; /* 0: FACE_CAP */
    bool plots;
} faces_fit_wish;

typedef struct faces_fitted {
    face_calibration calibration;
    uint32_t n_operations, n_denied; /* as in faces_closed */
    atg_str page;                    /* with the plots, as HTML; empty: not asked for */
} faces_fitted;

/* Take the closed cases that an operation may be calibrated on, fit by logistic regression, keep
 * the result.  As faces_closed_of() and faces_calibrate() otherwise. */
int faces_fit(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
              const faces_fit_wish *wish, faces_fitted *ret, atg_err *err);

/* All but the page, which stands in it only where it was asked for. */
void faces_fitted_write(json *j, const faces_fitted *f);

#endif
