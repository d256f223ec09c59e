/* SPDX-License-Identifier: Apache-2.0 */
/* The store of this machine. */
#include "cli/backend.h"

#include <antigone/formats.h>

#include "app/csv_export.h"
#include "base/bytes.h"
#include "cli/backend_faces.h"
#include "cli/login.h"

const char *const backend_dna_formats[] = {"json", "fam", "csv", NULL};

/* ---- letting in ---- */

static int let_in(const args *a, store_session *s) {
    return login_actor(a, s->c, s->arena, &s->who);
}

static int log_in(const args *a, store_session *s, const char *name) {
    char token[ACCOUNT_TOKEN + 1];
    atg_err err = {0};
    int code = login_anew(a, s->c, s->arena, name, &s->who);

    if (code)
        return code;
    if (account_session_new(s->c, &s->who, token, &err))
        return cli_fail(NULL, &err);
    code = login_keep(s->c, token);
    bytes_wipe(token, sizeof(token));
    return code;
}

static int log_out(store_session *s, atg_err *err) {
    char token[ACCOUNT_TOKEN + 1];
    int rc = ATG_OK;

    if (login_token(s->c, token, sizeof(token)))
        rc = account_logout(s->c, atg_str_of(token), err);
    if (!rc)
        login_forget(s->c);
    return rc;
}

static void close_store(store_session *s) {
    cases_close(s->c);
}

static int password(store_session *s, const login_request *r, atg_str new_password,
                    login_status *ret, atg_err *err) {
    return account_password(s->c, r, new_password, ret, err);
}

static int code_new(store_session *s, char ret_uri[CODE_URI], atg_err *err) {
    return account_code_new(s->c, &s->who, ret_uri, err);
}

static int code_confirm(store_session *s, atg_str code,
                        char ret_recovery[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], atg_err *err) {
    return account_code_confirm(s->c, &s->who, code, ret_recovery, err);
}

/* ---- files ---- */

static int find(store_session *s, atg_str code_or_id, file_row *ret, atg_err *err) {
    return cases_find(s->c, s->arena, code_or_id, ret, err);
}

static int operations(store_session *s, bool titles, file_page *ret, atg_err *err) {
    file_page page = {0};
    int rc = cases_operations(s->c, &s->who, s->arena, &page.rows, &page.n, err);

    page.titles = ATG_GET(s->arena, atg_str, (size_t)page.n + 1);
    if (!rc && !page.titles)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < page.n && titles && !rc; i++) {
        seen o;

        rc = cases_get(s->c, &s->who, s->arena, RECORD_OPERATION, &page.rows[i].id, &o, err);
        if (!rc)
            page.titles[i] = o.r->fields[OPERATION_NAME].text;
    }
    if (!rc)
        *ret = page;
    return rc;
}

static int list(store_session *s, const files_query *q, file_page *ret, atg_err *err) {
    return cases_list(s->c, &s->who, s->arena, q, ret, err);
}

static int search(store_session *s, search_query *q, file_page *ret, atg_err *err) {
    return cases_search(s->c, &s->who, s->arena, q, ret, err);
}

static int file(store_session *s, const file_row *of, seen **ret, uint32_t *ret_n, atg_err *err) {
    return cases_file(s->c, &s->who, s->arena, &of->id, ret, ret_n, err);
}

static int history(store_session *s, const file_row *of, history_shown *ret, atg_err *err) {
    history_shown h = {0};
    int rc = cases_history(s->c, &s->who, s->arena, &of->id, &h.entries, &h.n, err);

    if (rc)
        return rc;
    h.names = ATG_GET(s->arena, atg_str, (size_t)h.n + 1);
    if (!h.names)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a history");
    for (uint32_t i = 0; i < h.n && !rc; i++)
        rc = cases_account(s->c, s->arena, &h.entries[i].e.account, &h.names[i], err);
    if (!rc)
        *ret = h;
    return rc;
}

/* ---- records ---- */

static int get(store_session *s, record_kind kind, const uuid *id, seen *ret, atg_err *err) {
    return cases_get(s->c, &s->who, s->arena, kind, id, ret, err);
}

static int apply(store_session *s, change *ch, atg_err *err) {
    return cases_change(s->c, &s->who, s->arena, ch, err);
}

