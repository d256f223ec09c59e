/* SPDX-License-Identifier: Apache-2.0 */
/* Search: what is found by what, on both databases, and as looking at every record would find it.
 */
#include "kept.h"

#include <stdio.h>

#include "base/fold.h"
#include "base/utf8.h"
#include "store/tokens.h"

enum { ARENA = 256 << 20, FILES = 400, ALL = UINT32_MAX };

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
    for (int64_t file = w->n; file > 0; file--) {
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

int main(void) {
    static const database_test tests[] = {
        {"names of many scripts are found", names_of_many_scripts_are_found, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
