/* SPDX-License-Identifier: Apache-2.0 */
/* A checked problem, its possible pairs and its connected parts. */
#ifndef ATG_MATCH_ASSIGN_PROBLEM_H
#define ATG_MATCH_ASSIGN_PROBLEM_H

#include <antigone/assign.h>

#include "match/assign_pool.h"

#define ASSIGN_NONE UINT32_MAX

/* Weights that differ by less than this (in the log) are equal but for rounding. */
#define ASSIGN_TIE 1e-10
#define ASSIGN_SAME 1e-9
#define ASSIGN_LOG_MAX 1e9

typedef struct family {
    const atg_assign_family *in;
    uint32_t n_tuples;
    bool add_none; /* the all-nobody tuple was left out */
    uint32_t n_bodies;
    uint32_t *bodies;  /* ascending */
    uint32_t *pair_of; /* n_missing * n_bodies: index in pairs, or ASSIGN_NONE */
    uint32_t part;     /* or ASSIGN_NONE */
    double log_most;   /* largest |log weight| */
} family;

typedef struct part {
    uint32_t n_families, n_bodies;
    uint32_t *families, *bodies; /* ascending */
} part;

typedef struct problem {
    const atg_assign_problem *in;
    pool *pool;
    family *families;
    uint32_t n_parts;
    part *parts;
    uint32_t *body_part;  /* or ASSIGN_NONE */
    uint32_t *body_local; /* its number among the bodies of its part */
    uint32_t *missing_family;
    uint32_t n_pairs;
    atg_assign_pair *pairs; /* by body, then missing; posterior and the rest still 0 */
    uint32_t *pair_first;   /* n_bodies + 1 */
    double scale;           /* of log weights as integers */
    uint32_t n_classes;     /* of missing persons who cannot be told apart */
    uint32_t *class_of;     /* per missing person: class or ASSIGN_NONE */
} problem;

/* Check and take apart; the result lies in `p`, the pairs in `arena`. */
int problem_make(problem *ret, pool *p, atg_arena *arena, const atg_assign_problem *in,
                 uint32_t threads, atg_err *err);

/* An error for what a pool refused. */
int assign_refused(const pool *p, atg_err *err);

/* Refuse a tuple listed twice, and find missing persons of one family whose exchange leaves every
 * weight as it is: class_of[] gets one of them as a common name, ASSIGN_NONE where alone. */
int family_symmetries(const family *f, uint32_t number, uint32_t *class_of, atg_err *err);

/* The same for families of one missing person each, against each other. */
int single_symmetries(problem *pr);
/* At last, numbers instead of names, by the first member. */
int number_symmetries(problem *pr);

#endif
