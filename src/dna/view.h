/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of alleles at one marker.
 *
 * A model "keep, or draw a fresh allele" can be lumped over any set of alleles that no observation
 * tells apart (Kemeny & Snell 1960, theorem 6.3.2).  When the genotype of a person is to be read
 * off afterwards allele by allele, one lumped class is not enough: an unobserved allele that came
 * down from a founder is distributed as the population, one that came from a mutation as the model
 * says.  Two classes, `rest` and `fresh`, keep these apart, and inside each the identity of the
 * allele is independent of everything else (as long as the person is not inbred). */
#ifndef ATG_DNA_VIEW_H
#define ATG_DNA_VIEW_H

#include <antigone/dna.h>

typedef struct view {
    const atg_marker *marker;
    uint32_t n;                        /* classes */
    double *freq;                      /* n; of founders */
    const double *mut[2];              /* n * n of mothers and of fathers; NULL: alleles are kept */
    int16_t class_of[ATG_ALLELES_MAX]; /* of each allele */
    int16_t rep[ATG_ALLELES_MAX + 1];  /* one allele of each class */
    int rest, fresh;                   /* classes, or -1 */
    uint32_t n_rest;                   /* alleles lumped */
    bool fresh_uniform;                /* fresh alleles are all alike; else by frequency */
    double *room;                      /* owned */
    size_t cap;
} view;

/* Full matrices of one marker, made once. */
typedef struct matrices {
    const atg_marker *marker;
    double *mut[2]; /* NULL: identity */
    double *room;   /* owned */
} matrices;

int matrices_make(const atg_marker *marker, matrices *ret, atg_err *err);
void matrices_free(matrices *m);

typedef enum view_use {
    VIEW_SUM,        /* only a likelihood is wanted */
    VIEW_READ,       /* a not inbred person's alleles will be read off */
    VIEW_READ_THETA, /* the same with theta > 0 */
    VIEW_FULL,       /* no lumping */
} view_use;

/* Lump all alleles without a true in `seen` (marker->n of them), if the model allows it. */
int view_make(view *v, const matrices *m, const bool *seen, view_use use, atg_err *err);
void view_free(view *v);

/* Probability that an allele of class `cls` is `allele` (0 when it is of another class). */
double view_identity(const view *v, uint32_t cls, uint32_t allele);

#endif
