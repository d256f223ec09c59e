/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of numbers, found by a key. */
#ifndef ATG_DNA_ROWS_H
#define ATG_DNA_ROWS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rows {
    uint32_t n, cap, width; /* rows, slots (a power of two), values in a row: set by the owner */
    uint64_t *keys;         /* cap; 0: free, else key + 1 */
    uint32_t *at;           /* cap: row number */
    double *values;         /* n * width */
    uint32_t room;          /* rows that `values` has room for */
} rows;

/* The row of this key (below UINT64_MAX), valid until the next call; *ret_new when the caller has
 * to fill it.  NULL when memory is short. */
double *rows_get(rows *r, uint64_t key, bool *ret_new);
void rows_free(rows *r);

/* Spreads keys over slots. */
uint64_t rows_mix(uint64_t x);

#endif
