/* SPDX-License-Identifier: Apache-2.0 */
/* The innermost sum of dna/draws.h, compiled once portably and once for AVX2: the same additions in
 * the same order, and so the same result. */
#ifndef ATG_DNA_DRAWS_OUTER_H
#define ATG_DNA_DRAWS_OUTER_H

#include <antigone/base.h>

/* ret (n * n) += sum over s < n_sets of left[s] right[n_sets - 1 - s]', both n_sets * n. */
typedef void draws_outer(uint32_t n, uint32_t n_sets, const double *left, const double *right,
                         double *ret);

draws_outer draws_outer_portable, draws_outer_avx2;

static inline void draws_outer_row(uint32_t n, uint32_t n_sets, const double *left,
                                   const double *right, double *restrict row) {
    uint32_t s = 0;

    for (; s + 4 <= n_sets; s += 4) {
        const double *w = right + (size_t)(n_sets - 4 - s) * n;
        double a = left[(size_t)s * n], b = left[(size_t)(s + 1) * n];
        double c = left[(size_t)(s + 2) * n], d = left[(size_t)(s + 3) * n];

        for (uint32_t k = 0; k < n; k++)
            row[k] += a * w[3 * n + k] + b * w[2 * n + k] + c * w[n + k] + d * w[k];
    }
    for (; s < n_sets; s++) {
        const double *w = right + (size_t)(n_sets - 1 - s) * n;
        double a = left[(size_t)s * n];

        for (uint32_t k = 0; k < n; k++)
            row[k] += a * w[k];
    }
}

static inline void draws_outer_rows(uint32_t n, uint32_t n_sets, const double *left,
                                    const double *right, double *ret) {
    for (uint32_t a = 0; a < n; a++)
        draws_outer_row(n, n_sets, left + a, right, ret + (size_t)a * n);
}

#endif
