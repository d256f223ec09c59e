/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/urn.h"

#include <math.h>
#include <string.h>

double urn_partitions(uint32_t n) {
    static const double bell[URN_DRAWS_MAX + 1] = {1,   1,   2,    5,     15,    52,
                                                   203, 877, 4140, 21147, 115975};

    return n <= URN_DRAWS_MAX ? bell[n] : INFINITY;
}

/* Add what a partition is when the copies of `set` are copies. */
static void add_sizes(double mass, uint32_t n, const urn_twin *twin, uint32_t set, double factor,
                      uint32_t more, urn_term *ret) {
    uint32_t size[URN_DRAWS_MAX] = {0}, drawn = 0;
    double weight = factor, share;

    for (uint32_t d = 0; d < n; d++) {
        uint8_t block = ret->block[d];

        if (d > 0 && twin[d - 1] == URN_COPY && set >> (d - 1) & 1)
            continue;
        weight *= (size[block] ? size[block] : mass) / (mass + drawn++);
        size[block]++;
    }
    share = weight;
    for (uint32_t k = 0; k < more; k++)
        share /= mass + drawn + k;
    ret->weight += weight;
    ret->none += share;
    for (uint32_t a = 0; a < ret->n_blocks; a++) {
        ret->one[a] += share * size[a];
        for (uint32_t b = 0; b < ret->n_blocks; b++)
            ret->two[a][b] += share * size[a] * size[b];
    }
}

static urn_term term_of(double mass, uint32_t n, const urn_twin *twin, const uint8_t *block,
                        uint32_t more, double factor) {
    urn_term ret = {.block = block};
    uint32_t may = 0; /* the pairs that may be copies: those in one block */

    for (uint32_t d = 0; d < n; d++) {
        ret.n_blocks = block[d] >= ret.n_blocks ? block[d] + 1U : ret.n_blocks;
        if (d + 1 < n && twin[d] == URN_COPY) {
            factor /= 2;
            may |= (block[d] == block[d + 1]) * (1U << d);
        }
    }
    for (uint32_t set = may;; set = (set - 1) & may) {
        add_sizes(mass, n, twin, set, factor, more, &ret);
        if (set == 0)
            return ret;
    }
}

/* Blocks numbered anew, as they first appear. */
static void renumber(uint32_t n, const uint8_t *block, uint8_t *ret) {
    uint8_t name[URN_DRAWS_MAX], next = 0;

    memset(name, UINT8_MAX, sizeof(name));
    for (uint32_t d = 0; d < n; d++) {
        if (name[block[d]] == UINT8_MAX)
            name[block[d]] = next++;
        ret[d] = name[block[d]];
    }
}

/* How many partitions the exchanges make of this one; 0 when another one stands for them. */
static uint32_t orbit(uint32_t n, const uint8_t *block, const urn_twin *twin) {
    uint8_t seen[1 << (URN_DRAWS_MAX / 2)][URN_DRAWS_MAX];
    uint32_t at[URN_DRAWS_MAX], n_twins = 0, n_seen = 0;

    for (uint32_t d = 0; d + 1 < n; d++)
        if (twin[d] == URN_EXCHANGE)
            at[n_twins++] = d;
    for (uint32_t set = 0; set < 1U << n_twins; set++) {
        uint8_t moved[URN_DRAWS_MAX], named[URN_DRAWS_MAX];
        uint32_t k = 0;

        memcpy(moved, block, n);
        for (uint32_t t = 0; t < n_twins; t++)
            if (set >> t & 1) {
                moved[at[t]] = block[at[t] + 1];
                moved[at[t] + 1] = block[at[t]];
            }
        renumber(n, moved, named);
        if (memcmp(named, block, n) < 0)
            return 0;
        while (k < n_seen && memcmp(seen[k], named, n) != 0)
            k++;
        if (k == n_seen)
            memcpy(seen[n_seen++], named, n);
    }
    return n_seen;
}

/* The next one in lexicographic order: draw d may be in a block up to one above all before it. */
static bool next(uint32_t n, uint8_t *block) {
    for (uint32_t d = n; d-- > 1;) {
        uint8_t most = 0;

        for (uint32_t e = 0; e < d; e++)
            most = block[e] > most ? block[e] : most;
        if (block[d] > most)
            continue;
        block[d]++;
        memset(block + d + 1, 0, n - d - 1);
        return true;
    }
    return false;
}

int urn_each(double mass, uint32_t n, const urn_twin *twin, uint32_t more, urn_fn *fn, void *user,
             atg_err *err) {
    uint8_t block[URN_DRAWS_MAX] = {0};

    if (n > URN_DRAWS_MAX)
        return atg_fail(err, ATG_ELIMIT, "%u alleles drawn with theta are too many", n);
    do {
        uint32_t alike = orbit(n, block, twin);
        urn_term term = {0};
        int rc = ATG_OK;

        if (alike) {
            term = term_of(mass, n, twin, block, more, alike);
            rc = fn(user, &term, err);
        }
        if (rc)
            return rc;
    } while (next(n, block));
    return ATG_OK;
}
