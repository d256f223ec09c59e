/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, sealing, hashes, signatures and the links of the audit chain.  Known answers come from
 * Python's hashlib and from a plain Python XChaCha20-Poly1305, or from the standard named. */
#include "testing.h"

#include <pthread.h>

#include "base/bytes.h"
#include "crypto/box.h"
#include "crypto/chain.h"
#include "crypto/ready.h"
#include "crypto/seal.h"
#include "crypto/sign.h"

static const key256 counting = {{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}};

#define IS_HEX(bytes, hex) is_hex(bytes, sizeof(bytes), hex)
static void is_hex(const void *bytes, size_t n, const char *want) {
    char text[300];

    bytes_hex(bytes, n, text);
    assert_string_equal(text, want);
}

static void *start(void *user) {
    return crypto_ready(NULL) == ATG_OK ? user : NULL;
}

static void the_library_is_started_from_any_thread(void **state) {
    pthread_t threads[8];
    void *done;

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start, threads), 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_non_null(done);
    }
    assert_int_equal(crypto_ready(NULL), ATG_OK);
}

static void keys_are_random_derived_and_wiped(void **state) {
    key256 a, b, c;
    key_id id = key_id_of(&counting), other;

    (void)state;
    assert_int_equal(key_new(&a, NULL), ATG_OK);
    assert_int_equal(key_new(&b, NULL), ATG_OK);
    assert_false(key_eq(&a, &b));
    key_derive(&counting, "testtest", 7, &c);
    IS_HEX(c.bytes, "dfde49a3e222332c49800e449a2c4b0583547a8ed8682dbfc90d71accb688a97");
    IS_HEX(id.bytes, "eff9d8e8bb6dd48c");
    other = key_id_of(&a);
    assert_false(key_id_eq(&id, &other));
    key_wipe(&a);
    assert_true(key_eq(&a, &(key256){{0}}));
}

static void secret_memory_fails_by_the_door_too(void **state) {
    size_t live = mem_live();
    void *p;

    (void)state;
    mem_fail_after(0);
    assert_null(mem_secret(100));
    p = mem_secret(100);
    assert_non_null(p);
    memset(p, 1, 100);
    mem_secret_free(p);
    mem_secret_free(NULL);
    mem_fail_after(-1);
    assert_int_equal(mem_live(), live);
}

static void a_seal_made_elsewhere_opens(void **state) {
    unsigned char sealed[47], plain[6];

    (void)state;
    assert_true(bytes_from_hex(ATG_STR("01404142434445464748494a4b4c4d4e4f50515253545556"
                                       "5733b78e9551699a36c4c32c96ce7605d3004ccffec693"),
                               sealed, sizeof(sealed)));
    assert_int_equal(seal_open(&counting, ATG_STR("missing/0001/1"),
                               (atg_str){(char *)sealed, sizeof(sealed)}, plain, NULL),
                     ATG_OK);
    assert_memory_equal(plain, "王偉", 6);
}

static void what_is_sealed_opens_and_is_never_the_same_twice(void **state) {
    static const size_t sizes[] = {0, 1, 15, 16, 63, 64, 65, 500, 70000};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t n = sizes[i];
        unsigned char *plain = mem_alloc(n), *a = mem_alloc(n + SEAL_OVERHEAD),
                      *b = mem_alloc(n + SEAL_OVERHEAD), *back = mem_alloc(n);
        atg_str text = {(char *)plain, n}, ad = ATG_STR("t");

        assert_true(plain && a && b && back);
        memset(plain, 0x5a, n);
        assert_int_equal(seal_make(&counting, ad, text, a, NULL), ATG_OK);
        assert_int_equal(seal_make(&counting, ad, text, b, NULL), ATG_OK);
        assert_memory_not_equal(a, b, n + SEAL_OVERHEAD);
        assert_int_equal(
            seal_open(&counting, ad, (atg_str){(char *)a, n + SEAL_OVERHEAD}, back, NULL), ATG_OK);
        assert_memory_equal(plain, back, n);
        mem_free(plain);
        mem_free(a);
        mem_free(b);
        mem_free(back);
    }
}

