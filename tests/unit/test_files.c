/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of files: codes, lists by key, counts. */
#include "kept.h"

#include "store/files.h"

enum { ARENA = 64 << 20, MANY = 200 };

static void codes_are_counted_by_kind_and_site(const database *where) {
    db *d = kept_open(where);
    int64_t n = 0, number = 0;
    char code[FILE_CODE_MAX];
    atg_err err = {0};

    kept_begin(d);
    must(files_numbers(d, "AM", ATG_STR("K3"), 1, &n, &number, &err), &err);
    assert_int_equal(n, 1);
    assert_int_equal(number, 1);
    must(files_numbers(d, "AM", ATG_STR("K3"), 10, &n, &number, &err), &err);
    assert_int_equal(n, 2);
    assert_int_equal(number, 2);
    must(files_numbers(d, "PM", ATG_STR("K3"), 1, &n, &number, &err), &err);
    assert_int_equal(n, 12);
    assert_int_equal(number, 1);
    must(files_numbers(d, "AM", ATG_STR("K3"), 1, &n, &number, &err), &err);
    assert_int_equal(n, 13);
    assert_int_equal(number, 12);
    must(files_numbers(d, "AM", ATG_STR("K4"), 1, &n, &number, &err), &err);
    assert_int_equal(number, 1);
    kept_commit(d);
    files_code("AM", ATG_STR("K3"), 123, code);
    assert_string_equal(code, "AM-K3-000123");
    files_code("AM", ATG_STR("K3"), 12345678, code);
    assert_string_equal(code, "AM-K3-12345678");
    db_close(d);
}

static void a_code_that_was_brought_is_not_made_again(const database *where) {
    db *d = kept_open(where);
    int64_t n = 0, number = 0;
    atg_err err = {0};

    kept_begin(d);
    must(files_taken(d, RECORD_MISSING, ATG_STR("AM-K2-000007"), &n, &err), &err);
    assert_int_equal(n, 1);
    must(files_numbers(d, "AM", ATG_STR("K3"), 1, &n, &number, &err), &err);
    assert_int_equal(n, 2);
    assert_int_equal(number, 1);
    /* back from another site, while this one has lost it */
    must(files_taken(d, RECORD_MISSING, ATG_STR("AM-K3-000009"), &n, &err), &err);
    assert_int_equal(n, 3);
    must(files_taken(d, RECORD_MISSING, ATG_STR("AM-K3-000004"), &n, &err), &err);
    must(files_taken(d, RECORD_HYPOTHESIS, ATG_STR("HY-K3-000004"), NULL, &err), &err);
    must(files_numbers(d, "AM", ATG_STR("K3"), 1, &n, &number, &err), &err);
    assert_int_equal(number, 10);
    must(files_numbers(d, "HY", ATG_STR("K3"), 1, &n, &number, &err), &err);
    assert_int_equal(number, 5);
    assert_int_equal(files_taken(d, RECORD_MISSING, ATG_STR("PM-K3-000004"), &n, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "PM-K3-000004"));
    assert_int_equal(files_taken(d, RECORD_MISSING, ATG_STR("AM-K3-4"), &n, &err), ATG_EINVAL);
    kept_commit(d);
    db_close(d);
}

/* A made-up file; the i-th one of its kind and site. */
static file_row made_file(prop *p, atg_arena *arena, const uuid *operation, int64_t n) {
    static const char *const sorts[] = {"", "\x2a", "\x2a\x01", "\x2a\xff", "\x80", "\xff"};
    atg_str sort = atg_str_of(sorts[prop_below(p, 6)]);
    char code[FILE_CODE_MAX];

    files_code("AM", prop_chance(p, 0.3) ? ATG_STR("K") : ATG_STR("K3"),
               n * (prop_chance(p, 0.5) ? 1 : 100000), code);
    return (file_row){.n = n,
                      .id = kept_id(),
                      .operation = *operation,
                      .kind = RECORD_MISSING,
                      .code = atg_arena_str(arena, atg_str_of(code)),
                      .state = prop_below(p, 3),
                      .sex = (int)prop_below(p, 4) - 1,
                      .sort = sort,
                      .changed = (int64_t)prop_below(p, 50),
                      .withdrawn = prop_chance(p, 0.2)};
}

typedef struct site_number {
    atg_str site;
    long long number;
} site_number;

static site_number split(const file_row *f) {
    atg_str rest = f->code;

    (void)atg_str_cut(&rest, '-');

    atg_str site = atg_str_cut(&rest, '-');

    return (site_number){site, strtoll(rest.p, NULL, 10)};
}

