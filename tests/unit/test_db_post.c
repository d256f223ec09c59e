/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that nobody waits for: they keep their order, and their failures are told in time. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "counters.h"

static const db_statement insert = {"insert", "INSERT INTO t(id, s, b) VALUES ($1, $2, $3)"};
static const db_statement insert_id = {"insert_id", "INSERT INTO t(id) VALUES ($1)"};
static const db_statement insert_null = {"insert_null", "INSERT INTO t(id, n) VALUES ($1, $2)"};
static const db_statement add_up = {"add_up", "UPDATE t SET n = coalesce(n, 0) * 2 + $2 "
                                              "WHERE id = $1"};
static const db_statement remove_id = {"remove_id", "DELETE FROM t WHERE id = $1"};
static const db_statement count_ids = {"count_ids", "SELECT count(*) FROM t"};
static const db_statement n_of = {"n_of", "SELECT n FROM t WHERE id = $1"};
static const db_statement sum_ids = {"sum_ids", "SELECT CAST(sum(id) AS BIGINT) FROM t"};
static const db_statement text_of = {"text_of", "SELECT s, b FROM t WHERE id = $1"};
static const db_statement all_texts = {"all_texts", "SELECT s FROM t"};
static const db_statement refer = {"refer", "INSERT INTO c(t) VALUES ($1)"};
static const db_statement count_slowly = {
    "count_slowly",
    "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n "
    "WHERE i < $1) SELECT count(*) FROM n"};

static db *open_db(const database *where) {
    db_options options = {
        .directory = where->directory, .conninfo = database_conninfo(where), .create = true};
    atg_err err = {0};
    db *d = NULL;

    must(db_open(&options, &d, &err), &err);
    return d;
}

static db *open_table(const database *where) {
    db *d = open_db(where);
    char sql[300];
    atg_err err = {0};

    snprintf(sql, sizeof(sql),
             "CREATE TABLE t(id BIGINT NOT NULL PRIMARY KEY, n BIGINT, s TEXT, b %s);"
             "CREATE TABLE c(t BIGINT REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED)",
             where->postgres ? "BYTEA" : "BLOB");
    must(db_script(d, "tables", sql, &err), &err);
    return d;
}

static int64_t one(db *d, const db_statement *statement, int64_t id) {
    db_value in = db_int(id);
    atg_err err = {0};
    int64_t n = -1;
    int rc = db_get_one(d, statement, &in, statement == &n_of, 0, &n, &err);

    if (rc != ATG_ENOTFOUND)
        must(rc, &err);
    return n;
}

static int post_id(db *d, int64_t id, atg_err *err) {
    return db_post(d, &insert_id, (db_value[]){db_int(id)}, 1, err);
}

static void begin(db *d) {
    atg_err err = {0};

    must(db_begin(d, DB_WRITE, &err), &err);
}

static void posted_statements_keep_their_order(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};
    int64_t wanted = 0;

    begin(d);
    must(post_id(d, 1, &err), &err);
    for (int64_t k = 0; k < 40; k++) {
        db_value in[] = {db_int(1), db_int(k % 2)};

        wanted = wanted * 2 + k % 2;
        must(db_post(d, &add_up, in, 2, &err), &err);
        if (k % 7 == 3)
            assert_int_equal(one(d, &n_of, 1), wanted);
        if (k % 5 == 0) {
            must(post_id(d, 2 + k, &err), &err);
            must(db_run(d, &remove_id, (db_value[]){db_int(2 + k)}, 1, NULL, &err), &err);
        }
    }
    must(db_commit(d, &err), &err);
    assert_true(one(d, &n_of, 1) == wanted);
    assert_int_equal(one(d, &count_ids, 0), 1);
    db_close(d);
}

/* How a posted failure comes out. */
typedef int later(db *d, atg_err *err);

static int by_commit(db *d, atg_err *err) {
    return db_commit(d, err);
}

static int by_run(db *d, atg_err *err) {
    return db_run(d, &remove_id, (db_value[]){db_int(5)}, 1, NULL, err);
}

static int by_query(db *d, atg_err *err) {
    int64_t n;

    return db_get_one(d, &count_ids, NULL, 0, 0, &n, err);
}