static void every_changed_byte_and_every_cut_is_refused_alike(void **state) {
    static const char secret[] = "a name of a person";
    enum { N = sizeof(secret) + SEAL_OVERHEAD };
    unsigned char sealed[N + 1], back[sizeof(secret) + 1];
    atg_str ad = ATG_STR("missing/7/1");
    atg_err first = {0}, err = {0};

    (void)state;
    assert_int_equal(seal_make(&counting, ad, (atg_str){secret, sizeof(secret)}, sealed, NULL),
                     ATG_OK);
    sealed[N] = 0;
    assert_int_equal(
        seal_open(&counting, ATG_STR("missing/8/1"), (atg_str){(char *)sealed, N}, back, &first),
        ATG_EDENIED);
    for (size_t i = 0; i < N; i++)
        for (int bit = 0; bit < 8; bit++) {
            memset(back, 7, sizeof(back));
            sealed[i] ^= (unsigned char)(1 << bit);
            assert_int_equal(seal_open(&counting, ad, (atg_str){(char *)sealed, N}, back, &err),
                             ATG_EDENIED);
            assert_string_equal(err.msg, first.msg);
            sealed[i] ^= (unsigned char)(1 << bit);
            for (size_t k = 0; k < sizeof(secret); k++)
                assert_int_equal(back[k], 0);
            assert_int_equal(back[sizeof(secret)], 7);
        }
    for (size_t n = 0; n <= N + 1; n++) {
        int rc = seal_open(&counting, ad, (atg_str){(char *)sealed, n}, back, &err);

        assert_int_equal(rc, n == N ? ATG_OK : ATG_EDENIED);
    }
    key256 other = counting;

    other.bytes[31] ^= 1;
    assert_int_equal(seal_open(&other, ad, (atg_str){(char *)sealed, N}, back, &err), ATG_EDENIED);
    assert_string_equal(err.msg, first.msg);
}

static void a_seal_needs_to_know_its_place(void **state) {
    static char ad[SEAL_AD_MAX + 1];
    unsigned char sealed[SEAL_OVERHEAD], back[1];
    atg_str none = {"", 0}, most = {ad, SEAL_AD_MAX}, more = {ad, SEAL_AD_MAX + 1};

    (void)state;
    assert_int_equal(seal_make(&counting, none, none, sealed, NULL), ATG_EINVAL);
    assert_int_equal(seal_make(&counting, more, none, sealed, NULL), ATG_EINVAL);
    assert_int_equal(seal_make(&counting, most, none, sealed, NULL), ATG_OK);
    assert_int_equal(
        seal_open(&counting, most, (atg_str){(char *)sealed, sizeof(sealed)}, back, NULL), ATG_OK);
    assert_int_equal(
        seal_open(&counting, none, (atg_str){(char *)sealed, sizeof(sealed)}, back, NULL),
        ATG_EINVAL);
}

static void keys_are_sealed_under_keys(void **state) {
    unsigned char sealed[SEAL_KEY_SIZE];
    atg_str ad = ATG_STR("operation/1"), s = {(char *)sealed, sizeof(sealed)};
    key256 inner, back = {{1}};

    (void)state;
    assert_int_equal(key_new(&inner, NULL), ATG_OK);
    assert_int_equal(seal_key(&counting, ad, &inner, sealed, NULL), ATG_OK);
    assert_int_equal(seal_open_key(&inner, ad, s, &back, NULL), ATG_EDENIED);
    assert_int_equal(seal_open_key(&counting, ATG_STR("operation/2"), s, &back, NULL), ATG_EDENIED);
    assert_int_equal(seal_open_key(&counting, ad, (atg_str){s.p, s.n - 1}, &back, NULL),
                     ATG_EDENIED);
    assert_int_equal(back.bytes[0], 1);
    assert_int_equal(seal_open_key(&counting, ad, s, &back, NULL), ATG_OK);
    assert_true(key_eq(&inner, &back));
}

