/* SPDX-License-Identifier: Apache-2.0 */
/* The audit chain of one file: gapless, each link over the hash of the one before.
 *
 *     hash(seq) = BLAKE2b-256 of the canonical encoding (crypto/hash.h) of
 *                 ("antigone/chain/1", hash(seq - 1), file, seq, at, account, action, kind, record,
 *                  rev, detail),   hash(0) = 32 zero bytes,   seq = 1, 2, 3, ... */
#ifndef ATG_CRYPTO_CHAIN_H
#define ATG_CRYPTO_CHAIN_H

#include "base/uuid.h"
#include "crypto/hash.h"

/* One row of the audit table without its two hashes.  Views belong to the caller. */
typedef struct chain_entry {
    uuid file;
    uint64_t seq;
    int64_t at; /* microseconds UTC; not checked against its neighbours: clocks go back */
    uuid account;
    atg_str action;
    atg_str kind;
    uuid record;
    uint64_t rev;
    atg_str detail;
} chain_entry;

/* How far a file's chain was followed. */
typedef struct chain {
    uuid file;
    uint64_t seq; /* of the last link; 0: none yet */
    hash256 hash; /* of it */
} chain;

/* Before the first link of a file. */
chain chain_start(const uuid *file);

hash256 chain_hash(const hash256 *prev, const chain_entry *e);

/* What is wrong with `e`, stored with these two hashes, as the next link of `c`: a sentence that
 * begins with "it", or NULL.  Static. */
const char *chain_fault(const chain *c, const chain_entry *e, const hash256 *prev,
                        const hash256 *hash);

/* Go on by one link: does `e`, stored with these two hashes, follow?  ATG_EPARSE with the number of
 * the link and what is wrong (a gap, another file, a broken connection, a changed entry); `c` is
 * then as it was. */
ATG_MUST_USE int chain_follow(chain *c, const chain_entry *e, const hash256 *prev,
                              const hash256 *hash, atg_err *err);

#endif
