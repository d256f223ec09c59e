/* SPDX-License-Identifier: Apache-2.0 */
/* Hints that something came. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "counters.h"
#include "server.h"
#include "store/listen.h"

enum { LONG_MS = 20000, SHORT_MS = 40 };

static void sleep_ms(uint32_t ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000},
              NULL);
}

static listener *open_listener(const database *where) {
    listener *l = NULL;
    atg_err err = {0};

    must(listener_open(where->directory, database_conninfo(where), "news", &l, &err), &err);
    /* the news that it listens */
    if (where->postgres)
        assert_true(listener_wait(l, LONG_MS));
    assert_false(listener_wait(l, SHORT_MS));
    return l;
}

typedef struct telling {
    pthread_t thread;
    store *s;
    listener *l;
    int64_t id;
    uint32_t after_ms;
    bool fails;
} telling;

static int add_and_tell(db *d, void *user, atg_err *err) {
    telling *t = user;
    int rc = add_entry(d, &t->id, err);

    for (int k = 0; k < 3 && rc == ATG_OK; k++)
        rc = listen_notify(d, "news", err);
    return rc == ATG_OK && t->fails ? atg_fail(err, ATG_EDENIED, "No") : rc;
}

static void *tell(void *user) {
    telling *t = user;

    sleep_ms(t->after_ms);
    if (t->s)
        (void)store_write(t->s, add_and_tell, t, NULL);
    else
        listener_wake(t->l);
    return NULL;
}

static void start(telling *t) {
    assert_int_equal(pthread_create(&t->thread, NULL, tell, t), 0);
}

static void a_commit_elsewhere_ends_the_wait(const database *where) {
    store *s = counter_store(where);
    listener *l = open_listener(where);

    for (int64_t k = 0; k < 10; k++) {
        telling t = {.s = s, .id = k, .after_ms = k < 5 ? 20 : 0};

        start(&t);
        assert_true(listener_wait(l, LONG_MS));
        pthread_join(t.thread, NULL);
        /* what was told once is told once; SQLite may see a log that is tidied up */
        if (where->postgres)
            assert_false(listener_wait(l, SHORT_MS));
    }
    listener_close(l);
    store_close(s);
}

static void what_is_undone_is_not_told(const database *where) {
    store *s = counter_store(where);
    listener *l = open_listener(where);
    telling t = {.s = s, .id = 1, .fails = true};
    atg_err err = {0};

    assert_int_equal(store_write(s, add_and_tell, &t, &err), ATG_EDENIED);
    assert_false(listener_wait(l, SHORT_MS));
    listener_close(l);
    listener_close(NULL);
    store_close(s);
}

/* A notification that a savepoint undid does not stand for the next one. */
static void what_is_told_again_behind_an_undone_savepoint_is_told(const database *where) {
    db_options options = {
        .directory = where->directory, .conninfo = database_conninfo(where), .create = true};
    store *s = counter_store(where);
    listener *l = open_listener(where);
    atg_err err = {0};
    db *d = NULL;

    must(db_open(&options, &d, &err), &err);
    must(db_begin(d, DB_WRITE, &err), &err);
    must(db_savepoint(d, &err), &err);
    must(listen_notify(d, "news", &err), &err);
    must(db_rollback_to(d, &err), &err);
    must(add_entry(d, &(int64_t){1}, &err), &err);
    must(listen_notify(d, "news", &err), &err);
    must(db_commit(d, &err), &err);
    assert_true(listener_wait(l, LONG_MS));
    db_close(d);
    listener_close(l);
    store_close(s);
}

static void anybody_may_end_the_wait(const database *where) {
    store *s = counter_store(where);
    listener *l = open_listener(where);
    telling t = {.l = l, .after_ms = 20};

    start(&t);
    assert_true(listener_wait(l, LONG_MS));
    pthread_join(t.thread, NULL);
    listener_wake(l);
    listener_wake(l);
    assert_true(listener_wait(l, 0));
    assert_false(listener_wait(l, 0));
    listener_close(l);
    store_close(s);
}

