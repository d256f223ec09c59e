/* SPDX-License-Identifier: Apache-2.0 */
#include "store/accounts.h"

#include <string.h>

#define COLUMNS "id, agency, name, password, once, totp, totp_step, state, created"

static const db_statement insert_account = {"insert_account",
                                            "INSERT INTO account(" COLUMNS
                                            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
static const db_statement update_account = {
    "update_account", "UPDATE account SET agency = $2, name = $3, password = $4, once = $5, "
                      "totp = $6, totp_step = $7, state = $8 WHERE id = $1"};
static const db_statement find_account = {"find_account",
                                          "SELECT " COLUMNS " FROM account WHERE name = $1"};
static const db_statement get_account = {"get_account",
                                         "SELECT " COLUMNS " FROM account WHERE id = $1"};
static const db_statement list_accounts = {"list_accounts",
                                           "SELECT " COLUMNS " FROM account ORDER BY name, id"};
static const db_statement count_accounts = {"count_accounts", "SELECT count(*) FROM account"};

static const db_statement insert_agency = {"insert_agency",
                                           "INSERT INTO agency(id, name) VALUES ($1, $2)"};
static const db_statement find_agency = {"find_agency", "SELECT id FROM agency WHERE name = $1"};
static const db_statement get_agency = {"get_agency", "SELECT name FROM agency WHERE id = $1"};

static const db_statement add_grant = {
    "add_grant", "INSERT INTO grant_role(account, operation, role) VALUES ($1, $2, $3) "
                 "ON CONFLICT DO NOTHING"};
static const db_statement drop_grant = {
    "drop_grant", "DELETE FROM grant_role WHERE account = $1 AND operation = $2 AND role = $3"};
static const db_statement roles_of = {
    "roles_of", "SELECT g.role, CASE WHEN a.totp IS NULL THEN -1 ELSE a.totp_step END FROM "
                "grant_role g JOIN account a ON a.id = g.account WHERE g.account = $1 AND "
                "g.operation IN ($2, $3) AND a.state = 'active'"};
static const db_statement grants_of = {
    "grants_of",
    "SELECT operation, role FROM grant_role WHERE account = $1 ORDER BY operation, role"};
static const db_statement count_with = {
    "count_with", "SELECT count(*) FROM grant_role g JOIN account a ON a.id = g.account WHERE "
                  "g.operation = $1 AND g.role = $2 AND a.state = 'active'"};

static const db_statement drop_codes = {"drop_codes",
                                        "DELETE FROM recovery_code WHERE account = $1"};
static const db_statement add_code = {"add_code",
                                      "INSERT INTO recovery_code(account, hash) VALUES ($1, $2)"};
static const db_statement use_code = {"use_code",
                                      "DELETE FROM recovery_code WHERE account = $1 AND hash = $2"};
static const db_statement count_codes = {"count_codes",
                                         "SELECT count(*) FROM recovery_code WHERE account = $1"};

static db_value id_of(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static bool read_id(db_rows *rows, int at, uuid *ret) {
    atg_str s = db_get_blob(rows, at);

    if (s.n != UUID_SIZE)
        return false;
    memcpy(ret->bytes, s.p, UUID_SIZE);
    return true;
}

static int damaged(atg_err *err) {
    return atg_fail(err, ATG_EDB, "A row of an account is damaged");
}

/* ---- accounts ---- */

static db_value totp_of(const account_row *a) {
    return a->totp.n ? db_blob(a->totp.p, a->totp.n) : db_null();
}

static db_value state_of(const account_row *a) {
    return db_text(a->blocked ? ATG_STR("blocked") : ATG_STR("active"));
}

int accounts_insert(db *d, const account_row *a, atg_err *err) {
    return db_run(d, &insert_account,
                  (db_value[]){id_of(&a->id), id_of(&a->agency), db_text(a->name),
                               db_text(a->password), db_int(a->once), totp_of(a),
                               db_int(a->totp_step), state_of(a), db_int(a->created)},
                  9, NULL, err);
}

int accounts_update(db *d, const account_row *a, atg_err *err) {
    int64_t n = 0;
    int rc = db_run(d, &update_account,
                    (db_value[]){id_of(&a->id), id_of(&a->agency), db_text(a->name),
                                 db_text(a->password), db_int(a->once), totp_of(a),
                                 db_int(a->totp_step), state_of(a)},
                    8, &n, err);

    if (rc == ATG_OK && !n)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such account");
    return rc;
}

static int read_account(db_rows *rows, atg_arena *arena, account_row *ret, atg_err *err) {
    account_row a = {.name = atg_arena_str(arena, db_get_text(rows, 2)),
                     .password = atg_arena_str(arena, db_get_text(rows, 3)),
                     .once = db_get_int(rows, 4),
                     .totp_step = db_get_int(rows, 6),
                     .blocked = !atg_str_eq(db_get_text(rows, 7), ATG_STR("active")),
                     .created = db_get_int(rows, 8)};

    if (!db_is_null(rows, 5))
        a.totp = atg_arena_str(arena, db_get_blob(rows, 5));
    if (!a.name.p || !a.password.p || (!db_is_null(rows, 5) && !a.totp.p))
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading an account");
    if (!read_id(rows, 0, &a.id) || !read_id(rows, 1, &a.agency))
        return damaged(err);
    *ret = a;
    return ATG_OK;
}

static int one_account(db *d, const db_statement *statement, db_value key, atg_arena *arena,
                       account_row *ret, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(d, statement, &key, 1, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc > 0)
        rc = read_account(rows, arena, ret, err);
    else if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such account");
    db_end(rows);
    return rc;
}

int accounts_find(db *d, atg_arena *arena, atg_str name, account_row *ret, atg_err *err) {
    return one_account(d, &find_account, db_text(name), arena, ret, err);
}

int accounts_get(db *d, atg_arena *arena, const uuid *id, account_row *ret, atg_err *err) {
    return one_account(d, &get_account, id_of(id), arena, ret, err);
}

int accounts_list(db *d, atg_arena *arena, account_row **ret, uint32_t *ret_n, atg_err *err) {
    db_rows *rows = NULL;
    account_row *list;
    int64_t most = 0;
    uint32_t n = 0;
    int rc = accounts_count(d, &most, err);

    if (rc)
        return rc;
    if (most > ACCOUNTS_MAX)
        return atg_fail(err, ATG_ELIMIT, "More than %d accounts", ACCOUNTS_MAX);
    list = ATG_GET(arena, account_row, (size_t)most + 1);
    if (!list)
        return atg_fail(err, ATG_ENOMEM, "Out of memory listing accounts");
    rc = db_query(d, &list_accounts, NULL, 0, &rows, err);
    while (rc == ATG_OK && n < most && (rc = db_next(rows, err)) > 0)
        rc = read_account(rows, arena, &list[n++], err);
    db_end(rows);
    if (rc == ATG_OK) {
        *ret = list;
        *ret_n = n;
    }
    return rc;
}

int accounts_count(db *d, int64_t *ret, atg_err *err) {
    return db_get_one(d, &count_accounts, NULL, 0, 0, ret, err);
}

/* ---- agencies ---- */

int agencies_insert(db *d, const uuid *id, atg_str name, atg_err *err) {
    return db_run(d, &insert_agency, (db_value[]){id_of(id), db_text(name)}, 2, NULL, err);
}

int agencies_find(db *d, atg_str name, uuid *ret, atg_err *err) {
    db_value key = db_text(name);
    db_rows *rows = NULL;
    uuid id = {{0}};
    int rc = db_query(d, &find_agency, &key, 1, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc > 0)
        rc = read_id(rows, 0, &id) ? ATG_OK : damaged(err);
    else if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no agency '%.*s'", ATG_FMT(name));
    db_end(rows);
    if (rc == ATG_OK)
        *ret = id;
    return rc;
}

int agencies_name(db *d, atg_arena *arena, const uuid *id, atg_str *ret, atg_err *err) {
    db_value key = id_of(id);
    db_rows *rows = NULL;
    atg_str name = {NULL, 0};
    int rc = db_query(d, &get_agency, &key, 1, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc > 0) {
        name = atg_arena_str(arena, db_get_text(rows, 0));
        rc = name.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading an agency");
    } else if (rc == 0) {
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such agency");
    }
    db_end(rows);
    if (rc == ATG_OK)
        *ret = name;
    return rc;
}

/* ---- roles ---- */

int accounts_grant(db *d, const uuid *account, const uuid *operation, role r, bool on,
                   atg_err *err) {
    return db_run(
        d, on ? &add_grant : &drop_grant,
        (db_value[]){id_of(account), id_of(operation), db_text(atg_str_of(role_names[r]))}, 3, NULL,
        err);
}

static int add_role(db_rows *rows, int at, uint32_t *roles, atg_err *err) {
    int r = record_role_of(db_get_text(rows, at));

    if (r < 0)
        return damaged(err);
    *roles |= 1U << r;
    return ATG_OK;
}

void accounts_foresee_roles(db *d, const uuid *account, const uuid *operation) {
    uuid every = {{0}};

    db_foresee(d, &roles_of, (db_value[]){id_of(account), id_of(operation), id_of(&every)}, 3);
}

int accounts_roles(db *d, const uuid *account, const uuid *operation, uint32_t *ret, atg_err *err) {
    uuid every = {{0}};
    db_rows *rows = NULL;
    uint32_t roles = 0;
    int rc = db_query(d, &roles_of, (db_value[]){id_of(account), id_of(operation), id_of(&every)},
                      3, &rows, err);

    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0 && (rc = add_role(rows, 0, &roles, err)) == ATG_OK)
        roles |= db_get_int(rows, 1) >= 0 ? (uint32_t)ACCOUNTS_CODE : 0;
    db_end(rows);
    if (rc == ATG_OK)
        *ret = roles;
    return rc;
}

typedef struct grant_list {
    atg_arena *arena;
    account_roles *list;
    uint32_t n, room;
} grant_list;

static int add_operation(grant_list *g, const uuid *operation, atg_err *err) {
    if (g->n == g->room) {
        account_roles *more = ATG_GET(g->arena, account_roles, (size_t)g->room * 2 + 8);

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory listing roles");
        if (g->n)
            memcpy(more, g->list, g->n * sizeof(*more));
        g->list = more;
        g->room = g->room * 2 + 8;
    }
    g->list[g->n++] = (account_roles){.operation = *operation};
    return ATG_OK;
}

static int read_grant(grant_list *g, db_rows *rows, atg_err *err) {
    uuid operation;
    int rc = ATG_OK;

    if (!read_id(rows, 0, &operation))
        return damaged(err);
    if (!g->n || uuid_cmp(&g->list[g->n - 1].operation, &operation) != 0)
        rc = add_operation(g, &operation, err);
    return rc ? rc : add_role(rows, 1, &g->list[g->n - 1].roles, err);
}

int accounts_grants(db *d, atg_arena *arena, const uuid *account, account_roles **ret,
                    uint32_t *ret_n, atg_err *err) {
    grant_list g = {.arena = arena};
    db_value key = id_of(account);
    db_rows *rows = NULL;
    int rc = db_query(d, &grants_of, &key, 1, &rows, err);

    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0 && (rc = read_grant(&g, rows, err)) == ATG_OK)
        ;
    db_end(rows);
    if (rc == ATG_OK) {
        *ret = g.list;
        *ret_n = g.n;
    }
    return rc;
}

