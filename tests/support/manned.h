/* SPDX-License-Identifier: Apache-2.0 */
/* A store with people: an administrator with a second factor, and others as tests make them.
 * Passwords cost little. */
#ifndef ATG_TESTS_MANNED_H
#define ATG_TESTS_MANNED_H

#include "kept.h"
#include "telephone.h"

#include "app/accounts.h"
#include "app/cases_internal.h"
#include "base/clock.h"

/* 2026-12-01T12:00:00Z */
static const int64_t manned_now = INT64_C(1796126400000000), manned_second = 1000000;

#define MANNED_PASSWORD "wagon lilac brave otter"

typedef struct manned {
    cases c; /* the store, the keys, the identity: all that accounts need */
    atg_arena *arena;
    actor admin;
} manned;

static inline int manned_site(db *d, void *user, atg_err *err) {
    return keys_site_new(d, user, err);
}

static inline login_request manned_request(const char *name, const char *password,
                                           const char *origin) {
    return (login_request){
        .name = atg_str_of(name), .password = atg_str_of(password), .origin = atg_str_of(origin)};
}

static inline int manned_try(manned *m, const char *name, const char *password, const char *origin,
                             login *ret, atg_err *err) {
    login_request r = manned_request(name, password, origin);

    return account_login(&m->c, m->arena, &r, ret, err);
}

/* Let in, or the test fails. */
static inline login manned_in(manned *m, const char *name, const char *password,
                              const char *origin) {
    atg_err err = {0};
    login in = {0};

    must(manned_try(m, name, password, origin, &in, &err), &err);
    return in;
}

/* Not let in, in these words. */
#define manned_out(m, name, password, origin, words)                                               \
    manned_out_at(m, name, password, origin, words, __LINE__)
static inline void manned_out_at(manned *m, const char *name, const char *password,
                                 const char *origin, const char *words, int at) {
    atg_err err = {0};
    login in = {0};
    int rc = manned_try(m, name, password, origin, &in, &err);

    if (rc != ATG_EDENIED || !strstr(err.msg, words))
        fail_msg("line %d: %d, '%s' where '%s' was expected", at, rc, err.msg, words);
}

/* Somebody with a password of their own. */
static inline actor manned_add(manned *m, const char *name) {
    login_request r = manned_request(name, "", "made");
    login_status done = LOGIN_DONE;
    char once[ACCOUNT_ONCE + 1];
    atg_err err = {0};
    uuid id;

    must(account_add(&m->c, &m->admin, ATG_STR("Bureau"), atg_str_of(name), once, &id, &err), &err);
    r.password = atg_str_of(once);
    must(account_password(&m->c, &r, ATG_STR(MANNED_PASSWORD), &done, &err), &err);
    return (actor){.account = id, .name = atg_str_of(name)};
}

/* From now on they have a second factor. */
static inline void manned_factor(manned *m, const actor *who) {
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], uri[CODE_URI], code[7];
    atg_err err = {0};
    telephone t;

    must(account_code_new(&m->c, who, uri, &err), &err);
    t = telephone_pair(uri);
    telephone_show(&t, code);
    must(account_code_confirm(&m->c, who, atg_str_of(code), paper, &err), &err);
}

static inline manned manned_open(const database *where) {
    store_options options = {.directory = where->directory,
                             .conninfo = database_conninfo(where),
                             .create = true,
                             .migrations = record_migrations,
                             .n_migrations = record_migrations_n};
    manned m = {.arena = atg_arena_new(64 << 20)};
    atg_err err = {0};

    assert_non_null(m.arena);
    clock_set(manned_now);
    account_test_cost(PASSWORD_LEAST);
    must(store_open(&options, &m.c.s, &err), &err);
    m.c.keys = kept_keys();
    m.c.id = kept_id();
    memcpy(m.c.site, "K3", 3);
    must(store_write(m.c.s, manned_site, m.c.keys, &err), &err);
    must(account_first(&m.c, ATG_STR("Bureau"), ATG_STR("Ada"), ATG_STR(MANNED_PASSWORD),
                       &m.admin.account, &err),
         &err);
    m.admin.name = ATG_STR("ada");
    manned_factor(&m, &m.admin);
    return m;
}

static inline void manned_close(manned *m) {
    store_close(m->c.s);
    keyring_close(m->c.keys);
    atg_arena_free(m->arena);
    clock_set(-1);
    account_test_cost(PASSWORD_ACCOUNT);
}

#endif
