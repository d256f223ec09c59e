/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, their roles and quotas: what an administrator does. */
#include "server/routes.h"

#include "app/cases_json.h"
#include "base/bytes.h"
#include "server/changes.h"

static int find(request *q, account_info *ret, atg_err *err) {
    return account_find(request_cases(q), &q->who, q->arena, request_word(q, "name"), ret, err);
}

static int list(request *q, atg_err *err) {
    account_info *all;
    uint32_t n;
    int rc = account_list(request_cases(q), &q->who, q->arena, &all, &n, err);

    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "accounts");
    json_begin_array(&q->j);
    for (uint32_t i = 0; i < n; i++)
        account_write_info(&q->j, &all[i]);
    json_end(&q->j, ']');
    json_end(&q->j, '}');
    return ATG_OK;
}

static int show(request *q, atg_err *err) {
    account_info of;
    int rc = find(q, &of, err);

    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (!rc)
        account_write_info(&q->j, &of);
    return rc;
}

/* A password for the first time is shown once, and nowhere kept. */
static int write_once(request *q, char *password, unsigned status, atg_err *err) {
    int rc = reply_json(q, status, err);

    if (!rc) {
        json_object_line(&q->j);
        json_key(&q->j, "password");
        json_text(&q->j, password);
        json_end(&q->j, '}');
    }
    bytes_wipe(password, ACCOUNT_ONCE + 1);
    return rc;
}

static int add(request *q, atg_err *err) {
    char password[ACCOUNT_ONCE + 1];
    atg_str name = {NULL, 0}, agency = {NULL, 0};
    uuid id;
    int rc = request_members(q, "!name !agency", err);

    if (!rc)
        rc = request_text(q, "name", &name, err);
    if (!rc)
        rc = request_text(q, "agency", &agency, err);
    if (!rc)
        rc = account_add(request_cases(q), &q->who, agency, name, password, &id, err);
    if (rc)
        return rc;
    q->location =
        atg_arena_printf(q->arena, "/api/v1/accounts/%.*s", ATG_FMT(target_encode(q->arena, name)));
    return write_once(q, password, MHD_HTTP_CREATED, err);
}

static int reset(request *q, atg_err *err) {
    char password[ACCOUNT_ONCE + 1];
    bool lost = json_is_true(json_object_get(q->json, "lost_code"));
    account_info of;
    int rc = q->json ? request_members(q, "lost_code", err) : ATG_OK;

    if (!rc)
        rc = changes_confirmed(q, err);
    if (!rc)
        rc = find(q, &of, err);
    if (!rc)
        rc = account_reset(request_cases(q), &q->who, &of.id, lost, password, err);
    return rc ? rc : write_once(q, password, MHD_HTTP_OK, err);
}

static int keep_out(request *q, bool on, atg_err *err) {
    account_info of;
    int rc = find(q, &of, err);

    if (!rc)
        rc = account_block(request_cases(q), &q->who, &of.id, on, err);
    return rc ? rc : reply_empty(q);
}

static int block(request *q, atg_err *err) {
    return keep_out(q, true, err);
}

static int unblock(request *q, atg_err *err) {
    return keep_out(q, false, err);
}

static int end_sessions(request *q, atg_err *err) {
    account_info of;
    int rc = find(q, &of, err);

    if (!rc)
        rc = account_logout_all(request_cases(q), &q->who, &of.id, err);
    return rc ? rc : reply_empty(q);
}

/* ---- roles ---- */

