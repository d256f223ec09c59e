/* SPDX-License-Identifier: Apache-2.0 */
/* In which order to sum variables out.  The best order is hard to find (Arnborg et al. 1987); the
 * greedy one is near it on small pedigrees, and where its cost is noticeable others are tried. */
#ifndef ATG_DNA_ELIM_ORDER_H
#define ATG_DNA_ELIM_ORDER_H

#include "dna/elim.h"

typedef struct elim_step {
    uint32_t var;
    uint32_t rank; /* variables that share a table with it then; may exceed the room in `near` */
    double cost;   /* cells gone through */
    uint32_t near[ELIM_RANK_MAX];
} elim_step;

typedef struct elim_order elim_order;

elim_order *elim_order_new(void);
void elim_order_free(elim_order *o);

/* Begin with n variables in no table.  `dims` must stay as it is until the order was found. */
int elim_order_start(elim_order *o, uint32_t n, const uint32_t *dims);

/* These variables stand in one table. */
void elim_order_together(elim_order *o, uint32_t rank, const uint32_t *vars);

/* Find the order of all variables but the kept ones. */
int elim_order_find(elim_order *o, uint32_t n_keep, const uint32_t *keep);

uint32_t elim_order_steps(const elim_order *o);
const elim_step *elim_order_step(const elim_order *o, uint32_t i);

#endif
