/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the elimination where most sets of few things occur: cells are numbered by the sets
 * themselves, a list of what does not meet a state takes the place of asking for each set, and sums
 * are plain numbers around a common power of two if these can hold them. */
#ifndef ATG_MATCH_ASSIGN_DENSE_H
#define ATG_MATCH_ASSIGN_DENSE_H

#include "match/assign_joint.h"

/* Of one step; `from` holds states of one word, below 2^bits. */
typedef struct dense_step {
    const table *from;
    const step *step;
    uint32_t bits;
    pool *pool;
    uint64_t pairs; /* of state and set looked at; counted up */
} dense_step;

/* What the states and the sets that do not meet them lead to: room has 2^bits cells.  0, or
 * pool->rc.  `sums`: as in joint_make. */
int dense_inwards(dense_step *s, bool sums, cell *room);

/* What completes the states (from_out) and goes with the sets (sets_out), from what completes the
 * states after the step, which drops nothing.  0, or pool->rc. */
int dense_outwards(dense_step *s, bool sums, cell *from_out, cell *sets_out);

#endif
