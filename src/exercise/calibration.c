/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/calibration.h"

#include <math.h>

#include "base/mem.h"

const double calibration_edges[] = {0.01, 0.5, 0.9, 0.99, 0.9995, 1};

int calibration_bin(double posterior) {
    int bin = -1;

    for (int i = 0; i < CALIBRATION_BINS; i++)
        if (posterior >= calibration_edges[i])
            bin = i;
    return bin;
}

void calibration_add(calibration_unit *unit, double log10_lr, double posterior, bool is_true) {
    int bin = calibration_bin(posterior);

    unit->cost[is_true] += cllr_cost(log10_lr, is_true);
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
    return cllr_of(total->cost, (const double[]){total->n[0], total->n[1]});
}

int calibration_cllr_min(cllr_case *pairs, size_t n, double *ret, atg_err *err) {
    MEM_AUTO cllr_pool *pools = mem_zero(n, sizeof(*pools));

    if (!pools)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the score of %zu pairs", n);
    cllr_sort(pairs, n);
    *ret = cllr_min(pools, cllr_pools(pairs, n, pools));
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
