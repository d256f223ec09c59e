/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in and out, confirming, and one's own password and second factor. */
#include "server/routes.h"

#include <string.h>

#include "app/cases_json.h"
#include "base/bytes.h"
#include "server/changes.h"
#include "server/service_internal.h"

enum { LIFE_S = 15 * 60 };

static atg_str token_of(const request *q) {
    return (atg_str){q->authorization.p + 7, ACCOUNT_TOKEN};
}

static int write_token(request *q, const session_state *s, char *token, const char *device,
                       atg_err *err) {
    int rc = reply_json(q, MHD_HTTP_CREATED, err);

    known_add(q->s->known, (atg_str){token, ACCOUNT_TOKEN});
    if (!rc) {
        json_object_line(&q->j);
        json_key(&q->j, "token");
        json_text(&q->j, token);
        cases_put_instant(&q->j, "expires", s->expires);
        cases_put_instant(&q->j, "began", s->began);
        cases_put_instant(&q->j, "confirmed_until", s->confirmed);
        if (device) {
            json_key(&q->j, "device");
            json_text(&q->j, device);
        }
        json_end(&q->j, '}');
    }
    bytes_wipe(token, ACCOUNT_TOKEN);
    return rc;
}

/* ---- in ---- */

static int read_login(request *q, login_request *ret, atg_str *ret_device, atg_err *err) {
    bool ours = false;
    int rc = request_text(q, "name", &ret->name, err);

    if (!rc)
        rc = request_text(q, "password", &ret->password, err);
    if (!rc)
        rc = request_text(q, "code", &ret->code, err);
    if (!rc)
        rc = request_text(q, "device", ret_device, err);
    if (!rc && ret_device->n)
        rc = account_device_is(q->s->c, *ret_device, &ours, err);
    if (rc)
        return rc;
    ret->origin = ours ? atg_arena_printf(q->arena, "device:%.*s", ATG_FMT(*ret_device))
                       : atg_arena_printf(q->arena, "address:%s", q->address);
    if (!ours)
        *ret_device = (atg_str){NULL, 0};
    return ret->origin.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory logging in");
}

static int not_in(request *q, int rc, problem_kind kind, const atg_err *err) {
    if (rc == ATG_EDENIED)
        q->problem = strstr(err->msg, "Too many") ? PROBLEM_RATE : kind;
    if (q->problem == PROBLEM_RATE)
        q->wait_s = 30;
    return rc;
}

static int log_in(request *q, atg_err *err) {
    char token[ACCOUNT_TOKEN + 1], device[ACCOUNT_DEVICE + 1];
    login_request r = {.name = {NULL, 0}};
    atg_str known = {NULL, 0};
    session_state state;
    login in;
    int rc = request_members(q, "!name !password code device", err);

    if (!rc)
        rc = read_login(q, &r, &known, err);
    if (rc)
        return rc;
    rc = account_login(q->s->c, q->arena, &r, &in, err);
    if (rc)
        return not_in(q, rc, PROBLEM_LOGIN, err);
    if (in.status == LOGIN_CODE)
        return request_refuse(q, PROBLEM_CODE, err, "Send the code of the telephone as 'code' too");
    if (in.status == LOGIN_CHANGE)
        return request_refuse(q, PROBLEM_PASSWORD, err,
                              "This password was set by somebody else: POST /api/v1/password sets "
                              "one's own");
    q->who = in.who;
    if (!known.n)
        rc = account_device(q->s->c, &in.who, device, err);
    if (!rc)
        rc = account_session_short(q->s->c, &in.who, LIFE_S, token, &state, err);
    return rc ? rc : write_token(q, &state, token, known.n ? NULL : device, err);
}

static int renew(request *q, atg_err *err) {
    char token[ACCOUNT_TOKEN + 1];
    session_state state;
    int rc = account_session_renew(q->s->c, token_of(q), LIFE_S, token, &state, err);

    if (rc == ATG_EDENIED)
        q->problem = PROBLEM_NO_SESSION;
    return rc ? rc : write_token(q, &state, token, NULL, err);
}

