/* SPDX-License-Identifier: Apache-2.0 */
/* Failed logins, sessions and quotas (store/accounts.h). */
#include "store/accounts.h"

#include <string.h>

static const db_statement get_try = {
    "get_try", "SELECT failures, last, known FROM login_try WHERE name = $1 AND origin = $2"};
static const db_statement put_try = {
    "put_try", "INSERT INTO login_try(name, origin, failures, last, known) VALUES "
               "($1, $2, $3, $4, $5) ON CONFLICT (name, origin) DO UPDATE SET "
               "failures = excluded.failures, last = excluded.last, known = excluded.known"};
static const db_statement forget_tries = {"forget_tries",
                                          "DELETE FROM login_try WHERE known = 0 AND last < $1"};
static const db_statement forget_name = {"forget_name", "DELETE FROM login_try WHERE name = $1"};

static const db_statement insert_session = {
    "insert_session", "INSERT INTO login_session(token, account, created, used, expires, began, "
                      "confirmed) VALUES ($1, $2, $3, $4, $5, $6, $7)"};
static const db_statement get_session = {
    "get_session", "SELECT token, account, created, used, expires, began, confirmed "
                   "FROM login_session WHERE token = $1"};
static const db_statement list_sessions = {
    "list_sessions", "SELECT token, account, created, used, expires, began, confirmed "
                     "FROM login_session WHERE account = $1 ORDER BY began, token LIMIT $2"};
static const db_statement confirm_session = {
    "confirm_session", "UPDATE login_session SET confirmed = $2 WHERE token = $1"};
static const db_statement use_session = {"use_session",
                                         "UPDATE login_session SET used = $2 WHERE token = $1"};
static const db_statement end_session = {"end_session",
                                         "DELETE FROM login_session WHERE token = $1"};
static const db_statement end_sessions = {"end_sessions",
                                          "DELETE FROM login_session WHERE account = $1"};
static const db_statement expire_sessions = {"expire_sessions",
                                             "DELETE FROM login_session WHERE expires < $1"};

static const db_statement use_quota = {
    "use_quota", "INSERT INTO used_quota(account, kind, period, n) VALUES ($1, $2, $3, $4) "
                 "ON CONFLICT (account, kind, period) DO UPDATE SET n = used_quota.n + excluded.n "
                 "RETURNING n"};
static const db_statement forget_quota = {
    "forget_quota", "DELETE FROM used_quota WHERE account = $1 AND kind = $2 AND period < $3"};
static const db_statement get_used = {
    "get_used", "SELECT n FROM used_quota WHERE account = $1 AND kind = $2 AND period = $3"};
static const db_statement get_quota = {"get_quota",
                                       "SELECT most FROM quota WHERE account = $1 AND kind = $2"};
static const db_statement put_quota = {
    "put_quota", "INSERT INTO quota(account, kind, most) VALUES ($1, $2, $3) "
                 "ON CONFLICT (account, kind) DO UPDATE SET most = excluded.most"};
static const db_statement drop_quota = {"drop_quota",
                                        "DELETE FROM quota WHERE account = $1 AND kind = $2"};

