/* SPDX-License-Identifier: Apache-2.0 */
/* The tree over the audit entries, its proofs, and signed checkpoints.  Roots are those that the
 * implementations of RFC 6962 share; proofs are held to the recursive definitions. */
#include "prop.h"

#include "base/bytes.h"
#include "crypto/checkpoint.h"
#include "crypto/tree.h"

static const struct {
    const char *bytes, *root; /* of the tree that ends with this leaf; all hexadecimal */
} known[] = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f",
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};
enum { KNOWN = sizeof(known) / sizeof(*known) };

static void is_root(const hash256 *h, const char *want) {
    char text[65];

    bytes_hex(h->bytes, HASH_SIZE, text);
    assert_string_equal(text, want);
}

static hash256 known_leaf(size_t i) {
    unsigned char bytes[16];
    size_t n = strlen(known[i].bytes) / 2;

    assert_true(bytes_from_hex(atg_str_of(known[i].bytes), bytes, n));
    return tree_leaf((atg_str){(const char *)bytes, n});
}

static void roots_are_those_of_other_implementations(void **state) {
    tree t = {0};
    hash256 root = tree_root(&t);

    (void)state;
    is_root(&root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < KNOWN; i++) {
        hash256 leaf = known_leaf(i);

        tree_add(&t, &leaf);
        root = tree_root(&t);
        is_root(&root, known[i].root);
    }
}

/* RFC 6962, section 2.1, as it stands there: recursive, and shallow. */
/* NOLINTBEGIN(misc-no-recursion) */
static hash256 brute_root(const hash256 *leaves, uint64_t n) {
    unsigned char both[65] = {1};
    hash256 left, right, ret;
    uint64_t k = 1;

    if (n == 1)
        return leaves[0];
    while (2 * k < n)
        k *= 2;
    left = brute_root(leaves, k);
    right = brute_root(leaves + k, n - k);
    memcpy(both + 1, left.bytes, 32);
    memcpy(both + 33, right.bytes, 32);
    (void)crypto_hash_sha256(ret.bytes, both, sizeof(both));
    return ret;
}

/* PATH(m, D[n]) */
static void brute_path(const hash256 *leaves, uint64_t m, uint64_t n, tree_proof *p) {
    uint64_t k = 1;

    if (n == 1)
        return;
    while (2 * k < n)
        k *= 2;
    if (m < k)
        brute_path(leaves, m, k, p);
    else
        brute_path(leaves + k, m - k, n - k, p);
    p->hashes[p->n++] = m < k ? brute_root(leaves + k, n - k) : brute_root(leaves, k);
}

/* SUBPROOF(m, D[n], b) */
static void brute_sub(const hash256 *leaves, uint64_t m, uint64_t n, bool b, tree_proof *p) {
    uint64_t k = 1;

    if (m == n) {
        if (!b)
            p->hashes[p->n++] = brute_root(leaves, m);
        return;
    }
    while (2 * k < n)
        k *= 2;
    if (m <= k)
        brute_sub(leaves, m, k, b, p);
    else
        brute_sub(leaves + k, m - k, n - k, false, p);
    p->hashes[p->n++] = m <= k ? brute_root(leaves + k, n - k) : brute_root(leaves, k);
}

/* NOLINTEND(misc-no-recursion) */

enum { LEAVES = 700 };
static hash256 made[LEAVES];

static void make_leaves(void) {
    for (uint32_t i = 0; i < LEAVES; i++) {
        unsigned char b[4];

        bytes_put32(b, i);
        made[i] = tree_leaf((atg_str){(const char *)b, 4});
    }
}

static int read_made(void *user, uint64_t from, uint32_t n, hash256 *ret, atg_err *err) {
    const uint64_t *fails_at = user;

    assert_true(from + n <= LEAVES && n >= 1 && n <= TREE_BATCH);
    if (fails_at && from <= *fails_at && *fails_at < from + n)
        return atg_fail(err, ATG_EDB, "gone");
    memcpy(ret, made + from, n * sizeof(*ret));
    return ATG_OK;
}

