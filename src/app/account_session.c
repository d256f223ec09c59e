/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: a random token for who was let in.  Its hash is what is kept, so that nobody comes in
 * with what stands in the database or in a backup. */
#include "app/accounts_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/ready.h"

static const int64_t second_us = 1000000;

enum { TOKEN_BYTES = ACCOUNT_TOKEN / 2, LIFE_S = 12 * 3600, IDLE_S = 30 * 60, NOTE_S = 60 };

typedef struct passing {
    cases *c;
    atg_arena *arena;
    const actor *who;
    hash256 asked; /* of a session that is renewed */
    session_row row;
    const uuid *account;
    actor found;
    int64_t ended;
} passing;

hash256 account_token_hash(atg_str token) {
    hasher h;

    hash_begin(&h, "antigone/session/1", NULL);
    hash_bytes(&h, token);
    return hash_end(&h);
}

static int add(db *d, void *user, atg_err *err) {
    passing *p = user;
    int rc = sessions_expire(d, p->row.created, err);

    return rc ? rc : sessions_insert(d, &p->row, err);
}

static int new_token(char ret[ACCOUNT_TOKEN + 1], atg_err *err) {
    unsigned char bytes[TOKEN_BYTES];
    int rc = crypto_ready(err);

    if (rc)
        return rc;
    randombytes_buf(bytes, TOKEN_BYTES);
    bytes_hex(bytes, TOKEN_BYTES, ret);
    bytes_wipe(bytes, sizeof(bytes));
    return ATG_OK;
}

static session_state state_of(const passing *p) {
    return (session_state){.who = p->found,
                           .began = p->row.began,
                           .expires = p->row.expires,
                           .confirmed = p->row.confirmed};
}

int account_session_short(cases *c, const actor *who, int64_t life_s,
                          char ret_token[ACCOUNT_TOKEN + 1], session_state *ret, atg_err *err) {
    char token[ACCOUNT_TOKEN + 1];
    int64_t now = clock_now();
    passing p = {.c = c, .who = who, .found = *who};
    int rc = new_token(token, err);

    if (rc)
        return rc;
    p.row = (session_row){.token = account_token_hash((atg_str){token, ACCOUNT_TOKEN}),
                          .account = who->account,
                          .created = now,
                          .used = now,
                          .began = now,
                          .expires = now + life_s * second_us};
    rc = store_write(c->s, add, &p, err);
    if (!rc) {
        memcpy(ret_token, token, sizeof(token));
        *ret = state_of(&p);
    }
    bytes_wipe(token, sizeof(token));
    return rc;
}

int account_session_new(cases *c, const actor *who, char ret_token[ACCOUNT_TOKEN + 1],
                        atg_err *err) {
    session_state state;

    return account_session_short(c, who, LIFE_S, ret_token, &state, err);
}

static int find(db *d, void *user, atg_err *err) {
    passing *p = user;
    int64_t now = clock_now();
    account_row row;
    int rc = sessions_get(d, &p->row.token, &p->row, err);

    if (rc == ATG_ENOTFOUND ||
        (!rc && (p->row.expires < now || p->row.used + IDLE_S * second_us < now)))
        return atg_fail(err, ATG_EDENIED, "The session has ended: log in again");
    if (!rc)
        rc = accounts_get(d, p->arena, &p->row.account, &row, err);
    if (!rc && row.blocked)
        return atg_fail(err, ATG_EDENIED, "This account is blocked: an administrator can say why");
    if (!rc)
        p->found = (actor){.account = row.id, .name = row.name};
    return rc;
}

static int note_use(db *d, void *user, atg_err *err) {
    passing *p = user;

    return sessions_use(d, &p->row.token, clock_now(), err);
}

int account_session_look(cases *c, atg_arena *arena, atg_str token, session_state *ret,
                         atg_err *err) {
    passing p = {.c = c, .arena = arena, .row = {.token = account_token_hash(token)}};
    int rc = store_read(c->s, find, &p, err);

    /* written now and then, so that looking does not make everybody wait for the writer */
    if (!rc && p.row.used + NOTE_S * second_us < clock_now())
        rc = store_write(c->s, note_use, &p, err);
    if (!rc)
        *ret = state_of(&p);
    return rc;
}

int account_session(cases *c, atg_arena *arena, atg_str token, actor *ret, atg_err *err) {
    session_state state;
    int rc = account_session_look(c, arena, token, &state, err);

    if (!rc)
        *ret = state.who;
    return rc;
}

/* ---- renewing ---- */

typedef struct renewing {
    passing p;
    hash256 token;
    int64_t life_us;
} renewing;

static int renew(db *d, void *user, atg_err *err) {
    renewing *w = user;
    int64_t now = clock_now(), n = 0, most;
    int rc;

    w->p.row.token = w->p.asked;
    rc = find(d, &w->p, err);
    if (!rc)
        rc = sessions_end(d, &w->p.asked, &n, err);
    if (rc)
        return rc;
    most = w->p.row.began + LIFE_S * second_us;
    w->p.row.token = w->token;
    w->p.row.created = w->p.row.used = now;
    w->p.row.expires = now + w->life_us < most ? now + w->life_us : most;
    return sessions_insert(d, &w->p.row, err);
}