static int picture_put(store_session *s, record *r, uint32_t field, atg_str bytes, atg_err *err) {
    return pictures_put(s->c, &s->who, r, field, bytes, &r->fields[field], err);
}

static int picture_get(store_session *s, const picture_wish *wish, stream_sink to, atg_err *err) {
    return pictures_get(s->c, &s->who, wish, to, err);
}

/* ---- in an operation ---- */

static int leads(store_session *s, const leads_query *q, lead **ret, uint32_t *ret_n,
                 atg_err *err) {
    return cases_leads(s->c, &s->who, s->arena, q, ret, ret_n, err);
}

static int find_duplicates(store_session *s, uint32_t limit, duplicates *ret, atg_err *err) {
    return cases_duplicates(s->c, &s->who, s->arena, &s->operation.id, limit, ret, err);
}

static int merge(store_session *s, const file_row *into, const file_row *from, atg_err *err) {
    return cases_merge(s->c, &s->who, &into->id, &from->id, err);
}

static int unmerge(store_session *s, const file_row *from, atg_err *err) {
    return cases_unmerge(s->c, &s->who, &from->id, err);
}

static int import_table(store_session *s, atg_str bytes, const csv_options *o, csv_done *ret,
                        atg_err *err) {
    return cases_import_csv(s->c, &s->who, s->arena, bytes, o, ret, err);
}

static int import_dna(store_session *s, const atg_operation *op, const save_options *o,
                      const atg_progress *progress, saved *ret, atg_err *err) {
    return operation_save(s->c, &s->who, op, o, progress, ret, err);
}

static int export_table(store_session *s, record_kind kind, atg_buf *to, atg_err *err) {
    uint32_t n;

    return cases_export_csv(s->c, &s->who, &s->operation.id, kind, to, &n, err);
}

static int export_dna(store_session *s, const char *recipient, int format, atg_buf *to,
                      atg_err *err) {
    int (*const write[])(const atg_operation *, const char *, atg_buf *, atg_err *) = {
        atg_operation_write_json, atg_familias_write, atg_table_write};
    atg_operation op;
    int rc = cases_export_dna(s->c, &s->who, s->arena, &s->operation.id, recipient, &op, err);

    return rc ? rc : write[format](&op, recipient, to, err);
}

static int erase(store_session *s, const uuid *person, atg_err *err) {
    return cases_erase(s->c, &s->who, person, err);
}

static int erase_due(store_session *s, uint32_t *ret_n, atg_err *err) {
    return cases_erase_due(s->c, &s->who, &s->operation.id, ret_n, err);
}

/* ---- accounts ---- */

static int user_list(store_session *s, account_info **ret, uint32_t *ret_n, atg_err *err) {
    return account_list(s->c, &s->who, s->arena, ret, ret_n, err);
}

static int user_add(store_session *s, atg_str agency, atg_str name,
                    char ret_password[ACCOUNT_ONCE + 1], atg_err *err) {
    uuid id;

    return account_add(s->c, &s->who, agency, name, ret_password, &id, err);
}

static int user_reset(store_session *s, atg_str name, bool lost_code,
                      char ret_password[ACCOUNT_ONCE + 1], atg_err *err) {
    account_info of;
    int rc = account_find(s->c, &s->who, s->arena, name, &of, err);

    return rc ? rc : account_reset(s->c, &s->who, &of.id, lost_code, ret_password, err);
}

static int user_block(store_session *s, atg_str name, bool on, atg_err *err) {
    account_info of;
    int rc = account_find(s->c, &s->who, s->arena, name, &of, err);

    return rc ? rc : account_block(s->c, &s->who, &of.id, on, err);
}

static int user_grant(store_session *s, atg_str name, const uuid *operation, role r, bool on,
                      atg_err *err) {
    static const uuid everywhere;
    account_info of;
    int rc = account_find(s->c, &s->who, s->arena, name, &of, err);

    return rc ? rc
              : account_grant(s->c, &s->who, &of.id, operation ? operation : &everywhere, r, on,
                              err);
}

/* ---- the history of the store ---- */

static int verify(store_session *s, const verify_wish *w, audit_report *ret, atg_err *err) {
    return upkeep_verify(s->c, &s->who, w, ret, err);
}

