/* SPDX-License-Identifier: Apache-2.0 */
/* The best assignments of a few blocks, by best-first search over the bodies. */
#ifndef ATG_MATCH_ASSIGN_BRANCH_H
#define ATG_MATCH_ASSIGN_BRANCH_H

#include "match/assign_joint.h"
#include "match/assign_rank.h"

typedef struct branch_block {
    block block; /* with values, all tuples listed */
    const double *log_weight;
    const uint32_t *missing; /* per tuple and place: who the body there is; UINT32_MAX where the
                                place holds none */
} branch_block;

typedef struct branch {
    uint32_t n_blocks, n_things, n_bodies;
    branch_block *blocks;
    uint32_t *bodies; /* things 0..n_bodies-1 are these, ascending */
    uint32_t threads; /* as for joint_solve */
} branch;

/* The best k, of those at most `slack` below the best one; the list lies in `keep`. */
int branch_rank(const branch *b, uint32_t k, int64_t slack, pool *p, pool *keep,
                const ranked **ret);

#endif
