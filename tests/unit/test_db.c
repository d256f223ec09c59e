/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL layer: the same calls give the same on both databases. */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "database.h"
#include "store/db.h"

static const db_statement insert_value = {
    "insert_value", "INSERT INTO t(id, i, d, s, b) VALUES ($1, $2, $3, $4, $5)"};
static const db_statement select_value = {"select_value", "SELECT i, d, s, b FROM t WHERE id = $1"};
static const db_statement select_ids = {"select_ids", "SELECT id FROM t ORDER BY id"};
static const db_statement count_values = {"count_values", "SELECT count(*) FROM t"};
static const db_statement insert_id = {"insert_id", "INSERT INTO t(id) VALUES ($1)"};
static const db_statement insert_text = {"insert_text", "INSERT INTO t(id, s) VALUES ($1, $2)"};
static const db_statement find_text = {"find_text",
                                       "SELECT count(*) FROM t WHERE s = $1 /* $9 '$9' */"};
static const db_statement remove_all = {"remove_all", "DELETE FROM t"};
static const db_statement insert_child = {"insert_child", "INSERT INTO c(t) VALUES ($1)"};
static const db_statement count_slowly = {
    "count_slowly",
    "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n "
    "WHERE i < $1) SELECT count(*) FROM n"};
static const db_statement many_rows = {
    "many_rows", "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n "
                 "WHERE i < $1) SELECT i FROM n"};

static db_options options_of(const database *where) {
    return (db_options){
        .directory = where->directory, .conninfo = database_conninfo(where), .create = true};
}

static void must(int rc, const atg_err *err) {
    if (rc)
        fail_msg("code %d: %s", rc, err->msg);
}

static db *open_db(const database *where) {
    db_options options = options_of(where);
    atg_err err = {0};
    db *d = NULL;

    must(db_open(&options, &d, &err), &err);
    return d;
}

static db *open_table(const database *where) {
    db *d = open_db(where);
    char sql[400];
    atg_err err = {0};

    snprintf(sql, sizeof(sql),
             "CREATE TABLE t(id BIGINT NOT NULL PRIMARY KEY, i BIGINT, d DOUBLE PRECISION, s TEXT, "
             "b %s, CONSTRAINT t_s UNIQUE(s));"
             "CREATE TABLE c(t BIGINT NOT NULL REFERENCES t(id), n BIGINT CHECK (n > 0))",
             where->postgres ? "BYTEA" : "BLOB");
    must(db_script(d, "tables", sql, &err), &err);
    return d;
}

static int64_t count(db *d) {
    atg_err err = {0};
    int64_t n = -1;

    must(db_get_one(d, &count_values, NULL, 0, 0, &n, &err), &err);
    return n;
}

static int add(db *d, int64_t id, atg_err *err) {
    return db_run(d, &insert_id, (db_value[]){db_int(id)}, 1, NULL, err);
}

static const char all_bytes[] = "\0\1\2'\";--\\\xff\xfe\x80\0";

static void every_type_comes_back_as_it_went_in(const database *where) {
    static const struct {
        int64_t i;
        double d;
        const char *s;
        size_t n;
    } cases[] = {
        {0, 0, "", 0},
        {-1, -0.1, "plain", 1},
        {INT64_MAX, DBL_MAX, "\xe7\x8e\x8b\xe5\x81\x89 \xd0\x9e\xd0\xbb\xd0\xb5\xd0\xba", 5},
        {INT64_MIN, -DBL_MIN, "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf", sizeof(all_bytes) - 1},
        {1, DBL_TRUE_MIN, "\xf0\x9f\xa6\xb7", 3},
        {2, INFINITY, "a\nb\tc\\d", 4},
        {3, 1.0 / 3, "'; DROP TABLE t; --", 5},
        {4, 1e15, "$1 ?1 :a @b %s", 6},
    };
    db *d = open_table(where);
    atg_err err = {0};

    for (int k = 0; k < (int)(sizeof(cases) / sizeof(*cases)); k++) {
        db_value in[] = {db_int(k), db_int(cases[k].i), db_double(cases[k].d),
                         db_text(atg_str_of(cases[k].s)), db_blob(all_bytes, cases[k].n)};
        db_rows *rows;
        int64_t changed = 0;

        must(db_run(d, &insert_value, in, 5, &changed, &err), &err);
        assert_int_equal(changed, 1);
        must(db_query(d, &select_value, in, 1, &rows, &err), &err);
        assert_int_equal(db_next(rows, &err), 1);
        assert_int_equal(db_type_of(rows, 0), DB_INT);
        assert_true(db_get_int(rows, 0) == cases[k].i);
        assert_true(db_get_double(rows, 1) == cases[k].d);
        assert_true(atg_str_eq(db_get_text(rows, 2), in[3].s));
        assert_int_equal(db_type_of(rows, 3), DB_BLOB);
        assert_true(atg_str_eq(db_get_blob(rows, 3), in[4].s));
        assert_int_equal(db_next(rows, &err), 0);
        db_end(rows);
    }
    assert_int_equal(count(d), sizeof(cases) / sizeof(*cases));
    db_close(d);
}