static int sign_checkpoint(store_session *s, const char *witness, char ret[CHECKPOINT_MAX],
                           atg_err *err) {
    checkpoint note = {0};
    int rc = upkeep_checkpoint(s->c, &s->who, witness, &note, err);

    if (!rc)
        (void)checkpoint_text(&note, ret);
    return rc;
}

static int key(store_session *s, char ret[UPKEEP_KEY + 1], atg_err *err) {
    return upkeep_key(s->c, ret, err);
}

static int export_history(store_session *s, const char *path, const atg_progress *progress,
                          atg_err *err) {
    return upkeep_export_history(s->c, &s->who, path, progress, err);
}

/* ---- sites ---- */

static int site_card(store_session *s, char ret_card[SITECARD_MAX],
                     char ret_fingerprint[SITECARD_FINGERPRINT + 1], atg_err *err) {
    sitecard own;
    int rc = sites_card(s->c, ret_card, err);

    if (!rc)
        rc = sites_own(s->c, &own, err);
    if (!rc)
        sitecard_fingerprint(&own, ret_fingerprint);
    return rc;
}

static int site_add(store_session *s, const new_site *n, atg_err *err) {
    return sites_add(s->c, &s->who, n, err);
}

static int site_remove(store_session *s, atg_str name, atg_err *err) {
    return sites_remove(s->c, &s->who, name, err);
}

static int site_join(store_session *s, atg_str name, bool on, atg_err *err) {
    return sites_join(s->c, &s->who, name, &s->operation.id, on, err);
}

static int site_list(store_session *s, site_shown **ret, uint32_t *ret_n, atg_err *err) {
    peer_row *rows;
    uint32_t n;
    int rc = sites_list(s->c, s->arena, &rows, &n, err);
    site_shown *shown = rc ? NULL : ATG_GET(s->arena, site_shown, (size_t)n + 1);

    if (rc)
        return rc;
    for (uint32_t i = 0; i < n && shown; i++) {
        char print[SITECARD_FINGERPRINT + 1];
        atg_str kept;

        sites_fingerprint(&rows[i], print);
        kept = atg_arena_str(s->arena, atg_str_of(print));
        if (!kept.p)
            shown = NULL;
        else
            shown[i] = (site_shown){rows[i].name, rows[i].site, rows[i].kind, rows[i].agency, kept};
    }
    if (!shown)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    *ret = shown;
    *ret_n = n;
    return ATG_OK;
}

static int conflicts(store_session *s, const conflicts_wish *w, conflict_shown **ret,
                     uint32_t *ret_n, atg_err *err) {
    return conflicts_show(s->c, &s->who, s->arena, w, ret, ret_n, err);
}

static int decide(store_session *s, const conflict_shown *c, uint64_t theirs, atg_err *err) {
    return conflicts_decide(s->c, &s->who, &c->row.id, theirs, c->ours->rev, err);
}

const backend backend_local = {
    .let_in = let_in,
    .log_in = log_in,
    .log_out = log_out,
    .close = close_store,
    .password = password,
    .code_new = code_new,
    .code_confirm = code_confirm,
    .find = find,
    .operations = operations,
    .list = list,
    .search = search,
    .file = file,
    .history = history,
    .get = get,
    .change = apply,
    .picture_put = picture_put,
    .picture_get = picture_get,
    .leads = leads,
    .duplicates = find_duplicates,
    .merge = merge,
    .unmerge = unmerge,
    .import_table = import_table,
    .import_dna = import_dna,
    .export_table = export_table,
    .export_dna = export_dna,
    .erase = erase,
    .erase_due = erase_due,
    .faces_read = backend_faces_read,
    .face_search = backend_face_search,
    .face_leads = backend_face_leads,
    .face_fit = backend_face_fit,
    .face_report = backend_face_report,
    .user_list = user_list,
    .user_add = user_add,
    .user_reset = user_reset,
    .user_block = user_block,
    .user_grant = user_grant,
    .verify = verify,
    .checkpoint = sign_checkpoint,
    .key = key,
    .export_history = export_history,
    .site_card = site_card,
    .site_add = site_add,
    .site_remove = site_remove,
    .site_join = site_join,
    .site_list = site_list,
    .conflicts = conflicts,
    .decide = decide,
};
