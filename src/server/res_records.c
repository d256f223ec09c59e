/* SPDX-License-Identifier: Apache-2.0 */
/* Records: added to files, shown, edited, moved, withdrawn.  A change names the revision that it
 * was made from (If-Match). */
#include "server/routes.h"

#include "app/cases_json.h"
#include "base/clock.h"
#include "server/changes.h"

/* ---- what several resources do ---- */

int changes_confirmed(request *q, atg_err *err) {
    return q->fresh > clock_now()
               ? ATG_OK
               : request_refuse(q, PROBLEM_CONFIRM, err,
                                "Confirm who you are first: POST /api/v1/session/confirm");
}

/* What people sign: conclusions, decisions, and what an operation computes with. */
static bool is_signed(const record *r) {
    return r->kind == RECORD_COMPARISON || r->kind == RECORD_FACE_COMPARISON ||
           r->kind == RECORD_DECISION ||
           (r->kind == RECORD_OPERATION && r->fields[OPERATION_SIGNED_BY].known);
}

static int read_fields(request *q, record *r, atg_err *err) {
    return record_read_json(q->arena, json_object_get(q->json, "fields"), r, err);
}

int changes_reply(request *q, const record *r, unsigned status, atg_err *err) {
    const record_type *type = &record_types[r->kind];
    int rc = reply_json(q, status, err);

    if (rc)
        return rc;
    reply_revision(q, r->rev);
    json_object_line(&q->j);
    cases_put_id(&q->j, "id", &r->id);
    json_key(&q->j, "kind");
    json_text(&q->j, type->name);
    if (r->code.n)
        cases_put_text(&q->j, "code", r->code);
    cases_put_number(&q->j, "rev", r->rev);
    if (type->states[0]) {
        json_key(&q->j, "state");
        json_text(&q->j, type->states[r->state]);
    }
    json_end(&q->j, '}');
    return ATG_OK;
}

int changes_add(request *q, record *r, atg_err *err) {
    change ch = {CHANGE_ADD, r};
    char id[UUID_TEXT + 1];
    int rc = read_fields(q, r, err);

    if (!rc && is_signed(r))
        rc = changes_confirmed(q, err);
    if (!rc)
        rc = cases_change(request_cases(q), &q->who, q->arena, &ch, err);
    if (!rc)
        rc = changes_reply(q, r, MHD_HTTP_CREATED, err);
    if (rc)
        return rc;
    uuid_text(&r->id, id);
    q->location =
        atg_arena_printf(q->arena, "/api/v1/records/%s/%s", record_types[r->kind].name, id);
    return ATG_OK;
}

/* ---- the resource ---- */

static int read_place(request *q, record_kind *kind, uuid *id, atg_err *err) {
    int at = record_kind_of(request_word(q, "kind"));

    if (at < 0)
        return request_refuse(q, PROBLEM_UNKNOWN, err, "There is no such kind of record");
    *kind = (record_kind)at;
    return request_id(q, request_word(q, "id"), id, err);
}

typedef int get_fn(cases *c, const actor *who, atg_arena *arena, record_kind kind, const uuid *id,
                   seen *ret, atg_err *err);

static int get(request *q, get_fn *how, seen *ret, atg_err *err) {
    record_kind kind = RECORD_MISSING;
    uuid id = {{0}};
    int rc = read_place(q, &kind, &id, err);

    return rc ? rc : how(request_cases(q), &q->who, q->arena, kind, &id, ret, err);
}

