/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/exercise.h
 * Synthetic operations with known truth, and the score of a run against it.
 */
#ifndef ATG_EXERCISE_H
#define ATG_EXERCISE_H

#include <antigone/identification.h>

typedef struct atg_exercise_options {
    uint64_t seed;
    uint32_t n_missing;        /**< 1..200000. */
    uint32_t n_bodies;         /**< Bodies and parts recovered; 0: about 7 / 6 of n_missing. */
    double unlisted;           /**< Share of bodies that are nobody on the list. */
    double not_found;          /**< Share of missing who are not among the bodies. */
    double degraded;           /**< Share of samples with drop-out. */
    double partial;            /**< Share of samples with missing markers. */
    double fragments;          /**< Share of bodies that come as two or three parts. */
    double wrong_relation;     /**< Share of typed relatives who are not what the family reports. */
    double swapped;            /**< Share of samples whose labels are exchanged. */
    atg_mutation mutation;     /**< Of both sexes (rate of the male 1 times `male_factor`). */
    double male_factor;
    double theta;
} atg_exercise_options;

/** The ferry accident of `make run`: 60 missing, 70 bodies and parts. */
ATG_API atg_exercise_options atg_exercise_default(void);

/** Who each sample really is, by the label of the sample. */
typedef struct atg_truth {
    uint32_t n_samples;
    const int32_t *missing_of_sample; /**< Index of the missing, or -1. */
    const bool *swapped;              /**< The label was exchanged with another sample's. */
    uint32_t n_relatives_wrong;
    const struct atg_truth_wrong {
        uint32_t family, person;
    } *wrong;                         /**< Relatives who are not what the family reports. */
    atg_exercise_options options;
} atg_truth;

/** Make an operation on the markers of `freqs_markers` (frequencies and names only are used). */
ATG_API ATG_MUST_USE int atg_exercise_make(atg_arena *arena, uint32_t n_markers,
                                           const atg_marker *freqs_markers,
                                           const atg_exercise_options *options,
                                           atg_operation *ret, atg_truth *ret_truth, atg_err *err);

ATG_API ATG_MUST_USE int atg_truth_write_json(const atg_truth *truth, const atg_operation *op,
                                              atg_buf *buf, atg_err *err);
ATG_API ATG_MUST_USE int atg_truth_read_json(atg_arena *arena, atg_str bytes,
                                             const atg_operation *op, atg_truth *ret,
                                             atg_err *err);

/** One bin of the reliability diagram. */
typedef struct atg_reliability_bin {
    double from, to;
    uint32_t n, n_true;
    double mean_posterior;
    double lower, upper; /**< Simultaneous 95 % interval of the share that is true. */
} atg_reliability_bin;

typedef struct atg_score {
    uint32_t n_bodies, n_missing_found; /**< Bodies; missing who are among them. */
    uint32_t n_named;       /**< Bodies named (posterior at or above the threshold). */
    uint32_t n_right, n_wrong;
    uint32_t n_wrong_swapped; /**< Of the wrong: the sample's label was exchanged. */
    double predicted_wrong; /**< Sum of 1 - p over the named. */
    double wrong_q99;       /**< 99 % quantile of the Poisson-binomial that predicts. */
    double wrong_bound95;   /**< One-sided 95 % upper bound of the error rate; 3 / n at W = 0. */
    uint32_t n_missed;      /**< Found, listed, and not named. */
    uint32_t missed_few_markers, missed_weak_family, missed_conflict, missed_symmetric;
    double cllr, cllr_min, cllr_lower, cllr_upper; /**< Of the pairwise LRs (Bruemmer 2006). */
    atg_reliability_bin bins[5]; /**< .01-.5-.9-.99-.9995-1 */
} atg_score;

ATG_API ATG_MUST_USE int atg_exercise_score(const atg_identification *run, const atg_truth *truth,
                                            atg_score *ret, atg_err *err);

#endif
