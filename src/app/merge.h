/* SPDX-License-Identifier: Apache-2.0 */
/* Several reports of one missing person: proposed by what they say alike, merged by people with
 * both sources kept, and taken apart again. */
#ifndef ATG_APP_MERGE_H
#define ATG_APP_MERGE_H

#include "app/cases.h"

/* What two reports have in common, as bits. */
enum {
    ALIKE_NAMES = 1,     /* family and given name, folded, in either order */
    ALIKE_GIVEN = 2,     /* a given name only */
    ALIKE_BORN = 4,      /* birth dates that can be the same day, known to the year at least */
    ALIKE_RELATIVES = 8, /* a relative's or informant's name */
    ALIKE_DNA = 16,      /* profiles of the missing persons' own things, equal at 8 markers or
                            more */
    ALIKE_PLACE = 32,    /* the same place in one pedigree */
};

typedef struct duplicate {
    file_row one, other; /* by code */
    uint32_t alike;      /* ALIKE_... */
    uint32_t score;      /* the higher the more alike: docs/duplicates.md */
} duplicate;

/* Pairs of missing files of an operation that may be one person, the most alike first.  Files whose
 * sexes contradict, and files merged already, are left out. */
typedef struct duplicates {
    uint32_t n;
    duplicate *pairs;
} duplicates;

int cases_duplicates(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                     uint32_t limit, duplicates *ret, atg_err *err);

/* `from` becomes a report on the person of `into`: it keeps what it says, is compared no more by
 * itself, and lends its place in a pedigree where `into` has none.  A reason is needed. */
int cases_merge(cases *c, const actor *who, const uuid *into, const uuid *from, atg_err *err);
/* Take `from` apart again. */
int cases_unmerge(cases *c, const actor *who, const uuid *from, atg_err *err);

/* Missing files merged into this one. */
int cases_merged(cases *c, const actor *who, atg_arena *arena, const uuid *into, file_row **ret,
                 uint32_t *ret_n, atg_err *err);

#endif