static int confirm(request *q, atg_err *err) {
    confirm_request r = {.token = token_of(q)};
    int64_t until;
    int rc = request_members(q, "code password", err);

    if (!rc)
        rc = request_text(q, "code", &r.code, err);
    if (!rc)
        rc = request_text(q, "password", &r.password, err);
    if (rc)
        return rc;
    r.origin = atg_arena_printf(q->arena, "session:%s", q->address);
    rc = account_confirm(q->s->c, &r, &until, err);
    if (rc)
        return not_in(q, rc, PROBLEM_CONFIRM, err);
    rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_instant(&q->j, "confirmed_until", until);
    json_end(&q->j, '}');
    return ATG_OK;
}

/* ---- who one is ---- */

static void write_quotas(json *j, const quota_state *quotas) {
    json_key(j, "quotas");
    json_object_line(j);
    for (int k = 0; k < QUOTAS; k++) {
        json_key(j, quota_names[k]);
        json_object_line(j);
        json_key(j, "left");
        json_int(j, quotas->left[k]);
        json_key(j, "most");
        json_int(j, quotas->most[k]);
        json_end(j, '}');
    }
    json_end(j, '}');
}

static int show(request *q, atg_err *err) {
    account_info own;
    quota_state quotas;
    int rc = account_find(q->s->c, &q->who, q->arena, q->who.name, &own, err);

    if (!rc)
        rc = account_quotas(q->s->c, &q->who, &quotas, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "self");
    account_write_info(&q->j, &own);
    cases_put_instant(&q->j, "confirmed_until", q->fresh);
    write_quotas(&q->j, &quotas);
    json_end(&q->j, '}');
    return ATG_OK;
}

static int list(request *q, atg_err *err) {
    session_info *all;
    uint32_t n;
    int rc = account_sessions(q->s->c, q->arena, &q->who, token_of(q), &all, &n, err);

    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "sessions");
    json_begin_array(&q->j);
    for (uint32_t i = 0; i < n; i++) {
        json_object_line(&q->j);
        cases_put_text(&q->j, "id", atg_str_of(all[i].name));
        cases_put_instant(&q->j, "began", all[i].began);
        cases_put_instant(&q->j, "used", all[i].used);
        cases_put_instant(&q->j, "expires", all[i].expires);
        json_key(&q->j, "current");
        json_bool(&q->j, all[i].current);
        json_end(&q->j, '}');
    }
    json_end(&q->j, ']');
    json_end(&q->j, '}');
    return ATG_OK;
}

/* ---- out ---- */

static int log_out(request *q, atg_err *err) {
    int rc = account_logout(q->s->c, token_of(q), err);

    return rc ? rc : reply_empty(q);
}

/* Whoever took a token ends no sessions of its owner. */
static int end_one(request *q, atg_err *err) {
    int rc = changes_confirmed(q, err);

    if (!rc)
        rc = account_logout_one(q->s->c, &q->who, request_word(q, "session"), err);
    return rc ? rc : reply_empty(q);
}

static int log_out_everywhere(request *q, atg_err *err) {
    int rc = account_logout_all(q->s->c, &q->who, &q->who.account, err);

    return rc ? rc : reply_empty(q);
}

/* ---- password and second factor ---- */

static int set_password(request *q, atg_err *err) {
    login_request r = {.name = {NULL, 0}};
    login_status status;
    atg_str known = {NULL, 0}, fresh = {NULL, 0};
    int rc = request_members(q, "!name !password !new_password code device", err);

    if (!rc)
        rc = read_login(q, &r, &known, err);
    if (!rc)
        rc = request_text(q, "new_password", &fresh, err);
    if (rc)
        return rc;
    rc = account_password(q->s->c, &r, fresh, &status, err);
    if (rc == ATG_EDENIED && !strstr(err->msg, "not right") && !strstr(err->msg, "Too many"))
        return request_refuse(q, PROBLEM_CONTENT, err, "%s",
                              atg_arena_str(q->arena, atg_str_of(err->msg)).p);
    if (rc)
        return not_in(q, rc, PROBLEM_LOGIN, err);
    if (status == LOGIN_CODE)
        return request_refuse(q, PROBLEM_CODE, err, "Send the code of the telephone as 'code' too");
    return reply_empty(q);
}

