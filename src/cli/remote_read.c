/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the service as what the use cases give. */
#include "cli/remote.h"

#include <string.h>

#include "app/cases_json.h"
#include "base/instant.h"
#include "base/mem.h"

int remote_strange(const store_session *s, atg_err *err) {
    return atg_fail(err, ATG_EIO,
                    "What %s answers cannot be understood: is its version that of this program",
                    s->r->place.host);
}

/* ---- members ---- */

static atg_str borrowed(const json_t *from, const char *key) {
    const json_t *v = json_object_get(from, key);

    return json_is_string(v) ? (atg_str){json_string_value(v), json_string_length(v)}
                             : (atg_str){NULL, 0};
}

atg_str remote_text(store_session *s, const json_t *from, const char *key) {
    atg_str text = borrowed(from, key);

    return text.p ? atg_arena_str(s->arena, text) : text;
}

int64_t remote_number(const json_t *from, const char *key) {
    return json_integer_value(json_object_get(from, key));
}

bool remote_true(const json_t *from, const char *key) {
    return json_is_true(json_object_get(from, key));
}

uuid remote_uuid(const json_t *from, const char *key) {
    uuid id = {{0}};

    return uuid_read(borrowed(from, key), &id) ? id : (uuid){{0}};
}

static int64_t instant_of(const json_t *from, const char *key) {
    int64_t at = 0;

    return instant_read(borrowed(from, key), &at) ? at : 0;
}

/* A word of a list; 0 where there is none to be. */
static bool word_of(const json_t *from, const char *key, const char *const *words, uint32_t *ret) {
    atg_str text = borrowed(from, key);
    int at = text.n ? record_word(words, text) : 0;

    if (at < 0)
        return false;
    *ret = (uint32_t)at;
    return true;
}

/* ---- files ---- */

int remote_read_row(store_session *s, const json_t *from, file_row *ret, atg_err *err) {
    file_row f = {.sex = -1};
    atg_str sex = borrowed(from, "sex");
    int kind = record_kind_of(borrowed(from, "kind"));

    if (kind < 0 || !word_of(from, "state", record_types[kind].states, &f.state))
        return remote_strange(s, err);
    f.kind = (record_kind)kind;
    f.id = remote_uuid(from, "id");
    f.operation = remote_uuid(from, "operation");
    f.code = remote_text(s, from, "code");
    f.changed = instant_of(from, "changed");
    f.withdrawn = remote_true(from, "withdrawn");
    if (sex.n)
        f.sex = record_word(record_field(RECORD_MISSING, MISSING_SEX)->choices, sex);
    if (uuid_none(&f.id) || !f.code.n)
        return remote_strange(s, err);
    *ret = f;
    return ATG_OK;
}

int remote_read_files(store_session *s, const json_t *from, file_page *ret, atg_err *err) {
    const json_t *files = json_object_get(from, "files");
    file_page page = {.n = (uint32_t)json_array_size(files), .more = remote_true(from, "more")};
    int rc = json_is_array(files) ? ATG_OK : remote_strange(s, err);

    page.rows = ATG_GET(s->arena, file_row, (size_t)page.n + 1);
    page.titles = ATG_GET(s->arena, atg_str, (size_t)page.n + 1);
    if (!rc && (!page.rows || !page.titles))
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < page.n && !rc; i++) {
        const json_t *row = json_array_get(files, i);

        rc = remote_read_row(s, row, &page.rows[i], err);
        page.titles[i] = remote_text(s, row, "name");
    }
    if (!rc)
        *ret = page;
    return rc;
}

/* ---- records ---- */

static int read_record(store_session *s, const json_t *from, record **ret, atg_err *err) {
    int kind = record_kind_of(borrowed(from, "kind")), rc;
    record *r = kind < 0 ? NULL : record_new(s->arena, (record_kind)kind);

    if (kind < 0)
        return remote_strange(s, err);
    if (!r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a record");
    r->id = remote_uuid(from, "id");
    r->operation = remote_uuid(from, "operation");
    r->file = remote_uuid(from, "file");
    r->code = remote_text(s, from, "code");
    r->rev = remote_number(from, "rev");
    r->created = instant_of(from, "created");
    r->changed = instant_of(from, "changed");
    r->withdrawn = remote_true(from, "withdrawn");
    if (!word_of(from, "state", record_types[kind].states, &r->state) || uuid_none(&r->id))
        return remote_strange(s, err);
    rc = record_read_json(s->arena, json_object_get(from, "fields"), r, err);
    if (rc && rc != ATG_ENOMEM)
        return remote_strange(s, err);
    *ret = r;
    return rc;
}

static uint64_t fields_of(record_kind kind, const json_t *names) {
    uint64_t bits = 0;

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        int f = name ? record_field_of(kind, atg_str_of(name)) : -1;

        bits |= f < 0 ? 0 : UINT64_C(1) << f;
    }
    return bits;
}

