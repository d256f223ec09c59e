/* SPDX-License-Identifier: Apache-2.0 */
/* Working memory and the shared steps of everything that peels. */
#ifndef ATG_DNA_COMPILER_H
#define ATG_DNA_COMPILER_H

#include "dna/peel.h"

/* The sums that one set of observations needs: obs i is sum of k over its entries. */
typedef struct obs_entry {
    uint16_t a, b; /* alleles, a <= b; a man at an X marker: b = a */
    double k;      /* P(observation | genotype) */
} obs_entry;

typedef struct obs_plan {
    const atg_obs *obs; /* made for these */
    uint32_t n_obs;
    const atg_marker *marker;
    bool haploid;
    uint32_t *from; /* n_obs + 1 offsets in entries */
    obs_entry *entries;
    double *prob; /* P(observation) at theta 0 */
} obs_plan;

/* What the own samples of a pedigree show at one marker. */
typedef struct own_list {
    uint32_t n, cap;
    peel_own *p; /* owned */
} own_list;

struct atg_compiler {
    elim *elim;
    view view;
    uint32_t n_mats;
    matrices *mats; /* of the markers met so far */
    uint32_t n_plans;
    obs_plan *plans;
    double *room; /* kept tables */
    size_t cap;
    own_list own;
    atg_obs settled[ATG_PEDIGREE_MAX]; /* what is seen, with own samples that settle a genotype */
};

/* Matrices of a marker, made at the first call.  The marker must not change afterwards. */
int compiler_matrices(atg_compiler *c, const atg_marker *marker, const matrices **ret,
                      atg_err *err);

/* The plan of a set of observations at a marker, made at the first call; obs must not change. */
int compiler_plan(atg_compiler *c, const atg_marker *marker, const atg_obs_set *set, bool haploid,
                  const obs_plan **ret, atg_err *err);

/* What a table spread over genotypes (compiler_spread) gives observation i. */
double plan_sum(const obs_plan *plan, uint32_t i, const double *pairs);

/* Room for n doubles, valid until the next call. */
double *compiler_room(atg_compiler *c, size_t n);

/* What was seen of each person at marker m; nothing where the marker says nothing (unknown sex at
 * an X marker). */
void compiler_observe(const atg_marker *markers, uint32_t m, const atg_pedigree *ped, atg_obs *ret);

/* The same of the own samples of missing persons. */
int compiler_own(const atg_marker *marker, uint32_t m, const atg_pedigree *ped, own_list *ret,
                 atg_err *err);

/* Has this person a sample of his or her own that was typed at marker m? */
bool compiler_has_own(const atg_person *p, uint32_t m);

/* Are the parents of this person related, or is this founder inbred? */
bool compiler_inbred(const atg_pedigree *ped, uint32_t person);

/* Expected heterozygosity: how much a marker tells. */
double compiler_heterozygosity(const atg_marker *m);

/* Alleles that an observation tells apart. */
void compiler_seen(const atg_obs *obs, bool *seen);

/* How theta is summed over: a choice of work, not of result. */
typedef enum theta_way { THETA_LEAST_WORK = 0, THETA_INTEGRAL, THETA_URN, THETA_DESCENT } theta_way;

/* A likelihood, or the alleles of one person, at one marker. */
typedef struct kept_input {
    const atg_marker *marker;
    uint32_t at; /* the marker's index, for own samples */
    const atg_pedigree *ped;
    const atg_obs *obs; /* one per person, own samples apart */
    double theta;
    int keep;   /* person, or -1 */
    bool full;  /* do not lump */
    bool alone; /* without the alleles of one more, unrelated person */
    theta_way way;
    const bool *more_seen; /* alleles that will be read off, or NULL: any may be */
} kept_input;

/* Probabilities by class, in c->view.  Everything is relative to exp(log). */
typedef struct kept {
    size_t cells; /* 1, n (haploid) or n * n */
    bool haploid;
    const double *num; /* P(seen, alleles of the kept person) */
    double total;      /* P(seen) */
    const double *den; /* theta > 0: P(seen, alleles of one more, unrelated person), or NULL */
    double log;
} kept;

/* The result lives in the compiler until the next call. */
int compiler_keep(atg_compiler *c, const kept_input *in, kept *ret, atg_err *err);

/* Spread a table by class over ordered pairs of alleles, summed to unordered ones: ret[a * n + b]
 * for a <= b (haploid: ret[a * n + a]), n = marker->n.  `theta` > 0 for the identity of two lumped
 * alleles. */
void compiler_spread(const view *v, const double *table, bool haploid, double theta, double *ret);

#endif