static int by_stream(db *d, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_stream(d, &all_texts, NULL, 0, &rows, err);

    db_end(rows);
    return rc;
}

static int by_script(db *d, atg_err *err) {
    return db_script(d, "two", "DELETE FROM c; DELETE FROM t", err);
}

static int by_savepoint(db *d, atg_err *err) {
    return db_savepoint(d, err);
}

static int by_many_posts(db *d, atg_err *err) {
    int rc = ATG_OK;

    for (int64_t k = 100; rc == ATG_OK && k < 2000; k++)
        rc = post_id(d, k, err);
    return rc;
}

static void a_posted_failure_is_told_by_its_name_in_the_next_call(const database *where) {
    later *const cases[] = {by_commit, by_run,       by_query,     by_stream,
                            by_script, by_savepoint, by_many_posts};
    db *d = open_table(where);

    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        atg_err err = {0};
        int rc;

        begin(d);
        must(post_id(d, 1, &err), &err);
        rc = post_id(d, 1, &err); /* SQLite says it here */
        if (rc == ATG_OK)
            rc = post_id(d, 2, &err);
        if (rc == ATG_OK || cases[k] == by_commit)
            rc = cases[k](d, &err);
        assert_int_equal(rc, ATG_ECONFLICT);
        assert_int_equal(err.code, ATG_ECONFLICT);
        assert_non_null(strstr(err.msg, "insert_id"));
        assert_false(db_retry(d));
        if (db_mode_of(d)) {
            err = (atg_err){0};
            assert_int_equal(db_commit(d, &err), ATG_ECONFLICT);
            assert_non_null(strstr(err.msg, "insert_id"));
        }
        assert_int_equal(db_mode_of(d), DB_NONE);
        assert_false(db_unknown(d));
        assert_int_equal(one(d, &count_ids, 0), 0);
    }
    db_close(d);
}

static void values_may_be_gone_once_a_statement_is_posted(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};
    db_rows *rows;

    begin(d);
    for (int64_t k = 0; k < 300; k++) {
        char text[40], bytes[3] = {(char)k, 0, 'x'};
        db_value in[] = {db_int(k), db_null(), db_blob(bytes, sizeof(bytes))};

        snprintf(text, sizeof(text), "number %lld", (long long)k);
        in[1] = db_text(atg_str_of(text));
        must(db_post(d, &insert, in, 3, &err), &err);
        memset(text, '!', sizeof(text));
        memset(bytes, '!', sizeof(bytes));
        memset(in, 0, sizeof(in));
    }
    must(db_commit(d, &err), &err);
    must(db_query(d, &text_of, (db_value[]){db_int(299)}, 1, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    assert_true(atg_str_eq(db_get_text(rows, 0), ATG_STR("number 299")));
    assert_true(atg_str_eq(db_get_blob(rows, 1), ATG_STR("\x2b\0x")));
    db_end(rows);
    db_close(d);
}

static void a_savepoint_undoes_what_was_posted_behind_it(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};
    int rc;

    begin(d);
    must(post_id(d, 1, &err), &err);
    must(db_savepoint(d, &err), &err);
    must(post_id(d, 2, &err), &err);
    must(db_rollback_to(d, &err), &err);
    must(post_id(d, 3, &err), &err);
    /* one that fails, seen by nobody before it is undone */
    must(db_savepoint(d, &err), &err);
    must(post_id(d, 4, &err), &err);
    rc = post_id(d, 1, &err);
    assert_true(rc == (where->postgres ? ATG_OK : ATG_ECONFLICT));
    must(db_rollback_to(d, &err), &err);
    /* and one that is seen when the savepoint ends */
    must(db_savepoint(d, &err), &err);
    (void)post_id(d, 1, &err);
    err = (atg_err){0};
    assert_int_equal(db_release(d, &err), ATG_ECONFLICT);
    assert_non_null(strstr(err.msg, "insert_id"));
    must(db_rollback_to(d, &err), &err);
    must(db_savepoint(d, &err), &err);
    must(post_id(d, 5, &err), &err);
    must(db_release(d, &err), &err);
    assert_int_equal(one(d, &count_ids, 0), 3);
    must(db_commit(d, &err), &err);
    assert_int_equal(one(d, &sum_ids, 0), 1 + 3 + 5);
    db_close(d);
}

