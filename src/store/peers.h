/* SPDX-License-Identifier: Apache-2.0 */
/* Rows about other sites, and about the bundles that go to them and come from them. */
#ifndef ATG_STORE_PEERS_H
#define ATG_STORE_PEERS_H

#include "base/uuid.h"
#include "crypto/box.h"
#include "crypto/sign.h"
#include "store/db.h"

typedef struct peer_row {
    uuid id; /* of its store */
    atg_str name, site, kind, agency;
    sign_public sign;
    box_public box;
    int64_t added;
    uuid account;       /* who added it */
    atg_str checkpoint; /* empty: none came yet */
} peer_row;

/* ATG_ECONFLICT, at the latest in db_commit(): the store, the name or the key is there. */
int peers_insert(db *d, const peer_row *p, atg_err *err);
/* With the operations it took part in; what it sent stays. */
int peers_delete(db *d, const uuid *id, atg_err *err);
int peers_set_checkpoint(db *d, const uuid *id, atg_str checkpoint, atg_err *err);

/* ATG_ENOTFOUND, which does not fail the transaction. */
int peers_get(db *d, atg_arena *arena, const uuid *id, peer_row *ret, atg_err *err);
int peers_find(db *d, atg_arena *arena, atg_str name, peer_row *ret, atg_err *err);
int peers_of_key(db *d, atg_arena *arena, const sign_public *sign, peer_row *ret, atg_err *err);
/* In the order of their names. */
int peers_list(db *d, atg_arena *arena, peer_row **ret, uint32_t *ret_n, atg_err *err);

int peers_join(db *d, const uuid *peer, const uuid *operation, bool on, atg_err *err);
int peers_joined(db *d, const uuid *peer, const uuid *operation, bool *ret, atg_err *err);

typedef struct bundle_row {
    uuid id, peer, operation;
    bool opened; /* came from the peer; else it was made for it */
    int64_t mark, at;
    uuid account;
} bundle_row;

/* Repeating it changes nothing. */
int bundles_insert(db *d, const bundle_row *b, atg_err *err);
int bundles_has(db *d, const uuid *id, const uuid *peer, bool *ret, atg_err *err);
/* The greatest mark of bundles that were made for the peer; 0: none was. */
int bundles_mark(db *d, const uuid *peer, const uuid *operation, int64_t *ret, atg_err *err);

#endif
