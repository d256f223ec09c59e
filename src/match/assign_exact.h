/* SPDX-License-Identifier: Apache-2.0 */
/* The exact solution of one part. */
#ifndef ATG_MATCH_ASSIGN_EXACT_H
#define ATG_MATCH_ASSIGN_EXACT_H

#include "match/assign_joint.h"
#include "match/assign_problem.h"
#include "match/assign_rank.h"

/* Where the parts put what they find: each its own pairs, bodies, missing persons and row. */
typedef struct answer {
    double *body_nobody, *missing_nobody;
    int64_t *pair_best;      /* best weight of an assignment with the pair */
    int64_t *body_none_best; /* ... with the body unidentified */
    atg_assign_part *parts;
    double *count;         /* per part: possible assignments */
    const ranked **ranked; /* per part: its best assignments */
    pool *keep;            /* per part: memory of ranked */
    uint32_t n_top;
} answer;

/* A part as blocks.  Families of one missing person are blocks by themselves, or (the other way
 * round) are taken apart into one block per body, the missing person being a thing that can be
 * used once: the cheaper of both. */
typedef struct exact_block {
    const uint32_t *pair_of; /* n_places * n_listed: index of a pair, or ASSIGN_NONE */
    const uint32_t *missing; /* per place the missing person; NULL: a block of one body, in place
                                0, with the missing persons of place 1 as things */
} exact_block;

typedef struct exact_part {
    const problem *problem;
    const part *part;
    model model;
    exact_block *blocks;
    uint32_t n_singles; /* things part->n_bodies + i are these missing persons */
    const uint32_t *single_missing;
} exact_part;

/* With each family as a block. */
int exact_part_families(exact_part *ret, const problem *pr, uint32_t index, pool *p);
/* Whichever way is cheaper. */
int exact_part_make(exact_part *ret, const problem *pr, uint32_t index, pool *p);

/* Solve part `index` within the pool.  ATG_ELIMIT: too large. */
int exact_solve(const problem *pr, uint32_t index, pool *p, uint32_t threads, work *w, answer *ret);

#endif
