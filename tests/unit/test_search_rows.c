/* SPDX-License-Identifier: Apache-2.0 */
/* Search: what is in the table after changes, who may find what, pages, limits, on both databases.
 */
#include "search_world.h"

#include "base/utf8.h"

/* ---- several records, changes ---- */

static void change(world *w, int64_t n, const record *before, const record *now) {
    token_set was = {.arena = w->arena}, is = {.arena = w->arena};
    atg_err err = {0};

    if (before)
        was = tokens_of(w, before);
    if (now)
        is = tokens_of(w, now);
    kept_begin(w->d);
    must(tokens_change(w->d, n, before ? &was : NULL, now ? &is : NULL, &err), &err);
    kept_commit(w->d);
}

static int64_t count_tokens(world *w) {
    static const db_statement count = {"count", "SELECT CAST(coalesce(sum(count), 0) AS BIGINT) "
                                                "FROM token WHERE token <> 0"};
    int64_t n = -1;
    atg_err err = {0};

    must(db_get_one(w->d, &count, NULL, 0, 0, &n, &err), &err);
    return n;
}

static void a_word_stays_while_another_record_of_the_file_has_it(const database *where) {
    world w = open_world(where);
    record *r = missing(&w, "Halvorsen", "Liv"), *again, *changed;
    record *mark = record_new(w.arena, RECORD_MARK), *other = record_new(w.arena, RECORD_MARK);
    int64_t n, with_one, before;

    set(mark, "description", "An anchor with the name Liv");
    set(other, "description", "A rose, and an anchor");
    kept_begin(w.d);
    n = add_file(&w, RECORD_MISSING, r);
    kept_commit(w.d);
    before = count_tokens(&w);
    change(&w, n, NULL, mark);
    with_one = count_tokens(&w);
    change(&w, n, NULL, other);
    w.records[0][1] = mark;
    w.records[0][2] = other;
    assert_true(finds(&w, "halvorsen anchor rose", n)); /* in three records */
    change(&w, n, mark, NULL);
    w.records[0][1] = other;
    w.records[0][2] = NULL;
    assert_true(finds(&w, "anchor", n));
    assert_true(finds(&w, "liv", n));
    assert_false(finds(&w, "name", n));
    change(&w, n, other, mark);
    assert_false(finds(&w, "rose", n));
    assert_true(finds(&w, "name", n));
    assert_int_equal(count_tokens(&w), with_one);
    change(&w, n, mark, NULL);
    assert_int_equal(count_tokens(&w), before);
    again = record_copy(w.arena, r);
    set(again, "given_name", "Olivia");
    change(&w, n, r, again);
    w.records[0][0] = again;
    w.records[0][1] = NULL;
    assert_false(finds(&w, "\"liv\"", n));
    assert_true(finds(&w, "*liv*", n));
    changed = record_copy(w.arena, again);
    change(&w, n, again, changed);
    assert_true(finds(&w, "olivia", n));
    change(&w, n, changed, NULL);
    assert_int_equal(count_tokens(&w), 0);
    close_world(&w);
}

static int compare_pairs(const void *x, const void *y) {
    const token_pair *a = x, *b = y;

    if (a->token != b->token)
        return a->token < b->token ? -1 : 1;
    return (a->file > b->file) - (a->file < b->file);
}

/* The sum of all rows, as one number. */
static int64_t table_sum(world *w) {
    static const db_statement all = {"all_tokens", "SELECT token, file, count FROM token"};
    db_rows *rows = NULL;
    uint64_t sum = 0;
    atg_err err = {0};

    must(db_query(w->d, &all, NULL, 0, &rows, &err), &err);
    while (db_next(rows, &err) == 1)
        sum += ((uint64_t)db_get_int(rows, 0) * 31 + (uint64_t)db_get_int(rows, 1)) *
               (0x9e3779b97f4a7c15U + 2 * (uint64_t)db_get_int(rows, 2));
    db_end(rows);
    return (int64_t)sum;
}

