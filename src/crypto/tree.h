/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree over all audit entries (RFC 6962 section 2.1, RFC 9162 section 2.1), SHA-256:
 *
 *     MTH({})     = SHA-256()
 *     MTH({d})    = SHA-256(0x00 | d)
 *     MTH(D[n])   = SHA-256(0x01 | MTH(D[0:k]) | MTH(D[k:n])),  k the largest power of 2 below n
 *
 * The leaf of an audit entry is tree_leaf() of the 32 bytes of its link (crypto/chain.h), which
 * binds its file and its number. */
#ifndef ATG_CRYPTO_TREE_H
#define ATG_CRYPTO_TREE_H

#include "crypto/hash.h"

enum { TREE_LEVELS = 64, TREE_PROOF_MAX = 65, TREE_SAVED_MAX = 8 + 32 * TREE_LEVELS };

/* What is needed to go on adding leaves: the roots of the full subtrees, one for each bit of
 * `size`, the largest first.  Plain memory, no more than 64 hashes. */
typedef struct tree {
    uint64_t size;
    hash256 roots[TREE_LEVELS];
} tree;

/* Hashes from the leaf's level up. */
typedef struct tree_proof {
    uint32_t n;
    hash256 hashes[TREE_PROOF_MAX];
} tree_proof;

hash256 tree_leaf(atg_str bytes);

/* The tree without leaves is `{0}`. */
void tree_add(tree *t, const hash256 *leaf);
hash256 tree_root(const tree *t);

/* The state as bytes: size (8, big-endian) and the roots; returns how many. */
size_t tree_save(const tree *t, unsigned char ret[TREE_SAVED_MAX]);
/* Exactly such bytes?  ATG_EPARSE otherwise. */
ATG_MUST_USE int tree_load(atg_str bytes, tree *ret, atg_err *err);

/* Stored leaf hashes from..from + n - 1, counted from 0, into `ret`; n is at most TREE_BATCH. */
enum { TREE_BATCH = 256 };
typedef int tree_read(void *user, uint64_t from, uint32_t n, hash256 *ret, atg_err *err);
typedef struct tree_leaves {
    tree_read *read;
    void *user;
} tree_leaves;

/* Proofs read all `size` leaves once, in pieces; memory does not grow.
 *
 * That leaf `index` is in the tree of the first `size` leaves.  ATG_EINVAL: index >= size. */
ATG_MUST_USE int tree_prove_leaf(const tree_leaves *leaves, uint64_t index, uint64_t size,
                                 tree_proof *ret, atg_err *err);
/* That the tree of the first `before` leaves is the beginning of that of the first `size`.
 * ATG_EINVAL: before is 0 or > size. */
ATG_MUST_USE int tree_prove_prefix(const tree_leaves *leaves, uint64_t before, uint64_t size,
                                   tree_proof *ret, atg_err *err);

/* Does the proof hold (RFC 9162, 2.1.3.2 and 2.1.4.2)?  Any numbers and bytes may be given. */
bool tree_check_leaf(const tree_proof *proof, const hash256 *leaf, uint64_t index, uint64_t size,
                     const hash256 *root);
bool tree_check_prefix(const tree_proof *proof, uint64_t before, const hash256 *root_before,
                       uint64_t size, const hash256 *root);

#endif
