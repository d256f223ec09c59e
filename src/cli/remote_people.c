/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, the history of the store, other sites and conflicts, over the network. */
#include "cli/remote.h"

#include <stdio.h>
#include <string.h>

#include "app/cases_json.h"
#include "base/file.h"

/* ---- accounts ---- */

static atg_str account_path(store_session *s, atg_str name, const char *rest) {
    return atg_arena_printf(s->arena, "/api/v1/accounts/%.*s%s", ATG_FMT(remote_word(s, name)),
                            rest);
}

int remote_user_list(store_session *s, account_info **ret, uint32_t *ret_n, atg_err *err) {
    json_auto_t *got = NULL;
    const json_t *list;
    account_info *all;
    uint32_t n;
    int rc = remote_json(s, &(remote_ask){.method = "GET", .path = ATG_STR("/api/v1/accounts")},
                         &got, err);

    if (rc)
        return rc;
    list = json_object_get(got, "accounts");
    n = (uint32_t)json_array_size(list);
    all = ATG_GET(s->arena, account_info, (size_t)n + 1);
    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = remote_read_account(s, json_array_get(list, i), &all[i], err);
    if (rc)
        return rc;
    *ret = all;
    *ret_n = n;
    return ATG_OK;
}

/* A password for the first time. */
static int ask_once(store_session *s, const remote_ask *q, char ret_password[ACCOUNT_ONCE + 1],
                    atg_err *err) {
    json_auto_t *got = NULL;
    int rc = remote_json(s, q, &got, err);
    const char *password = json_string_value(json_object_get(got, "password"));

    if (rc)
        return rc;
    if (!password || strlen(password) > ACCOUNT_ONCE)
        return remote_strange(s, err);
    (void)snprintf(ret_password, ACCOUNT_ONCE + 1, "%s", password);
    return ATG_OK;
}

int remote_user_add(store_session *s, atg_str agency, atg_str name,
                    char ret_password[ACCOUNT_ONCE + 1], atg_err *err) {
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an account");
    cases_put_text(&j, "name", name);
    cases_put_text(&j, "agency", agency);
    json_end(&j, '}');
    return ask_once(
        s, &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/accounts"), .json = body},
        ret_password, err);
}

int remote_user_reset(store_session *s, atg_str name, bool lost_code,
                      char ret_password[ACCOUNT_ONCE + 1], atg_err *err) {
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an account");
    json_key(&j, "lost_code");
    json_bool(&j, lost_code);
    json_end(&j, '}');
    return ask_once(
        s, &(remote_ask){.method = "POST", .path = account_path(s, name, "/reset"), .json = body},
        ret_password, err);
}

int remote_user_block(store_session *s, atg_str name, bool on, atg_err *err) {
    return remote_done(s,
                       &(remote_ask){.method = "POST",
                                     .path = account_path(s, name, on ? "/block" : "/unblock"),
                                     .again = true},
                       err);
}

int remote_user_grant(store_session *s, atg_str name, const uuid *operation, role r, bool on,
                      atg_err *err) {
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an account");
    if (operation)
        cases_put_id(&j, "operation", operation);
    json_key(&j, on ? "grant" : "revoke");
    json_begin_array(&j);
    json_text(&j, role_names[r]);
    json_end(&j, ']');
    json_end(&j, '}');
    return remote_done(
        s,
        &(remote_ask){
            .method = "POST", .path = account_path(s, name, "/roles"), .json = body, .again = true},
        err);
}

/* ---- the history of the store ---- */

int remote_verify(store_session *s, const verify_wish *w, audit_report *ret, atg_err *err) {
    json_auto_t *got = NULL;
    int rc = w->n_witnesses
                 ? atg_fail(err, ATG_EINVAL,
                            "Witnesses are compared on the machine of the store only, or with a "
                            "history that was written out there: 'antigone audit verify --offline'")
                 : remote_job(s,
                              &(remote_ask){.method = "POST",
                                            .path = ATG_STR("/api/v1/audit/verify"),
                                            .again = true},
                              &got, err);

    if (rc)
        return rc;
    *ret = (audit_report){.entries = (uint64_t)remote_number(got, "entries"),
                          .files = (uint64_t)remote_number(got, "files"),
                          .leaves = (uint64_t)remote_number(got, "leaves"),
                          .checkpoints = (uint64_t)remote_number(got, "checkpoints"),
                          .records = (uint64_t)remote_number(got, "records"),
                          .waiting = (uint64_t)remote_number(got, "waiting"),
                          .seconds = json_number_value(json_object_get(got, "seconds"))};
    return ATG_OK;
}