static void many_at_once_are_what_each_would_be_alone(const database *where) {
    enum { PAIRS = 40000 };
    world w = open_world(where);
    token_pair *pairs = ATG_GET(w.arena, token_pair, PAIRS);
    uint32_t n = 0;
    int64_t alone;
    atg_err err = {0};
    int rc;

    assert_non_null(pairs);
    kept_begin(w.d);
    for (int64_t i = 1; i <= 300; i++)
        for (int k = 0; k < 2; k++) {
            record *r = missing(&w, i % 3 ? "Kovalenko" : "王小明", k ? "Oleksandr" : "Юлія");
            token_set t = tokens_of(&w, r);
            int64_t file = i < 150 ? i : (1 << 17) - 200 + i; /* of two ages */

            must(tokens_change(w.d, file, NULL, &t, &err), &err);
            for (uint32_t j = 0; j < t.n && n < PAIRS; j++)
                pairs[n++] = (token_pair){t.tokens[j], file};
        }
    kept_commit(w.d);
    assert_true(n > 8000 && n < PAIRS);
    alone = table_sum(&w);
    must(db_script(w.d, "empty", "DELETE FROM token", &err), &err);
    qsort(pairs, n, sizeof(*pairs), compare_pairs);
    kept_begin(w.d);
    must(tokens_insert(w.d, pairs, n, &err), &err);
    must(tokens_insert(w.d, pairs, 0, &err), &err);
    kept_commit(w.d);
    assert_true(table_sum(&w) == alone);
    kept_begin(w.d);
    rc = tokens_insert(w.d, pairs, n, &err);
    rc = rc ? rc : db_commit(w.d, &err);
    assert_int_equal(rc, ATG_ECONFLICT);
    db_rollback(w.d);
    assert_true(table_sum(&w) == alone);
    close_world(&w);
}

/* ---- who may find what ---- */

static void what_an_account_may_not_read_is_not_found(const database *where) {
    world w = open_world(where);
    record *r = missing(&w, "Halvorsen", "Liv"), *informant = record_new(w.arena, RECORD_INFORMANT);
    search_scope only_missing = {.classes = {[RECORD_MISSING] = UINT32_MAX}};
    search_words *words = NULL;
    int64_t found[FILES];
    atg_err err = {0};

    set(r, "last_place", "Bergen");
    set(r, "external", "KR-77123");
    set(r, "informant_name", "Kari Haugen");
    set(informant, "name", "Siv Berg");
    kept_begin(w.d);
    add_record(&w, add_file(&w, RECORD_MISSING, r), informant);
    kept_commit(w.d);
    assert_int_equal(search(&w, "halvorsen", ALL, found), 1);
    assert_int_equal(search(&w, "halvorsen", 1U << CLASS_NAME, found), 1);
    assert_int_equal(search(&w, "halvorsen", 1U << CLASS_CONTACT | 1U << CLASS_PLAIN, found), 0);
    assert_int_equal(search(&w, "haugen", 1U << CLASS_CONTACT, found), 1);
    assert_int_equal(search(&w, "haugen", 1U << CLASS_NAME | 1U << CLASS_TRAIT, found), 0);
    assert_int_equal(search(&w, "bergen", 1U << CLASS_TRAIT, found), 1);
    assert_int_equal(search(&w, "bergen", 1U << CLASS_NAME, found), 0);
    assert_int_equal(search(&w, "KR-77123", 1U << CLASS_PLAIN, found), 1);
    assert_int_equal(search(&w, "AM-K3-1", 1U << CLASS_PLAIN, found), 1);
    assert_int_equal(search(&w, "AM-K3-1", 1U << CLASS_NAME, found), 0);
    assert_int_equal(search(&w, "siv", ALL, found), 1);
    must(search_read(w.arena, ATG_STR("siv"), &only_missing, &words, &err), &err);
    assert_int_equal(check(&w, words, &(file_row){.n = 1}, &err), 0);
    assert_int_equal(search_in(&w, "siv", &only_missing, found), 0);
    assert_int_equal(search_in(&w, "liv", &only_missing, found), 1);
    /* what is checked is checked on the same fields */
    assert_int_equal(search(&w, "bergen h", 1U << CLASS_TRAIT, found), 0);
    assert_int_equal(search(&w, "bergen h", 1U << CLASS_TRAIT | 1U << CLASS_NAME, found), 1);
    close_world(&w);
}

