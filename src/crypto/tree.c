/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tree.h"

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"

hash256 tree_leaf(atg_str bytes) {
    static const unsigned char mark = 0;
    crypto_hash_sha256_state s;
    hash256 ret;

    (void)crypto_hash_sha256_init(&s);
    (void)crypto_hash_sha256_update(&s, &mark, 1);
    if (bytes.n)
        (void)crypto_hash_sha256_update(&s, (const unsigned char *)bytes.p, bytes.n);
    (void)crypto_hash_sha256_final(&s, ret.bytes);
    return ret;
}

static hash256 join(const hash256 *left, const hash256 *right) {
    unsigned char both[1 + 2 * HASH_SIZE];
    hash256 ret;

    both[0] = 1;
    memcpy(both + 1, left->bytes, HASH_SIZE);
    memcpy(both + 1 + HASH_SIZE, right->bytes, HASH_SIZE);
    (void)crypto_hash_sha256(ret.bytes, both, sizeof(both));
    return ret;
}

static uint32_t count_roots(uint64_t size) {
    return (uint32_t)__builtin_popcountll(size);
}

/* Each trailing 1 of the size is a full subtree that joins with the new one, as when counting. */
void tree_add(tree *t, const hash256 *leaf) {
    uint32_t n = count_roots(t->size);
    hash256 h = *leaf;

    for (uint64_t rest = t->size; rest & 1; rest >>= 1)
        h = join(&t->roots[--n], &h);
    t->roots[n] = h;
    t->size++;
}

hash256 tree_root(const tree *t) {
    uint32_t n = count_roots(t->size);
    hash256 h;

    if (n == 0) {
        (void)crypto_hash_sha256(h.bytes, NULL, 0);
        return h;
    }
    h = t->roots[--n];
    while (n)
        h = join(&t->roots[--n], &h);
    return h;
}

size_t tree_save(const tree *t, unsigned char ret[TREE_SAVED_MAX]) {
    size_t n = count_roots(t->size) * sizeof(hash256);

    bytes_put64(ret, t->size);
    memcpy(ret + 8, t->roots, n);
    return 8 + n;
}

int tree_load(atg_str bytes, tree *ret, atg_err *err) {
    uint64_t size = bytes.n < 8 ? 0 : bytes_get64((const unsigned char *)bytes.p);
    size_t n = count_roots(size) * sizeof(hash256);

    if (bytes.n != 8 + n)
        return atg_fail(err, ATG_EPARSE, "The stored state of the audit tree is damaged");
    *ret = (tree){.size = size};
    memcpy(ret->roots, bytes.p + 8, n);
    return ATG_OK;
}

/* MTH(D[from:to]), from < to. */
static int hash_range(const tree_leaves *leaves, uint64_t from, uint64_t to, hash256 *ret,
                      atg_err *err) {
    hash256 batch[TREE_BATCH];
    tree t = {0};

    while (from < to) {
        uint32_t n = to - from < TREE_BATCH ? (uint32_t)(to - from) : TREE_BATCH;
        int rc = leaves->read(leaves->user, from, n, batch, err);

        if (rc)
            return rc;
        for (uint32_t i = 0; i < n; i++)
            tree_add(&t, &batch[i]);
        from += n;
    }
    *ret = tree_root(&t);
    return ATG_OK;
}

/* The largest power of 2 below n; n >= 2. */
static uint64_t split(uint64_t n) {
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* From the root's level down, as it was collected, to from the leaf's level up. */
static void turn(tree_proof *p) {
    for (uint32_t i = 0, k = p->n; i + 1 < k; i++) {
        hash256 h = p->hashes[i];

        p->hashes[i] = p->hashes[--k];
        p->hashes[k] = h;
    }
}

int tree_prove_leaf(const tree_leaves *leaves, uint64_t index, uint64_t size, tree_proof *ret,
                    atg_err *err) {
    uint64_t low = 0, high = size;
    tree_proof p = {0};

    if (index >= size)
        return atg_fail(err, ATG_EINVAL, "A tree of %llu entries has no entry %llu",
                        (unsigned long long)size, (unsigned long long)index);
    while (high - low > 1) {
        uint64_t middle = low + split(high - low);
        bool left = index < middle;
        int rc =
            hash_range(leaves, left ? middle : low, left ? high : middle, &p.hashes[p.n++], err);

        if (rc)
            return rc;
        if (left)
            high = middle;
        else
            low = middle;
    }
    turn(&p);
    *ret = p;
    return ATG_OK;
}

int tree_prove_prefix(const tree_leaves *leaves, uint64_t before, uint64_t size, tree_proof *ret,
                      atg_err *err) {
    uint64_t low = 0, high = size;
    tree_proof p = {0};
    int rc = ATG_OK;

    if (before == 0 || before > size)
        return atg_fail(err, ATG_EINVAL, "A tree of %llu entries did not begin with one of %llu",
                        (unsigned long long)size, (unsigned long long)before);
    while (!rc && before < high) {
        uint64_t middle = low + split(high - low);
        bool left = before <= middle;

        rc = hash_range(leaves, left ? middle : low, left ? high : middle, &p.hashes[p.n++], err);
        if (left)
            high = middle;
        else
            low = middle;
    }
    /* whoever checks knows the old root itself, but no subtree of it */
    if (!rc && low > 0)
        rc = hash_range(leaves, low, high, &p.hashes[p.n++], err);
    if (rc)
        return rc;
    turn(&p);
    *ret = p;
    return ATG_OK;
}

bool tree_check_leaf(const tree_proof *proof, const hash256 *leaf, uint64_t index, uint64_t size,
                     const hash256 *root) {
    uint64_t fn = index, sn = size - 1;
    hash256 r = *leaf;

    if (index >= size || proof->n > TREE_PROOF_MAX)
        return false;
    for (uint32_t i = 0; i < proof->n; i++) {
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            r = join(&proof->hashes[i], &r);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = join(&r, &proof->hashes[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && hash_eq(&r, root);
}

bool tree_check_prefix(const tree_proof *proof, uint64_t before, const hash256 *root_before,
                       uint64_t size, const hash256 *root) {
    uint64_t fn = before - 1, sn = size - 1;
    bool whole = (before & (before - 1)) == 0; /* the old root is a node of the new tree */
    uint32_t i = whole ? 0 : 1;
    hash256 fr, sr;

    if (before == 0 || before > size || proof->n > TREE_PROOF_MAX)
        return false;
    if (before == size)
        return proof->n == 0 && hash_eq(root_before, root);
    if (proof->n == 0)
        return false;
    for (; fn & 1; fn >>= 1)
        sn >>= 1;
    fr = sr = whole ? *root_before : proof->hashes[0];
    for (; i < proof->n; i++) {
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            fr = join(&proof->hashes[i], &fr);
            sr = join(&proof->hashes[i], &sr);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = join(&sr, &proof->hashes[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && hash_eq(&fr, root_before) && hash_eq(&sr, root);
}
