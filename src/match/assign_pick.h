/* SPDX-License-Identifier: Apache-2.0 */
/* Which tuples can be in one of the best k assignments. */
#ifndef ATG_MATCH_ASSIGN_PICK_H
#define ATG_MATCH_ASSIGN_PICK_H

#include "match/assign_exact.h"

typedef struct picked {
    pool *pool;
    uint32_t **tuple; /* per block */
    uint32_t *n;
    uint64_t all;
} picked;

/* Tuples of all blocks. */
uint64_t pick_count(const joint *jt);
/* The n-th largest bound: the best assignment with a tuple is as good as its bound. */
int pick_nth_bound(const joint *jt, uint32_t n, pool *p, int64_t *ret);

/* Tuples whose bound is at least `least`, of one set the best k only.  ret->pool is given. */
int pick_tuples(const exact_part *x, const joint *jt, int64_t least, uint32_t k, picked *ret);

/* Who the body in a place of a tuple is; ASSIGN_NONE where the place holds a person. */
uint32_t pick_missing(const exact_part *x, uint32_t b, uint32_t tuple, uint32_t place);

#endif
