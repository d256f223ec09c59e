/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and maxima over all assignments of one connected part, by dynamic programming over sets
 * of used things.  docs/joint.md has the mathematics.
 *
 * A part is a list of blocks (families) over things that may be used once (bodies; where single
 * missing persons are told apart by body, those persons too).  One tuple of each block is chosen
 * so that no thing is used twice.  Blocks are put in an order and cut in the middle; from both
 * ends states are carried inwards, a state being the set of used things that blocks beyond it
 * still want; in the middle both meet; then each state's completions are carried outwards. */
#ifndef ATG_MATCH_ASSIGN_JOINT_H
#define ATG_MATCH_ASSIGN_JOINT_H

#include "match/assign_table.h"

typedef struct block {
    uint32_t n_places;
    uint32_t n_tuples;        /* without the one that add_none adds */
    bool add_none;            /* tuple number n_tuples: nothing in any place, weight 1 */
    const int32_t *things;    /* n_tuples * n_places; negative: nothing */
    const uint32_t *thing_of; /* number of the thing for a number in `things`; NULL: itself */
    const double *log_weight; /* n_tuples */
    const int64_t *value;     /* n_tuples, instead of log_weight */
    uint32_t n_listed;
    const uint32_t *listed; /* the things in its tuples, ascending */
} block;

typedef struct model {
    uint32_t n_things, n_blocks;
    const block *blocks;
    double scale; /* of log weights as integers */
} model;

/* The tuples of one block that are still looked at. */
typedef struct view {
    const block *block;
    const uint32_t *pick; /* tuple numbers; NULL: all */
    uint32_t n;
} view;

static inline uint32_t view_tuple(const view *v, uint32_t i) {
    return v->pick ? v->pick[i] : i;
}

/* The thing in a place of a tuple, or -1. */
static inline int64_t block_thing(const block *b, uint32_t tuple, uint32_t place) {
    if (tuple >= b->n_tuples)
        return -1;

    int32_t raw = b->things[(size_t)tuple * b->n_places + place];

    return raw < 0 || !b->thing_of ? raw : (int64_t)b->thing_of[raw];
}

/* The log weight of a tuple as an integer. */
static inline int64_t block_value(const block *b, uint32_t tuple, double scale) {
    if (tuple >= b->n_tuples)
        return 0;
    return b->value ? b->value[tuple] : llrint(b->log_weight[tuple] * scale);
}

typedef struct drop {
    uint32_t thing, bit;
} drop;

/* One block in its place in the order. */
typedef struct step {
    uint32_t block;
    table sets;       /* of shared things in its tuples, ascending, with their weights */
    uint32_t *skip;   /* where to go on when a set meets a used thing: behind its supersets */
    uint32_t *set_of; /* per tuple of the view */
    uint64_t *keep;   /* bits that blocks beyond still want */
    uint32_t n_drops;
    drop *drops;  /* things that none beyond wants */
    table states; /* after it */
} step;

typedef struct side {
    uint32_t words, bits, n_steps;
    step *steps;
    table start;
} side;

typedef struct work {
    uint64_t done, most;          /* pairs of state and set looked at; 0: no ceiling */
    const atg_progress *progress; /* NULL off the calling thread */
} work;

typedef struct joint {
    const model *model;
    const view *views; /* one per block */
    bool sums;         /* not only the best is wanted */
    uint32_t n_middle;
    uint32_t *middle; /* things wanted from both sides */
    uint32_t *bit[2]; /* per thing and side: its bit */
    uint32_t *uses;   /* per thing: blocks that list it */
    side side[2];
    pool *pool;
    pool pools[2];      /* of the sides: what one may use does not depend on the other */
    size_t lent;        /* of the pool's budget to them */
    double *none_sum;   /* per thing: P(unused); of things in several blocks only */
    int64_t *none_best; /* per thing: best with it unused */
    xnum z;
    double count;
    int64_t best;
} joint;

enum { JOINT_STARTS_ALL = 16 };

/* Order the blocks, cut, and gather each block's tuples by set; `sums`: not only the best is
 * wanted.  Give it back with joint_free, also after a failure; the rest is the pool's.  `starts`:
 * orders to try. */
int joint_make(joint *ret, pool *p, const model *m, const view *views, bool sums, uint32_t starts);

/* Log2 of the work that joint_make's order would take. */
int joint_cost(pool *p, const model *m, double *ret);

/* Fills in z, count, best, none_sum, none_best and the `out` of every set; gives back the tables of
 * states.  `threads`: 2 does both sides at once. */
int joint_solve(joint *jt, uint32_t threads, work *w);
/* joint_solve in two: states from both ends with z, count and best, and in the left side's last
 * table what completes them; then the rest. */
int joint_inwards(joint *jt, uint32_t threads, work *w);
int joint_outwards(joint *jt, uint32_t threads, work *w);

/* Between the two: draw one assignment with its probability.  `tuples`: one per block, of blocks
 * with log weights and without added tuples. */
int joint_draw(joint *jt, work *w, atg_rng *rng, uint32_t *tuples);

/* For joint_draw: a side's last states, and their sets as numbers over the things of the middle. */
table *joint_end(joint *jt, uint32_t which);
void joint_middle_numbers(const joint *jt, uint32_t which, const table *t, uint32_t *ret);

void joint_free(joint *jt);

#endif
