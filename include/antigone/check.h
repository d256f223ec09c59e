/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/check.h
 * Does a family fit its own pedigree?  For the geneticist only, and before any search: a family
 * that does not fit excludes nobody, and another reference is needed (docs/families.md).
 */
#ifndef ATG_CHECK_H
#define ATG_CHECK_H

#include <antigone/dna.h>

/** A family's fit to its own pedigree.  Private to the geneticist. */
typedef struct atg_family_check {
    uint32_t family;
    bool fits;                /**< False: excludes nobody; another reference is needed. */
    uint32_t n_compared;      /**< Markers at which two or more related persons, or two
                                   own samples of one, are typed. */
    uint32_t n_inconsistent;  /**< Markers impossible without mutation. */
    const bool *inconsistent; /**< One per marker of the operation. */
    int32_t suspect;          /**< Person whose leaving out repairs most; -1: none, or several
                                   do so alike. */
    uint32_t n_repaired;      /**< Inconsistent markers that leaving the suspect out repairs. */
    double log10_gain;        /**< log10 likelihood gained if the suspect is unrelated; where
                                   there is no suspect the largest of all; 0: not compared. */
    uint32_t n_typed;
    uint32_t n_sex_flags;
    const uint32_t *sex_flags; /**< Persons whose amelogenin, X or Y markers contradict the
                                    recorded sex. */
    atg_str note;              /**< One neutral sentence. */
} atg_family_check;

/**
 * Relatives who do not fit their pedigree; one result per family.  A family fits when at most
 * max_incompatible of its markers are impossible without mutation, when nobody's being unrelated
 * makes its data 100 times more probable (mutation allowed; at markers without a mutation model
 * 0.002 to any allele), and when no two persons have one profile.
 * Markers too entangled for an exact likelihood are not compared.  Runs on all processors.
 */
ATG_API ATG_MUST_USE int atg_check_families(atg_arena *arena, const atg_operation *op,
                                            const atg_family_check **ret, atg_err *err);

#endif
