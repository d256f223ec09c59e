/* SPDX-License-Identifier: Apache-2.0 */
/* Letting in over the network, and one's own password and second factor. */
#include "cli/remote.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "cli/input.h"
#include "cli/login.h"
#include "cli/secret.h"
#include "server/tls.h"

enum { CODE_DIGITS = 6, PEM_MAX = 1 << 20 };

static void put(json *j, const char *key, atg_str text) {
    json_key(j, key);
    json_str(j, text);
}

/* What the answer to a login or a renewal gives. */
static int take_token(store_session *s, const json_t *got, atg_err *err) {
    const char *token = json_string_value(json_object_get(got, "token"));
    const char *device = json_string_value(json_object_get(got, "device"));

    if (!token || strlen(token) != ACCOUNT_TOKEN)
        return remote_strange(s, err);
    memcpy(s->r->token, token, ACCOUNT_TOKEN + 1);
    /* without it the next login is one from an unknown place: no harm */
    if (device)
        (void)kept_device_write(&s->r->place, atg_str_of(device), NULL);
    return ATG_OK;
}

static int keep(store_session *s, atg_err *err) {
    kept_session k = {.name = s->who.name, .got_s = (int64_t)time(NULL)};
    int rc;

    memcpy(k.token, s->r->token, sizeof(k.token));
    rc = kept_session_write(&s->r->place, &k, err);
    bytes_wipe(&k, sizeof(k));
    s->r->kept = rc == ATG_OK;
    return rc;
}

/* ---- asking for the password ---- */

static int write_login(store_session *s, const login_request *r, const atg_str *new_password,
                       atg_buf **ret, atg_err *err) {
    atg_str device = kept_device(&s->r->place, s->arena);
    json j;
    atg_buf *body = remote_body(&j);

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory logging in");
    put(&j, "name", r->name);
    put(&j, "password", r->password);
    if (new_password)
        put(&j, "new_password", *new_password);
    if (r->code.n)
        put(&j, "code", r->code);
    if (device.n)
        put(&j, "device", device);
    json_end(&j, '}');
    *ret = body;
    return ATG_OK;
}

/* The same words as of a login on the machine of the store: too many tries are no fault of what
 * was typed. */
static int refused(const store_session *s, int rc, login_status *ret, atg_err *err) {
    if (rc && remote_was(s, "code-required"))
        *ret = LOGIN_CODE;
    else if (rc && remote_was(s, "password-change-required"))
        *ret = LOGIN_CHANGE;
    else if (rc && remote_was(s, "rate") && err)
        return err->code = ATG_EDENIED;
    else
        return rc;
    return ATG_OK;
}

static int try_login(store_session *s, const login_request *r, login_status *ret, atg_err *err) {
    ATG_AUTO(atg_buf) body = NULL;
    json_auto_t *got = NULL;
    login_status status = LOGIN_DONE;
    int rc = write_login(s, r, NULL, &body, err);

    if (rc)
        return rc;
    rc = remote_json(
        s, &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/session"), .json = body}, &got,
        err);
    rc = refused(s, rc, &status, err);
    if (!rc && status == LOGIN_DONE)
        rc = take_token(s, got, err);
    if (!rc)
        *ret = status;
    return rc;
}

/* Who that is; a code on paper was used up. */
static int look(store_session *s, const login_request *r, atg_err *err) {
    json_auto_t *got = NULL;
    account_info own;
    int rc = remote_json(s, &(remote_ask){.method = "GET", .path = ATG_STR("/api/v1/session")},
                         &got, err);

    if (!rc)
        rc = remote_read_account(s, json_object_get(got, "self"), &own, err);
    if (rc)
        return rc;
    s->who.account = own.id;
    s->who.name = own.name;
    if (r->code.n > CODE_DIGITS)
        login_say_recovery(own.recovery);
    return ATG_OK;
}

