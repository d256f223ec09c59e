/* SPDX-License-Identifier: Apache-2.0 */
/* The container of bundles. */
#include "testing.h"

#include "crypto/hash.h"
#include "formats/bundle.h"
#include "prop.h"

enum { PARTS = 8, ITEMS = 16 };

/* A bundle in memory, part by part. */
typedef struct kept {
    unsigned char *part[PARTS];
    size_t n[PARTS];
    uint32_t parts;
    bool ended;
} kept;

static sign_pair sender, stranger;
static box_pair own, other;

static void make_keys(void) {
    sign_pair_of(&(key256){{1}}, &sender);
    sign_pair_of(&(key256){{2}}, &stranger);
    box_pair_of(&(key256){{3}}, &own);
    box_pair_of(&(key256){{4}}, &other);
}

static int keep(void *user, uint32_t number, bool last, atg_str part, atg_err *err) {
    kept *k = user;

    if (number >= PARTS)
        return atg_fail(err, ATG_EIO, "full");
    assert_true(number == k->parts && !k->ended);
    k->part[number] = mem_alloc(part.n);
    if (!k->part[number])
        return atg_fail(err, ATG_ENOMEM, "no memory");
    memcpy(k->part[number], part.p, part.n);
    k->n[number] = part.n;
    k->parts++;
    k->ended = last;
    return ATG_OK;
}

static void forget(kept *k) {
    for (uint32_t i = 0; i < k->parts; i++)
        mem_free(k->part[i]);
    *k = (kept){.parts = 0};
}

static int fetch(void *user, uint32_t number, atg_str *ret, atg_err *err) {
    const kept *k = user;

    if (number >= k->parts || !k->part[number])
        return atg_fail(err, ATG_ENOTFOUND, "Part %u is missing", number);
    *ret = (atg_str){(const char *)k->part[number], k->n[number]};
    return ATG_OK;
}

/* Item i is `sizes[i]` bytes of the value i + 1, of kind i + 1. */
static int make(kept *k, const box_public *to, uint32_t n_to, const size_t *sizes, size_t n) {
    ATG_AUTO(bundle_writer) w = NULL;
    bundle_options o = {
        .sender = &sender, .receivers = to, .n_receivers = n_to, .at = 7, .out = keep, .user = k};
    int rc = uuid_new(&o.bundle, NULL);

    *k = (kept){.parts = 0};
    if (rc == ATG_OK)
        rc = bundle_writer_new(&o, &w, NULL);
    for (size_t i = 0; i < n && !rc; i++) {
        char *bytes = mem_alloc(sizes[i]);

        if (!bytes)
            return ATG_ENOMEM;
        memset(bytes, (int)i + 1, sizes[i]);
        rc = bundle_put(w, (unsigned)i + 1, (atg_str){bytes, sizes[i]}, NULL);
        mem_free(bytes);
    }
    return rc ? rc : bundle_finish(w, NULL);
}

typedef struct taken {
    size_t sizes[ITEMS];
    size_t n;
    bool ended;
} taken;

static int take(void *user, unsigned kind, atg_str bytes, atg_err *err) {
    taken *t = user;

    (void)err;
    assert_false(t->ended);
    t->ended = kind == BUNDLE_END;
    if (t->ended)
        return ATG_OK;
    assert_int_equal(kind, t->n + 1);
    assert_true(t->n < ITEMS);
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] != (char)(t->n + 1))
            fail_msg("byte %zu of item %zu", i, t->n);
    t->sizes[t->n++] = bytes.n;
    return ATG_OK;
}

static int read_it(kept *k, const box_pair *receiver, taken *ret, atg_err *err) {
    bundle_source from = {.fetch = fetch, .user = k, .own = receiver, .sender = &sender.pub};

    *ret = (taken){.n = 0};
    return bundle_read(&from, take, ret, err);
}