static const tree_leaves made_leaves = {read_made, NULL};

static bool same_proof(const tree_proof *a, const tree_proof *b) {
    return a->n == b->n && memcmp(a->hashes, b->hashes, a->n * sizeof(hash256)) == 0;
}

static void the_tree_is_the_recursive_definition_and_survives_storing(void **state) {
    unsigned char saved[TREE_SAVED_MAX];
    tree t = {0};

    (void)state;
    make_leaves();
    for (uint32_t i = 0; i < LEAVES; i++) {
        size_t n = tree_save(&t, saved);
        tree back;
        hash256 root, want;

        assert_int_equal(tree_load((atg_str){(char *)saved, n}, &back, NULL), ATG_OK);
        t = back;
        tree_add(&t, &made[i]);
        root = tree_root(&t);
        want = brute_root(made, i + 1);
        assert_true(hash_eq(&root, &want));
        assert_true(t.size == i + 1);
    }
}

static void a_damaged_state_is_refused(void **state) {
    unsigned char saved[TREE_SAVED_MAX] = {0};
    tree t = {.size = 99};

    (void)state;
    saved[7] = 3; /* two roots */
    for (size_t n = 0; n <= 8 + 3 * 32; n++)
        assert_int_equal(tree_load((atg_str){(char *)saved, n}, &t, NULL),
                         n == 8 + 64 ? ATG_OK : ATG_EPARSE);
}

static void proofs_of_leaves_are_those_of_the_definition(void **state) {
    (void)state;
    make_leaves();
    for (uint64_t size = 1; size <= 70; size++) {
        hash256 root = brute_root(made, size);

        for (uint64_t i = 0; i < size; i++) {
            tree_proof p, want = {0};

            assert_int_equal(tree_prove_leaf(&made_leaves, i, size, &p, NULL), ATG_OK);
            brute_path(made, i, size, &want);
            assert_true(same_proof(&p, &want));
            assert_true(tree_check_leaf(&p, &made[i], i, size, &root));
            /* not for a neighbour, and not in its place */
            assert_false(tree_check_leaf(&p, &made[i + 1], i, size, &root));
            if (size > 1)
                assert_false(tree_check_leaf(&p, &made[i], (i + 1) % size, size, &root));
        }
    }
}

static void proofs_of_prefixes_are_those_of_the_definition(void **state) {
    (void)state;
    make_leaves();
    for (uint64_t size = 1; size <= 70; size++) {
        hash256 root = brute_root(made, size);

        for (uint64_t before = 1; before <= size; before++) {
            hash256 old = brute_root(made, before), other = old;
            tree_proof p, want = {0};

            assert_int_equal(tree_prove_prefix(&made_leaves, before, size, &p, NULL), ATG_OK);
            brute_sub(made, before, size, true, &want);
            assert_true(same_proof(&p, &want));
            assert_true(tree_check_prefix(&p, before, &old, size, &root));
            other.bytes[5] ^= 1;
            assert_false(tree_check_prefix(&p, before, &other, size, &root));
            assert_false(tree_check_prefix(&p, before, &old, size, &other));
            if (before < size)
                assert_false(tree_check_prefix(&p, before + 1, &old, size, &root));
        }
    }
}

