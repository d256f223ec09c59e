/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/elim_line.h"

void elim_line_avx2(const elim_weights *weights, const double *p, size_t step, uint32_t lines,
                    double *out) {
    elim_line_sum(weights, p, step, lines, out);
}
