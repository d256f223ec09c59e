/* SPDX-License-Identifier: Apache-2.0 */
/* In which order to go through the blocks, and where to meet. */
#ifndef ATG_MATCH_ASSIGN_ORDER_H
#define ATG_MATCH_ASSIGN_ORDER_H

#include "match/assign_pool.h"

typedef struct order_graph {
    uint32_t n, n_things;
    const uint32_t *first;   /* n + 1: where a block's things begin in `thing` */
    const uint32_t *thing;   /* things that at least two blocks list */
    const double *log2_sets; /* at most so many sets */
    const uint32_t *places;
} order_graph;

/* `order` (n long), how many of them come before the middle, and log2 of the work. */
int order_find(pool *p, const order_graph *g, uint32_t starts, uint32_t *order,
               uint32_t *ret_middle, double *ret_cost);

/* log2 of the number of sets of at most k of n things. */
double order_log2_sets(uint32_t n, uint32_t k);

#endif