static void what_failed_before_a_savepoint_is_not_undone_by_it(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};

    begin(d);
    must(post_id(d, 1, &err), &err);
    (void)post_id(d, 1, &err);
    assert_int_equal(db_savepoint(d, &err), ATG_ECONFLICT);
    assert_int_equal(db_rollback_to(d, &err), ATG_EINVAL);
    assert_int_equal(db_commit(d, &err), ATG_ECONFLICT);
    assert_int_equal(one(d, &count_ids, 0), 0);
    db_close(d);
}

static void a_hundred_thousand_posts_go_into_one_transaction(const database *where) {
    enum { POSTS = 100000 };
    db *d = open_table(where);
    atg_err err = {0};

    begin(d);
    for (int64_t k = 1; k <= POSTS; k++)
        must(post_id(d, k, &err), &err);
    must(db_commit(d, &err), &err);
    assert_int_equal(one(d, &count_ids, 0), POSTS);
    assert_true(one(d, &sum_ids, 0) == (int64_t)POSTS * (POSTS + 1) / 2);
    db_close(d);
}

/* More than the sockets hold, in both directions at a time. */
static void large_posts_with_large_answers_do_not_block(const database *where) {
    enum { BYTES = 300000, ROWS = 30 };
    MEM_AUTO char *text = mem_alloc(BYTES);
    db *d = open_table(where);
    atg_err err = {0};

    memset(text, 'x', BYTES);
    begin(d);
    for (int64_t k = 0; k < ROWS; k++) {
        db_value in[] = {db_int(k), db_text((atg_str){text, BYTES}), db_blob(text, BYTES)};

        must(db_post(d, &insert, in, 3, &err), &err);
        must(db_post(d, &all_texts, NULL, 0, &err), &err);
    }
    must(db_commit(d, &err), &err);
    assert_int_equal(one(d, &count_ids, 0), ROWS);
    db_close(d);
}

static void a_statement_first_posted_behind_a_failure_is_prepared_again(const database *where) {
    db *d = open_table(where);
    db_value in[] = {db_int(7), db_int(1)};
    atg_err err = {0};

    begin(d);
    must(post_id(d, 1, &err), &err);
    (void)post_id(d, 1, &err);
    (void)db_post(d, &add_up, in, 2, &err);
    (void)db_post(d, &remove_id, in, 1, &err);
    assert_int_equal(db_commit(d, &err), ATG_ECONFLICT);
    begin(d);
    must(post_id(d, 7, &err), &err);
    must(db_post(d, &add_up, in, 2, &err), &err);
    must(db_commit(d, &err), &err);
    assert_int_equal(one(d, &n_of, 7), 1);
    /* null fits every type: first alone, then with what it is */
    begin(d);
    for (int64_t k = 10; k < 20; k++) {
        db_value more[] = {db_int(k), k % 3 ? db_null() : db_int(k)};

        must(db_post(d, &insert_null, more, 2, &err), &err);
    }
    must(db_commit(d, &err), &err);
    assert_int_equal(one(d, &n_of, 12), 12);
    assert_int_equal(one(d, &n_of, 13), 0);
    db_close(d);
}

static void posts_outside_of_transactions_are_waited_for(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};

    must(post_id(d, 1, &err), &err);
    assert_int_equal(post_id(d, 1, &err), ATG_ECONFLICT);
    must(db_post(d, &all_texts, NULL, 0, &err), &err);
    assert_int_equal(one(d, &count_ids, 0), 1);
    db_close(d);
}

static void a_reading_transaction_refuses_posted_changes(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};

    for (int k = 0; k < 2; k++) {
        must(db_begin(d, DB_READ, &err), &err);
        if (k)
            assert_int_equal(one(d, &count_ids, 0), 0);
        (void)post_id(d, 1, &err);
        assert_int_equal(db_commit(d, &err), ATG_EINVAL);
        assert_non_null(strstr(err.msg, "insert_id"));
    }
    /* many short reads, each behind the end of the one before */
    for (int k = 0; k < 100; k++) {
        must(db_begin(d, DB_READ, &err), &err);
        assert_int_equal(one(d, &count_ids, 0), k / 2);
        must(db_commit(d, &err), &err);
        if (k % 2)
            must(post_id(d, k, &err), &err);
    }
    db_close(d);
}

