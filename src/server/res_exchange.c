/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in and goes out as a whole: the DNA of an operation, tables of files, and what is
 * erased. Only JSON is read here; tables that somebody sends go through the worker.
 */
#include "server/routes.h"

#include <string.h>

#include <antigone/formats.h>

#include "app/cases_json.h"
#include "app/csv_export.h"
#include "app/csv_import.h"
#include "app/operation_save.h"
#include "server/changes.h"
#include "server/service_internal.h"

static int read_options(request *q, save_options *o, atg_err *err) {
    file_row operation;
    uint32_t seed = 1;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = request_number(q, "seed", 0, 999999999, &seed, err);
    if (!rc)
        rc = request_flag(q, "sign", &o->sign, err);
    if (!rc)
        rc = request_flag(q, "invent", &o->invent, err);
    if (rc)
        return rc;
    o->operation = operation.id;
    o->agreed_on = request_query(q, "agreed_on");
    o->ends_on = request_query(q, "ends_on");
    o->basis = request_query(q, "basis");
    o->seed = seed;
    return ATG_OK;
}

static void write_notes(json *j, const atg_notes *notes) {
    json_key(j, "notes");
    json_begin_array(j);
    for (uint32_t i = 0; i < notes->n; i++)
        json_str(j, notes->text[i]);
    json_end(j, ']');
}

static int write_saved(request *q, const saved *done, const atg_notes *notes, atg_err *err) {
    int rc = reply_json(q, MHD_HTTP_OK, err);

    if (rc)
        return rc;
    json_begin_object(&q->j);
    cases_put_number(&q->j, "remains", done->remains);
    cases_put_number(&q->j, "families", done->families);
    cases_put_number(&q->j, "missing", done->missing);
    cases_put_number(&q->j, "profiles", done->profiles);
    cases_put_number(&q->j, "known", done->known);
    write_notes(&q->j, notes);
    json_end(&q->j, '}');
    return ATG_OK;
}

static int import(request *q, atg_err *err) {
    save_options o = {.sign = false};
    atg_operation op;
    atg_notes *notes = atg_notes_new(q->arena);
    atg_str bytes = {NULL, 0};
    saved done;
    int rc = read_options(q, &o, err);

    if (!rc && !notes)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for an operation");
    if (!rc && !q->body)
        rc = request_refuse(q, PROBLEM_JSON, err, "A body of JSON is needed");
    if (!rc)
        rc = atg_buf_take(q->body, &bytes, err);
    if (!rc)
        rc = atg_operation_read_json(q->arena, bytes, &op, notes, err);
    if (!rc)
        rc = operation_save(request_cases(q), &q->who, &op, &o, request_progress(q), &done, err);
    return rc ? rc : write_saved(q, &done, notes, err);
}

/* ---- tables of files ---- */

static int read_table_options(request *q, csv_options *o, atg_err *err) {
    file_row operation;
    int kind = record_kind_of(request_word(q, "kind"));
    int rc = request_operation(q, &operation, err);

    if (!rc && (kind < 0 || !record_types[kind].is_file))
        rc = request_refuse(q, PROBLEM_UNKNOWN, err, "There is no such kind of file");
    if (!rc)
        rc = request_flag(q, "check", &o->dry_run, err);
    if (!rc && !q->body)
        rc = request_refuse(q, PROBLEM_REQUEST, err, "The body is to be the table");
    if (rc)
        return rc;
    o->operation = operation.id;
    o->kind = (record_kind)kind;
    o->source = request_query(q, "source");
    o->progress = request_progress(q);
    return ATG_OK;
}

/* The body as antigone-table/1. */
static int parse_table(request *q, atg_str *ret, atg_err *err) {
    worker_input in = {.name = ATG_STR("table.csv")};
    worker_parse_ask ask = {.kind = WORKER_PARSE_TABLE, .n = 1, .in = &in, .out_max = TABLE_MAX};
    worker_parsed parsed = {.size = 0};
    int rc = atg_buf_take(q->body, &in.bytes, err);

    if (rc)
        return rc;
    rc = q->s->worker ? worker_parse(q->s->worker, &ask, q->arena, &parsed, err) : ATG_EIO;
    *ret = parsed.json;
    return request_decoded(q, rc, err);
}

static int write_table(request *q, const csv_done *done, atg_err *err) {
    int rc = reply_json(q, MHD_HTTP_OK, err);

    if (rc)
        return rc;
    json_begin_object(&q->j);
    cases_put_number(&q->j, "rows", done->rows);
    cases_put_number(&q->j, "added", done->added);
    cases_put_number(&q->j, "changed", done->changed);
    cases_put_number(&q->j, "same", done->same);
    cases_put_number(&q->j, "found", done->n_problems);
    json_key(&q->j, "problems");
    json_begin_array(&q->j);
    for (uint32_t i = 0; i < done->n_problems && i < CSV_PROBLEMS_MAX; i++) {
        json_object_line(&q->j);
        cases_put_number(&q->j, "line", done->problems[i].line);
        cases_put_number(&q->j, "column", done->problems[i].col);
        cases_put_text(&q->j, "text", done->problems[i].text);
        json_end(&q->j, '}');
    }
    json_end(&q->j, ']');
    json_end(&q->j, '}');
    return ATG_OK;
}

