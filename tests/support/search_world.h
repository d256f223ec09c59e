/* SPDX-License-Identifier: Apache-2.0 */
/* Files with records, their tokens in a database and themselves in memory, to be searched. */
#ifndef ATG_TESTS_SEARCH_WORLD_H
#define ATG_TESTS_SEARCH_WORLD_H

#include "kept.h"

#include "base/fold.h"
#include "base/utf8.h"
#include "store/tokens.h"

enum { ARENA = 256 << 20, FILES = 400 };

/* All classes of all kinds, or these classes of them. */
static const uint32_t ALL = UINT32_MAX;

static inline search_scope scope_of(uint32_t classes) {
    search_scope s;

    for (uint32_t k = 0; k < RECORD_KINDS; k++)
        s.classes[k] = classes;
    return s;
}

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

static inline world open_world(const database *where) {
    world w = {.d = kept_open(where), .keys = kept_keys(), .arena = atg_arena_new(ARENA)};
    atg_err err = {0};

    assert_non_null(w.arena);
    w.operation = kept_operation(w.d, w.keys);
    kept_read(w.d);
    must(keys_operation(w.d, w.keys, &w.operation, KEY_TOKENS, &w.key, &err), &err);
    db_rollback(w.d);
    return w;
}

static inline void close_world(world *w) {
    db_close(w->d);
    keyring_close(w->keys);
    atg_arena_free(w->arena);
}

static inline void set(record *r, const char *field, const char *text) {
    int f = record_field_of(r->kind, atg_str_of(field));
    atg_err err = {0};

    assert_true(f >= 0);
    r->fields[f].known = true;
    r->fields[f].text = (atg_str){text, strlen(text)};
    (void)err;
}

static inline token_set tokens_of(const world *w, const record *r) {
    token_set t = {.arena = w->arena};
    atg_err err = {0};

    must(tokens_of_record(&t, &w->key, r, &err), &err);
    tokens_sort(&t);
    return t;
}

/* In the caller's transaction. */
static inline void add_record(world *w, int64_t n, record *r) {
    token_set t = tokens_of(w, r);
    atg_err err = {0};

    for (int i = 0; i < 3; i++)
        if (!w->records[n - 1][i]) {
            w->records[n - 1][i] = r;
            break;
        }
    must(tokens_change(w->d, n, NULL, &t, &err), &err);
}

static inline int64_t add_file(world *w, record_kind kind, record *r) {
    char code[FILE_CODE_MAX];
    file_row f = {.n = ++w->n, .id = kept_id(), .operation = w->operation, .kind = kind, .sex = -1};
    atg_err err = {0};

    assert_true(w->n <= FILES);
    files_code(record_types[kind].code, ATG_STR("K3"), f.n, code);
    f.code = atg_arena_str(w->arena, atg_str_of(code));
    r->code = f.code;
    must(files_insert(w->d, &f, NULL, &err), &err);
    add_record(w, f.n, r);
    return f.n;
}

/* The row of a file of another operation, kind, or number; its code comes from the number. */
static inline void add_row(world *w, file_row *f, const token_set *tokens) {
    char code[FILE_CODE_MAX];
    atg_err err = {0};

    files_code(record_types[f->kind].code, ATG_STR("K3"), f->n, code);
    f->id = kept_id();
    f->code = atg_str_of(code);
    must(files_insert(w->d, f, NULL, &err), &err);
    if (tokens)
        must(tokens_change(w->d, f->n, NULL, tokens, &err), &err);
}

static inline record *missing(const world *w, const char *family, const char *given) {
    record *r = record_new(w->arena, RECORD_MISSING);

    assert_non_null(r);
    if (family)
        set(r, "family_name", family);
    if (given)
        set(r, "given_name", given);
    return r;
}

static inline int check(void *user, const search_words *words, const file_row *f, atg_err *err) {
    world *w = user;
    uint64_t found = 0;
    int rc = ATG_OK;

    w->checks++;
    for (int i = 0; i < 3 && w->records[f->n - 1][i] && rc == ATG_OK; i++)
        rc = search_look(w->arena, words, w->records[f->n - 1][i], &found, err);
    return rc ? rc : search_answered(words, found);
}

static inline uint32_t search_in(world *w, const char *text, const search_scope *scope,
                                 int64_t ret[FILES]) {
    search_query q = {.operation = w->operation,
                      .kind = -1,
                      .state = -1,
                      .sex = -1,
                      .scope = *scope,
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

static inline uint32_t search(world *w, const char *text, uint32_t classes, int64_t ret[FILES]) {
    search_scope scope = scope_of(classes);

    return search_in(w, text, &scope, ret);
}

static inline bool finds(world *w, const char *text, int64_t n) {
    int64_t found[FILES];
    uint32_t count = search(w, text, ALL, found);

    for (uint32_t i = 0; i < count; i++)
        if (found[i] == n)
            return true;
    return false;
}

/* The same by looking at every record: nothing more, nothing less. */
static inline void compare_with_looking(world *w, const char *text, uint32_t classes) {
    int64_t found[FILES];
    uint32_t n = search(w, text, classes, found), at = 0;
    search_words *words = NULL;
    atg_err err = {0};

    search_scope scope = scope_of(classes);

    must(search_read(w->arena, atg_str_of(text), &scope, &words, &err), &err);
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

#endif
