/* SPDX-License-Identifier: Apache-2.0 */
/* Letting somebody in, in three steps: the try is counted, the password is checked outside of any
 * transaction, and what follows is written. */
#include "app/accounts_internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

static _Atomic int test_cost = PASSWORD_ACCOUNT;

void account_test_cost(password_cost cost) {
    atomic_store(&test_cost, (int)cost);
}

password_cost account_cost(void) {
    return (password_cost)atomic_load(&test_cost);
}

static int not_let_in(atg_err *err) {
    return atg_fail(err, ATG_EDENIED, "The name, the password or the code is not right");
}

typedef struct knocking {
    cases *c;
    atg_arena *arena;
    const login_request *r;
    atg_str name;
    bool nobody; /* no account has the name */
    account_row row;
    account_secret password;
    account_origin origin;
    char again[PASSWORD_HASH];   /* the password with today's cost; empty: it is so already */
    const char *factor;          /* the second one that was used; NULL: none */
    const char *new_password;    /* hash of one that takes its place, or NULL */
    const account_secret *fresh; /* and that one */
    login done;
} knocking;

static void knocking_wipe(knocking *k) {
    account_secret_wipe(&k->password);
}

/* ---- before ---- */

static int count_try(db *d, void *user, atg_err *err) {
    knocking *k = user;
    int rc = account_origin_of(k->c, d, k->name, k->r->origin, &k->origin, err);

    if (!rc)
        rc = account_try(d, &k->origin, clock_now(), err);
    if (rc)
        return rc;
    rc = accounts_find(d, k->arena, k->name, &k->row, err);
    k->nobody = rc == ATG_ENOTFOUND;
    return k->nobody ? ATG_OK : rc;
}

static int begin(knocking *k, atg_err *err) {
    int rc = account_fold(k->arena, k->r->name, &k->name, err);

    /* a name nobody can have is wrong as any other, and takes as long */
    if (rc == ATG_EINVAL)
        k->name = ATG_STR("?");
    else if (rc)
        return rc;
    return store_write(k->c->s, count_try, k, err);
}

/* ---- the password ---- */

static int check_password(knocking *k, atg_err *err) {
    atg_str typed = {k->password.text, 0};
    int rc;

    if (account_normal(k->r->password, &k->password, NULL) == ATG_OK)
        typed.n = k->password.n;
    rc = k->nobody ? password_check_nobody(typed, account_cost(), err)
                   : password_check(typed, k->row.password.p, err);
    return rc == ATG_EDENIED ? not_let_in(err) : rc;
}

/* ---- after ---- */

static int tell_failed(db *d, void *user, atg_err *err) {
    knocking *k = user;
    uuid none = {{0}};
    account_event e = {.action = "login_failed", .account = k->nobody ? &none : &k->row.id};
    actor who = {.account = none};

    return account_tell(k->c, d, &who, &e, err);
}

/* The second factor, where there is one; LOGIN_CODE when it is needed and not given. */
static int second_factor(knocking *k, db *d, atg_err *err) {
    bool paper = false;
    int rc;

    if (!account_has_code(&k->row))
        return ATG_OK;
    if (!k->r->code.n) {
        k->done.status = LOGIN_CODE;
        return ATG_OK;
    }
    rc = account_use_code(k->c, d, &k->row, k->r->code, &paper, err);
    if (rc == ATG_EDENIED || rc == ATG_ENOTFOUND)
        return not_let_in(err);
    k->factor = account_factor(paper);
    if (!rc && paper)
        rc = accounts_codes_left(d, &k->row.id, &k->done.recovery_left, err);
    return rc;
}

/* Before the transaction: nobody else waits for it. */
static int hash_again(knocking *k, atg_err *err) {
    if (k->fresh || !password_stale(k->row.password.p, account_cost()))
        return ATG_OK;
    return password_hash((atg_str){k->password.text, k->password.n}, account_cost(), k->again, err);
}

static int keep_again(knocking *k, atg_err *err) {
    if (!k->again[0])
        return ATG_OK;
    k->row.password = atg_arena_str(k->arena, atg_str_of(k->again));
    return k->row.password.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory logging in");
}

static int tell_in(knocking *k, db *d, atg_err *err) {
    actor who = {.account = k->row.id};
    account_event e = {.action = k->new_password ? "password_set" : "login",
                       .account = &k->row.id,
                       .key = {k->factor ? "second_factor" : NULL,
                               k->done.recovery_left >= 0 ? "recovery_codes_left" : NULL}};
    char left[24];

    (void)snprintf(left, sizeof(left), "%lld", (long long)k->done.recovery_left);
    e.text[0] = atg_str_of(k->factor ? k->factor : "");
    e.text[1] = atg_str_of(left);
    return account_tell(k->c, d, &who, &e, err);
}

