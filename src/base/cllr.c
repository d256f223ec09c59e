/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cllr.h"

#include <math.h>
#include <stdlib.h>

/* ln(1 + e^x) */
static double softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double cllr_cost(double log10_lr, bool is_true) {
    double ln = log10_lr * M_LN10;

    return softplus(is_true ? -ln : ln);
}

double cllr_of(const double cost[2], const double weight[2]) {
    if (weight[0] <= 0 || weight[1] <= 0)
        return NAN;
    return (cost[0] / weight[0] + cost[1] / weight[1]) / (2 * M_LN2);
}

static int compare_cases(const void *a, const void *b) {
    double x = ((const cllr_case *)a)->score, y = ((const cllr_case *)b)->score;

    return (x > y) - (x < y);
}

void cllr_sort(cllr_case *cases, size_t n) {
    if (n)
        qsort(cases, n, sizeof(*cases), compare_cases);
}

static double share(const cllr_pool *p) {
    return p->n_true / p->n;
}

size_t cllr_pools(const cllr_case *cases, size_t n, cllr_pool *ret) {
    size_t k = 0;

    for (size_t i = 0, end; i < n; i = end) {
        cllr_pool p = {cases[i].score, cases[i].score, 0, 0};

        for (end = i; end < n && cases[end].score == cases[i].score; end++) {
            p.n += (double)cases[end].weight;
            p.n_true += cases[end].is_true ? (double)cases[end].weight : 0;
        }
        if (p.n <= 0)
            continue;
        while (k && share(&ret[k - 1]) >= share(&p)) {
            k--;
            p.low = ret[k].low;
            p.n += ret[k].n;
            p.n_true += ret[k].n_true;
        }
        ret[k++] = p;
    }
    return k;
}

double cllr_pool_lr(const cllr_pool *pool, double n, double n_true) {
    return log10(pool->n_true / (pool->n - pool->n_true) * (n - n_true) / n_true);
}

double cllr_min(const cllr_pool *pools, size_t n) {
    double all = 0, n_true = 0, cost[2] = {0, 0}, weight[2];

    for (size_t i = 0; i < n; i++) {
        all += pools[i].n;
        n_true += pools[i].n_true;
    }
    for (size_t i = 0; i < n; i++) {
        double t = pools[i].n_true, f = pools[i].n - t;
        double lr = t / f * (all - n_true) / n_true;

        if (f > 0)
            cost[0] += f * log1p(lr);
        if (t > 0 && f > 0)
            cost[1] += t * log1p(1 / lr);
    }
    weight[0] = all - n_true;
    weight[1] = n_true;
    return cllr_of(cost, weight);
}

static int compare_values(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void cllr_sort_values(double *values, size_t n) {
    if (n)
        qsort(values, n, sizeof(*values), compare_values);
}

double cllr_quantile(const double *sorted, size_t n, double q) {
    return n ? sorted[(size_t)(q * (double)(n - 1) + 0.5)] : NAN;
}
