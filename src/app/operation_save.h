/* SPDX-License-Identifier: Apache-2.0 */
/* The way in for DNA: an operation as the formats read it (Familias, tables, own JSON, exercises)
 * becomes records: remains files with samples and profiles, families with donors, and missing
 * files. The same names (ids) of the same operation come in once; what is there already is left
 * alone. */
#ifndef ATG_APP_OPERATION_SAVE_H
#define ATG_APP_OPERATION_SAVE_H

#include <antigone/operation.h>

#include "app/cases.h"

typedef struct save_options {
    uuid operation;             /* none: make one */
    atg_str name;               /* of a new one */
    atg_str agreed_on, ends_on; /* of the donors: what they signed; both are needed */
    atg_str basis;              /* legal basis, a word of the choice "basis" */
    bool sign; /* a member of the board signs threshold, least LR and prior of the new operation */
    bool invent;   /* exercises: invent what a family would tell of each missing person */
    uint64_t seed; /* of what is invented */
} save_options;

typedef struct saved {
    uuid operation;
    uint32_t remains, families, missing, profiles; /* new ones */
    uint32_t known;                                /* were there already */
} saved;

/* May this account take DNA in there at all?  To be asked before a file of somebody from elsewhere
 * is decoded.  ATG_EDENIED: no. */
int operation_save_check(cases *c, const actor *who, const uuid *operation, atg_err *err);

/* All or nothing. */
int operation_save(cases *c, const actor *who, const atg_operation *op, const save_options *o,
                   const atg_progress *progress, saved *ret, atg_err *err);

#endif
