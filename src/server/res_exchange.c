/* SPDX-License-Identifier: Apache-2.0 */
/* What goes out as a whole: the DNA of an operation, tables of files; and what is erased. */
#include "server/routes.h"

#include <string.h>

#include <antigone/formats.h>

#include "app/cases_json.h"
#include "app/csv_export.h"
#include "server/changes.h"
#include "server/source.h"

static int export_table(request *q, atg_err *err) {
    ATG_AUTO(outgoing) o = NULL;
    outgoing *given;
    file_row operation;
    int kind = record_kind_of(request_word(q, "kind"));
    uint32_t n = 0;
    int rc = request_operation(q, &operation, err);

    if (!rc && kind < 0)
        rc = request_refuse(q, PROBLEM_UNKNOWN, err, "There is no such kind of record");
    if (!rc)
        rc = changes_confirmed(q, err);
    if (!rc)
        rc = outgoing_new(request_cases(q), &o, err);
    if (!rc)
        rc = cases_export_table(request_cases(q), &q->who, &operation.id, (record_kind)kind, o, &n,
                                err);
    if (rc)
        return rc;
    q->file_name =
        atg_arena_printf(q->arena, "attachment; filename=\"%s.csv\"", record_types[kind].name);
    given = o;
    o = NULL;
    return reply_outgoing(q, MHD_HTTP_OK, "text/csv; charset=utf-8", given, err);
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
