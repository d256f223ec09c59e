/* SPDX-License-Identifier: Apache-2.0 */
#include "app/accounts_internal.h"

#include <string.h>

#include "app/rights.h"
#include "base/clock.h"
#include "base/json.h"

static const int64_t day_us = INT64_C(86400000000);

enum { EVENT_MAX = 4096, ONCE_NEW_DAYS = 7, ONCE_RESET_DAYS = 1 };

static const uuid every;

/* ---- the history of the store ---- */

int account_tell(cases *c, db *d, const actor *who, const account_event *e, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(EVENT_MAX);
    audit_event event = {.file = c->id,
                         .at = clock_now(),
                         .account = who->account,
                         .action = e->action,
                         .kind = "account",
                         .record = *e->account};
    json j;
    int rc;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the history");
    j = json_new(buf);
    json_object_line(&j);
    for (int i = 0; i < 2; i++)
        if (e->key[i]) {
            json_key(&j, e->key[i]);
            json_str(&j, e->text[i]);
        }
    if (who->reason.n) {
        json_key(&j, "reason");
        json_str(&j, who->reason);
    }
    json_end(&j, '}');
    rc = atg_buf_take(buf, &event.detail, err);
    if (rc)
        return rc;
    event.detail = atg_str_trim(event.detail);
    return audit_append(d, &event, err);
}

/* ---- who may ---- */

int account_may(db *d, const actor *who, const uuid *operation, atg_err *err) {
    uint32_t roles = 0;
    int rc = accounts_roles(d, &who->account, operation, &roles, err);

    return rc ? rc : rights_action(roles, ACTION_ACCOUNTS, -1, -1, err);
}

static int may_list(db *d, const actor *who, atg_err *err) {
    uint32_t roles = 0;
    int rc = accounts_roles(d, &who->account, &every, &roles, err);

    if (rc || roles & 1U << ROLE_AUDITOR)
        return rc;
    return rights_action(roles, ACTION_ACCOUNTS, -1, -1, err);
}

typedef struct changing {
    cases *c;
    const actor *who;
    atg_arena *arena;
    atg_str agency, name;
    const char *password; /* hash */
    uuid account;
    const uuid *operation;
    role r;
    bool on, code;
} changing;

/* The account that is changed: there, not one's own, by an administrator. */
static int find_other(changing *w, db *d, const uuid *operation, account_row *ret, atg_err *err) {
    int rc = account_may(d, w->who, operation, err);

    if (!rc)
        rc = accounts_get(d, w->arena, &w->account, ret, err);
    if (!rc && uuid_cmp(&w->account, &w->who->account) == 0)
        return atg_fail(err, ATG_EDENIED,
                        "Nobody changes their own account so: another "
                        "administrator does");
    return rc;
}

/* ---- new ones ---- */

static int find_agency(const changing *w, db *d, uuid *ret, atg_err *err) {
    int rc = agencies_find(d, w->agency, ret, err);

    if (rc != ATG_ENOTFOUND)
        return rc;
    rc = uuid_new(ret, err);
    return rc ? rc : agencies_insert(d, ret, w->agency, err);
}

static int insert(changing *w, db *d, int64_t once, atg_err *err) {
    account_row row = {.id = w->account,
                       .name = w->name,
                       .password = atg_str_of(w->password),
                       .once = once,
                       .totp_step = -1,
                       .created = clock_now()};
    account_row other;
    int rc = accounts_find(d, w->arena, w->name, &other, err);

    if (rc == ATG_OK)
        return atg_fail(err, ATG_ECONFLICT, "There is an account of that name already");
    if (rc != ATG_ENOTFOUND)
        return rc;
    rc = find_agency(w, d, &row.agency, err);
    return rc ? rc : accounts_insert(d, &row, err);
}

static int add_first(db *d, void *user, atg_err *err) {
    changing *w = user;
    actor self = {.account = w->account};
    account_event e = {.action = "account_first", .account = &w->account};
    int64_t n = 0;
    int rc = accounts_count(d, &n, err);

    if (!rc && n)
        return atg_fail(err, ATG_ECONFLICT,
                        "There are accounts already: an administrator adds "
                        "others");
    if (!rc)
        rc = insert(w, d, 0, err);
    if (!rc)
        rc = accounts_grant(d, &w->account, &every, ROLE_ADMINISTRATOR, true, err);
    return rc ? rc : account_tell(w->c, d, &self, &e, err);
}

static int add_account(db *d, void *user, atg_err *err) {
    changing *w = user;
    account_event e = {.action = "account_add", .account = &w->account};
    int rc = account_may(d, w->who, &every, err);

    if (!rc)
        rc = insert(w, d, clock_now() + ONCE_NEW_DAYS * day_us, err);
    return rc ? rc : account_tell(w->c, d, w->who, &e, err);
}

