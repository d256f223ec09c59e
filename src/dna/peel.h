/* SPDX-License-Identifier: Apache-2.0 */
/* One pedigree at one marker, as tables for elim.h. */
#ifndef ATG_DNA_PEEL_H
#define ATG_DNA_PEEL_H

#include "dna/elim.h"
#include "dna/urn.h"
#include "dna/view.h"

enum { PEEL_KEEP_MAX = 2 };

/* What was seen of a person once more, in a sample of his or her own. */
typedef struct peel_own {
    uint32_t person;
    atg_obs obs;
} peel_own;

typedef struct peel_input {
    const atg_pedigree *ped;
    const view *view;
    const double *freq; /* of founders, by class; usually view->freq */
    const atg_obs *obs; /* one per person, alleles not classes; untyped where nothing is seen */
    uint32_t n_own;
    const peel_own *own; /* by person */
    uint32_t n_keep;
    uint32_t keep[PEEL_KEEP_MAX]; /* persons whose alleles are not summed out */
    bool plain;                   /* variables for every allele and every meiosis, no short cuts */
    bool absorb; /* leave the founders of peel_absorbed() out: `freq` is given what they show */
    const uint8_t *tie; /* draws of one number are one allele (peel_draws); NULL: all are apart */
    const int16_t *set; /* the class of each number of `tie`, or -1; NULL: none is set */
    uint32_t n_watch;
    uint8_t watch[2]; /* numbers of `tie` whose alleles are not summed out either */
} peel_input;

/* The variables that say which grandparent's allele was passed on to each child. */
typedef struct peel_switches {
    bool has[ATG_PEDIGREE_MAX][2]; /* [child][0 from the mother, 1 from the father] */
    uint32_t var[ATG_PEDIGREE_MAX][2];
} peel_switches;

/* Add one marker's tables to what is in `e` already; `switches` may be NULL. */
void peel_add(elim *e, const peel_input *in, peel_switches *switches);

/* Number of cells of the result: n per watched number, after per kept person n * n (paternal allele
 * slowest), or n for a man at an X marker, whose one allele is maternal. */
size_t peel_cells(const peel_input *in);

/* P(everything seen, alleles of the kept persons); multiply by exp(*ret_log). */
int peel_run(elim *e, const peel_input *in, double *ret, double *ret_log, atg_err *err);

/* Seen, kept, or with a child who is. */
void peel_relevant(const peel_input *in, bool *relevant);

/* Is exactly one unordered genotype possible, and the person not kept? */
bool peel_fixed(const peel_input *in, uint32_t person);

/* A man at an X marker? */
bool peel_haploid(const peel_input *in, uint32_t person);

/* Founders whose genotype is known completely and who are not inbred: counts[c] is how often they
 * show class c.  Returns how many of them are heterozygous. */
uint32_t peel_absorbed(const peel_input *in, double *counts);

/* Alleles of the other founders that anything seen or kept depends on: the degree of the likelihood
 * as a polynomial in the frequencies, given those absorbed. */
uint32_t peel_degree(const peel_input *in);

/* The same alleles in the order of the persons; `twin[d]` is what the two of one founder are to
 * each other.  It has room for peel_degree() of them.  False where a founder's alleles are not
 * drawn like this (inbreeding). */
bool peel_draws(const peel_input *in, urn_twin *twin);

#endif
