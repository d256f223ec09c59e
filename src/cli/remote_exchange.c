/* SPDX-License-Identifier: Apache-2.0 */
/* What comparisons found, what comes in and goes out as a whole, and what is erased, over the
 * network. */
#include "cli/remote.h"

#include <string.h>

#include <antigone/formats.h>

#include "app/cases_json.h"

enum { AS_JOB = 256 << 10 }; /* from so many bytes on */

static const size_t operation_max = (size_t)64 << 20;

/* "/api/v1/operations/ID" and the rest. */
static atg_str operation_path(store_session *s, const char *rest) {
    return atg_arena_printf(s->arena, "/api/v1/operations/%s%s", remote_id(s, &s->operation.id).p,
                            rest);
}

/* ---- what comparisons found ---- */

static int read_lead(store_session *s, const json_t *from, lead *ret, atg_err *err) {
    ret->remains.code = remote_text(s, from, "remains");
    ret->missing.code = remote_text(s, from, "missing");
    return remote_read_seen(s, json_object_get(from, "hypothesis"), &ret->record, err);
}

int remote_leads(store_session *s, const leads_query *q, lead **ret, uint32_t *ret_n,
                 atg_err *err) {
    const char *conclusion =
        q->conclusion < 0
            ? NULL
            : record_field(RECORD_HYPOTHESIS, HYPOTHESIS_CONCLUSION)->choices[q->conclusion];
    atg_str path =
        atg_arena_printf(s->arena, "%s?limit=%u%s%s", operation_path(s, "/leads").p, q->limit,
                         conclusion ? "&conclusion=" : "", conclusion ? conclusion : "");
    json_auto_t *got = NULL;
    const json_t *list;
    lead *leads;
    uint32_t n;
    int rc = remote_json(s, &(remote_ask){.method = "GET", .path = path}, &got, err);

    if (rc)
        return rc;
    list = json_object_get(got, "leads");
    n = (uint32_t)json_array_size(list);
    leads = ATG_GET(s->arena, lead, (size_t)n + 1);
    if (!leads)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = read_lead(s, json_array_get(list, i), &leads[i], err);
    if (rc)
        return rc;
    *ret = leads;
    *ret_n = n;
    return ATG_OK;
}

static duplicate read_duplicate(store_session *s, const json_t *from) {
    const json_t *words = json_object_get(from, "alike");
    duplicate d = {.one = {.code = remote_text(s, from, "one")},
                   .other = {.code = remote_text(s, from, "other")},
                   .score = (uint32_t)remote_number(from, "points")};

    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        int at = word ? record_word(cases_alike, atg_str_of(word)) : -1;

        d.alike |= at < 0 ? 0 : 1u << at;
    }
    return d;
}

int remote_duplicates(store_session *s, uint32_t limit, duplicates *ret, atg_err *err) {
    json_auto_t *got = NULL;
    const json_t *list;
    duplicates found;
    int rc = remote_json(
        s,
        &(remote_ask){.method = "GET",
                      .path = atg_arena_printf(s->arena, "%s?limit=%u",
                                               operation_path(s, "/duplicates").p, limit)},
        &got, err);

    if (rc)
        return rc;
    list = json_object_get(got, "duplicates");
    found.n = (uint32_t)json_array_size(list);
    found.pairs = ATG_GET(s->arena, duplicate, (size_t)found.n + 1);
    if (!found.pairs)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < found.n; i++)
        found.pairs[i] = read_duplicate(s, json_array_get(list, i));
    *ret = found;
    return ATG_OK;
}

int remote_merge(store_session *s, const file_row *into, const file_row *from, atg_err *err) {
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);

    if (!body)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a request");
    cases_put_id(&j, "from", &from->id);
    json_end(&j, '}');
    return remote_done(s,
                       &(remote_ask){.method = "POST",
                                     .path = atg_arena_printf(s->arena, "/api/v1/files/%s/merge",
                                                              remote_id(s, &into->id).p),
                                     .json = body},
                       err);
}

int remote_unmerge(store_session *s, const file_row *from, atg_err *err) {
    return remote_done(s,
                       &(remote_ask){.method = "POST",
                                     .path = atg_arena_printf(s->arena, "/api/v1/files/%s/unmerge",
                                                              remote_id(s, &from->id).p)},
                       err);
}

/* ---- tables ---- */

static int read_table_done(store_session *s, const json_t *from, csv_done *ret, atg_err *err) {
    const json_t *list = json_object_get(from, "problems");
    size_t n = json_array_size(list);
    csv_done done = {.rows = (uint32_t)remote_number(from, "rows"),
                     .added = (uint32_t)remote_number(from, "added"),
                     .changed = (uint32_t)remote_number(from, "changed"),
                     .same = (uint32_t)remote_number(from, "same"),
                     .n_problems = (uint32_t)remote_number(from, "found")};

    if (!json_is_array(list) || n > CSV_PROBLEMS_MAX || n > done.n_problems)
        return remote_strange(s, err);
    done.problems = ATG_GET(s->arena, csv_problem, CSV_PROBLEMS_MAX);
    if (!done.problems)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (size_t i = 0; i < n; i++) {
        const json_t *problem = json_array_get(list, i);

        done.problems[i] = (csv_problem){.line = (uint32_t)remote_number(problem, "line"),
                                         .col = (uint32_t)remote_number(problem, "column"),
                                         .text = remote_text(s, problem, "text")};
    }
    *ret = done;
    return ATG_OK;
}

