/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/draws_outer.h"

void draws_outer_avx2(uint32_t n, uint32_t n_sets, const double *left, const double *right,
                      double *ret) {
    draws_outer_rows(n, n_sets, left, right, ret);
}