static void searches_keep_to_their_operation_and_filters(const database *where) {
    static const struct {
        record_kind kind;
        uint32_t state;
        int sex;
        bool withdrawn;
    } files[] = {
        {RECORD_MISSING, 0, 0, false},  {RECORD_MISSING, 1, 1, false},
        {RECORD_REMAINS, 0, 0, false},  {RECORD_MISSING, 0, 0, true},
        {RECORD_MISSING, 1, -1, false},
    };
    static const struct {
        int kind, state, sex;
        uint32_t n;
    } cases[] = {{-1, -1, -1, 4},
                 {RECORD_MISSING, -1, -1, 3},
                 {RECORD_MISSING, 1, -1, 2},
                 {RECORD_MISSING, 1, 1, 1},
                 {RECORD_MISSING, -1, 0, 1},
                 {-1, -1, 0, 2},
                 {RECORD_REMAINS, -1, -1, 1},
                 {RECORD_FAMILY, -1, -1, 0}};
    world w = open_world(where);
    token_set t = tokens_of(&w, missing(&w, "Berg", NULL));
    search_query q = {.scope = scope_of(ALL),
                      .text = ATG_STR("berg"),
                      .limit = 9,
                      .key = &w.key,
                      .check = check,
                      .user = &w};
    uuid other = kept_id();
    file_row *rows;
    uint32_t n;
    atg_err err = {0};

    kept_begin(w.d);
    for (size_t i = 0; i < 2 * sizeof(files) / sizeof(*files); i++) {
        size_t k = i / 2;
        file_row f = {.n = (int64_t)i + 1,
                      .kind = files[k].kind,
                      .operation = i % 2 ? w.operation : other,
                      .state = files[k].state,
                      .sex = files[k].sex,
                      .withdrawn = files[k].withdrawn};

        add_row(&w, &f, &t);
    }
    kept_commit(w.d);
    kept_read(w.d);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        q.operation = w.operation;
        q.kind = cases[i].kind;
        q.state = cases[i].state;
        q.sex = cases[i].sex;
        must(tokens_search(w.d, w.arena, &q, &rows, &n, &err), &err);
        assert_int_equal(n, cases[i].n);
    }
    db_rollback(w.d);
    close_world(&w);
}

static void pages_follow_one_another_over_all_ages(const database *where) {
    static const int64_t starts[] = {1,         1000,       (1 << 17) - 20, (1 << 17) + 90,
                                     5LL << 17, 256LL << 17};
    enum { OF_START = 60 };
    world w = open_world(where);
    token_set t = tokens_of(&w, missing(&w, "Berg", "Kari")), few;
    search_query q = {.operation = w.operation,
                      .kind = -1,
                      .state = -1,
                      .sex = -1,
                      .scope = scope_of(ALL),
                      .text = ATG_STR("kari berg"),
                      .limit = 7,
                      .key = &w.key,
                      .check = check,
                      .user = &w};
    uint32_t n = 0, all = 0;
    int64_t last = INT64_MAX;
    file_row *rows;
    atg_err err = {0};

    few = tokens_of(&w, missing(&w, "Berg", "Liv"));
    kept_begin(w.d);
    for (size_t s = 0; s < sizeof(starts) / sizeof(*starts); s++)
        for (int64_t i = 0; i < OF_START; i++) {
            file_row f = {
                .n = starts[s] + i, .operation = w.operation, .kind = RECORD_MISSING, .sex = -1};

            add_row(&w, &f, i % 3 ? &few : &t);
        }
    kept_commit(w.d);
    kept_read(w.d);
    do {
        must(tokens_search(w.d, w.arena, &q, &rows, &n, &err), &err);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(rows[i].n < last);
            last = rows[i].n;
        }
        all += n;
        q.before = last;
    } while (n == q.limit);
    db_rollback(w.d);
    assert_int_equal(all, 6 * OF_START / 3);
    close_world(&w);
}

static int refuse(void *user, const search_words *words, const file_row *f, atg_err *err) {
    (void)user;
    (void)words;
    (void)f;
    (void)err;
    return 0;
}

static void very_many_files_that_may_answer_and_do_not_are_too_much(const database *where) {
    enum { MANY = 5200 };
    world w = open_world(where);
    token_set t = tokens_of(&w, missing(&w, "Berggren", NULL));
    token_pair *pairs = ATG_GET(w.arena, token_pair, (size_t)MANY * t.n);
    search_query q = {.operation = w.operation,
                      .kind = -1,
                      .state = -1,
                      .sex = -1,
                      .scope = scope_of(ALL),
                      .text = ATG_STR("*ggre*"),
                      .limit = 9,
                      .key = &w.key,
                      .check = refuse};
    file_row *rows;
    uint32_t n;
    atg_err err = {0};

    assert_non_null(pairs);
    kept_begin(w.d);
    for (uint32_t i = 0; i < MANY; i++) {
        file_row f = {.n = i + 1, .operation = w.operation, .kind = RECORD_MISSING, .sex = -1};

        add_row(&w, &f, NULL);
        for (uint32_t k = 0; k < t.n; k++)
            pairs[(size_t)k * MANY + i] = (token_pair){t.tokens[k], f.n};
    }
    must(tokens_insert(w.d, pairs, MANY * t.n, &err), &err);
    kept_commit(w.d);
    kept_read(w.d);
    assert_int_equal(tokens_search(w.d, w.arena, &q, &rows, &n, &err), ATG_ELIMIT);
    q.text = ATG_STR("berggren");
    must(tokens_search(w.d, w.arena, &q, &rows, &n, &err), &err);
    assert_int_equal(n, 9);
    db_rollback(w.d);
    close_world(&w);
}

