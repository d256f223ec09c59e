/* SPDX-License-Identifier: Apache-2.0 */
/* Search: what is found by what, on both databases, and as looking at every record would find it.
 */
#include "kept.h"

#include <stdio.h>

#include "base/fold.h"
#include "base/utf8.h"
#include "store/tokens.h"

enum { ARENA = 256 << 20, FILES = 400 };

static const uint32_t ALL = UINT32_MAX;

/* Files with one record or more, in the database and in memory. */
typedef struct world {
    db *d;
    keyring *keys;
    key256 key;
    uuid operation;
    atg_arena *arena;
    record *records[FILES][3]; /* of file number i + 1 */
    uint32_t n;
    uint32_t checks;
    bool refused; /* the last query */
} world;

static world open_world(const database *where) {
    world w = {.d = kept_open(where), .keys = kept_keys(), .arena = atg_arena_new(ARENA)};
    atg_err err = {0};

    assert_non_null(w.arena);
    w.operation = kept_operation(w.d, w.keys);
    kept_read(w.d);
    must(keys_operation(w.d, w.keys, &w.operation, KEY_TOKENS, &w.key, &err), &err);
    db_rollback(w.d);
    return w;
}

static void close_world(world *w) {
    db_close(w->d);
    keyring_close(w->keys);
    atg_arena_free(w->arena);
}

static void set(record *r, const char *field, const char *text) {
    int f = record_field_of(r->kind, atg_str_of(field));
    atg_err err = {0};

    assert_true(f >= 0);
    r->fields[f].known = true;
    r->fields[f].text = (atg_str){text, strlen(text)};
    (void)err;
}

static token_set tokens_of(const world *w, const record *r) {
    token_set t = {.arena = w->arena};
    atg_err err = {0};

    must(tokens_of_record(&t, &w->key, r, &err), &err);
    tokens_sort(&t);
    return t;
}

/* In the caller's transaction. */
static void add_record(world *w, int64_t n, record *r) {
    token_set t = tokens_of(w, r);
    atg_err err = {0};

    for (int i = 0; i < 3; i++)
        if (!w->records[n - 1][i]) {
            w->records[n - 1][i] = r;
            break;
        }
    must(tokens_change(w->d, n, NULL, &t, &err), &err);
}

static int64_t add_file(world *w, record_kind kind, record *r) {
    char code[FILE_CODE_MAX];
    file_row f = {.n = ++w->n, .id = kept_id(), .operation = w->operation, .kind = kind, .sex = -1};
    atg_err err = {0};

    assert_true(w->n <= FILES);
    files_code(record_types[kind].code, ATG_STR("K3"), f.n, code);
    f.code = atg_arena_str(w->arena, atg_str_of(code));
    r->code = f.code;
    must(files_insert(w->d, &f, &err), &err);
    add_record(w, f.n, r);
    return f.n;
}

/* The row of a file of another operation, kind, or number; its code comes from the number. */
static void add_row(world *w, file_row *f, const token_set *tokens) {
    char code[FILE_CODE_MAX];
    atg_err err = {0};

    files_code(record_types[f->kind].code, ATG_STR("K3"), f->n, code);
    f->id = kept_id();
    f->code = atg_str_of(code);
    must(files_insert(w->d, f, &err), &err);
    if (tokens)
        must(tokens_change(w->d, f->n, NULL, tokens, &err), &err);
}

static record *missing(const world *w, const char *family, const char *given) {
    record *r = record_new(w->arena, RECORD_MISSING);

    assert_non_null(r);
    if (family)
        set(r, "family_name", family);
    if (given)
        set(r, "given_name", given);
    return r;
}

static int check(void *user, const search_words *words, const file_row *f, atg_err *err) {
    world *w = user;
    uint64_t found = 0;
    int rc = ATG_OK;

    w->checks++;
    for (int i = 0; i < 3 && w->records[f->n - 1][i] && rc == ATG_OK; i++)
        rc = search_look(w->arena, words, w->records[f->n - 1][i], &found, err);
    return rc ? rc : search_answered(words, found);
}

