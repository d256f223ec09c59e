/* SPDX-License-Identifier: Apache-2.0 */
/* One pedigree at one marker, as tables for elim.h. */
#ifndef ATG_DNA_PEEL_H
#define ATG_DNA_PEEL_H

#include "dna/elim.h"
#include "dna/view.h"

enum { PEEL_KEEP_MAX = 2 };

typedef struct peel_input {
    const atg_pedigree *ped;
    const view *view;
    const double *freq; /* of founders, by class; usually view->freq */
    const atg_obs *obs; /* one per person, alleles not classes; untyped where nothing is seen */
    uint32_t n_keep;
    uint32_t keep[PEEL_KEEP_MAX]; /* persons whose alleles are not summed out */
    bool plain;                   /* variables for every allele and every meiosis, no short cuts */
    bool absorb; /* leave the founders of peel_absorbed() out: `freq` is given what they show */
} peel_input;

/* The variables that say which grandparent's allele was passed on to each child. */
typedef struct peel_switches {
    bool has[ATG_PEDIGREE_MAX][2]; /* [child][0 from the mother, 1 from the father] */
    uint32_t var[ATG_PEDIGREE_MAX][2];
} peel_switches;

/* Add one marker's tables to what is in `e` already; `switches` may be NULL. */
void peel_add(elim *e, const peel_input *in, peel_switches *switches);

/* Number of cells of the result: per kept person n * n (paternal allele slowest), or n for a man
 * at an X marker, whose one allele is maternal. */
size_t peel_cells(const peel_input *in);

/* P(everything seen, alleles of the kept persons); multiply by exp(*ret_log). */
int peel_run(elim *e, const peel_input *in, double *ret, double *ret_log, atg_err *err);

/* Founders whose genotype is known completely and who are not inbred: counts[c] is how often they
 * show class c.  Returns how many of them are heterozygous. */
uint32_t peel_absorbed(const peel_input *in, double *counts);

/* Alleles of the other founders that anything seen or kept depends on: the degree of the likelihood
 * as a polynomial in the frequencies, given those absorbed. */
uint32_t peel_degree(const peel_input *in);

#endif
