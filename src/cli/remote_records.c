/* SPDX-License-Identifier: Apache-2.0 */
/* Files and records over the network. */
#include "cli/remote.h"

#include <string.h>

#include "app/cases_json.h"
#include "server/target.h"

/* ---- files ---- */

static int get_json(store_session *s, atg_str path, json_t **ret, atg_err *err) {
    return remote_json(s, &(remote_ask){.method = "GET", .path = path}, ret, err);
}

int remote_find(store_session *s, atg_str code_or_id, file_row *ret, atg_err *err) {
    json_auto_t *got = NULL;
    int rc = code_or_id.n ? get_json(s,
                                     atg_arena_printf(s->arena, "/api/v1/files/%.*s/name",
                                                      ATG_FMT(remote_word(s, code_or_id))),
                                     &got, err)
                          : atg_fail(err, ATG_ENOTFOUND, "There is no such file");

    return rc ? rc : remote_read_row(s, got, ret, err);
}

int remote_operations(store_session *s, bool titles, file_page *ret, atg_err *err) {
    json_auto_t *got = NULL;
    int rc = get_json(s, ATG_STR("/api/v1/operations"), &got, err);

    (void)titles; /* they come along */
    return rc ? rc : remote_read_files(s, got, ret, err);
}

/* "&name=word" behind a path, where there is a word. */
static void add_word(atg_buf *to, const char *name, const char *word) {
    if (word)
        atg_buf_printf(to, "&%s=%s", name, word);
}

static const char *sex_word(int sex) {
    return sex < 0 ? NULL : record_field(RECORD_MISSING, MISSING_SEX)->choices[sex];
}

static int get_files(store_session *s, const atg_buf *path, file_page *ret, atg_err *err) {
    json_auto_t *got = NULL;
    atg_str text;
    int rc = atg_buf_take(path, &text, err);

    if (!rc)
        rc = get_json(s, atg_arena_str(s->arena, text), &got, err);
    return rc ? rc : remote_read_files(s, got, ret, err);
}

int remote_list(store_session *s, const files_query *q, file_page *ret, atg_err *err) {
    static const char *const orders[] = {
        [FILES_BY_CODE] = "code", [FILES_BY_NAME] = "name", [FILES_BY_CHANGE] = "change"};
    ATG_AUTO(atg_buf) path = atg_buf_new(TARGET_MAX);

    if (!path)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    atg_buf_printf(path, "/api/v1/operations/%s/files?kind=%s&limit=%u&order=%s",
                   remote_id(s, &q->operation).p, record_types[q->kind].name, q->limit,
                   orders[q->order]);
    add_word(path, "state", q->state < 0 ? NULL : record_types[q->kind].states[q->state]);
    add_word(path, "sex", sex_word(q->sex));
    add_word(path, "withdrawn", q->withdrawn ? "yes" : NULL);
    add_word(path, "after", uuid_none(&q->after) ? NULL : remote_id(s, &q->after).p);
    return get_files(s, path, ret, err);
}

/* In the body: no proxy on the way writes the words down. */
int remote_search(store_session *s, search_query *q, file_page *ret, atg_err *err) {
    ATG_AUTO(atg_buf) body = atg_buf_new(REMOTE_SMALL);
    json_auto_t *got = NULL;
    json j;
    int rc;

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    j = json_new(body);
    json_object_line(&j);
    cases_put_text(&j, "kind", atg_str_of(record_types[q->kind].name));
    cases_put_text(&j, "q", q->text);
    cases_put_number(&j, "limit", q->limit);
    if (q->state >= 0)
        cases_put_text(&j, "state", atg_str_of(record_types[q->kind].states[q->state]));
    if (q->sex >= 0)
        cases_put_text(&j, "sex", atg_str_of(sex_word(q->sex)));
    json_end(&j, '}');
    rc =
        remote_json(s,
                    &(remote_ask){.method = "POST",
                                  .path = atg_arena_printf(s->arena, "/api/v1/operations/%s/search",
                                                           remote_id(s, &q->operation).p),
                                  .json = body,
                                  .again = true},
                    &got, err);
    return rc ? rc : remote_read_files(s, got, ret, err);
}

