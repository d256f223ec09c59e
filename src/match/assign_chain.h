/* SPDX-License-Identifier: Apache-2.0 */
/* One Markov chain over the assignments of a part.  Its state is the set of bodies that each family
 * uses; who is who within a set is summed over. */
#ifndef ATG_MATCH_ASSIGN_CHAIN_H
#define ATG_MATCH_ASSIGN_CHAIN_H

#include "match/assign_joint.h"
#include "match/assign_problem.h"

/* A family with its tuples gathered by set. */
typedef struct chain_family {
    const family *family;
    uint32_t words;
    table sets; /* bits: place in family->bodies */
    uint32_t *skip;
    double *log_sum;  /* per set */
    uint32_t *set_of; /* per tuple, the added one too */
    double *share;    /* per tuple: of its set's weight */
    block block;      /* the sets as tuples over bodies of the part */
    uint32_t stride;  /* updated in every so many-th sweep */
    size_t occupied;  /* where its occupied bodies begin in chain.occupied */
    size_t first_set; /* where its sets begin in chain.mass */
} chain_family;

typedef struct chain_user {
    uint32_t family, bit;
} chain_user;

typedef struct chain_model {
    uint32_t n_families, n_bodies;
    chain_family *families;
    uint32_t *first_user;  /* per body of the part */
    chain_user *users;     /* families that list the body */
    const uint32_t *local; /* body -> number in the part */
    size_t n_words, n_sets;
    uint32_t most_sets;
} chain_model;

/* Sets that fit, with their weights. */
typedef struct chain_list {
    uint32_t n;
    uint32_t *set;
    xnum *weight;
    xnum total;
} chain_list;

enum { CHAIN_DEPTH = 3, CHAIN_BLOCK = 12 };

typedef struct chain {
    const chain_model *model;
    atg_rng rng;
    double heat;        /* 1: the posterior; less: flatter */
    uint32_t *set;      /* per family */
    uint64_t *occupied; /* per family a mask of its bodies that some family uses */
    chain_list list[CHAIN_DEPTH];
    double *mass;    /* per set: conditional probabilities added up */
    double *updates; /* per family: how many */
    bool counting;
    uint32_t block_most; /* families drawn together; settles before counting */
    uint64_t sweeps;
} chain;

int chain_model_make(chain_model *ret, const problem *pr, uint32_t index, pool *p);
int chain_new(chain *ret, const chain_model *m, uint64_t seed, pool *p);

/* Update every family once, some pairs and triples of them together, and now and then a larger
 * block.  0, or ATG_ENOMEM. */
int chain_sweep(chain *c);

#endif
