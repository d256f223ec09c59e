/* SPDX-License-Identifier: Apache-2.0 */
/* Alleles drawn one after another from one pool (theta), of which each has a vector: what its
 * descendants show, by the class of the allele.  The sum over all partitions of the draws
 * (dna/urn.h) of the product over blocks
 *     A (s - 1)! sum over a of base(a) product over the block of f(a)
 * is taken by subsets: with Z of no draw 1, Z(S) = sum over the blocks B in S that have the first
 * draw of S of its block's term times Z(S \ B).  That is 3^n steps, where the partitions grow as
 * Bell's numbers. */
#ifndef ATG_DNA_DRAWS_H
#define ATG_DNA_DRAWS_H

#include "dna/draws_outer.h"

enum { DRAWS_REST_MAX = 10 };

typedef struct draws {
    uint32_t n; /* classes */
    double mass;
    const double *base; /* n */
    double *room;       /* owned */
    double *all;        /* subset * n: the product of its vectors */
    double *with;       /* subset * n: what the second kept draw may be, these draws left over */
    double *left, *right;
    draws_outer *outer;
    double block[1 << DRAWS_REST_MAX], z[1 << DRAWS_REST_MAX];
} draws;

/* One term: draws whose allele nobody looks at, and up to two whose class is kept. */
typedef struct draws_term {
    double weight;
    uint32_t n_rest;
    const double *rest[DRAWS_REST_MAX]; /* n values each */
    const double *kept[2];              /* n values each, or NULL: there is none */
    bool drawn[2];                      /* from the pool; else it is independent of it */
} draws_term;

/* Room for up to n_rest further draws. */
int draws_open(draws *p, uint32_t n_classes, double mass, const double *base, uint32_t n_rest,
               atg_err *err);
void draws_close(draws *p);

/* Add a term to `ret`: n * n cells, the first kept draw slowest; n with one; 1 with none. */
void draws_add(draws *p, const draws_term *t, double *ret);

#endif
