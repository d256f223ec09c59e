/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/dna.h
 * Likelihoods of DNA on pedigrees.
 *
 * Conventions (docs/dna.md derives each): genotypes are unordered; every meiosis passes through
 * the mutation matrix, also to and from untyped persons; founders are in Hardy-Weinberg
 * proportions, or inbred as the person says, or with theta > 0 sampled one after another by
 * P(next = a | m seen, b of them a) = (b theta + (1 - theta) p_a) / (1 + (m - 1) theta)
 * (Balding & Nichols 1994).  Nothing is pruned.  Logarithms are natural unless the name says
 * log10; an impossible event is -INFINITY.
 *
 * Method: one variable for each parental allele of an untyped person, one for the possible
 * ordered genotypes of a typed one, one for the grandparental origin of each meiosis, and
 * elimination of the variables in a greedy order.  Alleles that no observation tells apart are
 * lumped where the mutation model allows it (Kemeny & Snell 1960, theorem 6.3.2).  Theta is summed
 * exactly, in the way of least work: over inheritance and subsets of the founders' alleles, over
 * their partitions, or by Gauss-Jacobi quadrature of the Dirichlet distribution behind them.
 */
#ifndef ATG_DNA_H
#define ATG_DNA_H

#include <antigone/operation.h>

/** What was seen of one person at one marker, and how reliable the typing is.
 *
 * With drop-out d and drop-in c, per marker:  P(a/a | a/a) = 1 - d^2, P(a/a | a/b) = d (1 - d),
 * P(a/b | a/b) = (1 - d)^2; one extra allele comes in with probability c, distributed as the
 * population.  A genotype of which nothing was seen is not an observation. */
typedef struct atg_obs {
    atg_geno geno;
    double dropout, dropin;
} atg_obs;

/** Is the same seen in the same way? */
static inline bool atg_obs_same(const atg_obs *a, const atg_obs *b) {
    return a->geno.a == b->geno.a && a->geno.b == b->geno.b && a->dropout == b->dropout &&
           a->dropin == b->dropin;
}

/** The n * n mutation matrix of one sex, row = parental allele. */
ATG_API ATG_MUST_USE int atg_mutation_matrix(const atg_marker *marker, const atg_mutation *mutation,
                                             double *ret, atg_err *err);

/**
 * Log-likelihood of everything typed in `ped` at marker `m`.
 * @param markers  The operation's markers; `m` is an index into it and into persons' genos.
 * @return ATG_ELIMIT when the pedigree is too entangled for exact elimination (the sentence says
 *         how large the largest table would be).
 */
ATG_API ATG_MUST_USE int atg_loglik(const atg_marker *markers, uint32_t m, const atg_pedigree *ped,
                                    double theta, double *ret, atg_err *err);

/** Joint log-likelihood at two linked markers, recombination fraction rho in both sexes, founders
 *  in linkage equilibrium; theta = 0. */
ATG_API ATG_MUST_USE int atg_loglik_linked(const atg_marker *markers, uint32_t m1, uint32_t m2,
                                           double rho, const atg_pedigree *ped, double *ret,
                                           atg_err *err);

/** Log probability of one observation in the population at theta (no pedigree). */
ATG_API ATG_MUST_USE int atg_loglik_obs(const atg_marker *marker, atg_obs obs, atg_sex sex,
                                        double theta, double *ret, atg_err *err);

/** One person of a pedigree at one marker. */
typedef struct atg_person_at {
    const atg_marker *markers; /**< As for atg_loglik. */
    uint32_t marker;
    const atg_pedigree *ped;
    uint32_t person;
    double theta;
    struct atg_compiler *compiler; /**< Working memory to use again, or NULL.  It remembers what it
                                        prepared for a marker, which must not change. */
} atg_person_at;

/**
 * Distribution of the genotype of a person given everything typed in the pedigree.
 * @param ret  n * (n + 1) / 2 probabilities of a/b with a <= b at [b * (b + 1) / 2 + a]
 *             (a man at an X marker: only a/a are not 0).
 * @param ret_loglik  Log-likelihood of what is typed; -INFINITY leaves `ret` all 0.
 */