/* The witness is one of this machine: somebody else's than the service's, which is what it is
 * for. */
int remote_checkpoint(store_session *s, const char *witness, char ret[CHECKPOINT_MAX],
                      atg_err *err) {
    atg_str note;
    int rc = remote_bytes(
        s,
        &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/audit/checkpoint"), .again = true},
        &note, err);

    if (!rc && note.n >= CHECKPOINT_MAX)
        rc = remote_strange(s, err);
    if (!rc && witness)
        rc = upkeep_witness(witness, note, err);
    if (!rc)
        (void)snprintf(ret, CHECKPOINT_MAX, "%.*s", ATG_FMT(note));
    return rc;
}

int remote_key(store_session *s, char ret[UPKEEP_KEY + 1], atg_err *err) {
    json_auto_t *got = NULL;
    int rc = remote_json(s, &(remote_ask){.method = "GET", .path = ATG_STR("/api/v1/audit/key")},
                         &got, err);
    const char *key = json_string_value(json_object_get(got, "key"));

    if (rc)
        return rc;
    if (!key || strlen(key) != UPKEEP_KEY)
        return remote_strange(s, err);
    memcpy(ret, key, UPKEEP_KEY + 1);
    return ATG_OK;
}

/* Piece by piece, since it may be longer than memory. */
int remote_export_history(store_session *s, const char *path, const atg_progress *progress,
                          atg_err *err) {
    file_new f;
    http_sink to = {file_new_add, &f};
    int rc = file_new_begin(path, &f, err);

    (void)progress; /* the connection shows what comes */
    if (rc)
        return rc;
    rc = remote_done(
        s, &(remote_ask){.method = "GET", .path = ATG_STR("/api/v1/audit/export"), .to = &to}, err);
    return file_new_end(&f, rc, err);
}

/* ---- sites ---- */

int remote_site_card(store_session *s, char ret_card[SITECARD_MAX],
                     char ret_fingerprint[SITECARD_FINGERPRINT + 1], atg_err *err) {
    json_auto_t *got = NULL;
    int rc =
        remote_json(s, &(remote_ask){.method = "GET", .path = ATG_STR("/api/v1/site")}, &got, err);
    const char *card = json_string_value(json_object_get(got, "card"));
    const char *print = json_string_value(json_object_get(got, "fingerprint"));

    if (rc)
        return rc;
    if (!card || strlen(card) >= SITECARD_MAX || !print || strlen(print) > SITECARD_FINGERPRINT)
        return remote_strange(s, err);
    (void)snprintf(ret_card, SITECARD_MAX, "%s", card);
    (void)snprintf(ret_fingerprint, SITECARD_FINGERPRINT + 1, "%s", print);
    return ATG_OK;
}

int remote_site_add(store_session *s, const new_site *n, atg_err *err) {
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a site");
    cases_put_text(&j, "name", n->name);
    cases_put_text(&j, "card", n->card);
    cases_put_text(&j, "fingerprint", n->fingerprint);
    cases_put_text(&j, "agency", n->agency);
    cases_put_text(&j, "kind", atg_str_of(site_kinds[n->kind]));
    json_end(&j, '}');
    return remote_done(
        s, &(remote_ask){.method = "POST", .path = ATG_STR("/api/v1/sites"), .json = body}, err);
}

int remote_site_remove(store_session *s, atg_str name, atg_err *err) {
    return remote_done(s,
                       &(remote_ask){.method = "DELETE",
                                     .path = atg_arena_printf(s->arena, "/api/v1/sites/%.*s",
                                                              ATG_FMT(remote_word(s, name)))},
                       err);
}

int remote_site_join(store_session *s, atg_str name, bool on, atg_err *err) {
    return remote_done(
        s,
        &(remote_ask){.method = on ? "PUT" : "DELETE",
                      .path = atg_arena_printf(s->arena, "/api/v1/operations/%s/sites/%.*s",
                                               remote_id(s, &s->operation.id).p,
                                               ATG_FMT(remote_word(s, name))),
                      .again = true},
        err);
}

