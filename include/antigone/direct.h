/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/direct.h
 * Direct comparison: is this the DNA of one person?  Parts of one body, duplicates, staff.
 */
#ifndef ATG_DIRECT_H
#define ATG_DIRECT_H

#include <antigone/dna.h>

/** Two profiles at one marker. */
typedef struct atg_direct {
    uint32_t n_compared;  /**< Markers typed in both. */
    uint32_t n_different; /**< Of these, not explained without drop-out or drop-in. */
    double log10_lr;      /**< Same person against unrelated; -INFINITY when impossible. */
} atg_direct;

/** Compare two samples (or a sample and a relative's genotypes) over all autosomal and X markers:
 *  LR = sum_g P(x|g) P(y|g) P(g) / (P(x) P(y)), at theta > 0 with one common pool. */
ATG_API ATG_MUST_USE int atg_direct_compare(const atg_operation *op, const atg_sample *x,
                                            const atg_sample *y, atg_direct *ret,
                                            double *ret_per_marker, atg_err *err);

/** Markers at which an own sample of a missing person takes part in the comparison with `sample`:
 *  typed in both, autosomal, or X with both sexes recorded.  `ret` (one per marker) may be NULL. */
ATG_API uint32_t atg_own_compared(const atg_operation *op, const atg_sample *sample,
                                  uint32_t missing, bool *ret);

/** One body after its samples were merged. */
typedef struct atg_body {
    atg_sample merged; /**< id is the body's text, or the only sample's id. */
    uint32_t n_samples;
    const uint32_t *samples; /**< Indices in op->samples. */
    atg_str refused;         /**< Not empty: why it takes no part in any comparison. */
    atg_str warning;         /**< Not empty: what the geneticist should look at. */
} atg_body;

/**
 * Samples that carry the same `body` become one profile: a marker typed in one is taken; in
 * several and equal, once; different where a drop-out (declared) explains it, the union with the
 * drop-out removed; else the body is refused with the markers named.  Mixtures are left out; a body
 * of nothing else is refused.  Where the profile contradicts the recorded sex, the merged sex is
 * unknown and `warning` says so.  Bodies are in the order of their first samples (docs/direct.md).
 * @return ATG_EINVAL when a sample without a body has the id of another sample's body.
 */
ATG_API ATG_MUST_USE int atg_merge_bodies(atg_arena *arena, const atg_operation *op,
                                          uint32_t *ret_n, const atg_body **ret, atg_err *err);

/** The operation with its merged, not refused bodies as samples (ids are the bodies').  A given
 *  prior must be the same for all samples of a body, else ATG_EINVAL. */
ATG_API ATG_MUST_USE int atg_merged_operation(atg_arena *arena, const atg_operation *op,
                                              uint32_t n_bodies, const atg_body *bodies,
                                              atg_operation *ret, atg_err *err);

#endif
