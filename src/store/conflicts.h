/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of conflicts: what a bundle brought of a record that was changed here too, kept until
 * somebody decides, one for each record and site.  What was brought is sealed under the key of the
 * record's person, when there is one, and goes with it. */
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

/* Put in, or take the place of the one of that record and site. */
int conflicts_put(db *d, keyring *keys, const conflict_row *c, atg_err *err);
/* Those of a record whose version is in the set: they are settled. */
int conflicts_settle(db *d, const uuid *id, const version_set *known, atg_err *err);
/* Those about a person's records: with erasure. */
int conflicts_forget(db *d, const uuid *person, atg_err *err);

/* By its own identifier.  ATG_ENOTFOUND. */
int conflicts_get(db *d, keyring *keys, atg_arena *arena, const uuid *id, conflict_row *ret,
                  atg_err *err);
/* The version that a site has of a record; ATG_ENOTFOUND, which does not fail the transaction. */
int conflicts_version(db *d, const uuid *id, const uuid *peer, uuid *ret, atg_err *err);
/* The first `limit` of an operation behind `after` (none: from the start), in the order in which
 * they came. */
typedef struct conflicts_query {
    uuid operation, after;
    uint32_t limit;
} conflicts_query;

int conflicts_list(db *d, keyring *keys, atg_arena *arena, const conflicts_query *q,
                   conflict_row **ret, uint32_t *ret_n, atg_err *err);

#endif
