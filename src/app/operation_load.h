/* SPDX-License-Identifier: Apache-2.0 */
/* The DNA of an operation, from its records to what the engine compares (antigone/operation.h).
 *
 *   operation   `dna` (an operation file without lists), `prior`, thresholds
 *   remains     one body each (a part with `part_of`: of that body); profiles of one sample are one
 *               sample of the engine, its identifier the file's code, "/2" and so on behind the
 *               first
 *   family      `pedigree`: a list of {id, father, mother, sex, inbreeding}; the profiles of its
 *               donors by their label
 *   missing     `family` and `member`: who is missing there, under the file's code; the profiles in
 *               the file are own samples (own_samples.h), and make a family of one of who has no
 *               place in a drawn pedigree
 *   staff_profile   the elimination list
 *
 * Left out: what was withdrawn or merged into another file, missing persons who were found alive,
 * and profiles of donors who withdrew, whose date is over, or who were erased (rule 8). */
#ifndef ATG_APP_OPERATION_LOAD_H
#define ATG_APP_OPERATION_LOAD_H

#include <antigone/formats.h>

#include "store/files.h"
#include "store/keys.h"

typedef struct load_scope {
    uuid operation;
    const uuid *only; /* this one family, remains file, or missing file without a
                            family; NULL: everything */
    atg_str head;     /* of an earlier load; empty: from the operation's record */
    int64_t today;    /* microseconds UTC: consents end */
} load_scope;

typedef struct loaded {
    atg_operation op;
    uuid *remains;    /* file of each sample */
    uuid *missing;    /* file of each missing person */
    uuid *families;   /* file of each family; of a family of one the missing file's */
    atg_str head;     /* with which parts are loaded later, so that they fit to this */
    uint32_t alleles; /* in all marker tables; more in a later part: a new allele came, load all */
} loaded;

/* In a transaction.  ATG_ENOTFOUND: the operation says nothing of DNA yet (sentence says what to
 * enter).  A record that the engine refuses fails with its code and the reason. */
int operation_load(db *d, keyring *keys, atg_arena *arena, const load_scope *which,
                   atg_notes *notes, loaded *ret, atg_err *err);

/* The operation without its lists, as JSON in `arena`: what it says of markers and numbers.  A part
 * that is loaded later with it finds the marker tables as they are in `op`. */
int operation_head(const atg_operation *op, atg_arena *arena, atg_str *ret, atg_err *err);

#endif