static void a_rule_that_is_checked_at_the_commit_fails_the_commit(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};

    begin(d);
    must(post_id(d, 1, &err), &err);
    must(db_post(d, &refer, (db_value[]){db_int(2)}, 1, &err), &err);
    assert_int_equal(db_commit(d, &err), ATG_EDB);
    assert_false(db_unknown(d));
    assert_int_equal(one(d, &count_ids, 0), 0);
    db_close(d);
}

static void *stop_soon(void *user) {
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    atomic_store((atomic_bool *)user, true);
    return NULL;
}

static void slow_posts_stop_on_request_and_at_their_time(const database *where) {
    static atomic_bool stop;
    db *d = open_table(where);
    db_value forever[] = {db_int(INT64_MAX)};
    atg_err err = {0};
    pthread_t thread;
    int64_t n;
    int rc;

    atomic_store(&stop, false);
    begin(d);
    must(db_limit(d, 0, &stop, &err), &err);
    must(post_id(d, 1, &err), &err);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stop), 0);
    rc = db_post(d, &count_slowly, forever, 1, &err);
    if (rc == ATG_OK)
        rc = db_get_one(d, &count_ids, NULL, 0, 0, &n, &err);
    assert_int_equal(rc, ATG_ECANCEL);
    pthread_join(thread, NULL);
    db_rollback(d);
    begin(d);
    must(db_limit(d, 0, &stop, &err), &err);
    assert_int_equal(post_id(d, 1, &err), ATG_ECANCEL);
    db_rollback(d);
    begin(d);
    must(db_limit(d, 100, NULL, &err), &err);
    must(post_id(d, 1, &err), &err);
    (void)db_post(d, &count_slowly, forever, 1, &err);
    assert_int_equal(db_commit(d, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "count_slowly took longer"));
    assert_int_equal(one(d, &count_ids, 0), 0);
    db_close(d);
}

/* ---- the connection breaks ---- */

static void end_session(db *admin, int64_t session) {
    static const db_statement end = {"end",
                                     "SELECT count(pg_terminate_backend(CAST($1 AS INTEGER))) FROM "
                                     "generate_series(1, 1)"};
    static const db_statement there = {"there",
                                       "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"};
    atg_err err = {0};
    int64_t n = 1;

    must(db_get_one(admin, &end, (db_value[]){db_int(session)}, 1, 0, &n, &err), &err);
    for (int k = 0; k < 500 && n; k++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        must(db_get_one(admin, &there, (db_value[]){db_int(session)}, 1, 0, &n, &err), &err);
    }
    assert_int_equal(n, 0);
}

static void a_connection_that_breaks_among_posts_loses_them_all(const database *where) {
    static const db_statement own = {"own", "SELECT CAST(pg_backend_pid() AS BIGINT)"};
    db *d = open_table(where), *admin = open_db(where);
    atg_err err = {0};

    for (int64_t before = 0; before < 600; before = before * 2 + 1) {
        int64_t session = one(d, &own, 0);
        int rc = ATG_OK;

        begin(d);
        for (int64_t k = 0; k < before; k++)
            must(post_id(d, k, &err), &err);
        end_session(admin, session);
        for (int64_t k = before; rc == ATG_OK && k < 600; k++)
            rc = post_id(d, k, &err);
        assert_int_equal(db_commit(d, &err), ATG_EDB);
        assert_true(db_retry(d));
        assert_int_equal(one(admin, &count_ids, 0), 0);
    }
    /* one that broke while nobody used it is made anew without a word */
    end_session(admin, one(d, &own, 0));
    begin(d);
    must(post_id(d, 1, &err), &err);
    must(db_commit(d, &err), &err);
    assert_int_equal(one(admin, &count_ids, 0), 1);
    db_close(admin);
    db_close(d);
}

/* ---- closures ---- */

enum { THREADS = 8, EACH = 30 };

typedef struct worker {
    pthread_t thread;
    store *s;
    int64_t number, id;
    int64_t n_ok, n_conflict, n_other;
} worker;

