/* SPDX-License-Identifier: Apache-2.0 */
/* A small operation whose records are written as the rules allow, by accounts with a role each. */
#ifndef ATG_TESTS_RULED_H
#define ATG_TESTS_RULED_H

#include "kept.h"

#include "app/rules.h"
#include "base/clock.h"
#include "store/accounts.h"
#include "store/files.h"

enum { RULED_FILES = 64 };

/* 2026-12-01T12:00:00Z */
static const int64_t ruled_now = INT64_C(1796126400000000);

typedef struct ruled {
    db *d;
    keyring *keys;
    atg_arena *arena;
    actor by[ROLES];     /* a role each */
    actor second[ROLES]; /* and somebody else with the same */
    actor matcher;
    record *operation, *missing, *remains, *family, *informant;
    uuid files[RULED_FILES]; /* and their kinds */
    record_kind kinds[RULED_FILES];
    uint32_t n_files;
} ruled;

static inline void ruled_set(const ruled *w, record *r, const char *name, const char *text) {
    int f = record_field_of(r->kind, atg_str_of(name));
    atg_err err = {0};

    assert_true(f >= 0);
    must(value_read(w->arena, record_field(r->kind, (uint32_t)f), atg_str_of(text), &r->fields[f],
                    &err),
         &err);
}

static inline void ruled_point(record *r, const char *name, const uuid *at) {
    int f = record_field_of(r->kind, atg_str_of(name));

    assert_true(f >= 0);
    r->fields[f] = (value){.known = true, .ref = *at};
}

/* A new record of this operation, in a file (NULL: a file itself). */
static inline record *ruled_new(const ruled *w, record_kind kind, const record *in) {
    record *r = record_new(w->arena, kind);

    assert_non_null(r);
    r->id = kept_id();
    r->operation = w->operation ? w->operation->id : r->id;
    r->file = in ? in->id : r->id;
    r->created = r->changed = clock_now();
    return r;
}

static inline record_kind ruled_in(const ruled *w, const record *r) {
    for (uint32_t i = 0; i < w->n_files; i++)
        if (uuid_cmp(&w->files[i], &r->file) == 0)
            return w->kinds[i];
    return r->kind;
}

static inline uuid ruled_person(const record *r) {
    uuid none = {{0}};
    int donor = record_field_of(r->kind, ATG_STR("donor"));

    switch (record_types[r->kind].person) {
    case PERSON_SELF:
        return r->id;
    case PERSON_FILE:
        return r->file;
    case PERSON_DONOR:
        return donor >= 0 && r->fields[donor].known ? r->fields[donor].ref : r->file;
    case PERSON_NONE:
        break;
    }
    return none;
}

static inline int ruled_insert(ruled *w, record *r, atg_err *err) {
    const record_type *type = &record_types[r->kind];
    file_row f = {.n = (int64_t)w->n_files + 1,
                  .id = r->id,
                  .operation = r->operation,
                  .kind = r->kind,
                  .state = r->state,
                  .sex = -1,
                  .changed = r->changed};
    int rc = ATG_OK;

    r->rev = 1;
    r->person = ruled_person(r);
    if (type->person == PERSON_SELF)
        rc = keys_person_new(w->d, w->keys, &r->operation, &r->person, NULL, err);
    if (!rc)
        rc = records_insert(w->d, w->keys, r, err);
    if (rc || !type->is_file)
        return rc;
    assert_true(w->n_files < RULED_FILES);
    w->files[w->n_files] = r->id;
    w->kinds[w->n_files++] = r->kind;
    f.code = atg_arena_printf(w->arena, "%s-K3-%06u", type->code, w->n_files);
    return files_insert(w->d, &f, NULL, err);
}

/* Write `after` (over `before`, unless that is NULL) if the rules allow it. */
static inline int ruled_write(ruled *w, const actor *who, const record *before, record *after,
                              atg_err *err) {
    int rc;

    kept_begin(w->d);
    rc = before ? ATG_OK : rules_prepare(w->d, who, w->arena, after, err);
    if (!rc)
        rc = rules_check(w->d, who, ruled_in(w, after), before, after, err);
    if (!rc)
        rc = before ? records_update(w->d, w->keys, after, err) : ruled_insert(w, after, err);
    if (rc)
        db_rollback(w->d);
    else
        kept_commit(w->d);
    return rc;
}

static inline void ruled_add(ruled *w, const actor *who, record *r) {
    atg_err err = {0};

    must(ruled_write(w, who, NULL, r, &err), &err);
}

/* Refused, in words that have both of these in them. */
#define ruled_refused(w, who, before, after, rule, words)                                          \
    ruled_refused_at(w, who, before, after, rule, words, __LINE__)
static inline void ruled_refused_at(ruled *w, const actor *who, const record *before, record *after,
                                    const char *rule, const char *words, int at) {
    atg_err err = {0};
    int rc = ruled_write(w, who, before, after, &err);

    if (rc != ATG_EDENIED || !strstr(err.msg, rule) || !strstr(err.msg, words))
        fail_msg("line %d: %d, '%s' where '%s' and '%s' were expected", at, rc, err.msg, rule,
                 words);
}

/* Change one field (text NULL: none), the state or the hiding of a record that is there. */
static inline record *ruled_changed(const ruled *w, const record *r, const char *name,
                                    const char *text) {
    record *copy = record_copy(w->arena, r);

    assert_non_null(copy);
    copy->changed = clock_now();
    if (name)
        ruled_set(w, copy, name, text);
    return copy;
}

