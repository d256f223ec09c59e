/* SPDX-License-Identifier: Apache-2.0 */
/* An open case store with an operation and somebody for each kind of work. */
#ifndef ATG_TESTS_MADE_CASES_H
#define ATG_TESTS_MADE_CASES_H

#include "database.h"

#include "app/cases.h"
#include "base/clock.h"
#include "store/accounts.h"

enum { MADE_ARENA = 256 << 20 };

typedef struct made_cases {
    cases *c;
    atg_arena *arena;
    actor all;       /* every role, in every operation, with a reason */
    actor by[ROLES]; /* one role each, without a reason */
    uuid operation;
} made_cases;

static inline void made_ok(int rc, const atg_err *err) {
    if (rc)
        fail_msg("%d: %s", rc, err->msg);
}

/* With a second factor whose codes nobody has. */
static inline int made_account(db *d, const char *name, uint32_t roles, uuid *ret, atg_err *err) {
    static const uuid everywhere;
    uuid agency;
    int rc = agencies_find(d, ATG_STR("Institute K1"), &agency, err);

    if (rc == ATG_ENOTFOUND) {
        rc = uuid_new(&agency, err);
        if (!rc)
            rc = agencies_insert(d, &agency, ATG_STR("Institute K1"), err);
    }
    if (!rc)
        rc = uuid_new(ret, err);
    if (!rc)
        rc = accounts_insert(d,
                             &(account_row){.id = *ret,
                                            .agency = agency,
                                            .name = atg_str_of(name),
                                            .password = ATG_STR("*"),
                                            .totp = ATG_STR("*"),
                                            .created = clock_now()},
                             err);
    for (int r = 0; r < ROLES && !rc; r++)
        if (roles >> r & 1)
            rc = accounts_grant(d, ret, &everywhere, (role)r, true, err);
    return rc;
}

static inline int made_accounts(db *d, void *user, atg_err *err) {
    made_cases *m = user;
    int rc = made_account(d, "everybody", (1u << ROLES) - 1, &m->all.account, err);

    m->all.name = ATG_STR("everybody");
    m->all.reason = ATG_STR("a test of the whole");
    for (int r = 0; r < ROLES && !rc; r++) {
        m->by[r].name = atg_str_of(role_names[r]);
        rc = made_account(d, role_names[r], 1u << r, &m->by[r].account, err);
    }
    return rc;
}

static inline int made_account_again(db *d, const char *name, made_cases *m, actor *ret,
                                     atg_err *err) {
    account_row row;
    int rc = accounts_find(d, m->arena, atg_str_of(name), &row, err);

    if (!rc)
        ret->account = row.id;
    ret->name = atg_str_of(name);
    return rc;
}

static inline int made_accounts_again(db *d, void *user, atg_err *err) {
    made_cases *m = user;
    int rc = made_account_again(d, "everybody", m, &m->all, err);

    m->all.reason = ATG_STR("a test of the whole");
    for (int r = 0; r < ROLES && !rc; r++)
        rc = made_account_again(d, role_names[r], m, &m->by[r], err);
    return rc;
}

static inline int made_open_again(made_cases *m, const database *where, bool create, atg_err *err) {
    static const key256 master = {{7}};
    cases_options o = {.directory = where->directory,
                       .conninfo = database_conninfo(where),
                       .master = &master,
                       .create = create,
                       .site = ATG_STR("K3")};

    return cases_open(&o, &m->c, err);
}

/* Field by name from the text that people write. */
static inline void made_set(atg_arena *arena, record *r, const char *name, const char *text) {
    int f = record_field_of(r->kind, atg_str_of(name));
    atg_err err = {0};

    assert_true(f >= 0);
    made_ok(value_read(arena, record_field(r->kind, (uint32_t)f), atg_str_of(text), &r->fields[f],
                       &err),
            &err);
}

static inline record *made_operation(atg_arena *arena, const char *name) {
    record *r = record_new(arena, RECORD_OPERATION);

    made_set(arena, r, "name", name);
    made_set(arena, r, "kind", "open");
    return r;
}

