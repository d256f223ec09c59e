/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/reference.h
 * Compare the engine with published results of other programs.
 */
#ifndef ATG_REFERENCE_H
#define ATG_REFERENCE_H

#include <antigone/base.h>

enum { ATG_REFERENCE_KINDS = 128 };

/** One kind of number in a file: how many were compared and how far they are apart. */
typedef struct atg_reference_kind {
    char name[48];
    uint64_t n;
    double worst; /**< Largest relative difference; INFINITY where one is 0 and the other not. */
    char worst_at[96];  /**< Where that was. */
    uint64_t n_skipped; /**< Not computed, for the reason given. */
    char skipped[160];
} atg_reference_kind;

typedef struct atg_reference {
    uint32_t n;
    atg_reference_kind kinds[ATG_REFERENCE_KINDS];
    double worst; /**< Over all kinds. */
} atg_reference;

/**
 * Compute everything that a reference file holds ("pedigrees" with pedigree likelihoods, LRs,
 * genotype distributions, exclusion power and kinship; "mutation-matrices/1"; "dvi-reference/1"
 * operations) and compare.  The results are added to `ret`, which starts as all zero.
 * @return ATG_EPARSE when the file is none of these.
 */
ATG_API ATG_MUST_USE int atg_reference_check(atg_str bytes, const atg_progress *progress,
                                             atg_reference *ret, atg_err *err);

/** Relative difference |x - y| / max(|x|, |y|); 0 when both are 0 or equal; infinities compare
 *  equal to themselves only. */
ATG_API double atg_relative_difference(double x, double y);

#endif
