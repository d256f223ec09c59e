/* SPDX-License-Identifier: Apache-2.0 */
/* Once more that it is them, before they sign: the try is counted, what was typed is checked, and
 * the session remembers for a while that it was right. */
#include "app/accounts_internal.h"

#include "base/bytes.h"
#include "base/clock.h"

static const int64_t confirmed_us = INT64_C(300) * 1000000;

typedef struct confirming {
    cases *c;
    atg_arena *arena;
    const confirm_request *r;
    session_state state;
    account_row row;
    account_origin origin;
    account_secret password;
    int64_t until;
} confirming;

static int not_right(atg_err *err) {
    return atg_fail(err, ATG_EDENIED, "The password or the code is not right");
}

static int count_try(db *d, void *user, atg_err *err) {
    confirming *w = user;
    int rc = accounts_get(d, w->arena, &w->state.who.account, &w->row, err);

    if (!rc)
        rc = account_origin_of(w->c, d, w->row.name, w->r->origin, &w->origin, err);
    return rc ? rc : account_try(d, &w->origin, clock_now(), err);
}

static int check_password(confirming *w, atg_err *err) {
    int rc;

    if (account_has_code(&w->row))
        return ATG_OK;
    if (account_normal(w->r->password, &w->password, NULL))
        return not_right(err);
    rc = password_check((atg_str){w->password.text, w->password.n}, w->row.password.p, err);
    return rc == ATG_EDENIED ? not_right(err) : rc;
}

static int keep(db *d, void *user, atg_err *err) {
    confirming *w = user;
    account_event e = {.action = "confirm", .account = &w->state.who.account};
    hash256 token = account_token_hash(w->r->token);
    account_row now;
    bool paper = false;
    int rc = accounts_get(d, w->arena, &w->state.who.account, &now, err);

    if (rc)
        return rc;
    if (now.blocked || !atg_str_eq(now.password, w->row.password))
        return not_right(err);
    if (account_has_code(&now)) {
        rc = account_use_code(w->c, d, &now, w->r->code, &paper, err);
        if (rc == ATG_EDENIED || rc == ATG_ENOTFOUND || rc == ATG_EPARSE || rc == ATG_EINVAL)
            return not_right(err);
        if (!rc)
            rc = accounts_update(d, &now, err);
        e.key[0] = "second_factor";
        e.text[0] = atg_str_of(account_factor(paper));
    }
    w->until = clock_now() + confirmed_us;
    if (!rc)
        rc = sessions_confirm(d, &token, w->until, err);
    if (!rc)
        rc = account_tried(d, &w->origin, clock_now(), err);
    return rc ? rc : account_tell(w->c, d, &w->state.who, &e, err);
}

static int tell_failed(db *d, void *user, atg_err *err) {
    confirming *w = user;
    account_event e = {.action = "confirm_failed", .account = &w->state.who.account};

    return account_tell(w->c, d, &w->state.who, &e, err);
}

static int confirm(confirming *w, atg_err *err) {
    int rc = check_password(w, err);

    if (!rc)
        rc = store_write(w->c->s, keep, w, err);
    if (rc == ATG_EDENIED) {
        atg_err why = {0};

        if (store_write(w->c->s, tell_failed, w, &why))
            rc = atg_fail(err, why.code, "%s", why.msg);
    }
    return rc;
}

int account_confirm(cases *c, const confirm_request *r, int64_t *ret_until, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    confirming w = {.c = c, .arena = arena, .r = r};
    int rc = arena ? account_session_look(c, arena, r->token, &w.state, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory");

    if (!rc)
        rc = store_write(c->s, count_try, &w, err);
    if (!rc)
        rc = confirm(&w, err);
    account_secret_wipe(&w.password);
    if (!rc)
        *ret_until = w.until;
    return rc;
}