/* Set what takes the password's place.  All who are in go out. */
static int replace_password(knocking *k, db *d, atg_err *err) {
    int64_t n;

    if (k->fresh->n == k->password.n && memcmp(k->fresh->text, k->password.text, k->fresh->n) == 0)
        return atg_fail(err, ATG_EINVAL, "The new password is the old one: choose another");
    k->row.once = 0;
    k->row.password = atg_arena_str(k->arena, atg_str_of(k->new_password));
    if (!k->row.password.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory setting a password");
    return sessions_end_all(d, &k->row.id, &n, err);
}

/* Is the password still the one that was checked, and may its owner come in? */
static int check_row(knocking *k, db *d, atg_err *err) {
    account_row now;
    int rc = accounts_get(d, k->arena, &k->row.id, &now, err);

    if (rc)
        return rc;
    if (!atg_str_eq(now.password, k->row.password))
        return not_let_in(err);
    if (now.blocked)
        return atg_fail(err, ATG_EDENIED, "This account is blocked: an administrator can say why");
    if (now.once && now.once < clock_now())
        return atg_fail(err, ATG_EDENIED,
                        "The password that you were given is no longer good: ask "
                        "an administrator for another");
    k->row = now;
    return ATG_OK;
}

static int let_in(db *d, void *user, atg_err *err) {
    knocking *k = user;
    account_row found = k->row;
    int rc = check_row(k, d, err);

    k->done = (login){.status = LOGIN_DONE, .recovery_left = -1};
    k->factor = NULL;
    if (!rc)
        rc = second_factor(k, d, err);
    if (!rc && k->done.status == LOGIN_DONE && k->row.once && !k->new_password)
        k->done.status = LOGIN_CHANGE;
    if (!rc && k->done.status == LOGIN_DONE) {
        rc = k->new_password ? replace_password(k, d, err) : keep_again(k, err);
        if (!rc)
            rc = accounts_update(d, &k->row, err);
        if (!rc)
            rc = account_tried(d, &k->origin, clock_now(), err);
        if (!rc)
            rc = tell_in(k, d, err);
    }
    if (!rc)
        k->done.who = (actor){.account = k->row.id, .name = k->row.name};
    k->row = found; /* it may be run again */
    return rc;
}

/* Names of operations and agencies are told to nobody who has not shown the old password. */
typedef struct surroundings {
    const knocking *k;
    file_row *operations;
    uint32_t n;
    atg_str *words;
} surroundings;

static int read_names(db *d, void *user, atg_err *err) {
    surroundings *w = user;
    const knocking *k = w->k;
    int rc = agencies_name(d, k->arena, &k->row.agency, &w->words[0], err);

    w->words[1] = k->name;
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        record_row row;

        rc =
            records_get(d, k->c->keys, k->arena, RECORD_OPERATION, &w->operations[i].id, &row, err);
        if (!rc)
            w->words[i + 2] = row.r->fields[OPERATION_NAME].text;
    }
    return rc;
}

static int check_context(const knocking *k, atg_err *err) {
    surroundings w = {.k = k};
    actor who = {.account = k->row.id};
    int rc = cases_operations(k->c, &who, k->arena, &w.operations, &w.n, err);

    w.words = ATG_GET(k->arena, atg_str, (size_t)w.n + 2);
    if (!rc && !w.words)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory setting a password");
    if (!rc)
        rc = store_read(k->c->s, read_names, &w, err);
    return rc ? rc
              : password_context((atg_str){k->fresh->text, k->fresh->n}, w.words, w.n + 2, err);
}

static int knock(knocking *k, atg_err *err) {
    int rc = check_password(k, err);

    if (!rc && k->fresh)
        rc = check_context(k, err);
    if (!rc)
        rc = hash_again(k, err);
    if (!rc)
        rc = store_write(k->c->s, let_in, k, err);
    if (rc == ATG_EDENIED) {
        atg_err why = {0};

        /* it stands in the history, or nobody is told why */
        if (store_write(k->c->s, tell_failed, k, &why))
            rc = atg_fail(err, why.code, "%s", why.msg);
    }
    return rc;
}

int account_login(cases *c, atg_arena *arena, const login_request *r, login *ret, atg_err *err) {
    __attribute__((cleanup(knocking_wipe))) knocking k = {.c = c, .arena = arena, .r = r};
    int rc = begin(&k, err);

    if (!rc)
        rc = knock(&k, err);
    if (rc)
        return rc;
    if (k.done.status != LOGIN_DONE)
        k.done.who = (actor){0};
    *ret = k.done;
    return ATG_OK;
}

int account_password(cases *c, const login_request *r, atg_str new_password, login_status *ret,
                     atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    __attribute__((cleanup(knocking_wipe))) knocking k = {.c = c, .arena = arena, .r = r};
    ACCOUNT_SECRET fresh = {.n = 0};
    char hash[PASSWORD_HASH];
    int rc;

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory setting a password");
    rc = account_normal(new_password, &fresh, err);
    if (!rc)
        rc = password_rules((atg_str){fresh.text, fresh.n}, err);
    if (!rc)
        rc = begin(&k, err);
    if (!rc)
        rc = password_hash((atg_str){fresh.text, fresh.n}, account_cost(), hash, err);
    if (rc)
        return rc;
    k.new_password = hash;
    k.fresh = &fresh;
    rc = knock(&k, err);
    if (!rc)
        *ret = k.done.status;
    return rc;
}