/* ---- at random ---- */

static const char *any_name(prop *p) {
    static const char *const all[] = {
        "Ana",   "Anna",   "Annan",   "Hanna", "Хана",   "Анна",  "Ганна",   "محمد",
        "أحمد",  "الحمد",  "王明",    "王",    "明王",   "小明",  "김민",    "민",
        "ひろ",  "ヒロシ", "יוסף",    "O'Ana", "Min-su", "Minsu", "Ä",       "Änna",
        "Aenna", "12-3",   "Ω",       "Ωαν",   "Ян",     "x",     "Ian Ana", "Ханна",
        "Anan",  "Nanana", "bananan", "Юлия",  "Юля",    "Yulia"};

    return all[prop_below(p, sizeof(all) / sizeof(*all))];
}

static void random_files_are_found_as_by_looking_at_each(const database *where) {
    static const char *const marks[] = {"", "", "", "*", "\""};
    enum { SOME = 120, TRIES = 250 };
    world w = open_world(where);
    prop p = prop_seed(1);

    kept_begin(w.d);
    for (int i = 0; i < SOME; i++) {
        record *r = missing(&w, any_name(&p), any_name(&p));
        record *mark = record_new(w.arena, RECORD_MARK);
        int64_t n;

        set(r, "last_place", any_name(&p));
        set(r, "informant_name", any_name(&p));
        n = add_file(&w, RECORD_MISSING, r);
        set(mark, "description", any_name(&p));
        if (prop_chance(&p, 0.5))
            add_record(&w, n, mark);
    }
    kept_commit(w.d);
    for (int i = 0; i < TRIES; i++) {
        const char *mark = marks[prop_below(&p, 5)];
        atg_str first = atg_arena_printf(w.arena, "%s%s%s", mark, any_name(&p), mark);
        atg_str both = atg_arena_printf(w.arena, "%s %s", first.p, any_name(&p));

        first.n -= mark[0] ? 0 : prop_below(&p, (uint32_t)first.n);
        while (!utf8_len(first.p, first.n) || (first.p[first.n] & 0xc0) == 0x80)
            first.n++;
        compare_with_looking(&w, atg_arena_str(w.arena, first).p, ALL);
        compare_with_looking(&w, both.p, prop_chance(&p, 0.3) ? 1U << CLASS_NAME : ALL);
    }
    close_world(&w);
}

static void short_memory_is_told(const database *where) {
    world w = open_world(where);
    search_query q = {.operation = w.operation,
                      .kind = -1,
                      .state = -1,
                      .sex = -1,
                      .scope = scope_of(ALL),
                      .text = ATG_STR("kov liv *val*"),
                      .limit = 9,
                      .key = &w.key,
                      .check = check,
                      .user = &w};
    int rc = ATG_ENOMEM;
    token_set t;

    kept_begin(w.d);
    for (int i = 0; i < 200; i++)
        (void)add_file(&w, RECORD_MISSING, missing(&w, "Kovalenko", i % 2 ? "Liv" : "Jan"));
    kept_commit(w.d);
    t = tokens_of(&w, missing(&w, "Haugen", "Liv"));
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        token_pair pair = {5, 6};
        file_row *rows = NULL;
        uint32_t n = 0;
        atg_err err = {0};

        kept_begin(w.d);
        mem_fail_after(k);
        rc = tokens_search(w.d, arena, &q, &rows, &n, &err);
        if (!rc)
            rc = tokens_change(w.d, 3, NULL, &t, &err);
        if (!rc)
            rc = tokens_insert(w.d, &pair, 1, &err);
        mem_fail_after(-1);
        if (rc && rc != ATG_ENOMEM)
            fail_msg("allocation %ld: code %d, %s", k, rc, err.msg);
        db_rollback(w.d);
    }
    assert_int_equal(rc, ATG_OK);
    close_world(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"a word stays while another record of the file has it",
         a_word_stays_while_another_record_of_the_file_has_it, ON_BOTH},
        {"many at once are what each would be alone", many_at_once_are_what_each_would_be_alone,
         ON_BOTH},
        {"what an account may not read is not found", what_an_account_may_not_read_is_not_found,
         ON_BOTH},
        {"searches keep to their operation and filters",
         searches_keep_to_their_operation_and_filters, ON_BOTH},
        {"pages follow one another over all ages", pages_follow_one_another_over_all_ages, ON_BOTH},
        {"very many files that may answer and do not are too much",
         very_many_files_that_may_answer_and_do_not_are_too_much, ON_BOTH},
        {"random files are found as by looking at each",
         random_files_are_found_as_by_looking_at_each, ON_BOTH},
        {"short memory is told", short_memory_is_told, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
