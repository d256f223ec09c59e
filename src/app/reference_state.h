/* SPDX-License-Identifier: Apache-2.0 */
/* An operation that is worked down step by step: bodies and missing persons leave, bodies that were
 * identified sit in their families as typed relatives, pairs are struck out.  The steps are those
 * that dvir documents; docs/reference.md has them in words, and where ours differ. */
#ifndef ATG_APP_REFERENCE_STATE_H
#define ATG_APP_REFERENCE_STATE_H

#include <antigone/dna.h>

#include "app/reference.h"

typedef struct reference_state {
    atg_arena *arena;
    atg_operation op;     /* with the families as they are now */
    atg_family *families; /* those of `op` */
    bool *body, *missing; /* still looked at */
    bool *allowed;        /* n_samples * n_missing */
    bool *mutation;       /* by family: are its mutation models on? */
} reference_state;

/* One step of identification or exclusion. */
typedef struct reference_step {
    int32_t body, missing; /* -1: none */
    uint32_t step;
    double lr; /* NAN: a body that lost its last possible pair */
} reference_step;

typedef struct reference_steps {
    uint32_t n;
    reference_step *at;
    double *lr;           /* n_samples * n_missing, as last computed; NAN where nothing was */
    bool *body, *missing; /* who was looked at then */
} reference_steps;

/* What was excluded, by fewest incompatible markers; INFINITY: no pair was left. */
typedef struct reference_excluded {
    double *n;              /* n_samples * n_missing, NAN where not counted */
    double *body, *missing; /* NAN: not excluded */
} reference_excluded;

/* `pairings` names the candidates of each sample; NULL: whose sex fits. */
int reference_state_new(atg_arena *arena, const atg_operation *op, const json_t *pairings,
                        reference_state *ret, atg_err *err);

bool reference_in_play(const reference_state *s, uint32_t body, uint32_t missing);
/* Missing persons of a family that are still looked at. */
uint32_t reference_left(const reference_state *s, uint32_t family);
int reference_seat(reference_state *s, uint32_t body, uint32_t missing, atg_err *err);

/* LRs of the pairs in play; n_samples * n_missing, NAN elsewhere. */
int reference_lr_matrix(const reference_state *s, double *ret, atg_err *err);
/* Markers that are impossible without mutation, the sample in place. */
int reference_incompatible(const atg_operation *op, uint32_t sample, uint32_t missing,
                           uint32_t *ret, atg_err *err);
/* Markers that the family's own profiles make impossible without mutation; `at` may be NULL. */
int reference_inconsistent(const atg_operation *op, uint32_t family, bool *at, uint32_t *ret,
                           atg_err *err);
/* Log-likelihoods of a family (with or without its mutation models) and of a sample. */
int reference_family_loglik(const atg_operation *op, uint32_t family, bool mutation, double *ret,
                            atg_err *err);
int reference_sample_loglik(const atg_operation *op, uint32_t sample, double *ret, atg_err *err);

/* Strike out pairs with more than `max` incompatible markers, then bodies and missing persons that
 * have no pair left.  `ret_changed` may be NULL. */
int reference_exclude(reference_state *s, double max, reference_excluded *ret, bool *ret_changed,
                      atg_err *err);
/* Identify pair by pair: LR >= threshold and every other in its row and column <= LR / threshold
 * (strict: <= 1), until there is none; then strike out pairs of LR 0. */
int reference_undisputed(reference_state *s, double threshold, bool strict, reference_steps *ret,
                         bool *ret_changed, atg_err *err);
/* Missing persons without a relative among the typed and the missing: set `at`, n_missing. */
int reference_nonidentifiable(const reference_state *s, bool *at, atg_err *err);

#endif