ATG_API ATG_MUST_USE int atg_genotype_distribution(const atg_person_at *of, double *ret,
                                                   double *ret_loglik, atg_err *err);

/** Distinct observations at one marker; a table row each. */
typedef struct atg_obs_set {
    uint32_t n;
    const atg_obs *obs;
} atg_obs_set;

typedef struct atg_compiler atg_compiler;

/** Working memory for compiling; one per thread.  NULL when memory is short. */
ATG_API atg_compiler *atg_compiler_new(void);
ATG_API void atg_compiler_free(atg_compiler *compiler);
static inline void atg_compiler_freep(atg_compiler **p) {
    atg_compiler_free(*p);
}

/**
 * The compiled table of one missing person: for every marker and observation the
 * log10 LR of "this observation is of the missing person" against "of an unrelated person of the
 * same population".  With theta > 0 the alternative draws from one common pool.
 * Other missing members of the family stay untyped.
 *
 * @param sets  One per marker.  The observations must not change as long as the compiler lives: it
 *              remembers what it prepared for them.
 * @param ret   ret[m] is an array of sets[m].n values; -INFINITY is an exclusion.  Rows are 0 where
 *              there is nothing to compare: Y and amelogenin markers, markers that no relative was
 *              typed at or that the family's own data make impossible, X markers of a missing
 *              person of unknown sex.
 */
ATG_API ATG_MUST_USE int atg_compile(atg_compiler *compiler, const atg_operation *op,
                                     uint32_t missing, const atg_obs_set *sets, double **ret,
                                     atg_err *err);

/** Ways to put samples into the places of a family's missing persons, with their LR. */
typedef struct atg_tuples {
    uint32_t n_places; /**< The family's n_missing; places in its order. */
    uint64_t n;
    const int32_t *samples; /**< n * n_places sample indices, -1 for nobody. */
    const double *log10_lr; /**< n; finite: "these samples are these persons" against all of them
                                 unrelated. */
} atg_tuples;

enum { ATG_TUPLES_MAX = 4 * 1000 * 1000 };

/**
 * Every possible tuple of a family, from the joint likelihood of the family.  Left out are the
 * tuple of nobodies (its LR is 1), impossible tuples, and whatever `allowed` forbids.
 * @param arena    Owns the result.
 * @param allowed  n_places * op->n_samples, or NULL: all.
 * @return ATG_ELIMIT when there are more than ATG_TUPLES_MAX.
 */
ATG_API ATG_MUST_USE int atg_family_tuples(atg_arena *arena, const atg_operation *op,
                                           uint32_t family, const bool *allowed, bool mutation,
                                           atg_tuples *ret, atg_err *err);

/** Markers whose values may be multiplied: of each X linkage group the one of highest expected
 *  heterozygosity, of each linked pair the first; no Y, no amelogenin. */
ATG_API void atg_independent_markers(const atg_operation *op, bool *ret);

/** log10 LR of one pair, marker by marker.  `ret` has op->n_markers values; markers that were not
 *  compared are NAN.  A marker linked to an earlier one has its LR given that one, so that the
 *  values add up (with theta > 0 it is left out).  `mutation` false switches all mutation models
 *  off. */
ATG_API ATG_MUST_USE int atg_pair_lr(const atg_operation *op, const atg_sample *sample,
                                     uint32_t missing, bool mutation, double *ret, atg_err *err);

/** Sum of the per-marker values of atg_pair_lr over the markers of atg_independent_markers and
 * those linked to one of them.  NANs are left out. */
ATG_API double atg_combine_lr(const atg_operation *op, const double *per_marker);

/** Coefficients of kinship, n * n, autosomal or X-chromosomal (Lange 2002, ch. 5). */
ATG_API ATG_MUST_USE int atg_kinship(const atg_pedigree *ped, bool x, double *ret, atg_err *err);

/** Probability that a random unrelated person is excluded as `person` at marker m, without
 *  mutation (Egeland, Pinto & Vigeland 2014); 0 where the family's own data are impossible. */
ATG_API ATG_MUST_USE int atg_exclusion_power(const atg_marker *markers, uint32_t m,
                                             const atg_pedigree *ped, uint32_t person, double *ret,
                                             atg_err *err);

#endif
