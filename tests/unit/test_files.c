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
        must(files_insert(d, &all[i], &err), &err);
    }
    more = made_file(&p, arena, &other, MANY + 1);
    must(files_insert(d, &more, &err), &err);
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

int main(void) {
    static const database_test tests[] = {
        {"codes are counted by kind and site", codes_are_counted_by_kind_and_site, ON_BOTH},
        {"pages by key give each file once", pages_by_key_give_each_file_once, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