static int ask_login(const args *a, store_session *s, const char *name) {
    SECRET_AUTO password = {.n = 0}, code = {.n = 0};
    login_request r = {.name = atg_str_of(name)};
    login_status status = LOGIN_CODE;
    atg_err err = {0};
    int exit_code;

    if (!name)
        return login_nobody(a);
    exit_code = secret_ask("ANTIGONE_PASSWORD_FILE", "Password", &password);
    for (int i = 0; i < 2 && !exit_code && status == LOGIN_CODE; i++) {
        if (i)
            exit_code = secret_ask("ANTIGONE_CODE_FILE", "Code", &code);
        r.password = secret_str(&password);
        r.code = secret_str(&code);
        if (!exit_code && try_login(s, &r, &status, &err))
            return cli_fail(NULL, &err);
    }
    if (exit_code)
        return exit_code;
    if (status == LOGIN_CHANGE)
        return login_refuse_change();
    return look(s, &r, &err) ? cli_fail(NULL, &err) : EXIT_DONE;
}

/* ---- the session that was kept ---- */

static int renew(store_session *s, atg_err *err) {
    json_auto_t *got = NULL;
    int rc = remote_json(
        s, &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/session/renew")}, &got, err);

    if (!rc)
        rc = take_token(s, got, err);
    return rc ? rc : keep(s, err);
}

/* ATG_ENOTFOUND: there is none that counts. */
static int resume(const args *a, store_session *s, atg_err *err) {
    const char *name = login_name(a);
    kept_session k;
    int64_t age;
    int rc = ATG_OK;

    if (!kept_session_read(&s->r->place, s->arena, &k) ||
        (name && !atg_str_eq(k.name, atg_str_of(name))))
        return ATG_ENOTFOUND;
    memcpy(s->r->token, k.token, sizeof(k.token));
    s->r->kept = true;
    s->who.name = k.name;
    age = (int64_t)time(NULL) - k.got_s;
    bytes_wipe(&k, sizeof(k));
    if (age < 0 || age >= KEPT_RENEW_S)
        rc = renew(s, err);
    if (rc && remote_was(s, "no-session")) {
        s->r->token[0] = '\0';
        s->r->kept = false;
        return ATG_ENOTFOUND;
    }
    return rc;
}

int remote_let_in(const args *a, store_session *s) {
    int lock = kept_session_lock(&s->r->place);
    atg_err err = {0};
    int rc = resume(a, s, &err);

    if (lock >= 0)
        (void)close(lock);
    if (rc == ATG_ENOTFOUND)
        return ask_login(a, s, login_name(a));
    return rc ? cli_fail(NULL, &err) : EXIT_DONE;
}

/* The authority that was named for this login is the one of the logins that follow. */
static int keep_authority(const args *a, store_session *s) {
    const char *path = remote_authority_named(a);
    char print[TLS_FINGERPRINT + 1];
    atg_str pem, kept;
    atg_err err = {0};
    int code = path ? input_bytes(s->arena, path, &pem) : EXIT_DONE;

    if (!path || code)
        return code;
    if (tls_fingerprint_of(atg_arena_str(s->arena, pem).p, print, &err) ||
        kept_authority_write(&s->r->place, s->arena, pem, &kept, &err))
        return cli_fail(path, &err);
    if (!cli_has(a, OPT_QUIET))
        (void)fprintf(stderr,
                      "antigone: %s is trusted by this authority from now on; compare its "
                      "fingerprint with what its operator tells:\n%s\n",
                      s->r->place.host, print);
    return EXIT_DONE;
}

int remote_log_in(const args *a, store_session *s, const char *name) {
    int code = ask_login(a, s, name), lock;
    atg_err err = {0};

    if (code)
        return code;
    lock = kept_session_lock(&s->r->place);
    code = keep(s, &err) ? cli_fail(NULL, &err) : EXIT_DONE;
    if (lock >= 0)
        (void)close(lock);
    return code ? code : keep_authority(a, s);
}

/* ---- out ---- */

static int end_session(store_session *s, atg_err *err) {
    int rc = remote_done(
        s,
        &(remote_ask){
            .method = "DELETE", .path = ATG_STR("/api/v1/session"), .again = true, .last = true},
        err);

    s->r->token[0] = '\0';
    return rc && remote_was(s, "no-session") ? ATG_OK : rc;
}

int remote_log_out(store_session *s, atg_err *err) {
    kept_session k;
    int rc = ATG_OK;

    if (kept_session_read(&s->r->place, s->arena, &k)) {
        memcpy(s->r->token, k.token, sizeof(k.token));
        bytes_wipe(&k, sizeof(k));
        rc = end_session(s, err);
    }
    /* a service that is away lets it end by itself */
    kept_session_forget(&s->r->place);
    return rc;
}

void remote_close(store_session *s) {
    if (!s->r)
        return;
    /* a session of this command alone; where the service is away it ends by itself */
    if (s->r->token[0] && !s->r->kept)
        (void)end_session(s, NULL);
    bytes_wipe(s->r->token, sizeof(s->r->token));
    http_close(s->r->h);
}

/* ---- password and second factor ---- */

int remote_password(store_session *s, const login_request *r, atg_str new_password,
                    login_status *ret, atg_err *err) {
    ATG_AUTO(atg_buf) body = NULL;
    login_status status = LOGIN_DONE;
    int rc = write_login(s, r, &new_password, &body, err);

    if (rc)
        return rc;
    rc = remote_done(
        s, &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/password"), .json = body}, err);
    rc = refused(s, rc, &status, err);
    if (!rc)
        *ret = status;
    return rc;
}

int remote_code_new(store_session *s, char ret_uri[CODE_URI], atg_err *err) {
    json_auto_t *got = NULL;
    int rc =
        remote_json(s, &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/code")}, &got, err);
    const char *uri = json_string_value(json_object_get(got, "uri"));

    if (rc)
        return rc;
    if (!uri || strlen(uri) >= CODE_URI)
        return remote_strange(s, err);
    (void)snprintf(ret_uri, CODE_URI, "%s", uri);
    return ATG_OK;
}

int remote_code_confirm(store_session *s, atg_str code,
                        char ret_recovery[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], atg_err *err) {
    json_auto_t *got = NULL;
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);
    const json_t *list;
    int rc;

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a code");
    put(&j, "code", code);
    json_end(&j, '}');
    rc = remote_json(
        s, &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/code/confirm"), .json = body},
        &got, err);
    if (rc)
        return rc;
    list = json_object_get(got, "recovery_codes");
    for (size_t i = 0; i < ACCOUNT_RECOVERY; i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!text || strlen(text) > CODE_RECOVERY)
            return remote_strange(s, err);
        (void)snprintf(ret_recovery[i], CODE_RECOVERY + 1, "%s", text);
    }
    return ATG_OK;
}

/* ---- confirming ---- */

static int has_second_factor(store_session *s, bool *ret, atg_err *err) {
    json_auto_t *got = NULL;
    account_info own;
    int rc = remote_json(s, &(remote_ask){.method = "GET", .path = ATG_STR("/api/v1/session")},
                         &got, err);

    if (!rc)
        rc = remote_read_account(s, json_object_get(got, "self"), &own, err);
    if (!rc)
        *ret = own.code;
    return rc;
}

int remote_confirm(store_session *s, atg_err *err) {
    SECRET_AUTO typed = {.n = 0};
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);
    bool code = false;
    int rc = body ? has_second_factor(s, &code, err)
                  : atg_fail(err, ATG_ENOMEM, "Out of memory for a confirmation");

    if (rc)
        return rc;
    if (code ? secret_ask("ANTIGONE_CODE_FILE", "Code, to confirm that it is you", &typed)
             : secret_ask("ANTIGONE_PASSWORD_FILE", "Password, to confirm that it is you", &typed))
        return atg_fail(err, ATG_EDENIED, "It was not confirmed who you are; nothing was changed");
    put(&j, code ? "code" : "password", secret_str(&typed));
    json_end(&j, '}');
    s->r->confirming = true;
    rc = remote_done(
        s,
        &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/session/confirm"), .json = body},
        err);
    s->r->confirming = false;
    return rc;
}
