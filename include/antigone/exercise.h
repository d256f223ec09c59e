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
    uint32_t n_missing;    /**< 1..200000. */
    uint32_t n_bodies;     /**< Bodies and parts recovered; 0: about 7 / 6 of n_missing. */
    double unlisted;       /**< Share of bodies that are nobody on the list. */
    double not_found;      /**< Share of missing who are not among the bodies. */
    double degraded;       /**< Share of samples with drop-out. */
    double partial;        /**< Share of samples with missing markers. */
    double fragments;      /**< Share of bodies that come as two or three parts. */
    double wrong_relation; /**< Share of typed relatives who are not what the family reports. */
    double swapped;        /**< Share of samples whose labels are exchanged. */
    double own;            /**< Share of missing with an own sample, read as remains are. */
    atg_mutation mutation; /**< Of both sexes (rate of the male 1 times `male_factor`). */
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
    } * wrong; /**< Relatives who are not what the family reports. */
    atg_exercise_options options;
} atg_truth;

/** Make an operation on the markers of `freqs_markers` (frequencies and names only are used). */
ATG_API ATG_MUST_USE int atg_exercise_make(atg_arena *arena, uint32_t n_markers,
                                           const atg_marker *freqs_markers,
                                           const atg_exercise_options *options, atg_operation *ret,
                                           atg_truth *ret_truth, atg_err *err);

ATG_API ATG_MUST_USE int atg_truth_write_json(const atg_truth *truth, const atg_operation *op,
                                              atg_buf *buf, atg_err *err);
ATG_API ATG_MUST_USE int atg_truth_read_json(atg_arena *arena, atg_str bytes,
                                             const atg_operation *op, atg_truth *ret, atg_err *err);

/** One bin of the reliability diagram: pairs whose posterior is in [from, to), the last one
 *  with its upper edge. */
typedef struct atg_reliability_bin {
    double from, to;
    uint32_t n, n_true;
    double mean_posterior; /**< NAN when empty. */
    double lower, upper;   /**< Simultaneous 95 % interval of the share that is true. */
} atg_reliability_bin;

/** docs/exercise.md defines each figure. */
typedef struct atg_score {
    uint32_t n_bodies, n_missing_found; /**< Bodies; missing who are among them. */
    uint32_t n_named; /**< Bodies named: probable, posterior at or above the threshold. */
    uint32_t n_right, n_wrong;
    uint32_t n_wrong_swapped;      /**< Of the wrong: the sample's label was exchanged. */
    double predicted_wrong;        /**< Sum of 1 - p over the named. */
    double wrong_q99;              /**< 99 % quantile of the Poisson-binomial that this predicts. */
    double wrong_bound95;          /**< One-sided 95 % upper bound of the error rate: 1 - 0.05^(1/n)
                                        at W = 0, about 3/n; 1 when nobody is named. */
    uint32_t n_missed;             /**< Missing who are among the bodies and were not rightly named,
                                        by the first reason that fits: */
    uint32_t missed_conflict;      /**< The evidence is against the true pair, or other bodies or
                                        missing compete with a pair that is strong by itself. */
    uint32_t missed_symmetric;     /**< Another missing person cannot be told apart. */
    uint32_t missed_few_markers;   /**< Fewer than two thirds of the markers were compared. */
    uint32_t missed_weak_family;   /**< The relatives prove too little. */
    double cllr, cllr_min;         /**< Of the pairwise LRs that the run kept (Bruemmer & du Preez
                                        2006); NAN without pairs of both kinds. */
    double cllr_lower, cllr_upper; /**< 95 % interval by bootstrap. */
    atg_reliability_bin bins[5];   /**< .01-.5-.9-.99-.9995-1 */
} atg_score;

/** Compare a run with the truth; pairs of bodies with exchanged labels count as names, and are left
 *  out of Cllr and the bins.  The bootstrap resamples bodies, from a fixed seed. */
ATG_API ATG_MUST_USE int atg_exercise_score(const atg_identification *run, const atg_truth *truth,
                                            atg_score *ret, atg_err *err);

/** Several runs as one; from ten runs on the bootstrap resamples runs. */
ATG_API ATG_MUST_USE int atg_exercise_score_runs(uint32_t n, const atg_identification *const *runs,
                                                 const atg_truth *const *truths, atg_score *ret,
                                                 atg_err *err);

#endif
