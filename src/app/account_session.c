/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: a random token for who was let in.  Its hash is what is kept, so that nobody comes in
 * with what stands in the database or in a backup. */
#include "app/accounts_internal.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/ready.h"

static const int64_t second_us = 1000000;

enum { TOKEN_BYTES = ACCOUNT_TOKEN / 2, LIFE_S = 12 * 3600, IDLE_S = 30 * 60, NOTE_S = 60 };

typedef struct passing {
    cases *c;
    atg_arena *arena;
    const actor *who;
    session_row row;
    const uuid *account;
    actor found;
    int64_t ended;
} passing;

static hash256 hash_of_token(atg_str token) {
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

int account_session_new(cases *c, const actor *who, char ret_token[ACCOUNT_TOKEN + 1],
                        atg_err *err) {
    unsigned char bytes[TOKEN_BYTES];
    char token[ACCOUNT_TOKEN + 1];
    int64_t now = clock_now();
    passing p = {.c = c, .who = who};
    int rc = crypto_ready(err);

    if (rc)
        return rc;
    randombytes_buf(bytes, TOKEN_BYTES);
    bytes_hex(bytes, TOKEN_BYTES, token);
    p.row = (session_row){.token = hash_of_token((atg_str){token, ACCOUNT_TOKEN}),
                          .account = who->account,
                          .created = now,
                          .used = now,
                          .expires = now + LIFE_S * second_us};
    rc = store_write(c->s, add, &p, err);
    for (size_t i = 0; i < sizeof(token) && !rc; i++)
        ret_token[i] = token[i];
    bytes_wipe(token, sizeof(token));
    bytes_wipe(bytes, sizeof(bytes));
    return rc;
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

int account_session(cases *c, atg_arena *arena, atg_str token, actor *ret, atg_err *err) {
    passing p = {.c = c, .arena = arena, .row = {.token = hash_of_token(token)}};
    int rc = store_read(c->s, find, &p, err);

    /* written now and then, so that looking does not make everybody wait for the writer */
    if (!rc && p.row.used + NOTE_S * second_us < clock_now())
        rc = store_write(c->s, note_use, &p, err);
    if (!rc)
        *ret = p.found;
    return rc;
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
    passing p = {.c = c, .row = {.token = hash_of_token(token)}};

    return store_write(c->s, leave, &p, err);
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