static void null_is_not_empty(const database *where) {
    db_value in[] = {db_int(1), db_null(), db_null(), db_null(), db_null()};
    db *d = open_table(where);
    atg_err err = {0};
    db_rows *rows;

    must(db_run(d, &insert_value, in, 5, NULL, &err), &err);
    must(db_query(d, &select_value, in, 1, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    for (int c = 0; c < 4; c++) {
        assert_true(db_is_null(rows, c));
        assert_int_equal(db_type_of(rows, c), DB_NULL);
    }
    assert_int_equal(db_get_int(rows, 0), 0);
    assert_int_equal(db_get_text(rows, 2).n, 0);
    db_end(rows);
    /* null first, then values of each type, through the same prepared statement */
    for (int k = 2; k < 4; k++) {
        db_value more[] = {db_int(k), db_int(k), k == 2 ? db_double(k) : db_null(),
                           k == 2 ? db_text(ATG_STR("x")) : db_null(),
                           k == 2 ? db_blob("y", 1) : db_null()};

        must(db_run(d, &insert_value, more, 5, NULL, &err), &err);
    }
    must(db_query(d, &select_value, (db_value[]){db_int(2)}, 1, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    assert_true(db_get_double(rows, 1) == 2);
    assert_true(atg_str_eq(db_get_text(rows, 2), ATG_STR("x")));
    db_end(rows);
    db_close(d);
}

static void values_that_one_database_would_bend_are_refused(const database *where) {
    const struct {
        db_value v;
        int n;
        int code;
    } cases[] = {
        {db_text((atg_str){"a\0b", 3}), 2, ATG_EINVAL},
        {db_text(ATG_STR("\xff")), 2, ATG_EINVAL},
        {db_text(ATG_STR("\xed\xa0\x80")), 2, ATG_EINVAL},
        {db_double(NAN), 2, ATG_EINVAL},
        {db_text(ATG_STR("too few")), 1, ATG_EINVAL},
        {db_text((atg_str){"", (size_t)DB_BYTES_MAX + 1}), 2, ATG_ELIMIT},
    };
    db *d = open_table(where);

    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        db_value in[] = {db_int(1), cases[k].v};
        atg_err err = {0};

        assert_int_equal(db_run(d, &insert_text, in, cases[k].n, NULL, &err), cases[k].code);
        assert_int_equal(err.code, cases[k].code);
        assert_true(strlen(err.msg) > 10);
    }
    assert_int_equal(count(d), 0);
    db_close(d);
}

static void what_looks_like_sql_is_only_a_value(const database *where) {
    static const char *const attacks[] = {
        "'; DELETE FROM t; --",
        "\" OR 1=1 --",
        "'||(SELECT s FROM t)||'",
        "1); DROP TABLE t; --",
        "$1",
        "\\'; DELETE FROM t; --",
        "/*",
        "*/; DELETE FROM t",
        "%' OR '1'='1",
    };
    db *d = open_table(where);
    atg_err err = {0};
    int64_t n;

    for (int k = 0; k < (int)(sizeof(attacks) / sizeof(*attacks)); k++) {
        db_value in[] = {db_int(k), db_text(atg_str_of(attacks[k]))};

        must(db_get_one(d, &find_text, in + 1, 1, 0, &n, &err), &err);
        assert_int_equal(n, 0);
        must(db_run(d, &insert_text, in, 2, NULL, &err), &err);
        must(db_get_one(d, &find_text, in + 1, 1, 0, &n, &err), &err);
        assert_int_equal(n, 1);
        assert_int_equal(count(d), k + 1);
    }
    db_close(d);
}

static void broken_rules_are_told_without_the_values(const database *where) {
    static const db_statement bad_child = {"bad_child", "INSERT INTO c(t, n) VALUES (1, $1)"};
    static const db_statement no_key = {"no_key", "INSERT INTO t(s) VALUES ($1)"};
    db_value secret[] = {db_int(1), db_text(ATG_STR("Olek Secret"))};
    db *d = open_table(where);
    atg_err err = {0};

    must(db_run(d, &insert_text, secret, 2, NULL, &err), &err);
    assert_int_equal(db_run(d, &insert_text, secret, 2, NULL, &err), ATG_ECONFLICT);
    assert_false(db_retry(d));
    assert_non_null(strstr(err.msg, "insert_text"));
    secret[0] = db_int(7777);
    assert_int_equal(db_run(d, &insert_text, secret, 2, NULL, &err), ATG_ECONFLICT);
    assert_null(strstr(err.msg, "Secret"));
    assert_int_equal(db_run(d, &no_key, secret + 1, 1, NULL, &err), ATG_EDB);
    assert_null(strstr(err.msg, "Secret"));
    assert_int_equal(db_run(d, &insert_child, secret, 1, NULL, &err), ATG_EDB);
    assert_null(strstr(err.msg, "7777"));
    assert_int_equal(db_run(d, &bad_child, (db_value[]){db_int(-7777)}, 1, NULL, &err), ATG_EDB);
    assert_null(strstr(err.msg, "7777"));
    assert_false(db_retry(d));
    assert_int_equal(count(d), 1);
    db_close(d);
}

static void statements_that_do_not_fit_are_told_by_name(const database *where) {
    static const db_statement cases[] = {
        {"nonsense", "SELEKT 1"},
        {"no_table", "SELECT x FROM nowhere"},
        {"no_column", "SELECT nothing FROM t"},
        {"two", "SELECT 1; SELECT 2"},
        {"open_text", "SELECT 'abc"},
    };
    db *d = open_table(where);

    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        atg_err err = {0};
        db_rows *rows;
        int rc = db_query(d, &cases[k], NULL, 0, &rows, &err);

        assert_true(rc == ATG_EDB || rc == ATG_EINVAL);
        assert_non_null(strstr(err.msg, cases[k].name));
        assert_false(db_retry(d));
    }
    assert_int_equal(count(d), 0);
    db_close(d);
}

static void the_first_failure_ends_a_transaction(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};
    char first[400];
    int64_t n;

    must(db_begin(d, DB_WRITE, &err), &err);
    must(add(d, 1, &err), &err);
    assert_int_equal(add(d, 1, &err), ATG_ECONFLICT);
    snprintf(first, sizeof(first), "%s", err.msg);
    assert_int_equal(add(d, 2, &err), ATG_ECONFLICT);
    assert_string_equal(err.msg, first);
    assert_int_equal(db_get_one(d, &count_values, NULL, 0, 0, &n, NULL), ATG_ECONFLICT);
    assert_int_equal(db_savepoint(d, &err), ATG_ECONFLICT);
    assert_int_equal(db_commit(d, &err), ATG_ECONFLICT);
    assert_string_equal(err.msg, first);
    assert_int_equal(db_mode_of(d), DB_NONE);
    assert_int_equal(count(d), 0);
    db_close(d);
}

static void savepoints_undo_what_came_after_them(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};

    assert_int_equal(db_savepoint(d, &err), ATG_EINVAL);
    must(db_begin(d, DB_WRITE, &err), &err);
    assert_int_equal(db_release(d, &err), ATG_EINVAL);
    assert_int_equal(db_rollback_to(d, &err), ATG_EINVAL);
    must(add(d, 1, &err), &err);
    must(db_savepoint(d, &err), &err);
    must(add(d, 2, &err), &err);
    must(db_savepoint(d, &err), &err);
    must(add(d, 3, &err), &err);
    must(db_release(d, &err), &err);
    must(db_rollback_to(d, &err), &err);
    assert_int_equal(count(d), 1);
    must(db_savepoint(d, &err), &err);
    assert_int_equal(add(d, 1, &err), ATG_ECONFLICT);
    must(db_rollback_to(d, &err), &err);
    must(add(d, 4, &err), &err);
    must(db_commit(d, &err), &err);
    assert_int_equal(count(d), 2);
    must(db_begin(d, DB_WRITE, &err), &err);
    must(db_run(d, &remove_all, NULL, 0, NULL, &err), &err);
    db_rollback(d);
    db_rollback(d);
    assert_int_equal(count(d), 2);
    db_close(d);
}