/* Every fourth posts an entry that is there already. */
static int post_entries(db *d, void *user, atg_err *err) {
    worker *w = user;
    int64_t n;
    int rc = db_get_one(d, &entry_count, NULL, 0, 0, &n, err);

    for (int64_t k = 0; rc == ATG_OK && k < 3; k++) {
        int64_t id = w->id % 4 == 3 && k == 1 ? 0 : w->id * 3 + k;

        rc = db_post(d, &entry_add, (db_value[]){db_int(id)}, 1, err);
    }
    return rc;
}

static void *write_many(void *user) {
    worker *w = user;

    for (int k = 0; k < EACH; k++) {
        atg_err err = {0};
        int rc;

        w->id = 1 + w->number * EACH + k;
        rc = store_write(w->s, post_entries, w, &err);
        w->n_ok += rc == ATG_OK;
        w->n_conflict += rc == ATG_ECONFLICT && strstr(err.msg, "entry_add");
        w->n_other += rc != ATG_OK && rc != ATG_ECONFLICT;
    }
    return NULL;
}

static void a_closure_whose_post_fails_does_so_alone(const database *where) {
    worker workers[THREADS];
    int64_t ok = 0, conflict = 0, wanted = 0, id = 0;
    store *s = counter_store(where);
    atg_err err = {0};

    must(store_write(s, add_entry, &id, &err), &err);
    for (id = 1; id <= (int64_t)THREADS * EACH; id++)
        wanted += id % 4 != 3;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.s = s, .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, write_many, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].n_other, 0);
        ok += workers[i].n_ok;
        conflict += workers[i].n_conflict;
    }
    assert_int_equal(ok, wanted);
    assert_int_equal(ok + conflict, THREADS * EACH);
    assert_int_equal(entries_in(s), 3 * ok + 1);
    store_close(s);
}

/* ---- memory ---- */

static int use(const database *where, int64_t id, atg_err *err) {
    db_options options = {.directory = where->directory, .conninfo = database_conninfo(where)};
    db_value in[] = {db_int(id), db_text(ATG_STR("x")), db_null()};
    db *d = NULL;
    int rc = db_open(&options, &d, err);

    if (rc == ATG_OK)
        rc = db_begin(d, DB_WRITE, err);
    if (rc == ATG_OK)
        rc = db_post(d, &insert, in, 3, err);
    if (rc == ATG_OK)
        rc = db_savepoint(d, err);
    if (rc == ATG_OK)
        rc = db_post(d, &remove_id, in, 1, err);
    if (rc == ATG_OK)
        rc = db_rollback_to(d, err);
    if (rc == ATG_OK)
        rc = db_commit(d, err);
    db_close(d);
    return rc;
}

static void short_memory_is_told_and_leaks_nothing(const database *where) {
    db *d = open_table(where);
    size_t before = mem_live();
    int64_t id = 0;
    int rc = ATG_ENOMEM;

    for (long k = 0; rc == ATG_ENOMEM; k++) {
        atg_err err = {0};

        mem_fail_after(k);
        rc = use(where, id, &err);
        mem_fail_after(-1);
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM))
            fail_msg("allocation %ld: code %d, %s", k, rc, err.msg);
        id += rc == ATG_OK;
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
    assert_int_equal(one(d, &count_ids, 0), id);
    db_close(d);
}

static void foresee(db *d, const db_statement *statement, int64_t id) {
    db_foresee(d, statement, (db_value[]){db_int(id)}, 1);
}

static void set(db *d, int64_t id, int64_t n) {
    atg_err err = {0};

    must(db_post(d, &add_up, (db_value[]){db_int(id), db_int(n)}, 2, &err), &err);
}

static void what_was_foreseen_is_what_a_query_gives(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};

    begin(d);
    must(post_id(d, 1, &err), &err);
    set(d, 1, 7);
    must(post_id(d, 2, &err), &err);
    set(d, 2, 9);
    foresee(d, &n_of, 1);
    db_foresee(d, &count_ids, NULL, 0);
    must(post_id(d, 3, &err), &err);
    assert_int_equal(one(d, &n_of, 1), 7);
    assert_int_equal(one(d, &n_of, 1), 7); /* asked anew */
    foresee(d, &n_of, 1);
    assert_int_equal(one(d, &n_of, 2), 9); /* something else was foreseen */
    foresee(d, &n_of, 1);
    foresee(d, &n_of, 2); /* the last counts */
    assert_int_equal(one(d, &n_of, 2), 9);
    foresee(d, &n_of, 4);
    assert_int_equal(one(d, &n_of, 4), -1);
    foresee(d, &n_of, 1); /* and nobody asks */
    must(db_commit(d, &err), &err);
    foresee(d, &n_of, 2); /* outside of transactions: nothing happens */
    assert_int_equal(one(d, &n_of, 2), 9);
    db_close(d);
}