static void a_connection_that_breaks_is_made_anew_and_says_look(const database *where) {
    static const db_statement end = {
        "end", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE "
               "'LISTEN%' AND datname = current_database()"};
    db_options options = {.conninfo = where->conninfo};
    store *s = counter_store(where);
    listener *l = open_listener(where);
    telling t = {.s = s, .id = 1};
    atg_err err = {0};
    int64_t n = 0;
    db *d = NULL;

    must(db_open(&options, &d, &err), &err);
    must(db_get_one(d, &end, NULL, 0, 0, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_true(listener_wait(l, LONG_MS));
    assert_false(listener_wait(l, SHORT_MS));
    start(&t);
    assert_true(listener_wait(l, LONG_MS));
    pthread_join(t.thread, NULL);
    db_close(d);
    /* a server that is away for longer */
    server_stop(true);
    assert_false(listener_wait(l, 300));
    server_restart();
    assert_true(listener_wait(l, LONG_MS));
    t = (telling){.s = s, .id = 2};
    start(&t);
    assert_true(listener_wait(l, LONG_MS));
    pthread_join(t.thread, NULL);
    listener_close(l);
    store_close(s);
}

static void a_server_that_is_not_there_is_waited_for_no_longer_than_asked(const database *where) {
    static const char *const cases[] = {"host=/nonexistent dbname=x",
                                        "host=127.0.0.1 port=1 dbname=x",
                                        "host=192.0.2.1 dbname=x sslmode=verify-full"};
    struct timespec before, after;

    (void)where;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        listener *l = NULL;
        atg_err err = {0};

        must(listener_open(NULL, cases[i], "news", &l, &err), &err);
        clock_gettime(CLOCK_MONOTONIC, &before);
        assert_false(listener_wait(l, 300));
        clock_gettime(CLOCK_MONOTONIC, &after);
        assert_true(after.tv_sec - before.tv_sec < 5);
        listener_wake(l);
        assert_true(listener_wait(l, LONG_MS));
        listener_close(l);
    }
}

static void wrong_names_and_stores_are_refused(const database *where) {
    char longer[LISTEN_CHANNEL_MAX + 2] = "";
    const char *const names[] = {"", "News", "a b", "a;b", "\"a\"", longer};
    listener *l = NULL;
    atg_err err = {0};

    memset(longer, 'a', sizeof(longer) - 1);
    store_close(counter_store(where));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_equal(
            listener_open(where->directory, database_conninfo(where), names[i], &l, &err),
            ATG_EINVAL);
    assert_int_equal(listener_open("/nonexistent/store", NULL, "news", &l, &err), ATG_ENOTFOUND);
    assert_int_equal(listener_open(NULL, "host", "news", &l, &err), ATG_EINVAL);
}

static void short_memory_is_told_and_leaks_nothing(const database *where) {
    size_t before;
    int rc = ATG_ENOMEM;

    store_close(counter_store(where));
    before = mem_live();
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        listener *l = NULL;
        atg_err err = {0};

        mem_fail_after(k);
        rc = listener_open(where->directory, database_conninfo(where), "news", &l, &err);
        mem_fail_after(-1);
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM))
            fail_msg("allocation %ld: code %d, %s", k, rc, err.msg);
        listener_close(l);
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
}

int main(void) {
    static const database_test tests[] = {
        {"a commit elsewhere ends the wait", a_commit_elsewhere_ends_the_wait, ON_BOTH},
        {"what is undone is not told", what_is_undone_is_not_told, ON_BOTH},
        {"what is told again behind an undone savepoint is told",
         what_is_told_again_behind_an_undone_savepoint_is_told, ON_BOTH},
        {"anybody may end the wait", anybody_may_end_the_wait, ON_BOTH},
        {"a connection that breaks is made anew and says look",
         a_connection_that_breaks_is_made_anew_and_says_look, ON_POSTGRES},
        {"a server that is not there is waited for no longer than asked",
         a_server_that_is_not_there_is_waited_for_no_longer_than_asked, ON_POSTGRES},
        {"wrong names and stores are refused", wrong_names_and_stores_are_refused, ON_BOTH},
        {"short memory is told and leaks nothing", short_memory_is_told_and_leaks_nothing, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
