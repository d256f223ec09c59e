/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/assign.h
 * Joint identification: who is who, all at once, one body at most one missing person and one
 * missing person at most one body, with "nobody on the list" on both sides.
 *
 * The evidence enters as families: a family lists its possible tuples (which body, or nobody, is
 * in each of its missing persons' places) with a log weight = log likelihood ratio against
 * "all unrelated" + log prior odds of the pairs in it.  The weight of an assignment is the
 * product over families; the all-"nobody" tuple of a family always has log weight 0.
 */
#ifndef ATG_ASSIGN_H
#define ATG_ASSIGN_H

#include <antigone/base.h>

enum { ATG_ASSIGN_NOBODY = -1 };

typedef struct atg_assign_family {
    uint32_t n_missing;
    const uint32_t *missing; /**< n_missing indices; no two families share one. */
    uint64_t n_tuples;
    const int32_t *bodies;    /**< n_tuples * n_missing, body index or ATG_ASSIGN_NOBODY; no body
                                   twice in a tuple; the all-nobody tuple may be left out. */
    const double *log_weight; /**< n_tuples; within +-1e9 (impossible tuples are left out). */
} atg_assign_family;

typedef struct atg_assign_problem {
    uint32_t n_bodies, n_missing, n_families;
    const atg_assign_family *families;
} atg_assign_problem;

typedef struct atg_assign_options {
    uint64_t seed;       /**< For parts that are sampled. */
    uint32_t n_samples;  /**< Kept sweeps per chain for parts that are sampled; 0: 20000, fewer
                              (at least 400) for parts of more than 200 families. */
    uint32_t n_top;      /**< Best assignments to list (0 none, at most 1000). */
    uint32_t threads;    /**< 0: one. */
    bool force_sampling; /**< Tests: sample even what could be solved exactly. */
    size_t memory;       /**< Bytes the exact solution may use; 0: 1 GiB. */
} atg_assign_options;

/** One pair that is possible. */
typedef struct atg_assign_pair {
    uint32_t body, missing;
    double posterior; /**< P(body is missing). */
    double std_error; /**< 0 when exact; sampled: not below one over the effective number of
                           draws of what mixes worst in the part. */
    double log_glr;   /**< max over assignments with the pair / max over those without it
                           (there always is one: nobody identified); NAN when sampled. */
} atg_assign_pair;

/** One connected part of the graph of possible pairs. */
typedef struct atg_assign_part {
    uint32_t n_bodies, n_missing;
    bool exact;
    double max_rhat; /**< Sampled: largest Gelman-Rubin statistic; exact: 1. */
    double log_z;    /**< Log of the summed weights; NAN when sampled. */
} atg_assign_part;

/** Missing persons who cannot be told apart: exchanging them leaves every weight the same. */
typedef struct atg_assign_symmetry {
    uint32_t n;
    const uint32_t *missing;
} atg_assign_symmetry;

typedef struct atg_assign_listed {
    const int32_t *missing_of; /**< n_bodies: missing index or ATG_ASSIGN_NOBODY. */
    double log_weight;         /**< Sum of its tuples' log weights. */
} atg_assign_listed;

typedef struct atg_assign_result {
    uint32_t n_pairs;
    const atg_assign_pair *pairs;             /**< By body, then missing. */
    const double *body_nobody;                /**< n_bodies: P(nobody on the list). */
    const double *missing_nobody;             /**< n_missing: P(not among these bodies). */
    const uint32_t *body_part, *missing_part; /**< Index in parts; UINT32_MAX: no possible pair. */
    uint32_t n_parts;
    const atg_assign_part *parts;
    const int32_t *best;    /**< n_bodies: the most probable assignment, of several the
                                 first as in `top`. */
    double log_z, log_best; /**< Sum and maximum of log weights (NAN if sampled: log_z). */
    double n_possible;      /**< Assignments of weight > 0 (NAN when sampled). */
    uint32_t n_top;
    const atg_assign_listed *top; /**< Best first; ties (tuples within 1e-10 are tied) in
                                       lexicographic order, nobody last.  Of a sampled part
                                       the best of what the chains found likely. */
    uint32_t n_symmetries;
    const atg_assign_symmetry *symmetries;
} atg_assign_result;

/**
 * Solve.  Parts are split, solved exactly by dynamic programming over sets of bodies where the
 * memory allows it (always up to 20 bodies by 20 missing with up to 5 missing in a family), and
 * sampled otherwise.  The result does not depend on the number of threads.  docs/joint.md has the
 * mathematics.
 * @param arena    Owns the result.
 * @param options  NULL: all defaults.
 * @return ATG_EINVAL for a missing person listed twice, a body that does not exist or is twice in a
 *         tuple, a tuple listed twice in a family, a log weight out of range, an all-nobody tuple
 *         whose log weight is not 0.
 */
ATG_API ATG_MUST_USE int atg_assign_solve(atg_arena *arena, const atg_assign_problem *problem,
                                          const atg_assign_options *options,
                                          const atg_progress *progress, atg_assign_result *ret,
                                          atg_err *err);

#endif