int remote_file(store_session *s, const file_row *file, seen **ret, uint32_t *ret_n, atg_err *err) {
    json_auto_t *got = NULL;
    const json_t *records;
    seen *all;
    uint32_t n;
    int rc = get_json(s, atg_arena_printf(s->arena, "/api/v1/files/%s", remote_id(s, &file->id).p),
                      &got, err);

    if (rc)
        return rc;
    records = json_object_get(got, "records");
    n = (uint32_t)json_array_size(records);
    all = ATG_GET(s->arena, seen, (size_t)n + 1);
    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a file");
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = remote_read_seen(s, json_array_get(records, i), &all[i], err);
    if (rc)
        return rc;
    *ret = all;
    *ret_n = n;
    return ATG_OK;
}

int remote_history(store_session *s, const file_row *file, history_shown *ret, atg_err *err) {
    json_auto_t *got = NULL;
    int rc = get_json(
        s, atg_arena_printf(s->arena, "/api/v1/files/%s/history", remote_id(s, &file->id).p), &got,
        err);

    return rc ? rc : remote_read_history(s, got, ret, err);
}

/* ---- records ---- */

static atg_str record_path(store_session *s, record_kind kind, const uuid *id, const char *rest) {
    return atg_arena_printf(s->arena, "/api/v1/records/%s/%s%s", record_types[kind].name,
                            remote_id(s, id).p, rest);
}

int remote_get(store_session *s, record_kind kind, const uuid *id, seen *ret, atg_err *err) {
    json_auto_t *got = NULL;
    int rc = get_json(s, record_path(s, kind, id, ""), &got, err);

    if (!rc)
        rc = remote_read_seen(s, got, ret, err);
    if (rc)
        return rc;
    s->r->read = record_copy(s->arena, ret->r);
    return s->r->read ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a record");
}

/* Send a change; what it made of the record goes into it. */
static int send_change(store_session *s, const remote_ask *q, record *r, atg_err *err) {
    json_auto_t *got = NULL;
    int rc = remote_json(s, q, &got, err);
    const char *state = json_string_value(json_object_get(got, "state"));

    if (rc)
        return rc;
    r->id = remote_uuid(got, "id");
    r->code = remote_text(s, got, "code");
    r->rev = remote_number(got, "rev");
    if (state) {
        int at = record_word(record_types[r->kind].states, atg_str_of(state));

        r->state = at < 0 ? 0 : (uint32_t)at;
    }
    return r->rev > 0 && !uuid_none(&r->id) ? ATG_OK : remote_strange(s, err);
}

static int add(store_session *s, record *r, atg_err *err) {
    const record_type *type = &record_types[r->kind];
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);
    remote_ask q = {.method = "POST", .json = body};

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a record");
    if (r->kind != RECORD_OPERATION) {
        json_key(&j, "kind");
        json_text(&j, type->name);
    }
    json_key(&j, "fields");
    record_write_fields(&j, r, NULL, NULL);
    json_end(&j, '}');
    if (r->kind == RECORD_OPERATION)
        q.path = ATG_STR("/api/v1/operations");
    else if (type->is_file)
        q.path = atg_arena_printf(s->arena, "/api/v1/operations/%s/files",
                                  remote_id(s, &r->operation).p);
    else
        q.path = atg_arena_printf(s->arena, "/api/v1/files/%s/records", remote_id(s, &r->file).p);
    return send_change(s, &q, r, err);
}

/* Only the fields that differ from what was read go out. */
static int edit(store_session *s, record *r, atg_err *err) {
    const record *was = s->r->read;
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);
    remote_ask q = {.method = "PATCH", .json = body, .rev = r->rev};
    bool any = false;

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a record");
    if (!was || uuid_cmp(&was->id, &r->id) != 0)
        return atg_fail(err, ATG_EINVAL, "The record was not read before");
    json_key(&j, "fields");
    json_object_line(&j);
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++) {
        const field_type *field = record_field(r->kind, f);

        if (value_eq(field, &was->fields[f], &r->fields[f]))
            continue;
        any = true;
        json_key(&j, field->name);
        if (r->fields[f].known)
            value_write_json(&j, field, &r->fields[f]);
        else
            json_none(&j);
    }
    json_end(&j, '}');
    json_end(&j, '}');
    q.path = record_path(s, r->kind, &r->id, "");
    return any ? send_change(s, &q, r, err) : ATG_OK;
}