static void refused(kept *k, int code, const char *words) {
    taken t;
    atg_err err = {0};
    int rc = read_it(k, &own, &t, &err);

    if (rc != code || !strstr(err.msg, words))
        fail_msg("expected \"%s\", got code %d: %s", words, rc, rc ? err.msg : "no failure");
}

/* ---- tests ---- */

static void what_was_put_in_comes_out(void **state) {
    static const size_t cases[][4] = {
        {0, 0, 0, 0},
        {1, 65536, 65531, 5},
        {BUNDLE_PIECE, 3, 2 * (size_t)BUNDLE_PIECE + 1, 0},
        {BUNDLE_PIECE - 332, BUNDLE_PIECE - 333, BUNDLE_PIECE - 400, 300},
    };
    kept k;

    (void)state;
    make_keys();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t n = 0; n <= 4; n++) {
            taken t;
            atg_err err = {0};

            assert_int_equal(make(&k, &own.pub, 1, cases[i], n), ATG_OK);
            assert_true(k.ended);
            if (read_it(&k, &own, &t, &err))
                fail_msg("%s", err.msg);
            assert_true(t.ended && t.n == n);
            assert_memory_equal(t.sizes, cases[i], n * sizeof(size_t));
            forget(&k);
        }
}

/* The last part is a full one too when the stream ends there. */
static void a_bundle_that_ends_with_a_full_part_is_whole(void **state) {
    kept k;
    taken t;
    size_t n = BUNDLE_PIECE, full = 0;

    (void)state;
    make_keys();
    /* 37 bytes in front, 17 for each 64 KiB or what is left of them, 5 for each item and the end */
    for (n -= 37 + 16 * 17 + 10; full == 0; n++) {
        assert_int_equal(make(&k, &own.pub, 1, &n, 1), ATG_OK);
        assert_int_equal(read_it(&k, &own, &t, NULL), ATG_OK);
        assert_true(t.n == 1 && t.sizes[0] == n);
        full = k.parts == 2 && k.n[1] == BUNDLE_PART ? n : 0;
        assert_int_equal(k.parts, 2);
        forget(&k);
    }
}

static void only_its_receivers_can_open_a_bundle(void **state) {
    box_public to[BUNDLE_RECEIVERS + 1];
    box_pair pair;
    size_t size = 10;
    kept k;
    taken t;
    atg_err err = {0};

    (void)state;
    make_keys();
    for (unsigned i = 0; i <= BUNDLE_RECEIVERS; i++) {
        box_pair_of(&(key256){{9, (unsigned char)i}}, &pair);
        to[i] = pair.pub;
    }
    assert_int_equal(make(&k, to, BUNDLE_RECEIVERS, &size, 1), ATG_OK);
    for (unsigned i = 0; i < BUNDLE_RECEIVERS; i++) {
        box_pair_of(&(key256){{9, (unsigned char)i}}, &pair);
        assert_int_equal(read_it(&k, &pair, &t, &err), ATG_OK);
    }
    assert_int_equal(read_it(&k, &own, &t, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "for others"));
    forget(&k);
    assert_int_equal(make(&k, to, BUNDLE_RECEIVERS + 1, &size, 1), ATG_EINVAL);
    assert_int_equal(make(&k, to, 0, &size, 1), ATG_EINVAL);
    forget(&k);
}

static void every_changed_byte_is_noticed(void **state) {
    size_t sizes[] = {100, 40};
    kept k;
    taken t;

    (void)state;
    make_keys();
    assert_int_equal(make(&k, &own.pub, 1, sizes, 2), ATG_OK);
    for (uint32_t p = 0; p < k.parts; p++)
        for (size_t i = 0; i < k.n[p]; i++) {
            k.part[p][i] ^= 0x10;
            assert_int_not_equal(read_it(&k, &own, &t, NULL), ATG_OK);
            assert_int_equal(t.n, 0);
            k.part[p][i] ^= 0x10;
        }
    assert_int_equal(read_it(&k, &own, &t, NULL), ATG_OK);
    forget(&k);
    sizes[0] = 3 * (size_t)BUNDLE_PIECE;
    assert_int_equal(make(&k, &own.pub, 1, sizes, 2), ATG_OK);
    for (PROP_EACH(q, 60)) {
        uint32_t p = prop_below(&q, k.parts);
        size_t i = prop_below(&q, (uint32_t)k.n[p]);

        k.part[p][i] ^= 1;
        assert_int_not_equal(read_it(&k, &own, &t, NULL), ATG_OK);
        k.part[p][i] ^= 1;
    }
    forget(&k);
}

