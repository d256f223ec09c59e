/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a pedigree that one person's genotype depends on.
 *
 * Given a person's whole genotype, what the parents' side shows and what the children's sides show
 * are independent of each other: a completely typed person cuts the pedigree.  The father and the
 * mother of a typed child stay tied together by that child.  So the genotype of one person depends
 * only on the trios that hang together through persons who are not completely typed, and a typed
 * person at the border counts as a founder there. */
#ifndef ATG_DNA_PART_H
#define ATG_DNA_PART_H

#include <antigone/pedigree.h>

typedef struct part {
    atg_pedigree ped;             /* a copy of the persons that matter, with new indices */
    atg_person *persons;          /* owned, see part_free() */
    int32_t at[ATG_PEDIGREE_MAX]; /* index in the part of each person of the pedigree, or -1 */
} part;

/* `fixed`: persons whose genotype is known completely.  `person` is not one of them. */
int part_make(const atg_pedigree *ped, const bool *fixed, uint32_t person, part *ret, atg_err *err);
void part_free(part *p);

#endif
