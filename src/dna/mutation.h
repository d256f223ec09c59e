/* SPDX-License-Identifier: Apache-2.0 */
/* Which mutation models are "keep the allele, or draw a fresh one": these can be lumped. */
#ifndef ATG_DNA_MUTATION_H
#define ATG_DNA_MUTATION_H

#include <antigone/marker.h>

typedef enum mutation_kind {
    MUTATION_IDENTITY,   /* never mutates */
    MUTATION_UNIFORM,    /* with probability `fresh` a new allele, all visible ones alike */
    MUTATION_POPULATION, /* with probability `fresh` a new allele, by the visible frequencies */
    MUTATION_GENERAL,    /* anything else: not lumped */
} mutation_kind;

typedef struct mutation_form {
    mutation_kind kind;
    double fresh; /* M = (1 - fresh) I + fresh 1 w^T */
} mutation_form;

mutation_form mutation_form_of(const atg_marker *m, const atg_mutation *mu);

#endif
