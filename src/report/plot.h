/* SPDX-License-Identifier: Apache-2.0 */
/* Plots of likelihood ratios whose truth is known, as one <svg> element each: on white, in two
 * colours that colour-blind people tell apart (Okabe & Ito 2008), one of them dashed. */
#ifndef ATG_REPORT_PLOT_H
#define ATG_REPORT_PLOT_H

#include <antigone/base.h>

/* log10 LRs of true and of false pairs; finite. */
typedef struct plot_lrs {
    uint64_t n_true, n_false;
    const double *of_true, *of_false;
    uint32_t n_cases, n_others; /* persons with a true pair; with a false one */
    double cap;                 /* of the absolute log10 LR; 0: none */
} plot_lrs;

/* Tippett plot: the shares of true and of false pairs whose log10 LR is x or more.  Where the curve
 * of the false ones is high on the right, or that of the true ones low on the left, the LRs
 * mislead; how often they do is written out.  ATG_EINVAL without pairs of both kinds; ATG_ENOMEM.
 */
int plot_tippett(const plot_lrs *lrs, atg_buf *buf, atg_err *err);

/* Reliability: at even prior odds, the posterior that the LRs give against the share that is true,
 * in ten bins, each with its numbers of pairs.  Good LRs lie on the diagonal.  Bars are 95 %
 * Clopper-Pearson intervals in which each person counts as one case, however many pairs are
 * theirs.  Errors as above. */
int plot_reliability(const plot_lrs *lrs, atg_buf *buf, atg_err *err);

/* A calibration: what each score weighs, with the band of its interval, by rising score. */
typedef struct plot_point {
    double score, log10_lr, lower, upper;
} plot_point;
int plot_calibration(const plot_point *points, uint32_t n, double cap, atg_buf *buf, atg_err *err);

#endif
