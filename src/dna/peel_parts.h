/* SPDX-License-Identifier: Apache-2.0 */
/* What peel.c and peel_run.c share. */
#ifndef ATG_DNA_PEEL_PARTS_H
#define ATG_DNA_PEEL_PARTS_H

#include "dna/peel.h"

enum { DRAWS_MAX = 2 * ATG_PEDIGREE_MAX };

/* How the same tables are put: what costs less depends on what is joined. */
typedef enum peel_manner {
    PEEL_EITHER,  /* one table for a meiosis and a founder's genotype, where that is small */
    PEEL_PLAIN,   /* a variable says which allele was passed on */
    PEEL_BY_KIND, /* so, and a partial sample joins kinds of alleles instead of alleles */
    PEEL_MANNERS
} peel_manner;

/* All tables from the beginning; kept persons' variables come first, in `vars`, and then those of
 * watched numbers.  Returns how many they are. */
uint32_t peel_build(elim *e, const peel_input *in, peel_manner how, uint32_t *vars);

/* The variable of a watched number: they are the first ones, nobody being kept; or -1. */
static inline int peel_watched(const peel_input *in, uint32_t number) {
    for (uint32_t k = 0; k < in->n_watch; k++)
        if (in->watch[k] == number)
            return (int)k;
    return -1;
}

#endif
