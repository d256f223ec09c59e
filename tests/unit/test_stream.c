/* SPDX-License-Identifier: Apache-2.0 */
/* Long data sealed in chunks. */
#include "prop.h"

#include "crypto/stream.h"

static const key256 key = {{7, 7, 7}}, wrong = {{7, 7, 8}};

/* Grows as it is written to; refuses what goes past `limit`. */
typedef struct collected {
    unsigned char *p;
    size_t n, limit;
} collected;

static int collect(void *user, atg_str bytes, atg_err *err) {
    collected *c = user;

    if (c->n + bytes.n > c->limit)
        return atg_fail(err, ATG_EIO, "full");
    memcpy(c->p + c->n, bytes.p, bytes.n);
    c->n += bytes.n;
    return ATG_OK;
}

#define MOST ((size_t)5 * STREAM_CHUNK)
static unsigned char plain[MOST], sealed[MOST + 200], opened[MOST];

static void fill(void) {
    atg_rng rng = atg_rng_seed(3);

    for (size_t i = 0; i < MOST; i++)
        plain[i] = (unsigned char)atg_rng_next(&rng);
}

/* Through the stream in pieces of up to `step` bytes; what came out into `to`. */
static int run(bool opens, const key256 *k, atg_str ad, atg_str in, size_t step, collected *to) {
    ATG_AUTO(stream) s = NULL;
    stream_sink sink = {collect, to};
    int rc = opens ? stream_open(k, ad, sink, &s, NULL) : stream_seal(k, ad, sink, &s, NULL);

    while (!rc && in.n) {
        size_t n = in.n < step ? in.n : step;

        rc = stream_put(s, (atg_str){in.p, n}, NULL);
        in.p += n;
        in.n -= n;
    }
    return rc ? rc : stream_end(s, NULL);
}

static size_t seal_all(size_t n, size_t step) {
    collected to = {sealed, 0, sizeof(sealed)};

    assert_int_equal(run(false, &key, ATG_STR("picture"), (atg_str){(char *)plain, n}, step, &to),
                     ATG_OK);
    assert_true(to.n == stream_sealed_size(n));
    return to.n;
}

static int open_all(size_t n, size_t step, size_t *ret) {
    collected to = {opened, 0, sizeof(opened)};
    int rc = run(true, &key, ATG_STR("picture"), (atg_str){(char *)sealed, n}, step, &to);

    *ret = to.n;
    return rc;
}

static void any_length_in_any_pieces_comes_back(void **state) {
    static const size_t lengths[] = {0,
                                     1,
                                     1000,
                                     STREAM_CHUNK - 1,
                                     STREAM_CHUNK,
                                     STREAM_CHUNK + 1,
                                     3 * (size_t)STREAM_CHUNK,
                                     MOST - 5};
    static const size_t steps[] = {1, 999, STREAM_CHUNK, STREAM_CHUNK + STREAM_TAG, MOST + 200};

    (void)state;
    fill();
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
        for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++) {
            size_t n = seal_all(lengths[i], steps[k]), got;

            assert_int_equal(open_all(n, steps[(k + 2) % 5], &got), ATG_OK);
            assert_true(got == lengths[i]);
            assert_memory_equal(opened, plain, got);
        }
}

static void every_changed_byte_is_noticed(void **state) {
    size_t n, got;

    (void)state;
    fill();
    n = seal_all(300, 300);
    for (size_t i = 0; i < n; i++) {
        sealed[i] ^= 0x20;
        assert_int_equal(open_all(n, 50, &got), ATG_EDENIED);
        sealed[i] ^= 0x20;
    }
    n = seal_all(3 * (size_t)STREAM_CHUNK, MOST);
    for (PROP_EACH(p, 40)) {
        size_t at = prop_below(&p, (uint32_t)n);

        sealed[at] ^= 1;
        assert_int_equal(open_all(n, MOST, &got), ATG_EDENIED);
        sealed[at] ^= 1;
    }
    assert_int_equal(open_all(n, MOST, &got), ATG_OK);
}