static int in_order(files_order order, const file_row *a, const file_row *b) {
    site_number x = split(a), y = split(b);
    int c;

    switch (order) {
    case FILES_BY_CODE:
        c = atg_str_cmp(x.site, y.site);
        return c ? c : (x.number > y.number) - (x.number < y.number);
    case FILES_BY_NAME:
        c = atg_str_cmp(a->sort, b->sort);
        return c ? c : (a->n > b->n) - (a->n < b->n);
    case FILES_BY_CHANGE:
        c = (b->changed > a->changed) - (b->changed < a->changed);
        return c ? c : (b->n > a->n) - (b->n < a->n);
    }
    return 0;
}

static bool belongs(const files_query *q, const file_row *f) {
    return (q->withdrawn || !f->withdrawn) && (q->state < 0 || (int)f->state == q->state) &&
           (q->sex < 0 || f->sex == q->sex);
}

/* All pages together are the files that belong to the list, each once and in order. */
static void walk(db *d, const file_row *all, files_query q) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    uint32_t wanted = 0, seen = 0, n = 0;
    file_row last = {0}, *rows = NULL;
    atg_err err = {0};

    for (int i = 0; i < MANY; i++)
        wanted += belongs(&q, &all[i]);
    do {
        must(files_list(d, arena, &q, &rows, &n, &err), &err);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(belongs(&q, &rows[i]));
            assert_true(seen == 0 || in_order(q.order, &last, &rows[i]) < 0);
            last = rows[i];
            seen++;
        }
        q.after = last.id;
    } while (n == q.limit);
    assert_int_equal(seen, wanted);
}

static void pages_by_key_give_each_file_once(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = kept_open(where);
    uuid operation = kept_id(), other = kept_id();
    prop p = prop_seed(1);
    file_row all[MANY], more;
    atg_err err = {0};

    kept_begin(d);
    for (int i = 0; i < MANY; i++) {
        all[i] = made_file(&p, arena, &operation, i + 1);
        must(files_insert(d, &all[i], NULL, &err), &err);
    }
    more = made_file(&p, arena, &other, MANY + 1);
    must(files_insert(d, &more, NULL, &err), &err);
    kept_commit(d);
    for (int order = FILES_BY_CODE; order <= FILES_BY_CHANGE; order++)
        for (int state = -1; state < 4; state++)
            for (int s = -1; s < SEX_COUNT; s++)
                for (uint32_t limit = 1; limit < 2 * MANY; limit = limit * 3 + 4)
                    walk(d, all,
                         (files_query){.operation = operation,
                                       .kind = RECORD_MISSING,
                                       .state = state,
                                       .sex = s,
                                       .withdrawn = (state + s) % 2 != 0,
                                       .order = (files_order)order,
                                       .limit = limit});
    db_close(d);
}

static void a_file_is_found_by_its_code_however_it_is_typed(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = kept_open(where);
    prop p = prop_seed(2);
    uuid operation = kept_id(), nobody = kept_id();
    file_row f = made_file(&p, arena, &operation, 1), got;
    static const char *const bad[] = {"",
                                      "AM-K3-000002",
                                      "' OR 1 = 1 --",
                                      "AM",
                                      "AM-K3-000001-",
                                      "AM-K3-1",
                                      "\xc3\xa9",
                                      "AM-K3-00000000000000000000000000000000000001"};
    atg_err err = {0};

    f.code = ATG_STR("AM-K3-000001");
    must(files_insert(d, &f, NULL, &err), &err);
    must(files_find(d, arena, ATG_STR("am-k3-000001"), &got, &err), &err);
    assert_memory_equal(&got.id, &f.id, sizeof(f.id));
    must(files_get(d, arena, &f.id, &got, &err), &err);
    assert_true(atg_str_eq(got.code, f.code));
    assert_true(atg_str_eq(got.sort, f.sort));
    assert_int_equal(got.n, f.n);
    assert_int_equal(got.kind, f.kind);
    assert_int_equal(got.state, f.state);
    assert_int_equal(got.sex, f.sex);
    assert_int_equal(got.changed, f.changed);
    assert_int_equal(got.withdrawn, f.withdrawn);
    assert_memory_equal(&got.operation, &operation, sizeof(operation));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(files_find(d, arena, atg_str_of(bad[i]), &got, &err), ATG_ENOTFOUND);
    assert_int_equal(files_get(d, arena, &nobody, &got, &err), ATG_ENOTFOUND);
    db_close(d);
}