static uint32_t search(world *w, const char *text, uint32_t classes, int64_t ret[FILES]) {
    search_query q = {.operation = w->operation,
                      .kind = -1,
                      .state = -1,
                      .sex = -1,
                      .classes = classes,
                      .text = atg_str_of(text),
                      .limit = FILES,
                      .key = &w->key,
                      .check = check,
                      .user = w};
    file_row *rows = NULL;
    uint32_t n = 0;
    atg_err err = {0};
    int rc;

    kept_read(w->d);
    rc = tokens_search(w->d, w->arena, &q, &rows, &n, &err);
    db_rollback(w->d);
    w->refused = rc == ATG_EINVAL;
    if (rc && rc != ATG_EINVAL)
        fail_msg("'%s': %s", text, err.msg);
    for (uint32_t i = 0; i < n; i++) {
        ret[i] = rows[i].n;
        assert_true(i == 0 || ret[i] < ret[i - 1]);
    }
    return n;
}

static bool finds(world *w, const char *text, int64_t n) {
    int64_t found[FILES];
    uint32_t count = search(w, text, ALL, found);

    for (uint32_t i = 0; i < count; i++)
        if (found[i] == n)
            return true;
    return false;
}

/* The same by looking at every record: nothing more, nothing less. */
static void compare_with_looking(world *w, const char *text, uint32_t classes) {
    int64_t found[FILES];
    uint32_t n = search(w, text, classes, found), at = 0;
    search_words *words = NULL;
    atg_err err = {0};

    must(search_read(w->arena, atg_str_of(text), classes, &words, &err), &err);
    for (int64_t file = w->n; file > 0 && !w->refused; file--) {
        file_row f = {.n = file};

        if (check(w, words, &f, &err) != 1)
            continue;
        if (at == n || found[at] != file)
            fail_msg("'%s' does not find file %lld", text, (long long)file);
        at++;
    }
    if (at != n)
        fail_msg("'%s' finds file %lld, which has it not", text, (long long)found[at]);
}

/* ---- names of many scripts ---- */

enum { QUERIES = 14 };