static void every_cut_is_noticed(void **state) {
    size_t sizes[] = {100, 2 * (size_t)BUNDLE_PIECE};
    kept k;

    (void)state;
    make_keys();
    assert_int_equal(make(&k, &own.pub, 1, sizes, 2), ATG_OK);
    assert_int_equal(k.parts, 4);
    for (uint32_t p = 0; p < k.parts; p++) {
        size_t n = k.n[p];

        for (size_t i = 0; i < n; i += i < 300 ? 1 : 50021) {
            k.n[p] = i;
            refused(&k, ATG_ENOTFOUND, "cut off");
        }
        k.n[p] = n;
    }
    for (uint32_t p = 0; p < k.parts; p++) {
        unsigned char *part = k.part[p];

        k.part[p] = NULL;
        refused(&k, ATG_ENOTFOUND, "missing");
        k.part[p] = part;
    }
    forget(&k);
}

static void parts_that_are_moved_or_of_another_bundle_are_noticed(void **state) {
    size_t size = 2 * (size_t)BUNDLE_PIECE;
    kept k, l;
    unsigned char *part;

    (void)state;
    make_keys();
    assert_int_equal(make(&k, &own.pub, 1, &size, 1), ATG_OK);
    assert_int_equal(make(&l, &own.pub, 1, &size, 1), ATG_OK);
    part = k.part[1];
    k.part[1] = k.part[2];
    refused(&k, ATG_EPARSE, "not where it should be");
    k.part[1] = l.part[1];
    refused(&k, ATG_EPARSE, "of another bundle");
    k.part[1] = part;
    part = k.part[0];
    k.part[0] = l.part[0];
    refused(&k, ATG_EPARSE, "of another bundle");
    k.part[0] = part;
    forget(&k);
    forget(&l);
}

/* Sign a part anew, as `by`. */
static void sign_again(unsigned char *part, size_t n, const sign_pair *by) {
    static const char domain[] = "antigone/bundle-part/1";
    char message[sizeof(domain) - 1 + HASH_SIZE];
    hasher h;
    hash256 hash;

    hash_begin(&h, domain, NULL);
    hash_bytes(&h, (atg_str){(char *)part, BUNDLE_HEAD});
    hash_bytes(&h, (atg_str){(char *)part + BUNDLE_HEAD, n - BUNDLE_AROUND});
    hash = hash_end(&h);
    memcpy(message, domain, sizeof(domain) - 1);
    memcpy(message + sizeof(domain) - 1, hash.bytes, HASH_SIZE);
    sign_make(by, (atg_str){message, sizeof(message)}, part + n - SIGN_SIZE);
}

static void nobody_can_sign_what_another_sealed(void **state) {
    bundle_source from = {.fetch = fetch, .own = &own, .sender = NULL};
    size_t size = 50;
    kept k;
    taken t = {.n = 0};
    atg_err err = {0};

    (void)state;
    make_keys();
    assert_int_equal(make(&k, &own.pub, 1, &size, 1), ATG_OK);
    from.user = &k;
    assert_int_equal(bundle_read(&from, take, &t, &err), ATG_OK);
    from.sender = &stranger.pub;
    assert_int_equal(bundle_read(&from, take, &t, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "signed by somebody else"));
    memcpy(k.part[0] + BUNDLE_HEAD, stranger.pub.bytes, SIGN_PUBLIC);
    for (uint32_t p = 0; p < k.parts; p++)
        sign_again(k.part[p], k.n[p], &stranger);
    t.n = 0;
    assert_int_equal(bundle_read(&from, take, &t, &err), ATG_EDENIED);
    assert_int_equal(t.n, 0);
    refused(&k, ATG_EDENIED, "signed by somebody else");
    forget(&k);
}