int remote_read_seen(store_session *s, const json_t *from, seen *ret, atg_err *err) {
    seen got = {.erased = remote_true(from, "erased")};
    int rc = read_record(s, json_object_get(from, "record"), &got.r, err);

    if (rc)
        return rc;
    got.hidden = fields_of(got.r->kind, json_object_get(from, "hidden"));
    got.wanting = fields_of(got.r->kind, json_object_get(from, "with_reason"));
    *ret = got;
    return ATG_OK;
}

/* ---- history ---- */

/* In its order and without blanks, as cases_history() gives it. */
static int read_detail(store_session *s, const json_t *from, atg_str *ret, atg_err *err) {
    MEM_AUTO char *text = json_dumps(from, JSON_COMPACT | JSON_ENSURE_ASCII);

    if (!text)
        return remote_strange(s, err);
    *ret = atg_arena_str(s->arena, atg_str_of(text));
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a history");
}

static int read_entry(store_session *s, const json_t *from, const json_t *names, audit_entry *ret,
                      atg_str *ret_name, atg_err *err) {
    atg_str account = borrowed(from, "account");
    chain_entry e = {.seq = (uint64_t)remote_number(from, "seq"),
                     .at = instant_of(from, "at"),
                     .account = remote_uuid(from, "account"), /* the matcher's is none */
                     .record = remote_uuid(from, "record"),
                     .rev = (uint64_t)remote_number(from, "rev"),
                     .action = remote_text(s, from, "action"),
                     .kind = remote_text(s, from, "kind")};
    int rc = account.n ? read_detail(s, json_object_get(from, "detail"), &e.detail, err)
                       : remote_strange(s, err);

    if (rc)
        return rc;
    ret->e = e;
    *ret_name = remote_text(s, names, account.p);
    return ATG_OK;
}

int remote_read_history(store_session *s, const json_t *from, history_shown *ret, atg_err *err) {
    const json_t *entries = json_object_get(from, "entries");
    const json_t *names = json_object_get(from, "names");
    history_shown h = {.n = (uint32_t)json_array_size(entries)};
    int rc = json_is_array(entries) ? ATG_OK : remote_strange(s, err);

    h.entries = ATG_GET(s->arena, audit_entry, (size_t)h.n + 1);
    h.names = ATG_GET(s->arena, atg_str, (size_t)h.n + 1);
    if (!rc && (!h.entries || !h.names))
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for a history");
    for (uint32_t i = 0; i < h.n && !rc; i++)
        rc = read_entry(s, json_array_get(entries, i), names, &h.entries[i], &h.names[i], err);
    if (!rc)
        *ret = h;
    return rc;
}

/* ---- accounts ---- */

static uint32_t roles_of(const json_t *words) {
    uint32_t bits = 0;

    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        int r = word ? record_role_of(atg_str_of(word)) : -1;

        bits |= r < 0 ? 0 : 1u << r;
    }
    return bits;
}

int remote_read_account(store_session *s, const json_t *from, account_info *ret, atg_err *err) {
    const json_t *grants = json_object_get(from, "grants");
    account_info of = {.id = remote_uuid(from, "account"),
                       .name = remote_text(s, from, "name"),
                       .agency = remote_text(s, from, "agency"),
                       .blocked = remote_true(from, "blocked"),
                       .once = remote_true(from, "first_password"),
                       .code = remote_true(from, "second_factor"),
                       .recovery = remote_number(from, "recovery_codes"),
                       .created = instant_of(from, "created"),
                       .n_grants = (uint32_t)json_array_size(grants)};

    if (!of.name.n)
        return remote_strange(s, err);
    of.grants = ATG_GET(s->arena, account_roles, (size_t)of.n_grants + 1);
    if (!of.grants)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an account");
    for (uint32_t g = 0; g < of.n_grants; g++) {
        const json_t *grant = json_array_get(grants, g);

        of.grants[g].operation = remote_uuid(grant, "operation");
        of.grants[g].roles = roles_of(json_object_get(grant, "roles"));
    }
    *ret = of;
    return ATG_OK;
}