static void large_trees_are_proved_in_pieces(void **state) {
    (void)state;
    make_leaves();
    for (PROP_EACH(p, 60)) {
        uint64_t size = 1 + prop_below(&p, LEAVES), i = prop_below(&p, (uint32_t)size);
        hash256 root = brute_root(made, size), old = brute_root(made, i + 1);
        tree_proof leaf, prefix, bad;
        uint32_t at;

        assert_int_equal(tree_prove_leaf(&made_leaves, i, size, &leaf, NULL), ATG_OK);
        assert_true(tree_check_leaf(&leaf, &made[i], i, size, &root));
        assert_int_equal(tree_prove_prefix(&made_leaves, i + 1, size, &prefix, NULL), ATG_OK);
        assert_true(tree_check_prefix(&prefix, i + 1, &old, size, &root));
        if (leaf.n == 0 || prefix.n == 0)
            continue;
        bad = leaf;
        at = prop_below(&p, leaf.n);
        bad.hashes[at].bytes[prop_below(&p, 32)] ^= (unsigned char)(1 << prop_below(&p, 8));
        assert_false(tree_check_leaf(&bad, &made[i], i, size, &root));
        bad = leaf;
        bad.n--;
        assert_false(tree_check_leaf(&bad, &made[i], i, size, &root));
        bad.n += 2;
        assert_false(tree_check_leaf(&bad, &made[i], i, size, &root));
        bad = prefix;
        at = prop_below(&p, prefix.n);
        bad.hashes[at].bytes[prop_below(&p, 32)] ^= (unsigned char)(1 << prop_below(&p, 8));
        assert_false(tree_check_prefix(&bad, i + 1, &old, size, &root));
        bad = prefix;
        bad.n--;
        assert_false(tree_check_prefix(&bad, i + 1, &old, size, &root));
    }
}

static void proofs_of_what_cannot_be_are_refused(void **state) {
    uint64_t fails_at = 600;
    tree_leaves failing = {read_made, &fails_at};
    hash256 root = {{0}};
    tree_proof p = {.n = 70};
    atg_err err = {0};

    (void)state;
    make_leaves();
    assert_int_equal(tree_prove_leaf(&made_leaves, 5, 5, &p, &err), ATG_EINVAL);
    assert_int_equal(tree_prove_leaf(&made_leaves, 0, 0, &p, &err), ATG_EINVAL);
    assert_int_equal(tree_prove_prefix(&made_leaves, 0, 5, &p, &err), ATG_EINVAL);
    assert_int_equal(tree_prove_prefix(&made_leaves, 6, 5, &p, &err), ATG_EINVAL);
    assert_int_equal(tree_prove_leaf(&failing, 3, 690, &p, &err), ATG_EDB);
    assert_int_equal(tree_prove_prefix(&failing, 3, 690, &p, &err), ATG_EDB);
    assert_int_equal(p.n, 70);
    /* whatever a stranger sends */
    assert_false(tree_check_leaf(&p, &root, 0, 0, &root));
    assert_false(tree_check_leaf(&p, &root, 0, UINT64_MAX, &root));
    assert_false(tree_check_prefix(&p, 0, &root, 0, &root));
    assert_false(tree_check_prefix(&p, 1, &root, UINT64_MAX, &root));
    p.n = 0;
    assert_false(tree_check_prefix(&p, 3, &root, 5, &root));
    assert_false(tree_check_prefix(&p, 4, &root, 5, &root));
    assert_true(tree_check_prefix(&p, 5, &root, 5, &root));
}

static void sign_one(checkpoint *c, sign_pair *pair) {
    key256 seed = {{5}};

    sign_pair_of(&seed, pair);
    *c = (checkpoint){.origin = "antigone.example/K3", .size = 8, .at = 1795495000123456};
    assert_true(bytes_from_hex(atg_str_of(known[7].root), c->root.bytes, HASH_SIZE));
    assert_int_equal(checkpoint_sign(c, pair, NULL), ATG_OK);
}

static void a_checkpoint_is_a_signed_note(void **state) {
    char text[CHECKPOINT_MAX];
    sign_pair pair, other;
    key256 seed = {{6}};
    checkpoint c, back;
    size_t n;

    (void)state;
    sign_one(&c, &pair);
    n = checkpoint_text(&c, text);
    assert_int_equal(n, strlen(text));
    assert_ptr_equal(strstr(text, "antigone.example/K3\n8\n"
                                  "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
                                  "at 2026-11-24T04:36:40.123456Z\nkey "),
                     text);
    assert_non_null(strstr(text, "\n\n\xe2\x80\x94 antigone.example/K3 "));
    assert_int_equal(checkpoint_read((atg_str){text, n}, &back, NULL), ATG_OK);
    assert_int_equal(checkpoint_check(&back, &pair.pub, NULL), ATG_OK);
    sign_pair_of(&seed, &other);
    assert_int_equal(checkpoint_check(&back, &other.pub, NULL), ATG_EDENIED);
}

