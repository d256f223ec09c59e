/* SPDX-License-Identifier: Apache-2.0 */
/* The gene pool of an exercise: founders drawn from it, alleles passed on, genotypes read. */
#ifndef ATG_EXERCISE_GENES_H
#define ATG_EXERCISE_GENES_H

#include <antigone/pedigree.h>

/* What a person has at one marker: the father's and the mother's allele, ATG_ALLELE_UNREAD where
 * the chromosome does not exist (a man has no father's X, a woman no Y). */
typedef struct hap {
    int16_t pat, mat;
} hap;

typedef struct gene_pool gene_pool;

/* The markers with their mutation models; theta > 0 keeps account of the alleles drawn.  Lives in
 * `scratch`. */
int gene_pool_new(atg_arena *scratch, uint32_t n_markers, const atg_marker *markers, double theta,
                  gene_pool **ret, atg_err *err);

/* A founder of this sex: `ret` has one hap per marker. */
void genes_found(gene_pool *pool, atg_rng *rng, atg_sex sex, hap *ret);

/* The allele that a parent passes on at marker m, through the mutation matrix of that parent's
 * sex. */
int16_t genes_pass(const gene_pool *pool, atg_rng *rng, uint32_t m, atg_sex parent, hap h);

/* A child; NULL for a parent outside the family, whose genes come from the pool. */
void genes_child(gene_pool *pool, atg_rng *rng, const hap *father, const hap *mother, atg_sex sex,
                 hap *ret);

/* What a perfect typing reads: one unordered genotype per marker. */
void genes_read(const gene_pool *pool, const hap *h, atg_geno *ret);

/* One copy of the chromosome only, so that one drop-out loses the marker? */
bool genes_single(const atg_marker *marker, atg_sex sex);

#endif
