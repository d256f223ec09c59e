/* SPDX-License-Identifier: Apache-2.0 */
/* Records that were changed here and at another site. */
#include "server/routes.h"

#include "app/bundle.h"
#include "app/cases_json.h"

enum { PAGE = 100, PAGE_MAX = 1000 };

static const char *field_name(const conflict_shown *c, int field) {
    if (field == -1)
        return "state";
    return field == -2 ? "withdrawn" : record_field(c->row.kind, (uint32_t)field)->name;
}

static void write_conflict(json *j, const conflict_shown *c) {
    json_begin_object(j);
    cases_put_id(j, "id", &c->row.id);
    json_key(j, "kind");
    json_text(j, record_types[c->row.kind].name);
    cases_put_id(j, "record", &c->ours->id);
    if (c->ours->code.n)
        cases_put_text(j, "code", c->ours->code);
    cases_put_number(j, "rev", c->ours->rev);
    cases_put_text(j, "from", c->from);
    json_key(j, "fields");
    json_begin_array(j);
    for (uint32_t i = 0; i < c->n; i++) {
        const conflict_field *f = &c->fields[i];

        json_object_line(j);
        json_key(j, "field");
        json_text(j, field_name(c, f->field));
        json_key(j, "hidden");
        json_bool(j, f->hidden);
        cases_put_text(j, "ours", f->ours);
        cases_put_text(j, "theirs", f->theirs);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
}

static int list(request *q, atg_err *err) {
    conflicts_wish w = {.limit = PAGE};
    atg_str after = request_query(q, "after");
    file_row operation;
    conflict_shown *all;
    uint32_t n;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = request_number(q, "limit", 1, PAGE_MAX, &w.limit, err);
    if (!rc && after.n && !uuid_read(after, &w.after))
        rc = request_refuse(q, PROBLEM_REQUEST, err, "'after' is no identifier");
    if (rc)
        return rc;
    w.operation = operation.id;
    rc = conflicts_show(request_cases(q), &q->who, q->arena, &w, &all, &n, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "conflicts");
    json_begin_array(&q->j);
    for (uint32_t i = 0; i < n; i++)
        write_conflict(&q->j, &all[i]);
    json_end(&q->j, ']');
    json_end(&q->j, '}');
    if (n == w.limit) {
        char id[UUID_TEXT + 1];

        uuid_text(&all[n - 1].row.id, id);
        reply_next(q, atg_str_of(id));
    }
    return ATG_OK;
}

static int read_theirs(request *q, record_kind kind, uint64_t *ret, atg_err *err) {
    const json_t *names = json_object_get(q->json, "theirs");

    if (!json_is_array(names))
        return atg_fail(err, ATG_EPARSE, "'theirs' is a list of fields");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        int f = name ? record_field_of(kind, atg_str_of(name)) : -1;

        if (f < 0)
            return atg_fail(err, ATG_EINVAL, "A %s has no such field", record_types[kind].title);
        *ret |= UINT64_C(1) << f;
    }
    return ATG_OK;
}

static int decide(request *q, atg_err *err) {
    atg_str word = {NULL, 0};
    record_kind kind = RECORD_MISSING;
    uint64_t theirs = 0;
    int64_t rev = 0;
    uuid id = {{0}};
    int rc = request_members(q, "!kind !theirs", err);

    if (!rc)
        rc = request_text(q, "kind", &word, err);
    if (!rc)
        rc = request_kind(q, word, &kind, err);
    if (!rc)
        rc = read_theirs(q, kind, &theirs, err);
    if (!rc)
        rc = request_id(q, request_word(q, "conflict"), &id, err);
    if (!rc)
        rc = request_revision(q, &rev, err);
    if (!rc)
        rc = conflicts_decide(request_cases(q), &q->who, &id, theirs, rev, err);
    if (rc == ATG_ECONFLICT)
        q->problem = PROBLEM_CHANGED;
    return rc ? rc : reply_empty(q);
}

const route routes_conflicts[] = {
    {.method = "GET",
     .path = "/api/v1/operations/{operation}/conflicts",
     .flags = ROUTE_LOOKS,
     .run = list,
     .tag = "conflicts",
     .summary = "Records that were changed here and at another site, field by field",
     .query = "limit after",
     .gives = "Conflicts",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/conflicts/{conflict}/decision",
     .flags = ROUTE_MATCH | ROUTE_PURPOSE,
     .body = BODY_SMALL,
     .run = decide,
     .tag = "conflicts",
     .summary = "What is taken over from the other side; all else stays",
     .takes = "ConflictDecision",
     .status = 204},
    {.method = NULL},
};