static int import_table(request *q, atg_err *err) {
    csv_options o = {.dry_run = false};
    csv_done done = {.rows = 0};
    atg_str table = {NULL, 0};
    int rc = read_table_options(q, &o, err);

    if (!rc)
        rc = cases_import_check(request_cases(q), &q->who, &o.operation, o.kind, err);
    if (!rc)
        rc = parse_table(q, &table, err);
    if (!rc)
        rc = cases_import_table(request_cases(q), &q->who, q->arena, table, &o, &done, err);
    if (!rc && done.n_problems && !o.dry_run) {
        const csv_problem *first = done.problems;

        rc = atg_fail(err, ATG_EPARSE,
                      "%.*s (%u problems; 'check=yes' lists them; nothing was "
                      "taken in)",
                      ATG_FMT(first->text), done.n_problems);
        err->line = first->line;
        err->col = first->col;
    }
    return rc ? rc : write_table(q, &done, err);
}

static int export_table(request *q, atg_err *err) {
    file_row operation;
    int kind = record_kind_of(request_word(q, "kind"));
    uint32_t n = 0;
    int rc = request_operation(q, &operation, err);

    if (!rc && kind < 0)
        rc = request_refuse(q, PROBLEM_UNKNOWN, err, "There is no such kind of record");
    if (!rc)
        rc = changes_confirmed(q, err);
    if (!rc)
        rc = reply_text(q, MHD_HTTP_OK, "text/csv; charset=utf-8", err);
    if (!rc)
        rc = cases_export_csv(request_cases(q), &q->who, &operation.id, (record_kind)kind, q->out,
                              &n, err);
    if (!rc)
        q->file_name =
            atg_arena_printf(q->arena, "attachment; filename=\"%s.csv\"", record_types[kind].name);
    return rc;
}

typedef struct dna_format {
    const char *type, *name;
    int (*write)(const atg_operation *op, const char *recipient, atg_buf *buf, atg_err *err);
} dna_format;

static int export_dna(request *q, atg_err *err) {
    static const char *const words[] = {"json", "fam", "csv", NULL};
    static const dna_format formats[] = {
        {"application/json", "operation.json", atg_operation_write_json},
        {"text/plain; charset=utf-8", "operation.fam", atg_familias_write},
        {"text/csv; charset=utf-8", "operation.csv", atg_table_write},
    };
    atg_str recipient = request_query(q, "recipient");
    file_row operation;
    atg_operation op;
    int at = 0, rc = request_operation(q, &operation, err);

    if (!rc)
        rc = request_choice(q, "format", words, &at, err);
    if (!rc && !recipient.n)
        rc = request_refuse(q, PROBLEM_REQUEST, err, "Say who receives it: 'recipient'");
    if (!rc)
        rc = changes_confirmed(q, err);
    if (!rc)
        rc = cases_export_dna(request_cases(q), &q->who, q->arena, &operation.id, recipient.p, &op,
                              err);
    at = at < 0 ? 0 : at;
    if (!rc)
        rc = reply_text(q, MHD_HTTP_OK, formats[at].type, err);
    if (!rc)
        rc = formats[at].write(&op, recipient.p, q->out, err);
    if (!rc)
        q->file_name = atg_arena_printf(q->arena, "attachment; filename=\"%s\"", formats[at].name);
    return rc;
}

static int erase(request *q, atg_err *err) {
    uuid person;
    int rc = request_id(q, request_word(q, "person"), &person, err);

    if (!rc)
        rc = changes_confirmed(q, err);
    if (!rc)
        rc = cases_erase(request_cases(q), &q->who, &person, err);
    return rc ? rc : reply_empty(q);
}

static int erase_due(request *q, atg_err *err) {
    file_row operation;
    uint32_t n = 0;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = cases_erase_due(request_cases(q), &q->who, &operation.id, &n, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_number(&q->j, "erased", n);
    json_end(&q->j, '}');
    return ATG_OK;
}

const route routes_exchange[] = {
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/import",
     .flags = ROUTE_LONG | ROUTE_RAW,
     .body = BODY_IMPORT,
     .run = import,
     .job = "import",
     .tag = "exchange",
     .summary = "Take in the DNA of an operation: antigone-operation/1 as JSON",
     .query = "!agreed_on !ends_on !basis sign invent seed",
     .takes = "Operation",
     .gives = "Imported",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/import/{kind}",
     .flags = ROUTE_LONG | ROUTE_RAW,
     .body = BODY_IMPORT,
     .run = import_table,
     .job = "import",
     .tag = "exchange",
     .summary = "Take a table of files in: everything or, where a row is wrong, nothing",
     .query = "!source check",
     .takes = "text/csv",
     .gives = "TableImported",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/operations/{operation}/export/{kind}",
     .flags = ROUTE_LONG | ROUTE_PURPOSE | ROUTE_EXPORTS,
     .run = export_table,
     .tag = "exchange",
     .summary = "A table of files as CSV, with the columns that one may see, after confirming",
     .gives = "text/csv",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/operations/{operation}/dna",
     .flags = ROUTE_LONG | ROUTE_PURPOSE | ROUTE_EXPORTS,
     .run = export_dna,
     .tag = "exchange",
     .summary =
         "After confirming: the DNA of an operation, as the recipient may have it, in a format",
     .query = "!recipient format",
     .gives = "*/*",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/persons/{person}/erase",
     .flags = ROUTE_PURPOSE,
     .run = erase,
     .tag = "exchange",
     .summary = "Destroy the key of a person, after confirming: a donor, an informant, a file",
     .status = 204},
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/erase-due",
     .flags = ROUTE_LONG,
     .run = erase_due,
     .tag = "exchange",
     .summary = "Erase the donors and staff who withdrew or whose time is over",
     .gives = "Erased",
     .status = 200},
    {.method = NULL},
};
