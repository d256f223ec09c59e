/* SPDX-License-Identifier: Apache-2.0 */
/* The sequential sampling formula as an urn.  n alleles drawn one after another with a Dirichlet
 * distribution of total mass A behind them are the same as: draw a partition of the n by
 * P = A^k (s_1 - 1)! ... (s_k - 1)! / (A (A + 1) ... (A + n - 1)) for k blocks of s_i draws (Ewens
 * 1972; Blackwell & MacQueen 1973), then one allele for each block from the base distribution.
 * A likelihood is the sum over all partitions of the likelihood with the draws of a block tied:
 * all terms are positive, and their number depends on the draws only, not on the alleles. */
#ifndef ATG_DNA_URN_H
#define ATG_DNA_URN_H

#include <antigone/base.h>

enum { URN_DRAWS_MAX = 10 };

/* What draw d + 1 has to do with draw d. */
typedef enum urn_twin {
    URN_APART = 0, /* nothing */
    URN_EXCHANGE,  /* the two may be exchanged without changing anything */
    URN_COPY,      /* with probability 1/2 it is no draw, but the same allele again */
} urn_twin;

/* One partition, or several of the same value.  Of its weight, `weight`, the shares that the next
 * draws have: with z = A + n for one more draw, (A + n) (A + n + 1) for two, they are sums over
 * what the copies can be of weight / z, times the size of a block, times the sizes of two. */
typedef struct urn_term {
    const uint8_t *block; /* of each draw, numbered as they first appear */
    uint32_t n_blocks;
    double weight, none, one[URN_DRAWS_MAX], two[URN_DRAWS_MAX][URN_DRAWS_MAX];
} urn_term;

typedef int urn_fn(void *user, const urn_term *term, atg_err *err);

/* Partitions of n draws (Bell's number); INFINITY above URN_DRAWS_MAX. */
double urn_partitions(uint32_t n);

/* All partitions of n <= URN_DRAWS_MAX draws, before `more` (0, 1 or 2) further ones. */
int urn_each(double mass, uint32_t n, const urn_twin *twin, uint32_t more, urn_fn *fn, void *user,
             atg_err *err);

#endif