static void hashes_are_those_of_the_standard(void **state) {
    hash256 h = hash_of(ATG_STR(""), NULL);
    unsigned char token[HASH_TOKEN];

    (void)state;
    IS_HEX(h.bytes, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    h = hash_of(ATG_STR("abc"), &counting);
    IS_HEX(h.bytes, "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
    hash_token(&counting, ATG_STR("abc"), token);
    IS_HEX(token, "d63a32d3e44738d7");
}

static void no_two_sequences_of_items_have_one_hash(void **state) {
    static const char *const parts[][3] = {
        {"ab", "c", ""}, {"a", "bc", ""}, {"abc", "", ""}, {"", "abc", ""},    {"", "", "abc"},
        {"ab", "", "c"}, {"a", "b", "c"}, {"", "", ""},    {"b\0\0", "a", ""}, {"n", "abc", "b"},
    };
    enum { N = sizeof(parts) / sizeof(*parts) };
    hash256 got[2 * N];
    hasher h;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        hash_begin(&h, "test/1", NULL);
        for (int k = 0; k < 3; k++)
            hash_bytes(&h, atg_str_of(parts[i][k]));
        got[i] = hash_end(&h);
        hash_begin(&h, "test/1", NULL);
        hash_bytes(&h, atg_str_of(parts[i][0]));
        hash_number(&h, strlen(parts[i][1]));
        hash_bytes(&h, atg_str_of(parts[i][1]));
        hash_bytes(&h, atg_str_of(parts[i][2]));
        got[N + i] = hash_end(&h);
    }
    for (size_t i = 0; i < 2 * (size_t)N; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(hash_eq(&got[i], &got[k]));
}

static void a_commitment_depends_on_all_it_is_made_of(void **state) {
    key_salt salt = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}, other = salt;
    atg_str kind = ATG_STR("missing"), field = ATG_STR("family_name");
    atg_str value = ATG_STR("Олександр");
    hash256 h, g[4];

    (void)state;
    h = hash_commit(&salt, kind, field, value);
    IS_HEX(h.bytes, "5740acb04b69964d7c41bdacea069c3640a07ef8e1f68ef2ae3bf7e9777596df");
    other.bytes[15] ^= 1;
    g[0] = hash_commit(&other, kind, field, value);
    g[1] = hash_commit(&salt, field, kind, value);
    g[2] = hash_commit(&salt, kind, ATG_STR("given_name"), value);
    g[3] = hash_commit(&salt, kind, field, ATG_STR("олександр"));
    for (int i = 0; i < 4; i++)
        assert_false(hash_eq(&h, &g[i]));
    assert_int_equal(key_salt_new(&other, NULL), ATG_OK);
    assert_memory_not_equal(other.bytes, salt.bytes, KEY_SALT);
}

static void signatures_are_those_of_the_standard(void **state) {
    /* RFC 8032, section 7.1, test 1 */
    unsigned char signature[SIGN_SIZE];
    sign_pair pair, other;
    key256 seed;
    key_id a, b;

    (void)state;
    assert_true(
        bytes_from_hex(ATG_STR("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
                       seed.bytes, KEY_SIZE));
    sign_pair_of(&seed, &pair);
    IS_HEX(pair.pub.bytes, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    sign_make(&pair, ATG_STR(""), signature);
    IS_HEX(signature, "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
                      "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    assert_true(sign_check(&pair.pub, ATG_STR(""), signature));
    assert_false(sign_check(&pair.pub, ATG_STR("x"), signature));
    sign_pair_of(&counting, &other);
    assert_false(sign_check(&other.pub, ATG_STR(""), signature));
    for (size_t i = 0; i < SIGN_SIZE; i++) {
        signature[i] ^= 0x10;
        assert_false(sign_check(&pair.pub, ATG_STR(""), signature));
        signature[i] ^= 0x10;
    }
    a = sign_key_id(&pair.pub);
    b = sign_key_id(&other.pub);
    assert_false(key_id_eq(&a, &b));
    sign_pair_wipe(&pair);
    assert_int_equal(pair.secret[0] | pair.secret[63], 0);
}

static void a_box_opens_for_its_receiver_alone(void **state) {
    unsigned char boxed[4 + BOX_OVERHEAD], back[5] = "????";
    atg_str b = {(char *)boxed, sizeof(boxed)};
    box_pair to, other;
    key_id x, y;
    key256 seed = counting;

    (void)state;
    box_pair_of(&seed, &to);
    seed.bytes[0] = 99;
    box_pair_of(&seed, &other);
    assert_int_equal(box_make(&to.pub, ATG_STR("1234"), boxed, NULL), ATG_OK);
    assert_int_equal(box_open(&to, b, back, NULL), ATG_OK);
    assert_string_equal((char *)back, "1234");
    assert_int_equal(box_open(&other, b, back, NULL), ATG_EDENIED);
    for (size_t i = 0; i < sizeof(boxed); i++) {
        /* the curve does not look at the highest bit of a public key, but the nonce does */
        boxed[i] ^= 0x80;
        assert_int_equal(box_open(&to, b, back, NULL), ATG_EDENIED);
        boxed[i] ^= 0x80;
        assert_int_equal(box_open(&to, (atg_str){b.p, i}, back, NULL), ATG_EDENIED);
    }
    x = box_key_id(&to.pub);
    y = box_key_id(&other.pub);
    assert_false(key_id_eq(&x, &y));
    /* a point of small order is nobody's key */
    assert_int_equal(box_make(&(box_public){{0}}, ATG_STR("1234"), boxed, NULL), ATG_EINVAL);
    box_pair_wipe(&to);
    assert_true(key_eq(&to.secret, &(key256){{0}}));
}

static chain_entry entry(uint64_t seq) {
    chain_entry e = {.seq = seq,
                     .at = 1795495000000000,
                     .action = ATG_STR("add"),
                     .kind = ATG_STR("missing"),
                     .rev = 1,
                     .detail = ATG_STR("{\"sex\":[null,\"F\"]}")};

    memset(e.file.bytes, 1, UUID_SIZE);
    memset(e.account.bytes, 2, UUID_SIZE);
    memset(e.record.bytes, 3, UUID_SIZE);
    return e;
}

static void the_links_of_a_chain_are_known_answers(void **state) {
    chain_entry e = entry(1), f = entry(2);
    chain c = chain_start(&e.file);
    hash256 none = {{0}}, h1 = chain_hash(&none, &e), h2;

    (void)state;
    IS_HEX(h1.bytes, "e3dc4bc162297a5f8c03a31a87c06ad94e59029a528ade6b4d3178a95676d621");
    f.at = -1;
    f.action = f.kind = f.detail = (atg_str){NULL, 0};
    f.rev = 0;
    h2 = chain_hash(&h1, &f);
    IS_HEX(h2.bytes, "6732e16baf102b1bbfd454a6c8d01073c8f4c4c80dc1bdf84e5aa86a57f9f79f");
    assert_int_equal(chain_follow(&c, &e, &none, &h1, NULL), ATG_OK);
    assert_int_equal(chain_follow(&c, &f, &h1, &h2, NULL), ATG_OK);
    assert_true(c.seq == 2);
}

enum { TAMPERS = 14 };

/* Change one thing of a link that follows. */
static void tamper(int which, chain_entry *e, hash256 *prev, hash256 *hash) {
    switch (which) {
    case 0:
        e->file.bytes[3] ^= 1;
        break;
    case 1:
        e->seq++;
        break;
    case 2:
        e->seq--;
        break;
    case 3:
        e->at++;
        break;
    case 4:
        e->account.bytes[15] ^= 1;
        break;
    case 5:
        e->action = ATG_STR("adx");
        break;
    case 6:
        e->kind = ATG_STR("missin");
        break;
    case 7:
        e->record.bytes[0] ^= 1;
        break;
    case 8:
        e->rev++;
        break;
    case 9:
        e->detail = ATG_STR("{\"sex\":[null,\"M\"]}");
        break;
    case 10:
        prev->bytes[0] ^= 1;
        break;
    case 11:
        hash->bytes[31] ^= 1;
        break;
    case 12: /* the whole entry made anew, over another past */
        prev->bytes[0] ^= 1;
        *hash = chain_hash(prev, e);
        break;
    default: /* and anew after a gap */
        e->seq += 2;
        *hash = chain_hash(prev, e);
        break;
    }
}

static void whatever_is_changed_in_a_link_is_noticed(void **state) {
    chain_entry e = entry(1);
    chain c = chain_start(&e.file);
    hash256 none = {{0}}, h1 = chain_hash(&none, &e), h2;

    (void)state;
    assert_int_equal(chain_follow(&c, &e, &none, &h1, NULL), ATG_OK);
    e = entry(2);
    h2 = chain_hash(&h1, &e);
    for (int i = 0; i < TAMPERS; i++) {
        chain_entry changed = e;
        chain before = c;
        hash256 p = h1, h = h2;
        atg_err err = {0};

        tamper(i, &changed, &p, &h);
        assert_int_equal(chain_follow(&c, &changed, &p, &h, &err), ATG_EPARSE);
        assert_non_null(strstr(err.msg, "01010101-0101-0101-0101-010101010101"));
        assert_memory_equal(&c, &before, sizeof(c));
    }
    assert_int_equal(chain_follow(&c, &e, &h1, &h2, NULL), ATG_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_is_started_from_any_thread),
        cmocka_unit_test(keys_are_random_derived_and_wiped),
        cmocka_unit_test(secret_memory_fails_by_the_door_too),
        cmocka_unit_test(a_seal_made_elsewhere_opens),
        cmocka_unit_test(what_is_sealed_opens_and_is_never_the_same_twice),
        cmocka_unit_test(every_changed_byte_and_every_cut_is_refused_alike),
        cmocka_unit_test(a_seal_needs_to_know_its_place),
        cmocka_unit_test(keys_are_sealed_under_keys),
        cmocka_unit_test(hashes_are_those_of_the_standard),
        cmocka_unit_test(no_two_sequences_of_items_have_one_hash),
        cmocka_unit_test(a_commitment_depends_on_all_it_is_made_of),
        cmocka_unit_test(signatures_are_those_of_the_standard),
        cmocka_unit_test(a_box_opens_for_its_receiver_alone),
        cmocka_unit_test(the_links_of_a_chain_are_known_answers),
        cmocka_unit_test(whatever_is_changed_in_a_link_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
