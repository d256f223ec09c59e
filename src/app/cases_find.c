/* SPDX-License-Identifier: Apache-2.0 */
/* Files by their codes, and the operations that there are. */
#include "app/cases_internal.h"

#include <string.h>

#include "store/accounts.h"

enum { OPERATIONS_MAX = 10000 };

static const db_statement all_operations = {
    "operations", "SELECT id FROM file WHERE kind = 'operation' ORDER BY code LIMIT $1"};

typedef struct finding {
    const actor *who;
    atg_arena *arena;
    atg_str what;
    file_row row;
    file_row *rows;
    uint32_t n;
} finding;

static int find_one(db *d, void *user, atg_err *err) {
    finding *w = user;
    uuid id;

    return uuid_read(w->what, &id) ? files_get(d, w->arena, &id, &w->row, err)
                                   : files_find(d, w->arena, w->what, &w->row, err);
}

int cases_find(cases *c, atg_arena *arena, atg_str code_or_id, file_row *ret, atg_err *err) {
    finding w = {.arena = arena, .what = atg_str_trim(code_or_id)};
    int rc = store_read(c->s, find_one, &w, err);

    if (!rc)
        *ret = w.row;
    return rc;
}

static int find_own(db *d, void *user, atg_err *err) {
    finding *w = user;
    uint32_t roles = 0;
    int rc = find_one(d, w, err);

    if (!rc)
        rc =
            cases_roles(d, w->who, w->row.kind == RECORD_OPERATION ? &w->row.id : &w->row.operation,
                        &roles, err);
    return rc || roles ? rc : atg_fail(err, ATG_ENOTFOUND, "There is no such file");
}

int cases_find_own(cases *c, const actor *who, atg_arena *arena, atg_str code_or_id, file_row *ret,
                   atg_err *err) {
    finding w = {.who = who, .arena = arena, .what = atg_str_trim(code_or_id)};
    int rc = store_read(c->s, find_own, &w, err);

    if (!rc)
        *ret = w.row;
    return rc;
}

static int read_ids(finding *w, db *d, uuid *ids, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, &all_operations, (db_value[]){db_int(OPERATIONS_MAX)}, 1, &rows, err);

    w->n = 0;
    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0) {
        atg_str id = db_get_blob(rows, 0);

        if (id.n == UUID_SIZE)
            memcpy(ids[w->n++].bytes, id.p, UUID_SIZE);
    }
    return rc;
}

static int find_operations(db *d, void *user, atg_err *err) {
    finding *w = user;
    uuid *ids = ATG_GET(w->arena, uuid, OPERATIONS_MAX);
    uint32_t n = 0;
    int rc = ids ? read_ids(w, d, ids, err) : atg_fail(err, ATG_ENOMEM, "Out of memory");

    if (rc)
        return rc;
    w->rows = ATG_GET(w->arena, file_row, w->n + 1);
    if (!w->rows)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        uint32_t roles;

        rc = cases_roles(d, w->who, &ids[i], &roles, err);
        if (!rc && roles)
            rc = files_get(d, w->arena, &ids[i], &w->rows[n++], err);
    }
    w->n = n;
    return rc;
}

int cases_operations(cases *c, const actor *who, atg_arena *arena, file_row **ret, uint32_t *ret_n,
                     atg_err *err) {
    finding w = {.who = who, .arena = arena};
    int rc = store_read(c->s, find_operations, &w, err);

    if (rc)
        return rc;
    *ret = w.rows;
    *ret_n = w.n;
    return ATG_OK;
}

typedef struct naming {
    atg_arena *arena;
    const uuid *account;
    atg_str name;
} naming;

static int read_name(db *d, void *user, atg_err *err) {
    naming *w = user;
    account_row row;
    int rc = accounts_get(d, w->arena, w->account, &row, err);

    if (!rc)
        w->name = row.name;
    return rc;
}

int cases_account(cases *c, atg_arena *arena, const uuid *account, atg_str *ret, atg_err *err) {
    naming w = {.arena = arena, .account = account};
    char id[UUID_TEXT + 1];
    int rc;

    if (uuid_none(account)) {
        *ret = ATG_STR("the matcher");
        return ATG_OK;
    }
    rc = store_read(c->s, read_name, &w, err);
    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    uuid_text(account, id);
    *ret = rc ? atg_arena_str(arena, atg_str_of(id)) : w.name;
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory");
}