int account_session_renew(cases *c, atg_str token, int64_t life_s,
                          char ret_token[ACCOUNT_TOKEN + 1], session_state *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    char fresh[ACCOUNT_TOKEN + 1];
    renewing w = {.p = {.c = c, .arena = arena, .asked = account_token_hash(token)},
                  .life_us = life_s * second_us};
    int rc = arena ? new_token(fresh, err) : atg_fail(err, ATG_ENOMEM, "Out of memory");

    if (rc)
        return rc;
    w.token = account_token_hash((atg_str){fresh, ACCOUNT_TOKEN});
    rc = store_write(c->s, renew, &w, err);
    if (!rc) {
        memcpy(ret_token, fresh, sizeof(fresh));
        *ret = state_of(&w.p);
        ret->who.name = (atg_str){NULL, 0};
    }
    bytes_wipe(fresh, sizeof(fresh));
    return rc;
}

/* ---- the list ---- */

typedef struct listing {
    atg_arena *arena;
    const uuid *account;
    session_row *rows;
    uint32_t n;
} listing;

static int list(db *d, void *user, atg_err *err) {
    listing *w = user;

    return sessions_of(d, w->arena, w->account, &w->rows, &w->n, err);
}

int account_sessions(cases *c, atg_arena *arena, const actor *who, atg_str token,
                     session_info **ret, uint32_t *ret_n, atg_err *err) {
    listing w = {.arena = arena, .account = &who->account};
    hash256 own = account_token_hash(token);
    int rc = store_read(c->s, list, &w, err);
    session_info *all = rc ? NULL : ATG_GET(arena, session_info, w.n + 1);
    int64_t now = clock_now();
    uint32_t n = 0;

    if (rc)
        return rc;
    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < w.n; i++) {
        const session_row *s = &w.rows[i];

        if (s->expires < now)
            continue;
        all[n] = (session_info){.began = s->began,
                                .used = s->used,
                                .expires = s->expires,
                                .current = hash_eq(&s->token, &own)};
        bytes_hex(s->token.bytes, SESSION_NAME / 2, all[n++].name);
    }
    *ret = all;
    *ret_n = n;
    return ATG_OK;
}

static int leave(db *d, void *user, atg_err *err) {
    passing *p = user;
    account_event e = {.action = "logout"};
    int rc = sessions_get(d, &p->row.token, &p->row, err);

    if (rc)
        return rc == ATG_ENOTFOUND ? ATG_OK : rc;
    p->found.account = p->row.account;
    e.account = &p->found.account;
    rc = sessions_end(d, &p->row.token, &p->ended, err);
    return rc ? rc : account_tell(p->c, d, &p->found, &e, err);
}

int account_logout(cases *c, atg_str token, atg_err *err) {
    passing p = {.c = c, .row = {.token = account_token_hash(token)}};

    return store_write(c->s, leave, &p, err);
}

typedef struct leaving {
    passing p;
    unsigned char name[SESSION_NAME / 2];
    bool found;
} leaving;

static int leave_one(db *d, void *user, atg_err *err) {
    leaving *l = user;
    session_row *rows;
    uint32_t n;
    int rc = sessions_of(d, l->p.arena, &l->p.who->account, &rows, &n, err);

    l->found = false;
    for (uint32_t i = 0; i < n && !rc && !l->found; i++) {
        l->found = memcmp(rows[i].token.bytes, l->name, sizeof(l->name)) == 0;
        if (l->found)
            l->p.row.token = rows[i].token;
    }
    if (!rc && !l->found)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such session");
    return rc ? rc : leave(d, &l->p, err);
}

int account_logout_one(cases *c, const actor *who, atg_str name, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    leaving l = {.p = {.c = c, .who = who, .arena = arena}};

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory ending a session");
    if (!bytes_from_hex(name, l.name, sizeof(l.name)))
        return atg_fail(err, ATG_ENOTFOUND, "There is no such session");
    return store_write(c->s, leave_one, &l, err);
}

static int leave_all(db *d, void *user, atg_err *err) {
    passing *p = user;
    account_event e = {.action = "logout_all", .account = p->account};
    uuid every = {{0}};
    int rc =
        uuid_cmp(p->account, &p->who->account) == 0 ? ATG_OK : account_may(d, p->who, &every, err);

    if (!rc)
        rc = sessions_end_all(d, p->account, &p->ended, err);
    return rc || !p->ended ? rc : account_tell(p->c, d, p->who, &e, err);
}

int account_logout_all(cases *c, const actor *who, const uuid *account, atg_err *err) {
    passing p = {.c = c, .who = who, .account = account};

    return store_write(c->s, leave_all, &p, err);
}