static void what_was_given_up_or_undone_is_asked_anew(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};

    begin(d);
    must(post_id(d, 1, &err), &err);
    set(d, 1, 1);
    foresee(d, &n_of, 1);
    db_foreseen_end(d);
    set(d, 1, 0);
    assert_int_equal(one(d, &n_of, 1), 2);
    must(db_savepoint(d, &err), &err);
    set(d, 1, 0);
    foresee(d, &n_of, 1);
    must(db_rollback_to(d, &err), &err);
    assert_int_equal(one(d, &n_of, 1), 2);
    foresee(d, &n_of, 1);
    db_rollback(d);
    begin(d);
    assert_int_equal(one(d, &n_of, 1), -1);
    must(db_commit(d, &err), &err);
    db_close(d);
}

static void a_failure_before_what_was_foreseen_is_told_where_it_is_asked(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};
    int64_t n;
    int rc;

    begin(d);
    must(post_id(d, 1, &err), &err);
    rc = post_id(d, 1, &err);
    foresee(d, &n_of, 1);
    if (rc == ATG_OK)
        rc = db_get_one(d, &n_of, (db_value[]){db_int(1)}, 1, 0, &n, &err);
    assert_int_equal(rc, ATG_ECONFLICT);
    assert_non_null(strstr(err.msg, "insert_id"));
    db_rollback(d);
    assert_int_equal(one(d, &count_ids, 0), 0);
    db_close(d);
}

int main(void) {
    static const database_test tests[] = {
        {"posted statements keep their order", posted_statements_keep_their_order, ON_BOTH},
        {"a posted failure is told by its name in the next call",
         a_posted_failure_is_told_by_its_name_in_the_next_call, ON_BOTH},
        {"values may be gone once a statement is posted",
         values_may_be_gone_once_a_statement_is_posted, ON_BOTH},
        {"a savepoint undoes what was posted behind it",
         a_savepoint_undoes_what_was_posted_behind_it, ON_BOTH},
        {"what failed before a savepoint is not undone by it",
         what_failed_before_a_savepoint_is_not_undone_by_it, ON_BOTH},
        {"a hundred thousand posts go into one transaction",
         a_hundred_thousand_posts_go_into_one_transaction, ON_BOTH},
        {"large posts with large answers do not block", large_posts_with_large_answers_do_not_block,
         ON_BOTH},
        {"a statement first posted behind a failure is prepared again",
         a_statement_first_posted_behind_a_failure_is_prepared_again, ON_BOTH},
        {"posts outside of transactions are waited for",
         posts_outside_of_transactions_are_waited_for, ON_BOTH},
        {"a reading transaction refuses posted changes",
         a_reading_transaction_refuses_posted_changes, ON_BOTH},
        {"a rule that is checked at the commit fails the commit",
         a_rule_that_is_checked_at_the_commit_fails_the_commit, ON_BOTH},
        {"slow posts stop on request and at their time",
         slow_posts_stop_on_request_and_at_their_time, ON_BOTH},
        {"a connection that breaks among posts loses them all",
         a_connection_that_breaks_among_posts_loses_them_all, ON_POSTGRES},
        {"a closure whose post fails does so alone", a_closure_whose_post_fails_does_so_alone,
         ON_BOTH},
        {"short memory is told and leaks nothing", short_memory_is_told_and_leaks_nothing, ON_BOTH},
        {"what was foreseen is what a query gives", what_was_foreseen_is_what_a_query_gives,
         ON_BOTH},
        {"what was given up, or undone, is asked anew", what_was_given_up_or_undone_is_asked_anew,
         ON_BOTH},
        {"a failure before what was foreseen is told where it is asked",
         a_failure_before_what_was_foreseen_is_told_where_it_is_asked, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
