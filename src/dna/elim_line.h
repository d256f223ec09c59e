/* SPDX-License-Identifier: Apache-2.0 */
/* The innermost sum of dna/elim.c, compiled once portably and once for AVX2: the same additions in
 * the same order, and so the same result. */
#ifndef ATG_DNA_ELIM_LINE_H
#define ATG_DNA_ELIM_LINE_H

#include <antigone/base.h>

enum {
    ELIM_DIM_MAX = 4096,  /* of a variable that is summed out */
    ELIM_LINE_BLOCK = 12, /* cells summed at once */
    ELIM_LINE_SLACK = 16, /* past a line: read and not used, or written before it is their turn */
};

/* What each value t of the variable counts; those that count nothing are left out. */
typedef struct elim_weights {
    uint32_t n;
    uint32_t at[ELIM_DIM_MAX];
    double w[ELIM_DIM_MAX];
} elim_weights;

/* out[l] = sum over t of its weight * p[t * step + l], for l < lines. */
typedef void elim_line(const elim_weights *weights, const double *p, size_t step, uint32_t lines,
                       double *out);

elim_line elim_line_portable, elim_line_avx2;

/* Cells as they lie in a table: side by side, aligned as one. */
typedef double elim_four __attribute__((vector_size(32), aligned(8), may_alias));

/* Four, eight or twelve cells, summed where they need no memory. */
static inline void elim_line_1(const elim_weights *weights, const double *p, size_t step,
                               double *out) {
    elim_four a = {0};

    for (uint32_t i = 0; i < weights->n; i++)
        a += weights->w[i] * *(const elim_four *)(p + weights->at[i] * step);
    *(elim_four *)out = a;
}

static inline void elim_line_2(const elim_weights *weights, const double *p, size_t step,
                               double *out) {
    elim_four a = {0}, b = {0};

    for (uint32_t i = 0; i < weights->n; i++) {
        const elim_four *at = (const elim_four *)(p + weights->at[i] * step);

        a += weights->w[i] * at[0];
        b += weights->w[i] * at[1];
    }
    *(elim_four *)out = a;
    *(elim_four *)(out + 4) = b;
}

static inline void elim_line_3(const elim_weights *weights, const double *p, size_t step,
                               double *out) {
    elim_four a = {0}, b = {0}, c = {0};

    for (uint32_t i = 0; i < weights->n; i++) {
        const elim_four *at = (const elim_four *)(p + weights->at[i] * step);

        a += weights->w[i] * at[0];
        b += weights->w[i] * at[1];
        c += weights->w[i] * at[2];
    }
    *(elim_four *)out = a;
    *(elim_four *)(out + 4) = b;
    *(elim_four *)(out + 8) = c;
}

static inline void elim_line_sum(const elim_weights *weights, const double *p, size_t step,
                                 uint32_t lines, double *out) {
    for (uint32_t l = 0; l < lines; l += ELIM_LINE_BLOCK)
        if (lines - l > 8)
            elim_line_3(weights, p + l, step, out + l);
        else if (lines - l > 4)
            elim_line_2(weights, p + l, step, out + l);
        else
            elim_line_1(weights, p + l, step, out + l);
}

#endif