static int read_names(changing *w, atg_str agency, atg_str name, atg_err *err) {
    w->agency = atg_str_trim(agency);
    if (!w->agency.n || w->agency.n > 200)
        return atg_fail(err, ATG_EINVAL, "Name the agency in at most 200 bytes");
    return account_fold(w->arena, name, &w->name, err);
}

int account_first(cases *c, atg_str agency, atg_str name, atg_str password, uuid *ret,
                  atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    ACCOUNT_SECRET own = {.n = 0};
    char hash[PASSWORD_HASH];
    changing w = {.c = c, .arena = arena, .password = hash};
    int rc = arena ? read_names(&w, agency, name, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory making an account");

    if (!rc)
        rc = account_normal(password, &own, err);
    if (!rc)
        rc = password_rules((atg_str){own.text, own.n}, err);
    if (!rc)
        rc = password_context((atg_str){own.text, own.n}, (atg_str[]){w.name, w.agency}, 2, err);
    if (!rc)
        rc = password_hash((atg_str){own.text, own.n}, account_cost(), hash, err);
    if (!rc)
        rc = uuid_new(&w.account, err);
    if (!rc)
        rc = store_write(c->s, add_first, &w, err);
    if (!rc)
        *ret = w.account;
    return rc;
}

/* A random password as it is printed, and its hash. */
static int password_once(char ret[ACCOUNT_ONCE + 1], char hash[PASSWORD_HASH], atg_err *err) {
    int rc = code_recovery_new(ret, err);

    return rc ? rc : password_hash((atg_str){ret, ACCOUNT_ONCE}, account_cost(), hash, err);
}

int account_add(cases *c, const actor *who, atg_str agency, atg_str name,
                char ret_password[ACCOUNT_ONCE + 1], uuid *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    char hash[PASSWORD_HASH];
    changing w = {.c = c, .who = who, .arena = arena, .password = hash};
    int rc = arena ? read_names(&w, agency, name, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory making an account");

    if (!rc)
        rc = uuid_new(&w.account, err);
    if (!rc)
        rc = password_once(ret_password, hash, err);
    if (!rc)
        rc = store_write(c->s, add_account, &w, err);
    if (!rc)
        *ret = w.account;
    return rc;
}

/* ---- changes ---- */

static int reset(db *d, void *user, atg_err *err) {
    changing *w = user;
    account_event e = {.action = "password_reset",
                       .account = &w->account,
                       .key = {w->code ? "second_factor" : NULL},
                       .text = {ATG_STR("taken off")}};
    account_origin o;
    account_row row;
    int64_t n;
    int rc = find_other(w, d, &every, &row, err);

    if (rc)
        return rc;
    row.password = atg_str_of(w->password);
    row.once = clock_now() + ONCE_RESET_DAYS * day_us;
    if (w->code) {
        row.totp = (atg_str){NULL, 0};
        row.totp_step = -1;
        rc = accounts_codes(d, &row.id, NULL, 0, err);
    }
    if (!rc)
        rc = accounts_update(d, &row, err);
    if (!rc)
        rc = sessions_end_all(d, &row.id, &n, err);
    /* who knew the password may have logged in from elsewhere: that place is known no more */
    if (!rc)
        rc = account_origin_of(w->c, d, row.name, ATG_STR(""), &o, err);
    if (!rc)
        rc = logins_forget_name(d, &o.name, err);
    return rc ? rc : account_tell(w->c, d, w->who, &e, err);
}

int account_reset(cases *c, const actor *who, const uuid *account, bool code,
                  char ret_password[ACCOUNT_ONCE + 1], atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    char hash[PASSWORD_HASH];
    changing w = {
        .c = c, .who = who, .arena = arena, .password = hash, .account = *account, .code = code};
    int rc = arena ? password_once(ret_password, hash, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory changing an account");

    return rc ? rc : store_write(c->s, reset, &w, err);
}

/* Is this the only one left who can make accounts? */
static int keep_one(db *d, const uuid *account, atg_err *err) {
    uint32_t roles = 0;
    int64_t n = 0;
    int rc = accounts_roles(d, account, &every, &roles, err);

    if (rc || !(roles & 1U << ROLE_ADMINISTRATOR))
        return rc;
    rc = accounts_with(d, ROLE_ADMINISTRATOR, &n, err);
    if (!rc && n < 2)
        rc = atg_fail(err, ATG_EDENIED, "This is the last administrator of every operation");
    return rc;
}

static int block(db *d, void *user, atg_err *err) {
    changing *w = user;
    account_event e = {.action = w->on ? "account_block" : "account_unblock",
                       .account = &w->account};
    account_row row;
    int64_t n;
    int rc = find_other(w, d, &every, &row, err);

    if (!rc && w->on)
        rc = keep_one(d, &row.id, err);
    if (rc || row.blocked == w->on)
        return rc;
    row.blocked = w->on;
    rc = accounts_update(d, &row, err);
    if (!rc)
        rc = sessions_end_all(d, &row.id, &n, err);
    return rc ? rc : account_tell(w->c, d, w->who, &e, err);
}

int account_block(cases *c, const actor *who, const uuid *account, bool on, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    changing w = {.c = c, .who = who, .arena = arena, .account = *account, .on = on};

    return arena ? store_write(c->s, block, &w, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory changing an account");
}

static int grant(db *d, void *user, atg_err *err) {
    changing *w = user;
    char text[UUID_TEXT + 1];
    account_event e = {.action = w->on ? "grant" : "revoke",
                       .account = &w->account,
                       .key = {"role", "operation"},
                       .text = {atg_str_of(role_names[w->r]), ATG_STR("every")}};
    account_row row;
    int rc = find_other(w, d, w->operation, &row, err);

    if (!rc && !w->on && w->r == ROLE_ADMINISTRATOR && uuid_none(w->operation))
        rc = keep_one(d, &row.id, err);
    if (!rc)
        rc = accounts_grant(d, &row.id, w->operation, w->r, w->on, err);
    if (rc)
        return rc;
    if (!uuid_none(w->operation)) {
        uuid_text(w->operation, text);
        e.text[1] = atg_str_of(text);
    }
    return account_tell(w->c, d, w->who, &e, err);
}

int account_grant(cases *c, const actor *who, const uuid *account, const uuid *operation, role r,
                  bool on, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    changing w = {.c = c,
                  .who = who,
                  .arena = arena,
                  .account = *account,
                  .operation = operation,
                  .r = r,
                  .on = on};

    return arena ? store_write(c->s, grant, &w, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory changing an account");
}

/* ---- lists ---- */

typedef struct listing {
    const actor *who;
    atg_arena *arena;
    atg_str name;
    account_info *infos;
    uint32_t n;
} listing;

static int describe(db *d, atg_arena *arena, const account_row *row, account_info *ret,
                    atg_err *err) {
    account_info a = {.id = row->id,
                      .name = row->name,
                      .blocked = row->blocked,
                      .once = row->once != 0,
                      .code = account_has_code(row),
                      .created = row->created};
    int rc = agencies_name(d, arena, &row->agency, &a.agency, err);

    if (!rc)
        rc = accounts_codes_left(d, &row->id, &a.recovery, err);
    if (!rc)
        rc = accounts_grants(d, arena, &row->id, &a.grants, &a.n_grants, err);
    if (!rc)
        *ret = a;
    return rc;
}

static int list_all(db *d, void *user, atg_err *err) {
    listing *w = user;
    account_row *rows;
    int rc = may_list(d, w->who, err);

    if (!rc)
        rc = accounts_list(d, w->arena, &rows, &w->n, err);
    if (rc)
        return rc;
    w->infos = ATG_GET(w->arena, account_info, (size_t)w->n + 1);
    if (!w->infos)
        return atg_fail(err, ATG_ENOMEM, "Out of memory listing accounts");
    for (uint32_t i = 0; i < w->n && !rc; i++)
        rc = describe(d, w->arena, &rows[i], &w->infos[i], err);
    return rc;
}

int account_list(cases *c, const actor *who, atg_arena *arena, account_info **ret, uint32_t *ret_n,
                 atg_err *err) {
    listing w = {.who = who, .arena = arena};
    int rc = store_read(c->s, list_all, &w, err);

    if (!rc) {
        *ret = w.infos;
        *ret_n = w.n;
    }
    return rc;
}

static int find_one(db *d, void *user, atg_err *err) {
    listing *w = user;
    account_row row;
    int rc = accounts_find(d, w->arena, w->name, &row, err);

    /* who may not list does not learn which names there are */
    if ((rc == ATG_ENOTFOUND || (!rc && uuid_cmp(&row.id, &w->who->account) != 0))) {
        int allowed = may_list(d, w->who, err);

        if (allowed)
            return allowed;
    }
    return rc ? atg_fail(err, rc, "There is no such account")
              : describe(d, w->arena, &row, w->infos, err);
}

int account_find(cases *c, const actor *who, atg_arena *arena, atg_str name, account_info *ret,
                 atg_err *err) {
    account_info info = {.recovery = 0};
    listing w = {.who = who, .arena = arena, .infos = &info};
    int rc = account_fold(arena, name, &w.name, err);

    if (!rc)
        rc = store_read(c->s, find_one, &w, err);
    if (!rc)
        *ret = info;
    return rc;
}
