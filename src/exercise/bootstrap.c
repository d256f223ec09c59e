/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/calibration.h"

#include <antigone/lineage.h>

#include <math.h>

#include "base/mem.h"

enum { REPLICATES = 1000, SEED = 20060401 };

static const double level = 0.05;

static double log_choose(double n, double k) {
    int sign;

    return lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
}

/* Two-sided tail probability of x of n at share p: twice the tail that x lies in. */
static double tail(uint32_t x, uint32_t n, double p) {
    double odds = p / (1 - p), term, sum = 0;
    bool up = x > n * p;
    uint32_t k = x;

    if (p <= 0 || p >= 1 || n == 0)
        return 1;
    term = exp(log_choose(n, k) + k * log(p) + (n - k) * log1p(-p));
    while (term > sum * 1e-16) {
        sum += term;
        if (up) {
            term *= (n - k) / (k + 1.0) * odds;
            k++;
        } else {
            term *= k / (n - k + 1.0) / odds;
            k--;
        }
    }
    return fmin(1, 2 * sum);
}

static calibration_unit resample(const calibration_unit *units, uint32_t n, atg_rng *rng) {
    calibration_unit total = {0};

    for (uint32_t i = 0; i < n; i++)
        calibration_sum(&total, &units[atg_rng_below(rng, n)]);
    return total;
}

/* The level at which a Clopper-Pearson interval of each bin of `sample` would just reach the
 * whole's share in every bin. */
static double joint_level(const calibration_unit *sample, const calibration_unit *whole) {
    double p = 1;

    for (int i = 0; i < CALIBRATION_BINS; i++)
        if (whole->bin_n[i])
            p = fmin(p, tail(sample->bin_true[i], sample->bin_n[i],
                             (double)whole->bin_true[i] / whole->bin_n[i]));
    return p;
}

int calibration_intervals(const calibration_unit *units, uint32_t n, atg_score *ret, atg_err *err) {
    MEM_AUTO double *cllr = mem_alloc(REPLICATES * sizeof(*cllr));
    MEM_AUTO double *levels = mem_alloc(REPLICATES * sizeof(*levels));
    atg_rng rng = atg_rng_seed(SEED);
    calibration_unit whole = {0};
    uint32_t n_cllr = 0, n_bins = 0;
    double each;

    if (!cllr || !levels)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the score");
    for (uint32_t i = 0; i < n; i++)
        calibration_sum(&whole, &units[i]);
    for (uint32_t r = 0; r < REPLICATES; r++) {
        calibration_unit sample = resample(units, n, &rng);
        double c = calibration_cllr(&sample);

        if (!isnan(c))
            cllr[n_cllr++] = c;
        levels[r] = joint_level(&sample, &whole);
    }
    cllr_sort_values(cllr, n_cllr);
    cllr_sort_values(levels, REPLICATES);
    ret->cllr_lower = cllr_quantile(cllr, n_cllr, level / 2);
    ret->cllr_upper = cllr_quantile(cllr, n_cllr, 1 - level / 2);
    for (int i = 0; i < CALIBRATION_BINS; i++)
        n_bins += whole.bin_n[i] > 0;
    /* Bonferroni's level is enough for independent pairs, and needed where a bin is all true, of
     * which no resampling tells; pairs that depend on each other need a lower one */
    each = fmin(level / (n_bins ? n_bins : 1), cllr_quantile(levels, REPLICATES, level));
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        atg_reliability_bin *bin = &ret->bins[i];

        bin->lower = bin->n ? atg_clopper_pearson_lower(bin->n_true, bin->n, each / 2) : 0;
        bin->upper = bin->n ? atg_clopper_pearson_upper(bin->n_true, bin->n, each / 2) : 1;
    }
    return ATG_OK;
}
