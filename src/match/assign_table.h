/* SPDX-License-Identifier: Apache-2.0 */
/* A table of sets: each set of things (a bit mask of some words) has a number, and values beside
 * it.  Serves the states of the joint and the sets of a family. */
#ifndef ATG_MATCH_ASSIGN_TABLE_H
#define ATG_MATCH_ASSIGN_TABLE_H

#include "match/assign_pool.h"
#include "match/assign_xnum.h"

enum {
    TABLE_WORDS_MAX = 16,
    TABLE_DIRECT_BITS = 26,
    TABLE_NONE = -1,
};

/* Log weights are added as integers (log weight * scale), so that neither the order of the
 * families nor that of the sums can break a tie.  They are below 2^58. */
#define TABLE_NEVER (INT64_MIN / 4)

/* What leads to a set, or completes it. */
typedef struct cell {
    xnum sum;     /* of weights; where sums are wanted */
    double count; /* of ways; 0: nothing was put here yet */
    int64_t best;
} cell;

typedef struct table {
    uint32_t words; /* of a set */
    uint32_t bits;  /* sets are below 2^bits */
    uint32_t n, cap;
    uint64_t *key;  /* n * words */
    cell *in;       /* n; what leads here */
    cell *out;      /* n; what completes it; made by the passes */
    uint32_t *slot; /* index + 1, 0 free */
    uint32_t slot_bits;
} table;

/* An empty table.  0, or p->rc. */
int table_init(table *t, pool *p, uint32_t words, uint32_t bits);
void table_drop(table *t, pool *p);

/* The table of the sets that have a count in room[0 .. 2^bits - 1]. */
int table_of(table *t, pool *p, uint32_t bits, const cell *room);

/* The number of `key`, made with an empty cell when it is new; TABLE_NONE with p->rc set when
 * memory is short. */
int64_t table_add(table *t, pool *p, const uint64_t *key);

/* Sort by key and tell where each number went (`moved`, n long). */
int table_sort(table *t, pool *p, uint32_t *moved);

/* In a sorted table, what follows a set and agrees with it from its lowest thing up is what extends
 * it downwards.  skip[i] is the first set behind i that does not extend it: where i meets a used
 * thing, so do all up to there. */
void table_skips(const table *t, uint32_t *skip);

/* Add one more way of some weight. */
static inline void cell_put(cell *c, xnum sum, double count, int64_t best, bool sums) {
    if (__builtin_expect(c->count == 0, 0)) {
        *c = (cell){sum, count, best};
        return;
    }
    if (sums)
        c->sum = xnum_add(c->sum, sum);
    c->count += count;
    c->best = c->best < best ? best : c->best;
}

static inline bool table_direct(const table *t) {
    return t->slot_bits == t->bits;
}

static inline size_t table_hash(const table *t, const uint64_t *key, uint32_t words) {
    uint64_t h = key[0];

    for (uint32_t i = 1; i < words; i++)
        h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9U + key[i];
    h *= 0x9e3779b97f4a7c15U;
    return (size_t)((h ^ (h >> 32)) * 0xbf58476d1ce4e5b9U >> (64 - t->slot_bits));
}

static inline bool table_same(const uint64_t *a, const uint64_t *b, uint32_t words) {
    for (uint32_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* The number of `key`, or TABLE_NONE.  `words` is t->words, given so that it can be a constant. */
static inline int64_t table_find(const table *t, const uint64_t *key, uint32_t words) {
    if (table_direct(t))
        return (int64_t)t->slot[key[0]] - 1;

    size_t last = ((size_t)1 << t->slot_bits) - 1;

    for (size_t h = table_hash(t, key, words);; h = (h + 1) & last) {
        if (!t->slot[h])
            return TABLE_NONE;
        if (table_same(t->key + (size_t)(t->slot[h] - 1) * words, key, words))
            return (int64_t)t->slot[h] - 1;
    }
}

#endif