static inline record *made_missing(const made_cases *m, const char *family, const char *given) {
    record *r = record_new(m->arena, RECORD_MISSING);

    r->operation = m->operation;
    made_set(m->arena, r, "family_name", family);
    made_set(m->arena, r, "given_name", given);
    made_set(m->arena, r, "sex", "female");
    made_set(m->arena, r, "born", "1984-03-12");
    made_set(m->arena, r, "last_seen", "2026-11-01");
    made_set(m->arena, r, "last_place", "Harbour of K1");
    made_set(m->arena, r, "informant_name", "Ida Berg");
    made_set(m->arena, r, "informant_contact", "+47 22 00 00 00");
    made_set(m->arena, r, "basis", "consent");
    return r;
}

static inline record *made_remains(const made_cases *m, const char *tag) {
    record *r = record_new(m->arena, RECORD_REMAINS);

    r->operation = m->operation;
    made_set(m->arena, r, "tag", tag);
    made_set(m->arena, r, "what", "body");
    made_set(m->arena, r, "found_on", "2026-11-03");
    made_set(m->arena, r, "found_place", "Beach north of K1");
    made_set(m->arena, r, "sex", "female");
    made_set(m->arena, r, "age", "30-45");
    made_set(m->arena, r, "condition", "complete");
    made_set(m->arena, r, "recovered_by", "Coast guard");
    return r;
}

static inline int made_change(const made_cases *m, const actor *who, change_kind what, record *r,
                              atg_err *err) {
    change ch = {what, r};

    return cases_change(m->c, who, m->arena, &ch, err);
}

static inline void made_add(const made_cases *m, record *r) {
    atg_err err = {0};

    made_ok(made_change(m, &m->all, CHANGE_ADD, r, &err), &err);
}

static inline made_cases made_cases_open(const database *where) {
    made_cases m = {.arena = atg_arena_new(MADE_ARENA)};
    atg_err err = {0};
    record *operation;

    assert_non_null(m.arena);
    made_ok(made_open_again(&m, where, true, &err), &err);
    made_ok(store_write(cases_store(m.c), made_accounts, &m, &err), &err);
    operation = made_operation(m.arena, "Ferry accident");
    made_add(&m, operation);
    m.operation = operation->id;
    return m;
}

/* One that was made before, with the first of its operations. */
static inline made_cases made_cases_again(const database *where) {
    made_cases m = {.arena = atg_arena_new(MADE_ARENA)};
    file_row *operations;
    uint32_t n;
    atg_err err = {0};

    assert_non_null(m.arena);
    made_ok(made_open_again(&m, where, false, &err), &err);
    made_ok(store_read(cases_store(m.c), made_accounts_again, &m, &err), &err);
    made_ok(cases_operations(m.c, &m.all, m.arena, &operations, &n, &err), &err);
    assert_true(n > 0);
    m.operation = operations[0].id;
    return m;
}

static inline atg_str made_long(atg_arena *arena, size_t n) {
    char *text = ATG_GET(arena, char, n + 1);

    assert_non_null(text);
    memset(text, 'x', n);
    text[n] = '\0';
    return (atg_str){text, n};
}

/* Missing persons in the list, as far as one page goes. */
static inline uint32_t made_count(const made_cases *m) {
    files_query q = {
        .operation = m->operation, .kind = RECORD_MISSING, .state = -1, .sex = -1, .limit = 999};
    file_page page;
    atg_err err = {0};

    made_ok(cases_list(m->c, &m->all, m->arena, &q, &page, &err), &err);
    return page.n;
}

static inline int made_verify(db *d, void *user, atg_err *err) {
    KEY_AUTO key256 seed;
    made_cases *m = user;
    sign_pair pair;
    audit_report report;
    int rc = keys_site(d, cases_keys(m->c), SITE_SIGN, &seed, err);

    if (rc)
        return rc;
    sign_pair_of(&seed, &pair);
    return audit_verify(d, &(audit_wanted){.pub = &pair.pub}, 2, NULL, &report, err);
}

/* Whatever a test did, its history can be verified. */
static inline void made_cases_close(made_cases *m) {
    atg_err err = {0};

    made_ok(store_read(cases_store(m->c), made_verify, m, &err), &err);
    cases_close(m->c);
    atg_arena_free(m->arena);
}

#endif