/* Who may open a bundle cannot pass it on in its sender's name. */
static void nobody_can_address_anew_what_another_sealed(void **state) {
    size_t size = 50;
    kept k, l;
    taken t;
    box_public both[2];

    (void)state;
    make_keys();
    both[0] = own.pub;
    both[1] = other.pub;
    assert_int_equal(make(&k, &own.pub, 1, &size, 1), ATG_OK);
    assert_int_equal(make(&l, both, 2, &size, 1), ATG_OK);
    memcpy(l.part[0] + 8, k.part[0] + 8, UUID_SIZE);
    /* even with the sender's help: the receivers are bound to what is sealed */
    sign_again(l.part[0], l.n[0], &sender);
    mem_free(k.part[0]);
    k.part[0] = l.part[0];
    k.n[0] = l.n[0];
    l.part[0] = NULL;
    assert_int_equal(read_it(&k, &other, &t, NULL), ATG_EDENIED);
    assert_int_equal(read_it(&k, &own, &t, NULL), ATG_EDENIED);
    forget(&k);
    forget(&l);
}

static void parts_that_are_none_are_refused(void **state) {
    static const struct {
        size_t at;
        unsigned char value;
    } changes[] = {
        {0, 'a'}, {4, 2},     {5, 2},  {5, 1}, /* the first is not the last */
        {6, 1},   {7, 1},     {14, 0},         /* no version 7 */
        {24, 1},                               /* too many */
        {27, 1},                               /* a short one in the middle */
        {28, 1},  {30, 0x40}, {31, 1},
    };
    size_t size = 1;
    bundle_part p;
    kept k;

    (void)state;
    make_keys();
    assert_int_equal(make(&k, &own.pub, 1, &size, 1), ATG_OK);
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        unsigned char was = k.part[0][changes[i].at];
        atg_err err = {0};

        k.part[0][changes[i].at] = changes[i].value;
        assert_int_equal(bundle_part_read((atg_str){(char *)k.part[0], k.n[0]}, &p, &err),
                         ATG_EPARSE);
        assert_true(strlen(err.msg) > 20);
        k.part[0][changes[i].at] = was;
    }
    assert_int_equal(bundle_part_read((atg_str){NULL, 0}, &p, NULL), ATG_ENOTFOUND);
    assert_int_equal(bundle_part_read(ATG_STR("ATGX"), &p, NULL), ATG_EPARSE);
    assert_int_equal(bundle_part_read(ATG_STR("ATGB\1"), &p, NULL), ATG_ENOTFOUND);
    forget(&k);
}

static void headers_that_are_none_are_refused(void **state) {
    unsigned char bytes[BUNDLE_HEADER_LEAST + 2 * BUNDLE_RECEIVER] = {0};
    bundle_header h;
    atg_str s = {(char *)bytes, sizeof(bytes)};

    (void)state;
    bytes[41] = 2;
    assert_int_equal(bundle_header_read(s, &h, NULL), ATG_OK);
    bytes[41] = 1;
    assert_int_equal(bundle_header_read(s, &h, NULL), ATG_EPARSE);
    bytes[40] = 1;
    assert_int_equal(bundle_header_read(s, &h, NULL), ATG_EPARSE);
    bytes[40] = bytes[41] = 0;
    s.n = BUNDLE_HEADER_LEAST;
    assert_int_equal(bundle_header_read(s, &h, NULL), ATG_EPARSE);
    s.n = BUNDLE_HEADER_LEAST - 1;
    assert_int_equal(bundle_header_read(s, &h, NULL), ATG_EPARSE);
    s.n = 0;
    assert_int_equal(bundle_header_read(s, &h, NULL), ATG_EPARSE);
}

/* ---- items ---- */