static void numbers_identifiers_and_codes_are_given_once(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = kept_open(where);
    prop p = prop_seed(2);
    uuid operation = kept_id();
    file_row f = made_file(&p, arena, &operation, 1);
    atg_err err = {0};

    must(files_insert(d, &f, NULL, &err), &err);
    for (int same = 0; same < 3; same++) {
        file_row again = made_file(&p, arena, &operation, 2);
        int rc;

        if (same == 0)
            again.n = f.n;
        if (same == 1)
            again.id = f.id;
        if (same == 2)
            again.code = f.code;
        kept_begin(d);
        rc = files_insert(d, &again, NULL, &err);
        assert_int_equal(rc ? rc : db_commit(d, &err), ATG_ECONFLICT);
        db_rollback(d);
    }
    db_close(d);
}

static void what_is_no_code_is_refused(const database *where) {
    static const char *const bad[] = {"",
                                      "AM",
                                      "AM-K3",
                                      "AM-K3-",
                                      "AM-K3-1",
                                      "PM-K3-00001",
                                      "PM-K3-000001",
                                      "AM-k3-000001",
                                      "AM-K3-0000001",
                                      "AM-K3-+00001",
                                      "AM--000001",
                                      "AM-K3-000001x",
                                      "AM-K34567890-000001",
                                      "AM-K3-9999999999999999999",
                                      "AM-K3-000001 "};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = kept_open(where);
    prop p = prop_seed(2);
    uuid operation = kept_id();
    char sort[FILE_SORT_MAX + 1] = "";
    int64_t n, number;
    atg_err err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        file_row f = made_file(&p, arena, &operation, 1);

        f.code = atg_str_of(bad[i]);
        assert_int_equal(files_insert(d, &f, NULL, &err), ATG_EINVAL);
    }
    assert_int_equal(files_numbers(d, "AM", ATG_STR("k3"), 1, &n, &number, &err), ATG_EINVAL);
    assert_int_equal(files_numbers(d, "AM", ATG_STR(""), 1, &n, &number, &err), ATG_EINVAL);
    assert_int_equal(files_numbers(d, "AM", ATG_STR("K3"), 0, &n, &number, &err), ATG_EINVAL);
    for (int i = 0; i < 2; i++) {
        file_row f = made_file(&p, arena, &operation, 1 + i);

        f.sort = (atg_str){sort, FILE_SORT_MAX + (size_t)i};
        assert_int_equal(files_insert(d, &f, NULL, &err), i ? ATG_EINVAL : ATG_OK);
    }
    db_close(d);
}

static void counts_follow_every_change(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = kept_open(where);
    uuid operation = kept_id();
    prop p = prop_seed(4);
    int64_t counts[MISSING_STATE_COUNT], wanted[MISSING_STATE_COUNT] = {0};
    file_row all[MANY];
    atg_err err = {0};

    must(files_count(d, &operation, RECORD_MISSING, counts, MISSING_STATE_COUNT, &err), &err);
    for (int s = 0; s < MISSING_STATE_COUNT; s++)
        assert_int_equal(counts[s], 0);
    kept_begin(d);
    for (int i = 0; i < MANY; i++) {
        all[i] = made_file(&p, arena, &operation, i + 1);
        must(files_insert(d, &all[i], NULL, &err), &err);
    }
    kept_commit(d);
    kept_begin(d);
    for (int i = 0; i < 2 * MANY; i++) {
        file_row *f = &all[prop_below(&p, MANY)];

        if (prop_chance(&p, 0.5))
            must(files_get(d, arena, &f->id, f, &err), &err);
        f->state = prop_below(&p, MISSING_STATE_COUNT);
        f->withdrawn = prop_chance(&p, 0.3);
        f->sex = (int)prop_below(&p, SEX_COUNT);
        f->changed += 7;
        must(files_update(d, f, NULL, &err), &err);
    }
    kept_commit(d);
    for (int i = 0; i < MANY; i++) {
        file_row got;

        must(files_get(d, arena, &all[i].id, &got, &err), &err);
        assert_int_equal(got.state, all[i].state);
        assert_int_equal(got.sex, all[i].sex);
        assert_int_equal(got.changed, all[i].changed);
        wanted[got.state] += !got.withdrawn;
    }
    must(files_count(d, &operation, RECORD_MISSING, counts, MISSING_STATE_COUNT, &err), &err);
    assert_memory_equal(counts, wanted, sizeof(wanted));
    db_close(d);
}