static int add(request *q, atg_err *err) {
    file_row file;
    record_kind kind = RECORD_MARK;
    record *r;
    int rc = request_file(q, "file", &file, err);

    if (!rc)
        rc = request_new_kind(q, &kind, err);
    if (rc)
        return rc;
    if (record_types[kind].is_file)
        return atg_fail(err, ATG_EINVAL, "A %s is a file of its own", record_types[kind].title);
    r = record_new(q->arena, kind);
    if (!r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a record");
    r->operation = file.kind == RECORD_OPERATION ? file.id : file.operation;
    r->file = file.id;
    return changes_add(q, r, err);
}

static int show(request *q, atg_err *err) {
    seen s;
    int rc = get(q, cases_get, &s, err);

    if (rc)
        return rc;
    reply_revision(q, s.r->rev);
    if (q->if_none_match.n && atg_str_eq(atg_str_trim(q->if_none_match), q->etag)) {
        atg_str etag = q->etag;

        rc = reply_empty(q);
        q->etag = etag;
        q->status = MHD_HTTP_NOT_MODIFIED;
        return rc;
    }
    rc = reply_json(q, MHD_HTTP_OK, err);
    if (!rc)
        cases_write_seen(&q->j, &s);
    return rc;
}

int changes_unchanged(request *q, seen *ret, atg_err *err) {
    int64_t rev = 0;
    int rc = request_revision(q, &rev, err);

    if (!rc)
        rc = get(q, cases_get_to_change, ret, err);
    if (!rc && ret->r->rev != rev)
        return request_refuse(q, PROBLEM_CHANGED, err,
                              "It is at revision %lld now: read it again and look what is "
                              "different",
                              (long long)ret->r->rev);
    return rc;
}

int changes_apply(request *q, change_kind what, record *r, atg_err *err) {
    change ch = {what, r};
    int rc = cases_change(request_cases(q), &q->who, q->arena, &ch, err);

    if (rc == ATG_ECONFLICT)
        q->problem = PROBLEM_CHANGED;
    return rc ? rc : changes_reply(q, r, MHD_HTTP_OK, err);
}

static int edit(request *q, atg_err *err) {
    seen s = {.r = NULL};
    int rc = request_members(q, "!fields", err);

    if (!rc)
        rc = changes_unchanged(q, &s, err);
    if (!rc)
        rc = read_fields(q, s.r, err);
    if (!rc &&
        (s.r->kind != RECORD_OPERATION ||
         json_object_get(json_object_get(q->json, "fields"), "signed_by")) &&
        is_signed(s.r))
        rc = changes_confirmed(q, err);
    return rc ? rc : changes_apply(q, CHANGE_EDIT, s.r, err);
}

static int move(request *q, atg_err *err) {
    atg_str word = {NULL, 0};
    seen s;
    int at, rc = request_members(q, "!state", err);

    if (!rc)
        rc = request_text(q, "state", &word, err);
    if (!rc)
        rc = changes_unchanged(q, &s, err);
    if (rc)
        return rc;
    at = record_word(record_types[s.r->kind].states, word);
    if (at < 0)
        return atg_fail(err, ATG_EINVAL, "A %s has no such state", record_types[s.r->kind].title);
    s.r->state = (uint32_t)at;
    return changes_apply(q, CHANGE_STATE, s.r, err);
}

static int withdraw(request *q, atg_err *err) {
    seen s;
    int rc = changes_unchanged(q, &s, err);

    return rc ? rc : changes_apply(q, CHANGE_WITHDRAW, s.r, err);
}

const route routes_records[] = {
    {.method = "POST",
     .path = "/api/v1/files/{file}/records",
     .body = BODY_RECORD,
     .run = add,
     .tag = "records",
     .summary =
         "Add a record to a file: a mark, a sample, a profile, a comparison, a decision, ...",
     .takes = "NewRecord",
     .gives = "Changed",
     .status = 201},
    {.method = "GET",
     .path = "/api/v1/records/{kind}/{id}",
     .flags = ROUTE_LOOKS,
     .run = show,
     .tag = "records",
     .summary = "A record as one may see it",
     .gives = "Seen",
     .status = 200},
    {.method = "PATCH",
     .path = "/api/v1/records/{kind}/{id}",
     .flags = ROUTE_MATCH,
     .body = BODY_RECORD,
     .run = edit,
     .tag = "records",
     .summary = "Change fields; null makes one unknown",
     .takes = "Fields",
     .gives = "Changed",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/records/{kind}/{id}/state",
     .flags = ROUTE_MATCH,
     .body = BODY_SMALL,
     .run = move,
     .tag = "records",
     .summary = "Move a file to another state",
     .takes = "State",
     .gives = "Changed",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/records/{kind}/{id}/withdraw",
     .flags = ROUTE_MATCH | ROUTE_PURPOSE,
     .run = withdraw,
     .tag = "records",
     .summary = "Take it out of lists and comparisons; nothing is deleted",
     .gives = "Changed",
     .status = 200},
    {.method = NULL},
};