static int give(const char *bytes, size_t n, atg_err *err) {
    ATG_AUTO(bundle_items) i = NULL;
    taken t = {.n = 0};
    int rc = bundle_items_new(take, &t, &i, err);

    if (rc == ATG_OK)
        rc = bundle_items_put(i, (atg_str){bytes, n}, err);
    return rc ? rc : bundle_items_end(i, err);
}

static void items_that_are_none_are_refused(void **state) {
    atg_err err = {0};

    (void)state;
#define GIVE(literal) give(literal, sizeof(literal) - 1, &err)
    assert_int_equal(GIVE("\1\0\0\0\1\1\0\0\0\0\0"), ATG_OK);
    assert_int_equal(GIVE(""), ATG_EPARSE);
    assert_non_null(strstr(err.msg, "end of this bundle is missing"));
    assert_int_equal(GIVE("\1\0\0\0\1\1"), ATG_EPARSE);
    assert_int_equal(GIVE("\1\0\0"), ATG_EPARSE);
    assert_int_equal(GIVE("\1\0\0\0\1"), ATG_EPARSE);
    assert_int_equal(GIVE("\0\0\0\0\0x"), ATG_EPARSE);
    assert_non_null(strstr(err.msg, "follows the end"));
    assert_int_equal(GIVE("\1\1\0\0\1"), ATG_ELIMIT);
    assert_non_null(strstr(err.msg, "16 MiB"));
    assert_int_equal(GIVE("\1\xff\xff\xff\xff"), ATG_ELIMIT);
}

static void items_that_are_too_long_are_not_written(void **state) {
    static const char byte;
    size_t sizes[] = {BUNDLE_ITEM + 1};
    kept k = {.parts = 0};
    bundle_options o = {
        .sender = &sender, .receivers = &own.pub, .n_receivers = 1, .out = keep, .user = &k};
    ATG_AUTO(bundle_writer) w = NULL;

    (void)state;
    make_keys();
    assert_int_equal(bundle_writer_new(&o, &w, NULL), ATG_EINVAL); /* no identifier */
    assert_int_equal(uuid_new(&o.bundle, NULL), ATG_OK);
    assert_int_equal(bundle_writer_new(&o, &w, NULL), ATG_OK);
    assert_int_equal(bundle_put(w, 1, (atg_str){&byte, sizes[0]}, NULL), ATG_ELIMIT);
    assert_int_equal(bundle_put(w, 1, (atg_str){&byte, 1}, NULL), ATG_EINVAL);
    assert_int_equal(bundle_finish(w, NULL), ATG_EINVAL);
    forget(&k);
}

static void no_failed_allocation_is_lost(void **state) {
    size_t sizes[] = {10, 400000};
    size_t live = mem_live();
    kept k;
    taken t;
    int rc = ATG_ENOMEM;

    (void)state;
    make_keys();
    for (long n = 0; rc; n++) {
        mem_fail_after(n);
        rc = make(&k, &own.pub, 1, sizes, 2);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        if (rc)
            forget(&k);
    }
    rc = ATG_ENOMEM;
    for (long n = 0; rc; n++) {
        mem_fail_after(n);
        rc = read_it(&k, &own, &t, NULL);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
    }
    forget(&k);
    assert_true(mem_live() == live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_comes_out),
        cmocka_unit_test(a_bundle_that_ends_with_a_full_part_is_whole),
        cmocka_unit_test(only_its_receivers_can_open_a_bundle),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(parts_that_are_moved_or_of_another_bundle_are_noticed),
        cmocka_unit_test(nobody_can_sign_what_another_sealed),
        cmocka_unit_test(nobody_can_address_anew_what_another_sealed),
        cmocka_unit_test(parts_that_are_none_are_refused),
        cmocka_unit_test(headers_that_are_none_are_refused),
        cmocka_unit_test(items_that_are_none_are_refused),
        cmocka_unit_test(items_that_are_too_long_are_not_written),
        cmocka_unit_test(no_failed_allocation_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