static void a_reading_transaction_sees_one_moment_and_changes_nothing(const database *where) {
    db *d = open_table(where), *other = open_db(where);
    atg_err err = {0};

    must(add(d, 1, &err), &err);
    must(db_begin(d, DB_READ, &err), &err);
    assert_int_equal(count(d), 1);
    must(add(other, 2, &err), &err);
    assert_int_equal(count(d), 1);
    assert_int_equal(count(other), 2);
    assert_int_equal(add(d, 3, &err), ATG_EINVAL);
    assert_int_equal(db_commit(d, &err), ATG_EINVAL);
    assert_int_equal(count(d), 2);
    db_close(other);
    db_close(d);
}

static void statements_may_run_between_the_rows_of_others(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};
    db_rows *rows, *inner;
    int64_t sum = 0;

    for (int64_t i = 1; i <= 5; i++)
        must(add(d, i, &err), &err);
    must(db_begin(d, DB_WRITE, &err), &err);
    must(db_query(d, &select_ids, NULL, 0, &rows, &err), &err);
    while (db_next(rows, &err) > 0) {
        int64_t id = db_get_int(rows, 0);

        must(db_query(d, &select_value, (db_value[]){db_int(id)}, 1, &inner, &err), &err);
        assert_int_equal(db_next(inner, &err), 1);
        db_end(inner);
        sum += id;
    }
    db_end(rows);
    assert_int_equal(sum, 15);
    must(db_query(d, &select_ids, NULL, 0, &rows, &err), &err);
    assert_int_equal(db_query(d, &select_ids, NULL, 0, &inner, &err), ATG_EINVAL);
    db_rollback(d);
    assert_int_equal(db_next(rows, &err), ATG_EINVAL);
    db_end(rows);
    assert_int_equal(count(d), 5);
    db_close(d);
}

