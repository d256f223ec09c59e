/* SPDX-License-Identifier: Apache-2.0 */
/* Ranked lists of assignments of some bodies, and their combination: the best k of a product of
 * independent lists need only the best k of each. */
#ifndef ATG_MATCH_ASSIGN_RANK_H
#define ATG_MATCH_ASSIGN_RANK_H

#include "match/assign_pool.h"

typedef struct ranked ranked;
struct ranked {
    uint32_t n;   /* best first; ties in lexicographic order, nobody last */
    int64_t *key; /* what they are ranked by; each list's own zero */
    double *log_weight;
    uint32_t n_bodies;          /* of a list of its own: */
    const uint32_t *bodies;     /* ascending */
    const uint32_t *missing;    /* n * n_bodies; UINT32_MAX: nobody */
    const ranked *left, *right; /* of a product: */
    uint32_t *item[2];          /* per item: which of left, which of right */
};

/* The best k of the product of `n` >= 1 lists (pointers to lists that stay). */
int rank_product(pool *p, const ranked **lists, uint32_t n, uint32_t k, const ranked **ret);

/* Write an item: missing_of[body] for the bodies of the list that are somebody. */
void rank_write(const ranked *r, uint32_t item, int32_t *missing_of);

/* Compare two vectors of missing persons. */
static inline int rank_lexicographic(const uint32_t *a, const uint32_t *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

#endif