static void a_page_that_cannot_be_is_refused(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = kept_open(where);
    files_query q = {
        .operation = kept_id(), .kind = RECORD_MISSING, .state = -1, .sex = -1, .limit = 0};
    file_row *rows;
    uint32_t n;
    atg_err err = {0};

    assert_int_equal(files_list(d, arena, &q, &rows, &n, &err), ATG_EINVAL);
    q.limit = 1001;
    assert_int_equal(files_list(d, arena, &q, &rows, &n, &err), ATG_EINVAL);
    q.limit = 1000;
    must(files_list(d, arena, &q, &rows, &n, &err), &err);
    assert_int_equal(n, 0);
    q.sex = SEX_COUNT;
    assert_int_equal(files_list(d, arena, &q, &rows, &n, &err), ATG_EINVAL);
    q.sex = -1;
    q.after = kept_id();
    assert_int_equal(files_list(d, arena, &q, &rows, &n, &err), ATG_ENOTFOUND);
    db_close(d);
}

static const db_statement unknown_kind = {"unknown_kind",
                                          "UPDATE file SET kind = 'ghost' WHERE id = $1"};

static void a_damaged_row_is_told(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = kept_open(where);
    prop p = prop_seed(2);
    uuid operation = kept_id();
    file_row f = made_file(&p, arena, &operation, 1), got;
    atg_err err = {0};

    must(files_insert(d, &f, NULL, &err), &err);
    must(db_run(d, &unknown_kind, (db_value[]){db_blob(f.id.bytes, UUID_SIZE)}, 1, NULL, &err),
         &err);
    assert_int_equal(files_get(d, arena, &f.id, &got, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "number 1"));
    db_close(d);
}

static int all_of_it(db *d, atg_arena *arena, file_row *f, atg_err *err) {
    files_query q = {
        .operation = f->operation, .kind = f->kind, .state = -1, .sex = f->sex, .limit = 5};
    int64_t n, number, count;
    file_row *rows;
    uint32_t n_rows;
    int rc = db_begin(d, DB_WRITE, err);

    if (rc == ATG_OK)
        rc = files_numbers(d, "AM", ATG_STR("K3"), 1, &n, &number, err);
    if (rc == ATG_OK)
        rc = files_insert(d, f, NULL, err);
    if (rc == ATG_OK)
        rc = files_get(d, arena, &f->id, f, err);
    f->state = 1;
    if (rc == ATG_OK)
        rc = files_update(d, f, NULL, err);
    if (rc == ATG_OK)
        rc = files_list(d, arena, &q, &rows, &n_rows, err);
    if (rc == ATG_OK)
        rc = files_count(d, &f->operation, f->kind, &count, 1, err);
    return rc;
}

static void short_memory_is_told_and_nothing_is_left(const database *where) {
    atg_arena *made = atg_arena_new(ARENA);
    db *first = kept_open(where);
    prop p = prop_seed(2);
    uuid operation = kept_id();
    file_row f = made_file(&p, made, &operation, 1);
    size_t live = mem_live();
    bool refused = true;

    f.withdrawn = false;
    f.sex = 0;
    for (long n = 0; refused; n++) {
        size_t before = mem_refused();
        db *d = kept_connect(where);
        atg_arena *arena = atg_arena_new(ARENA);
        file_row copy = f;
        atg_err err = {0};
        int rc;

        mem_fail_after(n);
        rc = all_of_it(d, arena, &copy, &err);
        mem_fail_after(-1);
        refused = mem_refused() != before;
        if (rc != (refused ? ATG_ENOMEM : ATG_OK))
            fail_msg("allocation %ld: code %d, %s", n, rc, err.msg);
        db_rollback(d);
        db_close(d);
        atg_arena_free(arena);
        assert_int_equal(mem_live(), live);
        assert_true(n < 1000);
    }
    db_close(first);
    atg_arena_free(made);
}

int main(void) {
    static const database_test tests[] = {
        {"codes are counted by kind and site", codes_are_counted_by_kind_and_site, ON_BOTH},
        {"a code that was brought is not made again", a_code_that_was_brought_is_not_made_again,
         ON_BOTH},
        {"pages by key give each file once", pages_by_key_give_each_file_once, ON_BOTH},
        {"a file is found by its code however it is typed",
         a_file_is_found_by_its_code_however_it_is_typed, ON_BOTH},
        {"numbers, identifiers and codes are given once",
         numbers_identifiers_and_codes_are_given_once, ON_BOTH},
        {"what is no code is refused", what_is_no_code_is_refused, ON_BOTH},
        {"counts follow every change", counts_follow_every_change, ON_BOTH},
        {"a page that cannot be is refused", a_page_that_cannot_be_is_refused, ON_BOTH},
        {"a damaged row is told", a_damaged_row_is_told, ON_BOTH},
        {"short memory is told and nothing is left", short_memory_is_told_and_nothing_is_left,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
