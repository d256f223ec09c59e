/* SPDX-License-Identifier: Apache-2.0 */
/* How well scores or likelihood ratios agree with a known truth: the cost Cllr (Bruemmer & du Preez
 * 2006), and the best monotone recalibration by pooling adjacent violators (Ayer et al. 1955). */
#ifndef ATG_BASE_CLLR_H
#define ATG_BASE_CLLR_H

#include <antigone/base.h>

typedef struct cllr_case {
    double score;
    float weight; /* 1, or how often a bootstrap drew it; 0: not */
    bool is_true;
} cllr_case;

/* Cases that the recalibration gives one value: scores low..high. */
typedef struct cllr_pool {
    double low, high;
    double n, n_true; /* sums of weights */
} cllr_pool;

/* ln(1 + 1 / LR) of a true case, ln(1 + LR) of a false one. */
double cllr_cost(double log10_lr, bool is_true);

/* From the sums of costs and weights of false [0] and true [1] cases; NAN without both. */
double cllr_of(const double cost[2], const double weight[2]);

/* By rising score. */
void cllr_sort(cllr_case *cases, size_t n);

/* The recalibration of sorted cases, rising; `ret` has room for n.  Returns how many pools. */
size_t cllr_pools(const cllr_case *cases, size_t n, cllr_pool *ret);

/* log10 LR of a pool among all: (true : false in it) over (true : false in all); may be infinite.
 */
double cllr_pool_lr(const cllr_pool *pool, double n, double n_true);

/* Cllr after the recalibration; NAN without cases of both kinds. */
double cllr_min(const cllr_pool *pools, size_t n);

/* For samples: sort rising, and the q-quantile (nearest rank) of n sorted values; NAN without. */
void cllr_sort_values(double *values, size_t n);
double cllr_quantile(const double *sorted, size_t n, double q);

#endif