static db_value id_of(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static db_value hash_value(const hash256 *h) {
    return db_blob(h->bytes, HASH_SIZE);
}

/* ---- failed logins ---- */

int logins_get(db *d, const hash256 *name, const hash256 *origin, login_try *ret, atg_err *err) {
    login_try t = {.name = *name, .origin = *origin};
    db_rows *rows = NULL;
    int rc =
        db_query(d, &get_try, (db_value[]){hash_value(name), hash_value(origin)}, 2, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc > 0) {
        t.failures = db_get_int(rows, 0);
        t.last = db_get_int(rows, 1);
        t.known = db_get_int(rows, 2);
        rc = ATG_OK;
    }
    db_end(rows);
    if (rc == ATG_OK)
        *ret = t;
    return rc;
}

int logins_put(db *d, const login_try *t, atg_err *err) {
    return db_post(d, &put_try,
                   (db_value[]){hash_value(&t->name), hash_value(&t->origin), db_int(t->failures),
                                db_int(t->last), db_int(t->known)},
                   5, err);
}

int logins_forget(db *d, int64_t before, atg_err *err) {
    db_value at = db_int(before);

    return db_post(d, &forget_tries, &at, 1, err);
}

int logins_forget_name(db *d, const hash256 *name, atg_err *err) {
    db_value key = hash_value(name);

    return db_post(d, &forget_name, &key, 1, err);
}

/* ---- sessions ---- */

int sessions_insert(db *d, const session_row *s, atg_err *err) {
    return db_post(d, &insert_session,
                   (db_value[]){hash_value(&s->token), id_of(&s->account), db_int(s->created),
                                db_int(s->used), db_int(s->expires), db_int(s->began),
                                db_int(s->confirmed)},
                   7, err);
}

static int read_session(db_rows *rows, session_row *ret, atg_err *err) {
    atg_str token = db_get_blob(rows, 0), account = db_get_blob(rows, 1);

    if (token.n != HASH_SIZE || account.n != UUID_SIZE)
        return atg_fail(err, ATG_EDB, "A session is damaged");
    memcpy(ret->token.bytes, token.p, HASH_SIZE);
    memcpy(ret->account.bytes, account.p, UUID_SIZE);
    ret->created = db_get_int(rows, 2);
    ret->used = db_get_int(rows, 3);
    ret->expires = db_get_int(rows, 4);
    ret->began = db_get_int(rows, 5);
    ret->confirmed = db_get_int(rows, 6);
    return ATG_OK;
}

int sessions_get(db *d, const hash256 *token, session_row *ret, atg_err *err) {
    session_row s = {0};
    db_value key = hash_value(token);
    db_rows *rows = NULL;
    int rc = db_query(d, &get_session, &key, 1, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc > 0)
        rc = read_session(rows, &s, err);
    else if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such session");
    db_end(rows);
    if (rc == ATG_OK)
        *ret = s;
    return rc;
}

int sessions_of(db *d, atg_arena *arena, const uuid *account, session_row **ret, uint32_t *ret_n,
                atg_err *err) {
    db_value key[] = {id_of(account), db_int(SESSIONS_MAX)};
    session_row *list = ATG_GET(arena, session_row, SESSIONS_MAX);
    uint32_t n = 0;
    db_rows *rows = NULL;
    int rc = list ? db_query(d, &list_sessions, key, 2, &rows, err)
                  : atg_fail(err, ATG_ENOMEM, "Out of memory for a list");

    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0 && n < SESSIONS_MAX) {
        rc = read_session(rows, &list[n], err);
        if (rc)
            break;
        n++;
    }
    db_end(rows);
    if (rc == ATG_OK) {
        *ret = list;
        *ret_n = n;
    }
    return rc;
}

int sessions_confirm(db *d, const hash256 *token, int64_t until, atg_err *err) {
    return db_post(d, &confirm_session, (db_value[]){hash_value(token), db_int(until)}, 2, err);
}

int sessions_use(db *d, const hash256 *token, int64_t used, atg_err *err) {
    return db_post(d, &use_session, (db_value[]){hash_value(token), db_int(used)}, 2, err);
}

int sessions_end(db *d, const hash256 *token, int64_t *ret_n, atg_err *err) {
    db_value key = hash_value(token);

    return db_run(d, &end_session, &key, 1, ret_n, err);
}

int sessions_end_all(db *d, const uuid *account, int64_t *ret_n, atg_err *err) {
    db_value key = id_of(account);

    return db_run(d, &end_sessions, &key, 1, ret_n, err);
}

int sessions_expire(db *d, int64_t before, atg_err *err) {
    db_value at = db_int(before);

    return db_post(d, &expire_sessions, &at, 1, err);
}

/* ---- quotas ---- */

int quotas_use(db *d, const uuid *account, const char *kind, int64_t period, int64_t n,
               int64_t *ret, atg_err *err) {
    db_value key[] = {id_of(account), db_text(atg_str_of(kind)), db_int(period), db_int(n)};
    int64_t used = 0;
    int rc = db_get_one(d, &use_quota, key, 4, 0, &used, err);

    if (rc == ATG_OK && used == n)
        rc = db_post(d, &forget_quota, key, 3, err);
    if (rc == ATG_OK)
        *ret = used;
    return rc;
}

/* One number, or `otherwise` where there is no row. */
static int number(db *d, const db_statement *statement, const db_value *key, int n,
                  int64_t otherwise, int64_t *ret, atg_err *err) {
    atg_err none;
    int rc = db_get_one(d, statement, key, n, otherwise, ret, err ? err : &none);

    if (rc != ATG_ENOTFOUND)
        return rc;
    *ret = otherwise;
    return ATG_OK;
}

int quotas_used(db *d, const uuid *account, const char *kind, int64_t period, int64_t *ret,
                atg_err *err) {
    db_value key[] = {id_of(account), db_text(atg_str_of(kind)), db_int(period)};

    return number(d, &get_used, key, 3, 0, ret, err);
}

int quotas_most(db *d, const uuid *account, const char *kind, int64_t otherwise, int64_t *ret,
                atg_err *err) {
    db_value key[] = {id_of(account), db_text(atg_str_of(kind))};

    return number(d, &get_quota, key, 2, otherwise, ret, err);
}

void quotas_foresee_most(db *d, const uuid *account, const char *kind) {
    db_foresee(d, &get_quota, (db_value[]){id_of(account), db_text(atg_str_of(kind))}, 2);
}

int quotas_set(db *d, const uuid *account, const char *kind, int64_t most, atg_err *err) {
    db_value key[] = {id_of(account), db_text(atg_str_of(kind)), db_int(most)};

    return db_post(d, most < 0 ? &drop_quota : &put_quota, key, most < 0 ? 2 : 3, err);
}
