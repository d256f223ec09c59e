/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/calibration.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

const double calibration_edges[] = {0.01, 0.5, 0.9, 0.99, 0.9995, 1};

int calibration_bin(double posterior) {
    int bin = -1;

    for (int i = 0; i < CALIBRATION_BINS; i++)
        if (posterior >= calibration_edges[i])
            bin = i;
    return bin;
}

/* ln(1 + e^x) */
static double softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

void calibration_add(calibration_unit *unit, double log10_lr, double posterior, bool is_true) {
    double ln = log10_lr * M_LN10;
    int bin = calibration_bin(posterior);

    unit->cost[is_true] += softplus(is_true ? -ln : ln);
    unit->n[is_true]++;
    if (bin >= 0) {
        unit->bin_n[bin]++;
        unit->bin_true[bin] += is_true;
    }
}

void calibration_sum(calibration_unit *to, const calibration_unit *from) {
    for (int i = 0; i < 2; i++) {
        to->cost[i] += from->cost[i];
        to->n[i] += from->n[i];
    }
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        to->bin_n[i] += from->bin_n[i];
        to->bin_true[i] += from->bin_true[i];
    }
}

double calibration_cllr(const calibration_unit *total) {
    if (!total->n[0] || !total->n[1])
        return NAN;
    return (total->cost[0] / total->n[0] + total->cost[1] / total->n[1]) / (2 * M_LN2);
}

static int compare_pairs(const void *a, const void *b) {
    double x = ((const calibration_pair *)a)->log10_lr, y = ((const calibration_pair *)b)->log10_lr;

    return (x > y) - (x < y);
}

/* Pairs that the recalibration gives one value. */
struct pool {
    double n, n_true;
};

static double share(struct pool p) {
    return p.n_true / p.n;
}

static size_t pool_violators(const calibration_pair *pairs, size_t n, struct pool *pools) {
    size_t k = 0;

    for (size_t i = 0, end; i < n; i = end) {
        struct pool p = {0, 0};

        for (end = i; end < n && pairs[end].log10_lr == pairs[i].log10_lr; end++) {
            p.n++;
            p.n_true += pairs[end].is_true;
        }
        while (k && share(pools[k - 1]) >= share(p)) {
            k--;
            p.n += pools[k].n;
            p.n_true += pools[k].n_true;
        }
        pools[k++] = p;
    }
    return k;
}

int calibration_cllr_min(calibration_pair *pairs, size_t n, double *ret, atg_err *err) {
    MEM_AUTO struct pool *pools = mem_zero(n, sizeof(*pools));
    double n_true = 0, cost[2] = {0, 0};
    size_t k;

    if (!pools)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the score of %zu pairs", n);
    if (n)
        qsort(pairs, n, sizeof(*pairs), compare_pairs);
    k = pool_violators(pairs, n, pools);
    for (size_t i = 0; i < k; i++)
        n_true += pools[i].n_true;
    for (size_t i = 0; i < k; i++) {
        double f = pools[i].n - pools[i].n_true, t = pools[i].n_true;
        double lr = t / f * ((double)n - n_true) / n_true;

        if (f > 0)
            cost[0] += f * log1p(lr);
        if (t > 0 && f > 0)
            cost[1] += t * log1p(1 / lr);
    }
    *ret = n_true > 0 && n_true < (double)n
               ? (cost[0] / ((double)n - n_true) + cost[1] / n_true) / (2 * M_LN2)
               : NAN;
    return ATG_OK;
}

int calibration_quantile(const double *p, size_t n, double level, uint32_t *ret, atg_err *err) {
    MEM_AUTO double *mass = NULL; /* P(k events) for k up to `most`, exactly */
    double mean = 0, sum = 0;
    size_t most, k = 0;

    for (size_t i = 0; i < n; i++)
        mean += p[i];
    most = (size_t)(mean + 10 * sqrt(mean) + 30); /* Chebyshev: beyond it lies less than 1 % */
    mass = mem_zero(most + 1, sizeof(*mass));
    if (!mass)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the score");
    mass[0] = 1;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1 < most ? i + 1 : most; j > 0; j--)
            mass[j] = mass[j] * (1 - p[i]) + mass[j - 1] * p[i];
        mass[0] *= 1 - p[i];
    }
    sum = mass[0];
    while (sum < level && k < most)
        sum += mass[++k];
    *ret = (uint32_t)k;
    return ATG_OK;
}
