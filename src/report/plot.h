/* SPDX-License-Identifier: Apache-2.0 */
/* Plots of likelihood ratios whose truth is known, as one <svg> element each. */
#ifndef ATG_REPORT_PLOT_H
#define ATG_REPORT_PLOT_H

#include <antigone/base.h>

/* log10 LRs of true and of false pairs; finite. */
typedef struct plot_lrs {
    uint64_t n_true, n_false;
    const double *of_true, *of_false;
} plot_lrs;

/* Tippett plot: the shares of true and of false pairs whose log10 LR is x or more.  Where the curve
 * of the false ones is high on the right, or that of the true ones low on the left, the LRs
 * mislead.  ATG_EINVAL without pairs of both kinds; ATG_ENOMEM. */
int plot_tippett(const plot_lrs *lrs, atg_buf *buf, atg_err *err);

/* Reliability: at even prior odds, the posterior that the LRs give against the share that is true,
 * in ten bins, each with its number of pairs.  Good LRs lie on the diagonal.  Errors as above. */
int plot_reliability(const plot_lrs *lrs, atg_buf *buf, atg_err *err);

#endif