static void a_stream_gives_every_row_and_nothing_else_runs_meanwhile(const database *where) {
    enum { ROWS = 20000 };
    db *d = open_table(where);
    atg_err err = {0};
    db_rows *rows;
    int64_t n = 0;
    int rc;

    must(db_begin(d, DB_READ, &err), &err);
    must(db_stream(d, &many_rows, (db_value[]){db_int(ROWS)}, 1, &rows, &err), &err);
    while ((rc = db_next(rows, &err)) > 0)
        assert_int_equal(db_get_int(rows, 0), ++n);
    must(rc, &err);
    assert_int_equal(n, ROWS);
    db_end(rows);
    /* left early */
    must(db_stream(d, &many_rows, (db_value[]){db_int(ROWS)}, 1, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    db_end(rows);
    assert_int_equal(count(d), 0);
    must(db_stream(d, &many_rows, (db_value[]){db_int(ROWS)}, 1, &rows, &err), &err);
    assert_int_equal(db_get_one(d, &count_values, NULL, 0, 0, &n, &err), ATG_EINVAL);
    db_rollback(d);
    assert_int_equal(count(d), 0);
    db_close(d);
}

static void a_column_asked_for_as_another_type_fails_the_transaction(const database *where) {
    db *d = open_table(where);
    atg_err err = {0};
    db_rows *rows;

    must(db_run(d, &insert_text, (db_value[]){db_int(1), db_text(ATG_STR("x"))}, 2, NULL, &err),
         &err);
    must(db_begin(d, DB_WRITE, &err), &err);
    must(db_query(d, &select_value, (db_value[]){db_int(1)}, 1, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    assert_int_equal(db_get_int(rows, 2), 0);
    assert_int_equal(db_next(rows, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "select_value"));
    db_end(rows);
    assert_int_equal(db_commit(d, &err), ATG_EDB);
    must(db_begin(d, DB_WRITE, &err), &err);
    must(db_query(d, &select_value, (db_value[]){db_int(1)}, 1, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    assert_true(db_is_null(rows, 4));
    assert_int_equal(db_commit(d, &err), ATG_EINVAL);
    db_close(d);
}

static void what_is_one_number_is_given_as_one(const database *where) {
    static const db_statement of_id = {"of_id", "SELECT i FROM t WHERE id = $1"};
    db *d = open_table(where);
    atg_err err = {0};
    int64_t n = 5;

    must(db_begin(d, DB_WRITE, &err), &err);
    assert_int_equal(db_get_one(d, &of_id, (db_value[]){db_int(1)}, 1, 9, &n, &err), ATG_ENOTFOUND);
    assert_int_equal(n, 5);
    must(add(d, 1, &err), &err);
    must(db_get_one(d, &of_id, (db_value[]){db_int(1)}, 1, 9, &n, &err), &err);
    assert_int_equal(n, 9);
    must(db_commit(d, &err), &err);
    assert_int_equal(db_run(d, &select_ids, NULL, 0, NULL, &err), ATG_EINVAL);
    db_close(d);
}

static void *stop_soon(void *user) {
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    atomic_store((atomic_bool *)user, true);
    return NULL;
}

static void a_long_read_stops_on_request_and_at_its_time(const database *where) {
    static atomic_bool stop;
    db *d = open_table(where);
    db_value forever[] = {db_int(INT64_MAX)};
    atg_err err = {0};
    pthread_t thread;
    int64_t n;

    atomic_store(&stop, false);
    assert_int_equal(db_limit(d, 0, &stop, &err), ATG_EINVAL);
    must(db_begin(d, DB_READ, &err), &err);
    must(db_limit(d, 0, &stop, &err), &err);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stop), 0);
    assert_int_equal(db_get_one(d, &count_slowly, forever, 1, 0, &n, &err), ATG_ECANCEL);
    pthread_join(thread, NULL);
    db_rollback(d);
    must(db_begin(d, DB_WRITE, &err), &err);
    must(add(d, 1, &err), &err);
    must(db_limit(d, 100, NULL, &err), &err);
    assert_int_equal(db_get_one(d, &count_slowly, forever, 1, 0, &n, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "longer"));
    db_rollback(d);
    assert_int_equal(count(d), 0);
    must(add(d, 1, &err), &err);
    db_close(d);
}

static const db_statement list_insert = {
    "list_insert", "INSERT INTO t(id, i) SELECT unnest, $2 FROM unnest($1) WHERE true "
                   "ON CONFLICT (id) DO UPDATE SET i = t.i + excluded.i"};
static const db_statement list_sum = {
    "list_sum", "SELECT CAST(sum(i) AS BIGINT) FROM t WHERE id IN (SELECT unnest FROM unnest($1)) "
                "AND i IN (SELECT unnest FROM unnest($2))"};
static const db_statement list_rows = {"list_rows", "SELECT unnest FROM unnest($1)"};
static const db_statement list_many = {
    "list_many", "SELECT $1, $2, $3, $4, $5 FROM unnest($1) WHERE unnest IN ($6)"};

static void a_list_of_integers_is_one_value(const database *where) {
    enum { MANY = 100000 };
    static int64_t many[MANY];
    static const int64_t few[] = {INT64_MIN, -1, 0, 7, INT64_MAX};
    db *d = open_table(where);
    atg_err err = {0};
    db_value too_many[6];
    db_rows *rows;
    int64_t sum = -1;

    for (int64_t i = 0; i < MANY; i++)
        many[i] = i;
    for (int i = 0; i < 2; i++)
        must(db_run(d, &list_insert, (db_value[]){db_ints(many, MANY), db_int(3 - i)}, 2, NULL,
                    &err),
             &err);
    must(
        db_get_one(d, &list_sum, (db_value[]){db_ints(few, 5), db_ints(many, 9)}, 2, 0, &sum, &err),
        &err);
    assert_int_equal(sum, 10);
    must(
        db_get_one(d, &list_sum, (db_value[]){db_ints(few, 5), db_ints(NULL, 0)}, 2, 0, &sum, &err),
        &err);
    assert_int_equal(sum, 0);
    must(db_query(d, &list_rows, (db_value[]){db_ints(few, 5)}, 1, &rows, &err), &err);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(db_next(rows, &err), 1);
        assert_true(db_get_int(rows, 0) == few[i]);
    }
    assert_int_equal(db_next(rows, &err), 0);
    db_end(rows);
    for (int i = 0; i < 6; i++)
        too_many[i] = db_ints(few, 5);
    assert_int_equal(db_query(d, &list_many, too_many, 6, &rows, &err), ATG_EINVAL);
    assert_int_equal(db_query(d, &list_rows, (db_value[]){db_ints(many, (size_t)DB_INTS_MAX + 1)},
                              1, &rows, &err),
                     ATG_ELIMIT);
    db_close(d);
}

static void writers_that_meet_are_told_to_try_again(const database *where) {
    static const db_statement sum = {"sum", "SELECT CAST(sum(i) AS BIGINT) FROM t"};
    static const db_statement insert_sum = {"insert_sum", "INSERT INTO t(id, i) VALUES ($1, $2)"};
    db_options options = options_of(where);
    db *d = open_table(where), *other;
    db *both[2];
    atg_err err = {0};
    int64_t n[2];
    int rc = ATG_OK;
    bool retry = false;

    options.busy_ms = 100;
    must(db_open(&options, &other, &err), &err);
    both[0] = d;
    both[1] = other;
    must(db_run(d, &insert_sum, (db_value[]){db_int(0), db_int(1)}, 2, NULL, &err), &err);
    /* write skew: each adds a row with the sum that it saw */
    for (int k = 0; k < 2 && !rc; k++) {
        rc = db_begin(both[k], DB_WRITE, &err);
        if (!rc)
            rc = db_get_one(both[k], &sum, NULL, 0, 0, &n[k], &err);
        retry |= rc && db_retry(both[k]);
    }
    for (int k = 0; k < 2 && !rc; k++) {
        rc = db_run(both[k], &insert_sum, (db_value[]){db_int(k + 1), db_int(n[k])}, 2, NULL, &err);
        retry |= rc && db_retry(both[k]);
    }
    for (int k = 0; k < 2 && !rc; k++) {
        rc = db_commit(both[k], &err);
        retry |= rc && db_retry(both[k]);
    }
    assert_int_equal(rc, ATG_ECONFLICT);
    assert_true(retry);
    db_close(other);
    db_close(d);
}

static void thousands_of_statements_are_each_prepared_once(const database *where) {
    enum { MANY = 300 };
    static db_statement statements[MANY];
    static char sql[MANY][40];
    db *d = open_table(where);
    atg_err err = {0};

    for (int round = 0; round < 3; round++) {
        for (int k = 0; k < MANY; k++) {
            int64_t got = -1;

            snprintf(sql[k], sizeof(sql[k]), "SELECT CAST(%d AS BIGINT)", k);
            statements[k] = (db_statement){"many", sql[k]};
            must(db_get_one(d, &statements[k], NULL, 0, 0, &got, &err), &err);
            assert_int_equal(got, k);
        }
    }
    db_close(d);
}

/* Every allocation of ours fails in turn while a store is opened and used. */
static int use(const database *where, atg_err *err) {
    db_options options = options_of(where);
    db *d = NULL;
    int64_t n;
    int rc = db_open(&options, &d, err);

    if (!rc)
        rc = db_begin(d, DB_WRITE, err);
    if (!rc)
        rc = db_run(d, &insert_text, (db_value[]){db_int(1), db_text(ATG_STR("x"))}, 2, NULL, err);
    if (!rc)
        rc = db_get_one(d, &count_values, NULL, 0, 0, &n, err);
    if (!rc)
        rc = db_run(d, &list_insert, (db_value[]){db_ints(&n, 1), db_int(1)}, 2, NULL, err);
    if (!rc)
        db_rollback(d);
    db_close(d);
    return rc;
}

static void short_memory_is_told_and_leaks_nothing(const database *where) {
    size_t before;
    int rc = ATG_ENOMEM;

    db_close(open_table(where));
    before = mem_live();
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        atg_err err = {0};

        mem_fail_after(k);
        rc = use(where, &err);
        mem_fail_after(-1);
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM))
            fail_msg("allocation %ld: code %d, %s", k, rc, err.msg);
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
}

static void another_machine_is_asked_over_checked_tls_alone(const database *where) {
    static const struct {
        const char *conninfo;
        int code;
    } cases[] = {
        {"host=192.0.2.1 dbname=x connect_timeout=1", ATG_EINVAL},
        {"host=192.0.2.1 dbname=x sslmode=require", ATG_EINVAL},
        {"host=localhost,db.example.org dbname=x", ATG_EINVAL},
        {"hostaddr=192.0.2.1 dbname=x sslmode=verify-ca", ATG_EINVAL},
        {"postgresql://atg@db.example.org/x?sslmode=prefer", ATG_EINVAL},
        {"host=/nonexistent dbname=x", ATG_EDB},
        {"host=127.0.0.1 port=1 dbname=x", ATG_EDB},
    };

    (void)where;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        db_options o = {.conninfo = cases[i].conninfo, .connect_ms = 1000};
        db *d = NULL;
        atg_err err = {0};

        assert_int_equal(db_open(&o, &d, &err), cases[i].code);
        if (cases[i].code == ATG_EINVAL)
            assert_non_null(strstr(err.msg, "sslmode=verify-full"));
    }
}

