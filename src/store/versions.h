/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of records among sites that exchange bundles.  A version has an identifier that each
 * site knows it by, made when it is first sent.  A record that was changed here since it was sent
 * or received is in a version that has none yet.  Which of two versions is the later one is told by
 * the earlier ones that each came from: neither, when both sides changed it.
 *
 * Also rows of what else bundles bring: hypotheses on pairs that have one here, and the chains of
 * other sites. */
#ifndef ATG_STORE_VERSIONS_H
#define ATG_STORE_VERSIONS_H

#include "crypto/chain.h"
#include "store/db.h"

enum { VERSIONS_MAX = 1000 };

/* Sorted, each once. */
typedef struct version_set {
    uuid *ids;
    uint32_t n;
} version_set;

typedef struct version_row {
    uuid record;
    int64_t rev; /* of the record here when it was in this version */
    uuid id;
    version_set earlier;
} version_row;

/* ATG_ENOTFOUND, which does not fail the transaction: it was never sent nor received. */
int versions_get(db *d, atg_arena *arena, const uuid *record, version_row *ret, atg_err *err);
int versions_put(db *d, const version_row *v, atg_err *err);

bool versions_has(const version_set *set, const uuid *id);
/* What is in either, and `one` (may be NULL).  Of more than VERSIONS_MAX the oldest are forgotten,
 * so that a very old version is taken for one that both sides changed. */
int versions_join(atg_arena *arena, const version_set *a, const version_set *b, const uuid *one,
                  version_set *ret, atg_err *err);
/* As bytes in a column. */
static inline db_value versions_value(const version_set *set) {
    return db_blob(set->ids, set->n * sizeof(uuid));
}
int versions_read(atg_arena *arena, atg_str bytes, version_set *ret, atg_err *err);

/* ---- hypotheses ---- */

int alias_put(db *d, const uuid *theirs, const uuid *ours, atg_err *err);
/* Ours, or `theirs` itself. */
int alias_get(db *d, const uuid *theirs, uuid *ret, atg_err *err);

/* ---- chains of other sites ---- */

/* Links of a chain with their hashes as they stand. */
typedef struct chain_link {
    chain_entry e;
    hash256 prev, hash;
} chain_link;

/* Repeating it changes nothing. */
int foreign_put(db *d, const uuid *store, const chain_link *link, atg_err *err);
/* The hash of an entry; ATG_ENOTFOUND, which does not fail the transaction. */
int foreign_hash(db *d, const uuid *store, const uuid *file, uint64_t seq, hash256 *ret,
                 atg_err *err);
/* The last one that is kept; 0: none. */
int foreign_last(db *d, const uuid *store, const uuid *file, uint64_t *ret, atg_err *err);
/* Forget those from `seq` on. */
int foreign_cut(db *d, const uuid *store, const uuid *file, uint64_t seq, atg_err *err);

typedef struct chain_query {
    const uuid *store; /* another site's; NULL: our own chain */
    uuid file;
    uint64_t after; /* links behind this number, at most `limit` */
    uint32_t limit;
} chain_query;

int chain_links(db *d, atg_arena *arena, const chain_query *q, chain_link **ret, uint32_t *ret_n,
                atg_err *err);

#endif