static void every_cut_is_noticed(void **state) {
    enum { FULL = STREAM_CHUNK + STREAM_TAG };
    size_t n, got;

    (void)state;
    fill();
    n = seal_all(200, MOST);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(open_all(i, MOST, &got), ATG_EDENIED);
    n = seal_all(3 * (size_t)STREAM_CHUNK, MOST);
    for (int chunks = 0; chunks <= 3; chunks++) {
        assert_int_equal(open_all(STREAM_HEADER + (size_t)chunks * FULL, MOST, &got), ATG_EDENIED);
        assert_true(got == (size_t)chunks * STREAM_CHUNK);
    }
    assert_int_equal(open_all(n - 1, MOST, &got), ATG_EDENIED);
    sealed[n] = 0;
    assert_int_equal(open_all(n + 1, MOST, &got), ATG_EDENIED);
}

static void chunks_that_are_moved_doubled_or_dropped_are_noticed(void **state) {
    enum { FULL = STREAM_CHUNK + STREAM_TAG };
    static unsigned char keep[FULL];
    unsigned char *first = sealed + STREAM_HEADER, *second = first + FULL;
    size_t n, got;

    (void)state;
    fill();
    n = seal_all(3 * (size_t)STREAM_CHUNK + 10, MOST);
    memcpy(keep, first, FULL);
    memcpy(first, second, FULL);
    memcpy(second, keep, FULL);
    assert_int_equal(open_all(n, MOST, &got), ATG_EDENIED);
    assert_true(got == 0);
    memcpy(first, keep, FULL); /* the first twice */
    assert_int_equal(open_all(n, MOST, &got), ATG_EDENIED);
    assert_true(got == STREAM_CHUNK);
    n = seal_all(3 * (size_t)STREAM_CHUNK + 10, MOST);
    memmove(second, second + FULL, n - STREAM_HEADER - 2 * (size_t)FULL);
    assert_int_equal(open_all(n - FULL, MOST, &got), ATG_EDENIED);
    assert_true(got == STREAM_CHUNK);
}

static void a_stream_opens_with_its_key_in_its_place_alone(void **state) {
    collected to = {opened, 0, sizeof(opened)};
    key_id id, want = key_id_of(&key);
    size_t n;
    atg_str s;

    (void)state;
    fill();
    n = seal_all(100, MOST);
    s = (atg_str){(char *)sealed, n};
    assert_int_equal(run(true, &wrong, ATG_STR("picture"), s, MOST, &to), ATG_EDENIED);
    assert_int_equal(run(true, &key, ATG_STR("backup"), s, MOST, &to), ATG_EDENIED);
    assert_int_equal(run(true, &key, (atg_str){"", 0}, s, MOST, &to), ATG_EINVAL);
    assert_int_equal(stream_key(s, &id, NULL), ATG_OK);
    assert_true(key_id_eq(&id, &want));
    assert_int_equal(stream_key((atg_str){s.p, STREAM_HEADER - 1}, &id, NULL), ATG_EPARSE);
    sealed[0] = 'B';
    assert_int_equal(stream_key(s, &id, NULL), ATG_EPARSE);
}

static void a_full_sink_stops_the_stream(void **state) {
    collected to = {opened, 0, 30};
    stream_sink sink = {collect, &to};
    stream *s = NULL;

    (void)state;
    fill();
    assert_int_equal(stream_seal(&key, ATG_STR("x"), sink, &s, NULL), ATG_EIO);
    assert_null(s);
    to.limit = 100;
    assert_int_equal(stream_seal(&key, ATG_STR("x"), sink, &s, NULL), ATG_OK);
    assert_int_equal(stream_put(s, (atg_str){(char *)plain, STREAM_CHUNK}, NULL), ATG_EIO);
    assert_int_equal(stream_put(s, ATG_STR("more"), NULL), ATG_EINVAL);
    assert_int_equal(stream_end(s, NULL), ATG_EINVAL);
    stream_free(s);
    stream_free(NULL);
    mem_fail_after(0);
    assert_int_equal(stream_seal(&key, ATG_STR("x"), sink, &s, NULL), ATG_ENOMEM);
    mem_fail_after(0);
    assert_int_equal(stream_open(&key, ATG_STR("x"), sink, &s, NULL), ATG_ENOMEM);
    assert_int_equal(mem_live(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_length_in_any_pieces_comes_back),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(chunks_that_are_moved_doubled_or_dropped_are_noticed),
        cmocka_unit_test(a_stream_opens_with_its_key_in_its_place_alone),
        cmocka_unit_test(a_full_sink_stops_the_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
