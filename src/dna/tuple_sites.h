/* SPDX-License-Identifier: Apache-2.0 */
/* The markers of a family with several missing persons: what each observation is worth in one
 * place, given who is in the places before it.
 *
 * One elimination per marker that keeps the alleles of the person in the next place gives the LR of
 * every observation there at once.  It depends only on what the samples show at this marker in the
 * places that the person's genotype is tied to (part.h), so these rows are remembered. */
#ifndef ATG_DNA_TUPLE_SITES_H
#define ATG_DNA_TUPLE_SITES_H

#include <antigone/dna.h>

#include "dna/compiler.h"
#include "dna/rows.h"

enum { TUPLE_PLACES_MAX = 64 };

typedef struct parts parts;

typedef struct site {
    uint32_t marker;
    bool silent; /* the family contradicts itself here: nothing to learn */
    uint32_t n_obs;
    atg_obs *obs;     /* distinct observations of the samples */
    uint32_t *obs_of; /* per sample: 0 nothing, else index + 1 */
    bool seen[ATG_ALLELES_MAX];
    atg_marker plain; /* without mutation, when that was asked for */
    parts *parts;     /* shared by the sites at which the same relatives are typed completely */
    rows at_depth[TUPLE_PLACES_MAX];
} site;

/* Give back with sites_close(), also after a failure. */
typedef struct sites {
    atg_compiler *c;
    const atg_operation *op;
    const atg_family *family;
    uint32_t k; /* places; what follows is by place, in the order in which they are filled */
    uint32_t persons[TUPLE_PLACES_MAX];
    bool inbred[TUPLE_PLACES_MAX];
    uint32_t twin[TUPLE_PLACES_MAX];  /* first place whose person could be exchanged for this one */
    int32_t chosen[TUPLE_PLACES_MAX]; /* sample in the place, or -1: set by the caller */
    uint32_t n;
    site *list;
    uint32_t order[ATG_MARKERS_MAX]; /* of the sites: those that tell most first */
    uint32_t n_parts;
    parts *parts; /* at most one per site */
    double *pairs;
} sites;

/* Sites of the family's missing persons as places in their order.  `allowed`: per place and sample,
 * whether it may be there. */
int sites_open(sites *s, const atg_operation *op, const atg_family *family, const bool *allowed,
               bool mutation, atg_err *err);
void sites_close(sites *s);

/* Exchange two places next to each other, while no row is known but of empty places; when all are
 * where they belong, sites_settle(). */
void sites_swap(sites *s, uint32_t place);
void sites_settle(sites *s);

/* log10 LR by obs_of[sample] in place `depth`, given the samples chosen for the places before it;
 * valid until the next call for this site.  [0], nobody, is 0. */
int sites_row(sites *s, site *t, uint32_t depth, const double **ret, atg_err *err);

#endif
