/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of conflicts: what a bundle brought of a record that was changed here too, kept until
 * somebody decides, one for each record.  What was brought is sealed under the key of the record's
 * person, when there is one, and goes with it. */
#ifndef ATG_STORE_CONFLICTS_H
#define ATG_STORE_CONFLICTS_H

#include "model/record.h"
#include "store/keys.h"
#include "store/versions.h"

typedef struct conflict_row {
    uuid id, operation, file, record, person, peer, bundle;
    record_kind kind;
    int64_t at;
    uuid version;
    version_set earlier;
    atg_str theirs; /* the record as JSON */
} conflict_row;

/* Put in, or take the place of the one that the record has. */
int conflicts_put(db *d, keyring *keys, const conflict_row *c, atg_err *err);
/* That of the record. */
int conflicts_delete(db *d, const uuid *id, atg_err *err);
/* Those about a person's records: with erasure. */
int conflicts_forget(db *d, const uuid *person, atg_err *err);

/* By its own identifier, or that of its record.  ATG_ENOTFOUND. */
int conflicts_get(db *d, keyring *keys, atg_arena *arena, const uuid *id, conflict_row *ret,
                  atg_err *err);
int conflicts_of_record(db *d, keyring *keys, atg_arena *arena, const uuid *id, conflict_row *ret,
                        atg_err *err);
/* The first `limit` of an operation behind `after` (none: from the start), in the order in which
 * they came. */
typedef struct conflicts_query {
    uuid operation, after;
    uint32_t limit;
} conflicts_query;

int conflicts_list(db *d, keyring *keys, atg_arena *arena, const conflicts_query *q,
                   conflict_row **ret, uint32_t *ret_n, atg_err *err);

#endif