static inline void ruled_edit(ruled *w, const actor *who, record *r, const char *name,
                              const char *text) {
    record *copy = ruled_changed(w, r, name, text);
    atg_err err = {0};

    must(ruled_write(w, who, r, copy, &err), &err);
    *r = *copy;
}

static inline void ruled_withdraw(ruled *w, const actor *who, record *r) {
    record *copy = ruled_changed(w, r, NULL, NULL);
    atg_err err = {0};

    copy->withdrawn = true;
    must(ruled_write(w, who, r, copy, &err), &err);
    *r = *copy;
}

static inline record *ruled_moved(const ruled *w, const record *r, uint32_t state) {
    record *copy = ruled_changed(w, r, NULL, NULL);

    copy->state = state;
    return copy;
}

static inline void ruled_move(ruled *w, const actor *who, record *r, uint32_t state) {
    record *copy = ruled_moved(w, r, state);
    atg_err err = {0};

    must(ruled_write(w, who, r, copy, &err), &err);
    *r = *copy;
}

/* Past the rules: as if it had come to be so in the past. */
static inline void ruled_force(ruled *w, record *r, const char *name, const char *text) {
    record *copy = ruled_changed(w, r, name, text);
    atg_err err = {0};

    kept_begin(w->d);
    must(records_update(w->d, w->keys, copy, &err), &err);
    kept_commit(w->d);
    *r = *copy;
}

static inline void ruled_erase(ruled *w, const uuid *person) {
    atg_err err = {0};

    kept_begin(w->d);
    must(keys_erase(w->d, w->keys, &w->operation->id, person, &w->by[ROLE_BOARD].account,
                    clock_now(), &err),
         &err);
    kept_commit(w->d);
    keyring_forget(w->keys, person);
}

static inline actor ruled_account(ruled *w, const char *name, uint32_t roles) {
    actor who = {.account = kept_id(), .name = atg_str_of(name)};
    uuid every = {{0}};
    atg_err err = {0};

    kept_begin(w->d);
    must(accounts_insert(w->d,
                         &(account_row){.id = who.account,
                                        .name = who.name,
                                        .password = ATG_STR("*"),
                                        .totp = ATG_STR("*")},
                         &err),
         &err);
    for (int r = 0; r < ROLES; r++)
        if (roles >> r & 1)
            must(accounts_grant(w->d, &who.account, &every, (role)r, true, &err), &err);
    kept_commit(w->d);
    return who;
}

static inline record *ruled_missing(ruled *w) {
    record *r = ruled_new(w, RECORD_MISSING, NULL);

    ruled_set(w, r, "family_name", "Hansen");
    ruled_set(w, r, "sex", "female");
    if (w->family)
        ruled_point(r, "family", &w->family->id);
    ruled_add(w, &w->by[ROLE_INTERVIEWER], r);
    return r;
}

static inline record *ruled_remains(ruled *w, const char *what) {
    record *r = ruled_new(w, RECORD_REMAINS, NULL);

    ruled_set(w, r, "tag", "B-17");
    ruled_set(w, r, "what", what);
    ruled_add(w, &w->by[ROLE_MORTUARY], r);
    return r;
}

static inline record *ruled_informant(ruled *w, const record *in) {
    record *r = ruled_new(w, RECORD_INFORMANT, in);

    ruled_set(w, r, "name", "Ida Berg");
    ruled_add(w, &w->by[ROLE_INTERVIEWER], r);
    return r;
}

static inline void ruled_sign(ruled *w) {
    record *r = ruled_changed(w, w->operation, "threshold", "0.9999");
    atg_err err = {0};

    ruled_set(w, r, "min_log10_lr", "6");
    ruled_set(w, r, "prior", "{\"kind\": \"flat\"}");
    ruled_point(r, "signed_by", &w->by[ROLE_BOARD].account);
    must(ruled_write(w, &w->by[ROLE_BOARD], w->operation, r, &err), &err);
    *w->operation = *r;
}

static inline ruled ruled_open(const database *where) {
    ruled w = {.d = kept_open(where), .keys = kept_keys(), .arena = atg_arena_new(64 << 20)};
    atg_err err = {0};

    assert_non_null(w.arena);
    clock_set(ruled_now);
    w.matcher.name = ATG_STR("matcher");
    for (int r = 0; r < ROLES; r++) {
        w.by[r] = ruled_account(&w, role_names[r], 1U << r);
        w.second[r] =
            ruled_account(&w, atg_arena_printf(w.arena, "second %s", role_names[r]).p, 1U << r);
    }
    w.operation = ruled_new(&w, RECORD_OPERATION, NULL);
    ruled_set(&w, w.operation, "name", "Ferry accident");
    kept_begin(w.d);
    must(keys_operation_new(w.d, w.keys, &w.operation->id, &err), &err);
    kept_commit(w.d);
    ruled_add(&w, &w.by[ROLE_ADMINISTRATOR], w.operation);
    w.family = ruled_new(&w, RECORD_FAMILY, NULL);
    ruled_set(&w, w.family, "label", "F1");
    ruled_add(&w, &w.by[ROLE_INTERVIEWER], w.family);
    w.missing = ruled_missing(&w);
    w.remains = ruled_remains(&w, "body");
    w.informant = ruled_informant(&w, w.missing);
    return w;
}

static inline void ruled_close(ruled *w) {
    db_close(w->d);
    keyring_close(w->keys);
    atg_arena_free(w->arena);
    clock_set(-1);
}

#endif
