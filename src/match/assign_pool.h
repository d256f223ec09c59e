/* SPDX-License-Identifier: Apache-2.0 */
/* Working memory of one solution: a budget, pieces that may be given back early, and one call
 * that gives back the rest. */
#ifndef ATG_MATCH_ASSIGN_POOL_H
#define ATG_MATCH_ASSIGN_POOL_H

#include <antigone/base.h>

typedef struct pool {
    size_t left; /* bytes that may still be taken */
    int rc;      /* why the last refusal: ATG_ELIMIT (budget) or ATG_ENOMEM */
    struct pool_piece *head;
} pool;

pool pool_new(size_t budget);
void pool_free(pool *p);

/* The code for what was refused. */
static inline int pool_rc(const pool *p) {
    return p->rc ? p->rc : ATG_ENOMEM;
}

/* Zeroed memory, or NULL with p->rc set. */
void *pool_get(pool *p, size_t count, size_t size);
#define POOL_GET(p, type, count) ((type *)pool_get((p), (count), sizeof(type)))

/* Larger room for what `old` (may be NULL) holds; what is new is not zeroed.  NULL with p->rc set:
 * `old` stays. */
void *pool_grow(pool *p, void *old, size_t count, size_t size);

/* Give one piece back; NULL is accepted. */
void pool_drop(pool *p, void *bytes);

#endif