static int move(store_session *s, record *r, atg_err *err) {
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a record");
    json_key(&j, "state");
    json_text(&j, record_types[r->kind].states[r->state]);
    json_end(&j, '}');
    return send_change(s,
                       &(remote_ask){.method = "POST",
                                     .path = record_path(s, r->kind, &r->id, "/state"),
                                     .json = body,
                                     .rev = r->rev},
                       r, err);
}

static int withdraw(store_session *s, record *r, atg_err *err) {
    return send_change(s,
                       &(remote_ask){.method = "POST",
                                     .path = record_path(s, r->kind, &r->id, "/withdraw"),
                                     .rev = r->rev},
                       r, err);
}

/* ---- pictures ---- */

static atg_str picture_path(store_session *s, record_kind kind, const uuid *id, uint32_t field) {
    return atg_arena_printf(s->arena, "%s/picture/%s", record_path(s, kind, id, "").p,
                            record_field(kind, field)->name);
}

/* What it says it is; the service looks itself. */
static const char *type_of(atg_str bytes) {
    if (bytes.n > 2 && memcmp(bytes.p, "\xff\xd8\xff", 3) == 0)
        return "image/jpeg";
    return bytes.n > 3 && memcmp(bytes.p, "\x89PNG", 4) == 0 ? "image/png" : "image/x-unknown";
}

static int put_pictures(store_session *s, record *r, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < s->r->n_pictures && !rc; i++) {
        atg_str bytes = s->r->pictures[i].bytes;

        rc = send_change(
            s,
            &(remote_ask){.method = "PUT",
                          .path = picture_path(s, r->kind, &r->id, s->r->pictures[i].field),
                          .bytes = bytes,
                          .type = type_of(bytes),
                          .rev = r->rev},
            r, err);
    }
    s->r->n_pictures = 0;
    return rc;
}

int remote_picture_put(store_session *s, record *r, uint32_t field, atg_str bytes, atg_err *err) {
    (void)r;
    if (s->r->n_pictures == REMOTE_PICTURES)
        return atg_fail(err, ATG_ELIMIT, "At most %d pictures at a time", REMOTE_PICTURES);
    s->r->pictures[s->r->n_pictures].field = field;
    s->r->pictures[s->r->n_pictures++].bytes = bytes;
    return ATG_OK;
}

int remote_picture_get(store_session *s, const picture_wish *wish, stream_sink to, atg_err *err) {
    atg_str bytes;
    int rc = remote_bytes(
        s,
        &(remote_ask){.method = "GET", .path = picture_path(s, wish->kind, &wish->id, wish->field)},
        &bytes, err);

    if (rc && remote_was(s, "sealed"))
        return atg_fail(err, ATG_EDENIED,
                        "This account may not see '%s' of a %s, or not without a written reason",
                        record_field(wish->kind, wish->field)->name,
                        record_types[wish->kind].title);
    return rc ? rc : to.write(to.user, bytes, err);
}

/* ---- changes ---- */

/* What was done stays done: say so, beside why the picture was not taken. */
static int half_done(const record *r, bool added, atg_err *err) {
    char id[UUID_TEXT + 1];
    atg_err why = err ? *err : (atg_err){0};

    if (!err)
        return ATG_EINVAL;
    uuid_text(&r->id, id);
    return atg_fail(err, why.code,
                    "%s; the picture was not taken in, but the rest was %s: 'antigone edit %s:%s "
                    "...' puts another one in",
                    why.msg, added ? "added" : "changed", record_types[r->kind].name, id);
}

int remote_change(store_session *s, change *ch, atg_err *err) {
    record *r = ch->r;
    int64_t rev = r->rev;
    int rc;

    switch (ch->what) {
    case CHANGE_ADD:
        rc = add(s, r, err);
        break;
    case CHANGE_EDIT:
        rc = edit(s, r, err);
        break;
    case CHANGE_STATE:
        rc = move(s, r, err);
        break;
    case CHANGE_WITHDRAW:
    default:
        rc = withdraw(s, r, err);
        break;
    }
    if (rc)
        return rc;
    rev = r->rev - rev;
    rc = put_pictures(s, r, err);
    return rc && rev ? half_done(r, ch->what == CHANGE_ADD, err) : rc;
}