static int grant(request *q, const uuid *account, const uuid *operation, bool on, atg_err *err) {
    const json_t *words = json_object_get(q->json, on ? "grant" : "revoke");

    if (words && !json_is_array(words))
        return atg_fail(err, ATG_EPARSE, "Roles are a list of words");
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        int r = word ? record_role_of(atg_str_of(word)) : -1, rc;

        if (r < 0)
            return atg_fail(err, ATG_EINVAL, "There is no such role");
        rc = account_grant(request_cases(q), &q->who, account, operation, (role)r, on, err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int set_roles(request *q, atg_err *err) {
    account_info of;
    atg_str code = {NULL, 0};
    file_row operation = {.n = 0};
    int rc = request_members(q, "operation grant revoke", err);

    if (!rc)
        rc = changes_confirmed(q, err);
    if (!rc && !json_object_get(q->json, "grant") && !json_object_get(q->json, "revoke"))
        rc = atg_fail(err, ATG_EPARSE, "Name roles to grant or to revoke");
    if (!rc)
        rc = request_text(q, "operation", &code, err);
    if (!rc && code.n)
        rc = cases_find(request_cases(q), q->arena, code, &operation, err);
    if (!rc && code.n && operation.kind != RECORD_OPERATION)
        rc = atg_fail(err, ATG_EINVAL, "That is no operation");
    if (!rc)
        rc = find(q, &of, err);
    if (!rc)
        rc = grant(q, &of.id, &operation.id, true, err);
    if (!rc)
        rc = grant(q, &of.id, &operation.id, false, err);
    return rc ? rc : reply_empty(q);
}

static int set_quota(request *q, atg_err *err) {
    account_info of;
    atg_str word = {NULL, 0};
    const json_t *most = json_object_get(q->json, "most");
    int k = 0, rc = request_members(q, "!kind !most", err);

    if (!rc)
        rc = request_text(q, "kind", &word, err);
    if (!rc && !json_is_integer(most) && !json_is_null(most))
        rc = atg_fail(err, ATG_EPARSE, "'most' is a number, or null for that of all");
    if (!rc)
        rc = find(q, &of, err);
    while (!rc && k < QUOTAS && !atg_str_eq(word, atg_str_of(quota_names[k])))
        k++;
    if (!rc && k == QUOTAS)
        rc = atg_fail(err, ATG_EINVAL, "There is no such quota");
    if (!rc)
        rc = account_quota(request_cases(q), &q->who, &of.id, (quota_kind)k,
                           json_is_null(most) ? -1 : json_integer_value(most), err);
    return rc ? rc : reply_empty(q);
}

#define ADMINISTRATOR (1u << ROLE_ADMINISTRATOR)
#define OVERSEERS (1u << ROLE_ADMINISTRATOR | 1u << ROLE_AUDITOR)

const route routes_accounts[] = {
    {.method = "GET",
     .path = "/api/v1/accounts",
     .run = list,
     .tag = "accounts",
     .summary = "All accounts, their agencies and roles",
     .gives = "Accounts",
     .status = 200,
     .roles = OVERSEERS},
    {.method = "POST",
     .path = "/api/v1/accounts",
     .flags = ROUTE_HASH,
     .body = BODY_SMALL,
     .run = add,
     .tag = "accounts",
     .summary = "Make an account without roles; gives a password for the first time",
     .takes = "NewAccount",
     .gives = "FirstPassword",
     .status = 201,
     .roles = ADMINISTRATOR},
    {.method = "GET",
     .path = "/api/v1/accounts/{name}",
     .run = show,
     .tag = "accounts",
     .summary = "One's own account, or for overseers anybody's",
     .gives = "Account",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/accounts/{name}/reset",
     .flags = ROUTE_HASH,
     .body = BODY_SMALL,
     .run = reset,
     .tag = "accounts",
     .summary = "After confirming: a new password that its owner changes within a day",
     .gives = "FirstPassword",
     .status = 200,
     .roles = ADMINISTRATOR},
    {.method = "POST",
     .path = "/api/v1/accounts/{name}/block",
     .run = block,
     .tag = "accounts",
     .summary = "Keep an account out, and end its sessions",
     .status = 204,
     .roles = ADMINISTRATOR},
    {.method = "POST",
     .path = "/api/v1/accounts/{name}/unblock",
     .run = unblock,
     .tag = "accounts",
     .summary = "Let an account in again",
     .status = 204,
     .roles = ADMINISTRATOR},
    {.method = "DELETE",
     .path = "/api/v1/accounts/{name}/sessions",
     .run = end_sessions,
     .tag = "accounts",
     .summary = "End all sessions of an account",
     .status = 204,
     .roles = ADMINISTRATOR},
    {.method = "POST",
     .path = "/api/v1/accounts/{name}/roles",
     .body = BODY_SMALL,
     .run = set_roles,
     .tag = "accounts",
     .summary = "Grant and revoke roles, in one operation or in all, after confirming",
     .takes = "Roles",
     .status = 204,
     .roles = ADMINISTRATOR},
    {.method = "POST",
     .path = "/api/v1/accounts/{name}/quota",
     .body = BODY_SMALL,
     .run = set_quota,
     .tag = "accounts",
     .summary = "Another limit for an account",
     .takes = "Quota",
     .status = 204,
     .roles = ADMINISTRATOR},
    {.method = NULL},
};
