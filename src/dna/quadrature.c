/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/quadrature.h"

#include <math.h>

/* Recurrence of the monic polynomials orthogonal on (0, 1) under x^(a-1) (1-x)^(b-1):
 * p[k+1] = (x - alpha[k]) p[k] - beta[k] p[k-1]. */
static void recurrence(double a, double b, uint32_t n, double *alpha, double *beta) {
    for (uint32_t k = 0; k < n; k++) {
        /* Jacobi with exponents (b - 1) at 1 and (a - 1) at 0, moved from (-1, 1) to (0, 1) */
        double s = 2.0 * k + a + b - 2;

        if (k == 0) {
            alpha[k] = a / (a + b);
            beta[k] = 1;
            continue;
        }
        alpha[k] = 0.5 + ((a - 1) * (a - 1) - (b - 1) * (b - 1)) / (2 * s * (s + 2));
        if (k == 1)
            beta[k] = a * b / ((a + b) * (a + b) * (a + b + 1));
        else
            beta[k] = k * (k + a - 1) * (k + b - 1) * (k + a + b - 2) / (s * s * (s + 1) * (s - 1));
    }
}

/* Orthonormal polynomials at x; returns the n-th one's value and derivative, and the sum of the
 * squares of those below it. */
static double evaluate(double x, uint32_t n, const double *alpha, const double *beta,
                       double *ret_slope, double *ret_squares) {
    double before = 0, now = 1, slope_before = 0, slope = 0, squares = 0;

    for (uint32_t k = 0; k < n; k++) {
        double up = sqrt(beta[k + 1]), down = k ? sqrt(beta[k]) : 0;
        double next = ((x - alpha[k]) * now - down * before) / up;
        double slope_next = (now + (x - alpha[k]) * slope - down * slope_before) / up;

        squares += now * now;
        before = now;
        now = next;
        slope_before = slope;
        slope = slope_next;
    }
    *ret_slope = slope;
    *ret_squares = squares;
    return now;
}

/* Number of nodes below x, by the signs of the Sturm sequence. */
static uint32_t below(double x, uint32_t n, const double *alpha, const double *beta) {
    uint32_t count = 0;
    double d = 1;

    for (uint32_t k = 0; k < n; k++) {
        d = alpha[k] - x - (k ? beta[k] / d : 0);
        if (d == 0)
            d = 1e-300;
        count += d < 0;
    }
    return count;
}

/* Where node number i is, by bisection. */
static double bisect(uint32_t i, uint32_t n, const double *alpha, const double *beta) {
    double low = 0, high = 1;

    for (int k = 0; k < 1100 && high - low > 1e-15 * high; k++) {
        double x = low > 0 ? (low + high) / 2 : high > 1e-8 ? high / 2 : high / 1e8;

        if (below(x, n, alpha, beta) > i)
            high = x;
        else
            low = x;
    }
    return (low + high) / 2;
}

/* A node to the last place, by Newton's steps. */
static double polish(double x, uint32_t n, const double *alpha, const double *beta) {
    for (int k = 0; k < 3; k++) {
        double slope, squares, value = evaluate(x, n, alpha, beta, &slope, &squares);
        double next = x - value / slope;

        if (!(fabs(next - x) < 1e-6 * x) || !(next > 0 && next < 1))
            break;
        x = next;
    }
    return x;
}

int quadrature_beta(double a, double b, uint32_t n, double *ret_nodes, double *ret_weights,
                    atg_err *err) {
    double alpha[QUADRATURE_MAX + 1], beta[QUADRATURE_MAX + 1];

    if (n == 0 || n > QUADRATURE_MAX || !(a > 0) || !(b > 0))
        return atg_fail(err, ATG_ELIMIT, "A quadrature of %u nodes is not possible", n);
    recurrence(a, b, n + 1, alpha, beta);
    for (uint32_t i = 0; i < n; i++) {
        double slope, squares, x = polish(bisect(i, n, alpha, beta), n, alpha, beta);

        evaluate(x, n, alpha, beta, &slope, &squares);
        ret_nodes[i] = x;
        ret_weights[i] = 1 / squares;
    }
    return ATG_OK;
}
