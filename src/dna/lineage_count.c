/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/lineage.h>

#include <math.h>

static double log_gamma(double x) {
    int sign; /* lgamma() would keep it in a global */

    return lgamma_r(x, &sign);
}

/* Continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8), by the method of
 * Lentz; converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), h;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    h = d;
    for (int k = 1; k < 100000; k++) {
        double even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
        double odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
        double step = 1;

        for (int half = 0; half < 2; half++) {
            double term = half ? odd : even;

            d = 1 + term * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + term / c;
            c = fabs(c) < tiny ? tiny : c;
            step = c * d;
            h *= step;
        }
        if (fabs(step - 1) < 1e-16)
            break;
    }
    return h;
}

/* Regularised incomplete beta function I_x(a, b); a, b > 0. */
static double beta_share(double a, double b, double x) {
    double front;

    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* The x at which I_x(a, b) reaches `share`; I rises with x. */
static double beta_quantile(double a, double b, double share) {
    double low = 0, high = 1;

    for (int i = 0; i < 1100; i++) {
        double mid = low + (high - low) / 2;

        if (mid <= low || mid >= high)
            break;
        if (beta_share(a, b, mid) < share)
            low = mid;
        else
            high = mid;
    }
    return high;
}

double atg_clopper_pearson_upper(uint64_t x, uint64_t n, double alpha) {
    if (x >= n)
        return 1;
    return beta_quantile((double)x + 1, (double)(n - x), 1 - alpha);
}

double atg_clopper_pearson_lower(uint64_t x, uint64_t n, double alpha) {
    if (x == 0 || n == 0)
        return 0;
    return beta_quantile((double)(x < n ? x : n), x < n ? (double)(n - x) + 1 : 1, alpha);
}
