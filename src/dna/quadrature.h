/* SPDX-License-Identifier: Apache-2.0 */
/* Gauss-Jacobi quadrature for the Beta distribution. */
#ifndef ATG_DNA_QUADRATURE_H
#define ATG_DNA_QUADRATURE_H

#include <antigone/base.h>

enum { QUADRATURE_MAX = 64 };

/* n nodes in (0, 1) and weights summing to 1 that integrate every polynomial of degree 2n - 1
 * exactly against Beta(a, b); a, b > 0.  Golub & Welsch (1969), nodes polished by Newton steps and
 * weights 1 / sum of squared orthonormal polynomials, for small weights to full precision. */
int quadrature_beta(double a, double b, uint32_t n, double *ret_nodes, double *ret_weights,
                    atg_err *err);

#endif