static const struct {
    const char *family, *given;
    const char *found_by[QUERIES], *not_by[QUERIES];
} names[] = {
    {"王",
     "偉",
     {"王偉", "王 偉", "王伟", "王", "偉", "伟", "Wang Wei", "wang", "wei", "WANG", "\"wang\""},
     {"王维", "李偉", "Wang Li", "wangwei xia", "威", "ang", "*ang*"}},
    {"王小明",
     NULL,
     {"王小明", "小明", "王小", "明", "Wang Xiaoming", "Xiao Ming", "xiaoming", "Xiao-ming",
      "wangxiaoming", "xiaom", "\"王小明\""},
     {"王明", "小王", "明小", "\"小明\"", "wang ximing"}},
    {"曾", "国藩", {"曾國藩 ", "曾", "Zeng Guofan", "国藩", "Guo Fan"}, {"Ceng Guofan Li"}},
    {"Шевченко",
     "Олександр",
     {"Олександр", "олександр шевченко", "Oleksandr", "Shevchenko", "Шевч", "Oleks", "shev olek",
      "*ксандр*", "*ksand*", "\"Oleksandr\"", "Olexandr"},
     {"Александр", "Oleksandra", "ксандр", "ksandr", "\"Олекс\"", "Шевченков"}},
    {"Андрієнко",
     "Юлія",
     {"Юлія", "Yulia", "Yuliia", "Iuliia", "Julia", "Андрієнко", "Андрі", "Andriyenko",
      "Andriienko", "Andrienko", "юл анд", "*єнко*", "*рієн*", "*ienko*"},
     {"Юрий", "Andreenko"}},
    {"Сергеев",
     "Фёдор",
     {"федор", "ФЁДОР", "Fedor", "Fyodor", "Sergeev", "Sergeev Fedor", "\"Фёдор\""},
     {"Сергієв", "Fedora"}},
    {"Мар'яненко",
     "Мар’яна",
     {"Мар'яна", "маряна", "Мар`яна", "Maryana", "Mariana", "Марʼяна"},
     {"Мар яна", "Марина"}},
    {"محمد",
     "أحمد",
     {"محمد", "احمد", "أحمد محمد", "مُحَمَّد", "Mohammed", "Muhammad", "mohamed", "Ahmed",
      "Ahmad Muhammad", "moham", "*حمد*", "\"Mohammed\""},
     {"محمود علي", "Mohsen", "Hamid", "Mahmudi", "moh"}},
    {"الحسن",
     "فاطمة",
     {"الحسن", "حسن", "Hassan", "al-Hassan", "al-hasan fatima", "Fatimah", "فاطمه", "فاط"},
     {"حسين علي", "Hassani", "al hassani"}},
    {"Ἀλεξίου",
     "Ἀλέξανδρος",
     {"αλεξανδρος", "ΑΛΈΞΑΝΔΡΟΣ", "Alexandros", "Αλέξαν", "alexan", "Alexiou", "*ξανδ*"},
     {"Alexandra", "Αλεξάνδρα", "*xand*"}},
    {"כהן",
     "יוסף",
     {"יוסף", "יוסף כהן", "Yosef", "Josef", "Joseph Cohen", "יוס", "*וסף*", "כהן"},
     {"Yossi", "יואב", "Levi"}},
    {"Müller-Lüdenscheidt",
     "José María",
     {"muller", "müller", "Mueller", "MÜLLER", "jose maria", "José", "lüden", "luedenscheidt",
      "\"müller\"", "*denscheid*", "mari jos", "mullerludenscheidt"},
     {"mullere", "\"mull\"", "denscheid", "joset"}},
    {"Łukasz",
     "Nguyễn",
     {"lukasz", "Łuk", "nguyen", "Nguyễn", "ngu", "NGUYÊN", "*uye*"},
     {"lucas", "nguyenx"}},
    {"김민수",
     NULL,
     {"김민수", "민수", "김", "수", "Kim Minsu", "Gim Min-su", "Kim Min Su", "minsu"},
     {"김수", "Lee", "민김", "im"}},
    {"山田",
     "ひろし",
     {"山田", "ひろし", "ヒロシ", "Hiroshi", "hiro", "ひろ", "ろし"},
     {"しろ", "roshi", "山本"}},
    {"O'Brien",
     "Anne-Marie",
     {"O'Brien", "obrien", "O’Brien", "brien", "obr", "anne", "marie", "annemarie", "Anne-Marie",
      "Anne Marie", "*rien*", "\"obrien\""},
     {"o brienx", "rien", "marianne"}},
    {"Straße",
     "Ünsal",
     {"strasse", "STRASSE", "Straße", "straß", "unsal", "uensal", "Ünsal"},
     {"strase"
      "n",
      "insal"}},
    {"İnönü", "Işık", {"inonu", "İNÖNÜ", "isik", "IŞIK", "ışık"}, {"onu", "ishik"}},
    {"राजेश", "สมชาย", {"राजेश", "राज", "สมชาย", "สม"}, {"जेश", "राजू"}},
};

static void try_queries(world *w, const char *const queries[QUERIES], size_t name, bool finds_it) {
    for (int k = 0; k < QUERIES && queries[k]; k++) {
        if (finds(w, queries[k], (int64_t)name + 1) != finds_it)
            fail_msg("'%s' %s %s %s", queries[k], finds_it ? "does not find" : "finds",
                     names[name].family, names[name].given ? names[name].given : "");
        compare_with_looking(w, queries[k], ALL);
    }
}

static void names_of_many_scripts_are_found(const database *where) {
    world w = open_world(where);

    kept_begin(w.d);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        (void)add_file(&w, RECORD_MISSING, missing(&w, names[i].family, names[i].given));
    kept_commit(w.d);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        try_queries(&w, names[i].found_by, i, true);
        try_queries(&w, names[i].not_by, i, false);
    }
    close_world(&w);
}

/* ---- words, codes, dates ---- */

