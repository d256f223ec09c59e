/* SPDX-License-Identifier: Apache-2.0 */
/* What one member of a pedigree is to another, in words. */
#ifndef ATG_MODEL_RELATION_H
#define ATG_MODEL_RELATION_H

#include <antigone/pedigree.h>

/* What `who` is to `of`: "mother", "half-brother", "great-grandparent", "partner", "in-law",
 * "relative", "unrelated".  The closest one where there are several.  Lives for ever. */
const char *relation_word(const atg_pedigree *ped, uint32_t of, uint32_t who);

#endif
