/* SPDX-License-Identifier: Apache-2.0 */
/* Every missing person of an operation kept ready, so that a new body is ranked against all of
 * them, and a changed family against all bodies, in milliseconds.
 *
 * For each missing person and each marker that counts (atg_independent_markers) the likelihood
 * ratio of every genotype is kept in fp32, in blocks of WARM_LANES persons,
 * [block][genotype][lane]: a body with certain genotypes multiplies one line a marker.  An
 * observation that allows several genotypes g (drop-out, drop-in, "15/-") is the mean of their
 * ratios,
 *
 *     LR(o) = sum_g K(o | g) P(g) LR(g) / sum_g K(o | g) P(g),
 *
 * exact at theta 0; with theta > 0 P(g) is that of the population alone, so that LR(o) is near, and
 * whoever ranks scores what it shows again (atg_pair_lr).  A ranking is in fp32: six digits.
 *
 * Memory: 4 bytes a genotype and person: 20 kB a person with 24 markers of usual size.
 * One thread changes a store at a time, and nobody ranks meanwhile. */
#ifndef ATG_MATCH_WARM_H
#define ATG_MATCH_WARM_H

#include <antigone/dna.h>

enum { WARM_LANES = 64 };

typedef struct warm warm;

/* For the markers and theta of `op`, which must outlive it, and persons 0..capacity - 1. */
ATG_MUST_USE int warm_new(const atg_operation *op, uint32_t capacity, warm **ret, atg_err *err);
void warm_free(warm *w);
static inline void warm_freep(warm **p) {
    warm_free(*p);
}

/* Bytes of tables kept. */
size_t warm_bytes(const warm *w);

/* Compile the table of `op->missing[missing]` into place `at`; `op` has the markers of the store.
 * Several threads may put persons of different blocks at a time, each with its compiler. */
ATG_MUST_USE int warm_put(warm *w, atg_compiler *compiler, const atg_operation *op,
                          uint32_t missing, uint32_t at, atg_err *err);
/* Nobody is at this place any more. */
void warm_remove(warm *w, uint32_t at);

/* log10 LR of the body with each person, -INFINITY where excluded, where the sexes do not fit and
 * where nobody is; `ret` has `capacity` places.  @param threads  0: all. */
ATG_MUST_USE int warm_rank(const warm *w, const atg_sample *body, uint32_t threads, float *ret,
                           atg_err *err);
/* The same of one person with many bodies. */
ATG_MUST_USE int warm_rank_bodies(const warm *w, uint32_t at, uint32_t n, const atg_sample *bodies,
                                  float *ret, atg_err *err);

#endif