static int begin_code(request *q, atg_err *err) {
    char uri[CODE_URI];
    int rc = changes_confirmed(q, err);

    if (rc)
        return rc;
    rc = account_code_new(q->s->c, &q->who, uri, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_CREATED, err);
    if (!rc) {
        json_object_line(&q->j);
        json_key(&q->j, "uri");
        json_text(&q->j, uri);
        json_end(&q->j, '}');
    }
    bytes_wipe(uri, sizeof(uri));
    return rc;
}

static int confirm_code(request *q, atg_err *err) {
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    atg_str code = {NULL, 0};
    int rc = request_members(q, "!code", err);

    if (!rc)
        rc = request_text(q, "code", &code, err);
    if (!rc)
        rc = account_code_confirm(q->s->c, &q->who, code, paper, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_CREATED, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    json_key(&q->j, "recovery_codes");
    json_array_line(&q->j);
    for (int i = 0; i < ACCOUNT_RECOVERY; i++)
        json_text(&q->j, paper[i]);
    json_end(&q->j, ']');
    json_end(&q->j, '}');
    bytes_wipe(paper, sizeof(paper));
    return ATG_OK;
}

const route routes_session[] = {
    {.method = "POST",
     .path = "/api/v1/session",
     .flags = ROUTE_PUBLIC | ROUTE_HASH,
     .body = BODY_SMALL,
     .run = log_in,
     .tag = "session",
     .summary = "Log in: a token for 15 minutes, to be renewed",
     .takes = "Login",
     .gives = "Token",
     .status = 201},
    {.method = "GET",
     .path = "/api/v1/session",
     .run = show,
     .tag = "session",
     .summary = "Who one is, with which roles, and what is left of the quotas",
     .gives = "Self",
     .status = 200},
    {.method = "DELETE",
     .path = "/api/v1/session",
     .run = log_out,
     .tag = "session",
     .summary = "Log out",
     .status = 204},
    {.method = "POST",
     .path = "/api/v1/session/renew",
     .run = renew,
     .tag = "session",
     .summary = "Another token in place of this one, at most 12 hours from the login on",
     .gives = "Token",
     .status = 201},
    {.method = "POST",
     .path = "/api/v1/session/confirm",
     .flags = ROUTE_HASH,
     .body = BODY_SMALL,
     .run = confirm,
     .tag = "session",
     .summary = "Confirm with a code, or without a second factor the password, before signing",
     .takes = "Confirm",
     .gives = "Confirmed",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/sessions",
     .run = list,
     .tag = "session",
     .summary = "One's own sessions",
     .gives = "Sessions",
     .status = 200},
    {.method = "DELETE",
     .path = "/api/v1/sessions",
     .run = log_out_everywhere,
     .tag = "session",
     .summary = "Log out everywhere",
     .status = 204},
    {.method = "DELETE",
     .path = "/api/v1/sessions/{session}",
     .run = end_one,
     .tag = "session",
     .summary = "End one of one's own sessions, after confirming",
     .status = 204},
    {.method = "POST",
     .path = "/api/v1/password",
     .flags = ROUTE_PUBLIC | ROUTE_HASH,
     .body = BODY_SMALL,
     .run = set_password,
     .tag = "session",
     .summary = "Set one's own password; ends all sessions",
     .takes = "NewPassword",
     .status = 204},
    {.method = "POST",
     .path = "/api/v1/code",
     .run = begin_code,
     .tag = "session",
     .summary = "Begin a second factor, after confirming: what the telephone reads",
     .gives = "CodeUri",
     .status = 201},
    {.method = "POST",
     .path = "/api/v1/code/confirm",
     .body = BODY_SMALL,
     .run = confirm_code,
     .tag = "session",
     .summary = "Confirm the second factor with its first code; gives the codes for paper, once",
     .takes = "Code",
     .gives = "RecoveryCodes",
     .status = 201},
    {.method = NULL},
};
