/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/app.h
 * The use cases: what the program does, without a terminal.
 */
#ifndef ATG_APP_H
#define ATG_APP_H

#include <antigone/check.h>
#include <antigone/exercise.h>
#include <antigone/identification.h>

typedef struct atg_identify_options {
    uint64_t seed;    /**< For parts that are sampled, and for simulated next steps. */
    uint32_t threads; /**< 0: all. */
    uint32_t best;    /**< Candidates kept per body and per missing person; 0: 20. */
    double floor;     /**< log10 LR from which every pair is kept (default -2). */
    uint32_t n_top;   /**< Best joint assignments to list; 0: 10. */
    bool no_details;  /**< Leave out per-marker tables and next steps. */
    bool raw;         /**< No process error and no pruning: reference conventions. */
} atg_identify_options;

/** Merge, check families, compare all with all, solve jointly, conclude, say what is next. */
ATG_API ATG_MUST_USE int atg_identify(atg_arena *arena, const atg_operation *op,
                                      const atg_identify_options *options,
                                      const atg_progress *progress, atg_identification *ret,
                                      atg_err *err);

/** Process error of DESIGN section 4: LR' = ((1 - e) LR + e) / (1 + (e / N)(LR - 1)), in log10. */
ATG_API double atg_process_error(double log10_lr, double e, uint32_t n);

/** Power of one missing person's family, by simulation conditional on what is typed, with the
 *  operation's theta (docs/power.md). */
typedef struct atg_power {
    double mean, std_error; /**< log10 LR of the true person, Monte Carlo error of the mean. */
    double p05, p50, p95;   /**< Quantiles of the same. */
    double share_above, share_above_se; /**< Share that reaches the threshold LR. */
    double exclusion_power;             /**< 1 - prod (1 - EP_m), NAN where not defined. */
    double expected_mismatch;
} atg_power;

typedef struct atg_power_candidate {
    uint32_t person;      /**< Untyped member of the family. */
    atg_power with;       /**< Power if that person were typed. */
    double gain, gain_se; /**< Of the mean log10 LR, over the same simulated persons. */
} atg_power_candidate;

typedef struct atg_power_options {
    uint32_t n_sim; /**< Simulated profiles; 0: 1. */
    uint64_t seed;
} atg_power_options;

typedef struct atg_power_result {
    atg_power now; /**< The family as it is. */
    uint32_t n_candidates;
    const atg_power_candidate *candidates; /**< Largest gain first. */
} atg_power_result;

ATG_API ATG_MUST_USE int atg_family_power(atg_arena *arena, const atg_operation *op,
                                          uint32_t missing, const atg_power_options *options,
                                          const atg_progress *progress, atg_power_result *ret,
                                          atg_err *err);

/** Where a profile of an operation stands. */
typedef enum atg_profile_kind {
    ATG_PROFILE_SAMPLE = 0, /**< samples[index] */
    ATG_PROFILE_STAFF,      /**< staff[index] */
    ATG_PROFILE_RELATIVE,   /**< families[index], its person `person` */
    ATG_PROFILE_OWN,        /**< That person's own sample number `own` */
} atg_profile_kind;

typedef struct atg_profile {
    atg_profile_kind kind;
    uint32_t index, person, own;
} atg_profile;

/** Two profiles that look like one person's, or that are declared to be of one body. */
typedef struct atg_same_person {
    atg_profile x, y; /**< In the order samples, staff, relatives, own samples. */
    bool declared;    /**< Two samples of one body. */
    atg_direct direct;
} atg_same_person;

typedef struct atg_same_persons {
    uint32_t n;
    const atg_same_person *pairs; /**< By x, then y. */
} atg_same_persons;

/**
 * Compare all profiles with each other: samples, staff and typed relatives.  Kept are pairs whose
 * log10 LR of "the same person" reaches `floor`, pairs of at least 8 markers that differ in at most
 * an eighth of them, and all pairs of samples declared to be of one body.  Pairs that show three
 * alleles at more than half of their markers are taken for two persons without computing.
 * @param threads  0: all.
 */
ATG_API ATG_MUST_USE int atg_find_same(atg_arena *arena, const atg_operation *op, double floor,
                                       uint32_t threads, const atg_progress *progress,
                                       atg_same_persons *ret, atg_err *err);

/** How many markers speak against each pair when mutation is left out of account. */
typedef struct atg_exclusions {
    const uint16_t *n_incompatible; /**< n_samples * n_missing: impossible without mutation,
                                         the family's own inconsistencies left out. */
    const uint16_t *n_compared;     /**< n_samples * n_missing: markers typed in the sample and in
                                         a relative, without contradiction in the family. */
    const uint16_t *n_own;          /**< n_families: markers at which the family's typed relatives
                                         contradict its pedigree. */
} atg_exclusions;

/** The exclusion matrix of an operation as it is, sample by sample.  @param threads  0: all. */
ATG_API ATG_MUST_USE int atg_exclusion_matrix(atg_arena *arena, const atg_operation *op,
                                              uint32_t threads, const atg_progress *progress,
                                              atg_exclusions *ret, atg_err *err);

#endif
