/* SPDX-License-Identifier: Apache-2.0 */
/* A pedigree while it is read: persons first, then parents by id, then whoever is unnamed. */
#ifndef ATG_FORMATS_FAMILYDRAFT_H
#define ATG_FORMATS_FAMILYDRAFT_H

#include <antigone/formats.h>

#include "base/map.h"

typedef struct family_draft {
    atg_arena *arena;
    map *ids; /* the owner's; cleared by family_draft_start() */
    atg_str id;
    uint32_t n;
    atg_person persons[ATG_PEDIGREE_MAX];
} family_draft;

typedef enum family_parent { FAMILY_FATHER = 0, FAMILY_MOTHER } family_parent;

void family_draft_start(family_draft *d, atg_str id);

/* The next person, a founder without genotypes.  `id` must live as long as the arena. */
int family_draft_add(family_draft *d, atg_str id, atg_sex sex, atg_err *err);

/* The sentences name child and parent. */
int family_draft_parent(family_draft *d, uint32_t child, family_parent which, atg_str id,
                        atg_err *err);

/* A person with one named parent gets an untyped one beside, who has no other child. */
int family_draft_complete(family_draft *d, uint32_t child, atg_notes *notes, atg_err *err);

/* Everything but the list of missing and the consents, checked. */
int family_draft_finish(const family_draft *d, atg_pedigree *ret, atg_err *err);

#endif