static void no_byte_of_a_checkpoint_can_be_changed(void **state) {
    unsigned char bytes[CHECKPOINT_MAX];
    char *text = (char *)bytes;
    sign_pair pair;
    checkpoint c;
    size_t n;

    (void)state;
    sign_one(&c, &pair);
    n = checkpoint_text(&c, text);
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1 << bit);
            assert_false(checkpoint_read((atg_str){text, n}, &c, NULL) == ATG_OK &&
                         checkpoint_check(&c, &pair.pub, NULL) == ATG_OK);
            bytes[i] ^= (unsigned char)(1 << bit);
        }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(checkpoint_read((atg_str){text, i}, &c, NULL), ATG_EPARSE);
    text[n] = '\n';
    assert_int_equal(checkpoint_read((atg_str){text, n + 1}, &c, NULL), ATG_EPARSE);
}

static void a_text_that_is_no_checkpoint_names_the_line(void **state) {
    static const struct {
        const char *text;
        uint32_t line;
    } cases[] = {
        {"", 1},
        {"a b\n8\n", 1},
        {"a+b\n8\n", 1},
        {"a\n-8\n", 2},
        {"a\n18446744073709551616\n", 2},
        {"a\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg\n", 3},
        {"a\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n2026-11-24T04:36:40.123456Z\n", 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        atg_err err = {0};
        checkpoint c;

        assert_int_equal(checkpoint_read(atg_str_of(cases[i].text), &c, &err), ATG_EPARSE);
        assert_int_equal(err.line, cases[i].line);
    }
}

static void a_checkpoint_of_a_strange_origin_is_not_signed(void **state) {
    static const char *const bad[] = {"", "a b", "a+b", "a\nb", "\xc3\xa9"};
    sign_pair pair;
    checkpoint c;

    (void)state;
    sign_one(&c, &pair);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        memcpy(c.origin, bad[i], strlen(bad[i]) + 1);
        assert_int_equal(checkpoint_sign(&c, &pair, NULL), ATG_EINVAL);
    }
    memset(c.origin, 'x', sizeof(c.origin));
    assert_int_equal(checkpoint_sign(&c, &pair, NULL), ATG_EINVAL);
    c.origin[CHECKPOINT_ORIGIN] = '\0';
    assert_int_equal(checkpoint_sign(&c, &pair, NULL), ATG_OK);
    c.size = UINT64_MAX;
    assert_int_equal(checkpoint_sign(&c, &pair, NULL), ATG_OK);
    {
        char text[CHECKPOINT_MAX];
        size_t n = checkpoint_text(&c, text);

        assert_true(n < CHECKPOINT_MAX);
        assert_int_equal(checkpoint_read((atg_str){text, n}, &c, NULL), ATG_OK);
    }
    c.at = INT64_MAX;
    assert_int_equal(checkpoint_sign(&c, &pair, NULL), ATG_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_other_implementations),
        cmocka_unit_test(the_tree_is_the_recursive_definition_and_survives_storing),
        cmocka_unit_test(a_damaged_state_is_refused),
        cmocka_unit_test(proofs_of_leaves_are_those_of_the_definition),
        cmocka_unit_test(proofs_of_prefixes_are_those_of_the_definition),
        cmocka_unit_test(large_trees_are_proved_in_pieces),
        cmocka_unit_test(proofs_of_what_cannot_be_are_refused),
        cmocka_unit_test(a_checkpoint_is_a_signed_note),
        cmocka_unit_test(no_byte_of_a_checkpoint_can_be_changed),
        cmocka_unit_test(a_text_that_is_no_checkpoint_names_the_line),
        cmocka_unit_test(a_checkpoint_of_a_strange_origin_is_not_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