int accounts_with(db *d, role r, int64_t *ret, atg_err *err) {
    uuid every = {{0}};

    return db_get_one(d, &count_with,
                      (db_value[]){id_of(&every), db_text(atg_str_of(role_names[r]))}, 2, 0, ret,
                      err);
}

/* ---- codes on paper ---- */

int accounts_codes(db *d, const uuid *account, const hash256 *hashes, uint32_t n, atg_err *err) {
    db_value key = id_of(account);
    int rc = db_post(d, &drop_codes, &key, 1, err);

    for (uint32_t i = 0; i < n && rc == ATG_OK; i++)
        rc = db_post(d, &add_code, (db_value[]){key, db_blob(hashes[i].bytes, HASH_SIZE)}, 2, err);
    return rc;
}

int accounts_code_use(db *d, const uuid *account, const hash256 *hash, atg_err *err) {
    int64_t n = 0;
    int rc = db_run(d, &use_code, (db_value[]){id_of(account), db_blob(hash->bytes, HASH_SIZE)}, 2,
                    &n, err);

    if (rc == ATG_OK && !n)
        return atg_fail(err, ATG_ENOTFOUND, "That recovery code was used or never given");
    return rc;
}

int accounts_codes_left(db *d, const uuid *account, int64_t *ret, atg_err *err) {
    db_value key = id_of(account);

    return db_get_one(d, &count_codes, &key, 1, 0, ret, err);
}
