/* SPDX-License-Identifier: Apache-2.0 */
/* Targets of requests, and the buckets and queues behind which they wait. */
#include "testing.h"

#include "server/limiter.h"
#include "server/pool.h"
#include "server/target.h"

#include <stdatomic.h>
#include <unistd.h>

static void a_target_is_read_as_decoded_words(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    target t;

    (void)state;
    assert_int_equal(
        target_read(arena, ATG_STR("/api/v1/files/%C3%85sa%20B?q=a+b%2Bc&limit=5&empty"), &t, NULL),
        ATG_OK);
    assert_int_equal(t.n, 4);
    assert_string_equal(t.segment[3].p, "\u00c5sa B");
    assert_string_equal(target_query(&t, "q").p, "a b+c");
    assert_string_equal(target_query(&t, "limit").p, "5");
    assert_int_equal(target_query(&t, "empty").n, 0);
    assert_null(target_query(&t, "other").p);
    assert_false(t.slash);
    assert_int_equal(target_read(arena, ATG_STR("/"), &t, NULL), ATG_OK);
    assert_true(t.slash && t.n == 0);
    assert_int_equal(target_read(arena, ATG_STR("/a/"), &t, NULL), ATG_OK);
    assert_true(t.slash && t.n == 1);
}

static void what_two_programs_could_read_differently_is_refused(void **state) {
    static const struct {
        const char *raw;
        int rc;
        uint32_t col;
    } rows[] = {
        {"", ATG_EPARSE, 1},
        {"a", ATG_EPARSE, 1},
        {"http://other/a", ATG_EPARSE, 1},
        {"/a b", ATG_EPARSE, 3},
        {"/a\x01", ATG_EPARSE, 3},
        {"/a#b", ATG_EPARSE, 3},
        {"/%", ATG_EPARSE, 1},
        {"/%4", ATG_EPARSE, 1},
        {"/x%4g", ATG_EPARSE, 2},
        {"/x%00", ATG_EPARSE, 2},
        {"/%c3", ATG_EPARSE, 1},
        {"/%c0%af", ATG_EPARSE, 1},
        {"/a//b", ATG_EPARSE, 0},
        {"/./a", ATG_EPARSE, 0},
        {"/%2e%2E/a", ATG_EPARSE, 0},
        {"/a%2fb", ATG_EPARSE, 0},
        {"/a%5cb", ATG_EPARSE, 0},
        {"/a?x=1&x=2", ATG_EPARSE, 0},
        {"/a?x=1&%78=2", ATG_EPARSE, 0},
        {"/1/2/3/4/5/6/7/8/9/10/11", ATG_ELIMIT, 0},
        {"/?1&2&3&4&5&6&7&8&9&10&11&12&13", ATG_ELIMIT, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        atg_err err = {0};
        target t;

        if (target_read(arena, atg_str_of(rows[i].raw), &t, &err) != rows[i].rc ||
            err.col != rows[i].col)
            fail_msg("'%s': %d at %u: %s", rows[i].raw, err.code, err.col, err.msg);
    }
}

static void a_target_is_read_whole_or_not_at_all_when_memory_is_short(void **state) {
    (void)state;
    for (long n = 0; n < 100; n++) {
        atg_arena *arena;
        target t;
        int rc = ATG_ENOMEM;

        mem_fail_after(n);
        arena = atg_arena_new(1 << 20);
        if (arena)
            rc = target_read(arena, ATG_STR("/a/%62?c=d"), &t, NULL);
        mem_fail_after(-1);
        atg_arena_free(arena);
        if (rc == ATG_OK)
            return;
        assert_int_equal(rc, ATG_ENOMEM);
    }
    fail_msg("still failing after 100 allocations");
}

static void a_bucket_empties_and_fills_again(void **state) {
    static const unsigned char one[LIMITER_KEY] = {1}, other[LIMITER_KEY] = {2};
    limiter *l = NULL;
    limiter_state s;

    (void)state;
    assert_int_equal(limiter_open(2, 3, &l, NULL), ATG_OK);
    for (int i = 0; i < 3; i++)
        assert_true(limiter_take(l, one, 1, 1000000).allowed);
    s = limiter_take(l, one, 1, 1000000);
    assert_false(s.allowed);
    assert_int_equal(s.wait_s, 1);
    assert_true(limiter_take(l, other, 1, 1000000).allowed);
    /* half a second gives one of two a second */
    assert_true(limiter_take(l, one, 1, 1500000).allowed);
    assert_false(limiter_take(l, one, 0, 1500000).allowed);
    /* a clock that goes back gives nothing */
    assert_false(limiter_take(l, one, 1, 0).allowed);
    assert_int_equal(limiter_take(l, one, 1, 100000000).left, 2);
    limiter_close(l);
}

typedef struct counted {
    pool_job job;
    atomic_int *running, *most, *done;
} counted;

static void count(void *user) {
    counted *c = user;
    int now = atomic_fetch_add(c->running, 1) + 1, most = atomic_load(c->most);

    while (now > most && !atomic_compare_exchange_weak(c->most, &most, now))
        ;
    usleep(2000);
    atomic_fetch_sub(c->running, 1);
    atomic_fetch_add(c->done, 1);
}

static void passwords_are_hashed_one_at_a_time_and_no_more_wait_than_may(void **state) {
    static counted jobs[40];
    atomic_int running = 0, most = 0, done = 0;
    pool *p = NULL;
    int taken = 0;

    (void)state;
    assert_int_equal(pool_open(8, 20, &p, NULL), ATG_OK);
    for (int i = 0; i < 40; i++) {
        jobs[i] = (counted){{count, &jobs[i], NULL}, &running, &most, &done};
        taken += pool_push(p, POOL_HASH, &jobs[i].job);
    }
    assert_true(taken >= 20 && taken < 40);
    assert_true(pool_drain(p, 10000));
    assert_int_equal(atomic_load(&done), taken);
    assert_int_equal(atomic_load(&most), 1);
    assert_false(pool_push(p, POOL_ORDINARY, &jobs[0].job));
    pool_close(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_read_as_decoded_words),
        cmocka_unit_test(what_two_programs_could_read_differently_is_refused),
        cmocka_unit_test(a_target_is_read_whole_or_not_at_all_when_memory_is_short),
        cmocka_unit_test(a_bucket_empties_and_fills_again),
        cmocka_unit_test(passwords_are_hashed_one_at_a_time_and_no_more_wait_than_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