static int send_table(store_session *s, atg_str bytes, const csv_options *o, bool check,
                      csv_done *ret, atg_err *err) {
    json_auto_t *got = NULL;
    atg_str path = atg_arena_printf(s->arena, "%s/%s?source=%.*s%s", operation_path(s, "/import").p,
                                    record_types[o->kind].name, ATG_FMT(remote_word(s, o->source)),
                                    check ? "&check=yes" : "");
    /* the same table twice is taken in once */
    int rc = remote_job(s,
                        &(remote_ask){.method = "POST",
                                      .path = path,
                                      .bytes = bytes,
                                      .type = "text/csv",
                                      .again = true,
                                      .job = bytes.n >= AS_JOB},
                        &got, err);

    return rc ? rc : read_table_done(s, got, ret, err);
}

int remote_import_table(store_session *s, atg_str bytes, const csv_options *o, csv_done *ret,
                        atg_err *err) {
    atg_err why = {0};
    int rc =
        record_types[o->kind].is_file
            ? send_table(s, bytes, o, o->dry_run, ret, err)
            : atg_fail(err, ATG_EINVAL, "A table holds files, such as missing persons or remains");

    /* the first problem is told; all of them are listed */
    if (rc == ATG_EPARSE && err && err->line && !o->dry_run &&
        send_table(s, bytes, o, true, ret, &why) == ATG_OK && ret->n_problems)
        return ATG_OK;
    return rc;
}

static int export_to(store_session *s, atg_str path, atg_buf *to, atg_err *err) {
    atg_str bytes;
    int rc = remote_bytes(s, &(remote_ask){.method = "GET", .path = path}, &bytes, err);

    if (!rc)
        atg_buf_add(to, bytes);
    return rc;
}

int remote_export_table(store_session *s, record_kind kind, atg_buf *to, atg_err *err) {
    return export_to(s,
                     atg_arena_printf(s->arena, "%s/%s", operation_path(s, "/export").p,
                                      record_types[kind].name),
                     to, err);
}

/* ---- DNA ---- */

static int send_operation(store_session *s, atg_buf *body, const save_options *o, saved *ret,
                          atg_err *err) {
    json_auto_t *got = NULL;
    atg_str bytes;
    atg_str path = atg_arena_printf(
        s->arena, "%s?agreed_on=%.*s&ends_on=%.*s&basis=%.*s%s%s&seed=%llu",
        operation_path(s, "/import").p, ATG_FMT(remote_word(s, o->agreed_on)),
        ATG_FMT(remote_word(s, o->ends_on)), ATG_FMT(remote_word(s, o->basis)),
        o->sign ? "&sign=yes" : "", o->invent ? "&invent=yes" : "", (unsigned long long)o->seed);
    int rc = atg_buf_take(body, &bytes, err);

    /* what is there already is left alone */
    if (!rc)
        rc = remote_job(s,
                        &(remote_ask){.method = "POST",
                                      .path = path,
                                      .bytes = bytes,
                                      .type = "application/json",
                                      .again = true,
                                      .job = bytes.n >= AS_JOB},
                        &got, err);
    if (rc)
        return rc;
    *ret = (saved){.remains = (uint32_t)remote_number(got, "remains"),
                   .families = (uint32_t)remote_number(got, "families"),
                   .missing = (uint32_t)remote_number(got, "missing"),
                   .profiles = (uint32_t)remote_number(got, "profiles"),
                   .known = (uint32_t)remote_number(got, "known")};
    return ATG_OK;
}

int remote_import_dna(store_session *s, const atg_operation *op, const save_options *o,
                      const atg_progress *progress, saved *ret, atg_err *err) {
    ATG_AUTO(atg_buf) body = atg_buf_new(operation_max);
    int rc = body ? atg_operation_write_json(op, NULL, body, err)
                  : atg_fail(err, ATG_ENOMEM, "Out of memory for an operation");

    (void)progress; /* of what is sent: http.h */
    return rc ? rc : send_operation(s, body, o, ret, err);
}

int remote_export_dna(store_session *s, const char *recipient, int format, atg_buf *to,
                      atg_err *err) {
    return export_to(s,
                     atg_arena_printf(s->arena, "%s?recipient=%.*s&format=%s",
                                      operation_path(s, "/dna").p,
                                      ATG_FMT(remote_word(s, atg_str_of(recipient))),
                                      backend_dna_formats[format]),
                     to, err);
}

/* ---- erasing ---- */

int remote_erase(store_session *s, const uuid *person, atg_err *err) {
    return remote_done(s,
                       &(remote_ask){.method = "POST",
                                     .path = atg_arena_printf(s->arena, "/api/v1/persons/%s/erase",
                                                              remote_id(s, person).p)},
                       err);
}

int remote_erase_due(store_session *s, uint32_t *ret_n, atg_err *err) {
    json_auto_t *got = NULL;
    int rc = remote_json(
        s, &(remote_ask){.method = "POST", .path = operation_path(s, "/erase-due")}, &got, err);

    if (!rc)
        *ret_n += (uint32_t)remote_number(got, "erased");
    return rc;
}