int main(void) {
    static const database_test tests[] = {
        {"another machine is asked over checked TLS alone",
         another_machine_is_asked_over_checked_tls_alone, ON_SQLITE},
        {"every type comes back as it went in", every_type_comes_back_as_it_went_in, ON_BOTH},
        {"null is not empty", null_is_not_empty, ON_BOTH},
        {"values that one database would bend are refused",
         values_that_one_database_would_bend_are_refused, ON_BOTH},
        {"what looks like SQL is only a value", what_looks_like_sql_is_only_a_value, ON_BOTH},
        {"broken rules are told without the values", broken_rules_are_told_without_the_values,
         ON_BOTH},
        {"statements that do not fit are told by name", statements_that_do_not_fit_are_told_by_name,
         ON_BOTH},
        {"the first failure ends a transaction", the_first_failure_ends_a_transaction, ON_BOTH},
        {"savepoints undo what came after them", savepoints_undo_what_came_after_them, ON_BOTH},
        {"a reading transaction sees one moment and changes nothing",
         a_reading_transaction_sees_one_moment_and_changes_nothing, ON_BOTH},
        {"statements may run between the rows of others",
         statements_may_run_between_the_rows_of_others, ON_BOTH},
        {"a stream gives every row and nothing else runs meanwhile",
         a_stream_gives_every_row_and_nothing_else_runs_meanwhile, ON_BOTH},
        {"a column asked for as another type fails the transaction",
         a_column_asked_for_as_another_type_fails_the_transaction, ON_BOTH},
        {"what is one number is given as one", what_is_one_number_is_given_as_one, ON_BOTH},
        {"a long read stops on request and at its time",
         a_long_read_stops_on_request_and_at_its_time, ON_BOTH},
        {"a list of integers is one value", a_list_of_integers_is_one_value, ON_BOTH},
        {"writers that meet are told to try again", writers_that_meet_are_told_to_try_again,
         ON_BOTH},
        {"hundreds of statements are each prepared once",
         thousands_of_statements_are_each_prepared_once, ON_BOTH},
        {"short memory is told and leaks nothing", short_memory_is_told_and_leaks_nothing, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