int remote_site_list(store_session *s, site_shown **ret, uint32_t *ret_n, atg_err *err) {
    json_auto_t *got = NULL;
    const json_t *list;
    site_shown *all;
    size_t n;
    int rc =
        remote_json(s, &(remote_ask){.method = "GET", .path = ATG_STR("/api/v1/sites")}, &got, err);

    if (rc)
        return rc;
    list = json_object_get(got, "sites");
    n = json_array_size(list);
    all = ATG_GET(s->arena, site_shown, n + 1);
    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (size_t i = 0; i < n; i++) {
        const json_t *site = json_array_get(list, i);

        all[i] = (site_shown){remote_text(s, site, "name"), remote_text(s, site, "prefix"),
                              remote_text(s, site, "kind"), remote_text(s, site, "agency"),
                              remote_text(s, site, "fingerprint")};
    }
    *ret = all;
    *ret_n = (uint32_t)n;
    return ATG_OK;
}

/* ---- conflicts ---- */

static int read_field(store_session *s, record_kind kind, const json_t *from, conflict_field *ret,
                      atg_err *err) {
    const char *name = json_string_value(json_object_get(from, "field"));

    if (!name)
        return remote_strange(s, err);
    ret->field = record_field_of(kind, atg_str_of(name));
    if (strcmp(name, "state") == 0 && ret->field < 0)
        ret->field = -1;
    else if (strcmp(name, "withdrawn") == 0 && ret->field < 0)
        ret->field = -2;
    else if (ret->field < 0)
        return remote_strange(s, err);
    ret->hidden = remote_true(from, "hidden");
    ret->ours = remote_text(s, from, "ours");
    ret->theirs = remote_text(s, from, "theirs");
    return ATG_OK;
}

static int read_conflict(store_session *s, const json_t *from, conflict_shown *ret, atg_err *err) {
    const char *word = json_string_value(json_object_get(from, "kind"));
    const json_t *fields = json_object_get(from, "fields");
    int kind = word ? record_kind_of(atg_str_of(word)) : -1, rc = ATG_OK;
    conflict_shown c = {.from = remote_text(s, from, "from"),
                        .n = (uint32_t)json_array_size(fields)};

    if (kind < 0)
        return remote_strange(s, err);
    c.row.id = remote_uuid(from, "id");
    c.row.kind = (record_kind)kind;
    c.ours = record_new(s->arena, (record_kind)kind);
    c.fields = ATG_GET(s->arena, conflict_field, (size_t)c.n + 1);
    if (!c.ours || !c.fields)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a conflict");
    c.ours->id = remote_uuid(from, "record");
    c.ours->code = remote_text(s, from, "code");
    c.ours->rev = remote_number(from, "rev");
    for (uint32_t i = 0; i < c.n && !rc; i++)
        rc = read_field(s, (record_kind)kind, json_array_get(fields, i), &c.fields[i], err);
    if (!rc)
        *ret = c;
    return rc;
}

int remote_conflicts(store_session *s, const conflicts_wish *w, conflict_shown **ret,
                     uint32_t *ret_n, atg_err *err) {
    json_auto_t *got = NULL;
    const json_t *list;
    conflict_shown *all;
    bool first = uuid_none(&w->after);
    atg_str path = atg_arena_printf(s->arena, "/api/v1/operations/%s/conflicts?limit=%u%s%s",
                                    remote_id(s, &w->operation).p, w->limit,
                                    first ? "" : "&after=", first ? "" : remote_id(s, &w->after).p);
    uint32_t n;
    int rc = remote_json(s, &(remote_ask){.method = "GET", .path = path}, &got, err);

    if (rc)
        return rc;
    list = json_object_get(got, "conflicts");
    n = (uint32_t)json_array_size(list);
    all = ATG_GET(s->arena, conflict_shown, (size_t)n + 1);
    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = read_conflict(s, json_array_get(list, i), &all[i], err);
    if (rc)
        return rc;
    *ret = all;
    *ret_n = n;
    return ATG_OK;
}

int remote_decide(store_session *s, const conflict_shown *c, uint64_t theirs, atg_err *err) {
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a decision");
    cases_put_text(&j, "kind", atg_str_of(record_types[c->row.kind].name));
    json_key(&j, "theirs");
    json_begin_array(&j);
    for (uint32_t f = 0; f < record_types[c->row.kind].n_fields; f++)
        if (theirs >> f & 1)
            json_text(&j, record_field(c->row.kind, f)->name);
    json_end(&j, ']');
    json_end(&j, '}');
    return remote_done(
        s,
        &(remote_ask){.method = "POST",
                      .path = atg_arena_printf(s->arena, "/api/v1/conflicts/%s/decision",
                                               remote_id(s, &c->row.id).p),
                      .json = body,
                      .rev = c->ours->rev},
        err);
}