static void words_codes_and_dates_are_found(const database *where) {
    static const struct {
        const char *query;
        bool found;
    } cases[] = {
        {"Kyiv", true},        {"київ вокзал", true},   {"вок", true},
        {"вок київ", true},    {"okza", false},         {"*okza*", false},
        {"*вокз*", true},      {"во", false},           {"\"вокзал\"", true},
        {"\"вокза\"", false},  {"raincoats", true},     {"rain", true},
        {"raincoatsx", false}, {"yellow RAIN", true},   {"yellow green", false},
        {"12-34/B", true},     {"1234b", true},         {"12-34", true},
        {"34", true},          {"12-35/B", false},      {"\"12-34/B\"", true},
        {"北京", true},        {"朝阳", true},          {"北阳", false},
        {"Beijing", true},     {"beij", false},         {"AB-12 345 678", true},
        {"ab12345678", true},  {"ab12", true},          {"AB-1234", true},
        {"AB-13", false},      {"5678", true},          {"678", true},
        {"45678", true},       {"\"ab123\"", false},    {"AM-K3-000001", true},
        {"am-k3-1", true},     {"amk3000001", true},    {"1", true},
        {"000001", true},      {"AM-K3-000002", false}, {"AM-K4-000001", false},
        {"2", false},          {"1984", true},          {"1984-03", true},
        {"1984-03-12", true},  {"12.03.1984", true},    {"12/3/1984", true},
        {"03/12/1984", true},  {"03.1984", true},       {"1984-03-13", false},
        {"13.03.1984", false}, {"1985", false},         {"1984-04", false},
        {"kyiv 1984", true},   {"kyiv 1985", false},    {"kyiv k", false},
        {"Ivanenko i", true},  {"ivanenko x", false},   {"3 Ivanenko", true},
    };
    world w = open_world(where);
    record *r = missing(&w, "Іваненко", "Іван");

    set(r, "last_place", "Київ, вокзал 3; Room 12-34/B; 北京市朝阳区");
    set(r, "clothing", "A yellow raincoat, two raincoats");
    set(r, "external", "AB-12 345 678");
    set(r, "born", "1984-03-12");
    kept_begin(w.d);
    (void)add_file(&w, RECORD_MISSING, r);
    kept_commit(w.d);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (finds(&w, cases[i].query, 1) != cases[i].found)
            fail_msg("'%s' is %s", cases[i].query, cases[i].found ? "not found" : "found");
        compare_with_looking(&w, cases[i].query, ALL);
    }
    close_world(&w);
}

static void dates_are_found_as_far_as_they_are_known(const database *where) {
    static const struct {
        const char *born, *found_by[6], *not_by[4];
    } cases[] = {
        {"1984", {"1984"}, {"1983", "1984-01"}},
        {"about 1984", {"1984"}, {"1985"}},
        {"1984/1986", {"1984", "1985", "1986"}, {"1983", "1987", "1985-02"}},
        {"1984-03/1984-05", {"1984", "1984-03", "1984-04", "05.1984"}, {"1984-02", "1984-06"}},
        {"1984-11-20/1985-02-03", {"1984", "1985", "1984-12", "1985-01"}, {"1985-03", "1984-10"}},
    };
    world w = open_world(where);

    kept_begin(w.d);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        record *r = missing(&w, "X", NULL);

        set(r, "born", cases[i].born);
        (void)add_file(&w, RECORD_MISSING, r);
    }
    kept_commit(w.d);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (int k = 0; k < 6 && cases[i].found_by[k]; k++)
            if (!finds(&w, cases[i].found_by[k], (int64_t)i + 1))
                fail_msg("'%s' does not find %s", cases[i].found_by[k], cases[i].born);
        for (int k = 0; k < 4 && cases[i].not_by[k]; k++)
            if (finds(&w, cases[i].not_by[k], (int64_t)i + 1))
                fail_msg("'%s' finds %s", cases[i].not_by[k], cases[i].born);
    }
    close_world(&w);
}

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
    must(tokens_insert(w.d, pairs, n / 2, &err), &err);
    must(tokens_insert(w.d, pairs + n / 2, n - n / 2, &err), &err);
    must(tokens_insert(w.d, pairs, 0, &err), &err);
    kept_commit(w.d);
    assert_true(table_sum(&w) == alone);
    close_world(&w);
}

/* ---- who may find what ---- */

static void what_an_account_may_not_read_is_not_found(const database *where) {
    world w = open_world(where);
    record *r = missing(&w, "Halvorsen", "Liv");
    int64_t found[FILES];

    set(r, "last_place", "Bergen");
    set(r, "external", "KR-77123");
    set(r, "informant_name", "Kari Haugen");
    kept_begin(w.d);
    (void)add_file(&w, RECORD_MISSING, r);
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
    search_query q = {.classes = ALL,
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
                      .classes = ALL,
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
                      .classes = ALL,
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
                      .classes = ALL,
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
        {"names of many scripts are found", names_of_many_scripts_are_found, ON_BOTH},
        {"words, codes and dates are found", words_codes_and_dates_are_found, ON_BOTH},
        {"dates are found as far as they are known", dates_are_found_as_far_as_they_are_known,
         ON_BOTH},
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
