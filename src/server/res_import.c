/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in as a whole: the DNA of an operation, and tables of files. Only JSON is read here;
 * whatever else somebody sends goes through the worker.
 */
#include "server/routes.h"

#include <antigone/formats.h>

#include "app/cases_json.h"
#include "app/csv_import.h"
#include "app/operation_save.h"
#include "base/number.h"
#include "server/service_internal.h"
#include "server/uploaded.h"

enum { DNA_MAX = 128 << 20 }; /* JSON that the worker makes of files of DNA */

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

/* ---- files of DNA, by the worker ---- */

/* A number of the query; `*ret_given`: it is there. */
static int read_real(request *q, const char *name, double most, double *ret, bool *ret_given,
                     atg_err *err) {
    atg_str text = request_query(q, name);

    *ret_given = text.n > 0;
    if (text.n && (!number_read(text, ret) || !(*ret >= 0 && *ret <= most)))
        return request_refuse(q, PROBLEM_REQUEST, err, "'%s' is a number from 0 to %g", name, most);
    return ATG_OK;
}

static int read_mutation(request *q, const char *name, worker_mutation *ret, bool *ret_given,
                         atg_err *err) {
    atg_str text = request_query(q, name);
    atg_mutation m = {.model = ATG_MUT_NONE};

    *ret_given = text.n > 0;
    if (text.n && !atg_mutation_read(text, &m))
        return request_refuse(q, PROBLEM_REQUEST, err,
                              "'%s' is none, equal:RATE, proportional:RATE, onestep:RATE or "
                              "stepwise:RATE:RATE2:RANGE with numbers from 0 to 1",
                              name);
    if (text.n)
        *ret = (worker_mutation){m.model, m.rate, m.rate2, m.range};
    return ATG_OK;
}

/* What tables of genotypes are read with: everything that changes a number is named. */
static int read_parameters(request *q, uint32_t files, worker_parse_ask *ret, atg_err *err) {
    bool theta, least, mutation, male;
    int rc = read_real(q, "theta", 0.5, &ret->theta, &theta, err);

    if (!rc)
        rc = read_real(q, "min_frequency", 0.5, &ret->min_frequency, &least, err);
    if (!rc)
        rc = read_mutation(q, "mutation", &ret->female, &mutation, err);
    ret->male = ret->female;
    if (!rc)
        rc = read_mutation(q, "mutation_male", &ret->male, &male, err);
    if (rc)
        return rc;
    ret->population = request_query(q, "population");
    if (files == 1 && (theta || least || mutation || male))
        return request_refuse(q, PROBLEM_REQUEST, err,
                              "'theta', 'min_frequency' and 'mutation' are for tables of genotypes "
                              "with a file of frequencies: a whole operation brings its own");
    if (files > 1 && (!theta || !mutation || !ret->population.n))
        return request_refuse(q, PROBLEM_REQUEST, err,
                              "Tables of genotypes need 'population', 'theta' (0 for none) and "
                              "'mutation' (or none): there is no default");
    return ATG_OK;
}

static void add_notes(request *q, atg_notes *notes, const worker_parsed *parsed) {
    for (uint32_t i = 0; i < parsed->n_notes; i++)
        atg_note(notes, q->arena, "%.*s", ATG_FMT(parsed->notes[i]));
}

static int decode(request *q, worker_parse_ask *ask, worker_parsed *ret, atg_err *err) {
    int rc;

    ask->deadline_ms = q->s->o.decode_ms;
    rc = q->s->worker ? worker_parse(q->s->worker, ask, q->arena, ret, err) : ATG_EIO;
    return request_decoded(q, rc, err);
}

/* The uploads as antigone-operation/1. */
static int parse_dna(request *q, uploaded *u, atg_notes *notes, atg_str *ret, atg_err *err) {
    worker_input in[WORKER_INPUTS_MAX];
    worker_parse_ask ask = {
        .kind = WORKER_PARSE_OPERATION, .n = u->n, .in = in, .out_max = DNA_MAX};
    worker_parsed parsed = {.size = 0};
    int rc = read_parameters(q, u->n, &ask, err);

    for (uint32_t i = 0; i < u->n && !rc; i++)
        rc = uploaded_input(u, i, &in[i], err);
    if (rc)
        return rc;
    rc = decode(q, &ask, &parsed, err);
    *ret = parsed.json;
    if (!rc)
        add_notes(q, notes, &parsed);
    return rc;
}

static int take_dna(request *q, uploaded *u, const save_options *o, atg_err *err) {
    atg_operation op;
    atg_notes *notes = atg_notes_new(q->arena);
    atg_str bytes = {NULL, 0};
    saved done;
    int rc = notes ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for an operation");

    if (!rc)
        rc = operation_save_check(request_cases(q), &q->who, &o->operation, err);
    if (!rc)
        rc = uploaded_open(q, UPLOAD_DNA, WORKER_INPUTS_MAX, u, err);
    if (!rc && !u->n && !q->body)
        rc = request_refuse(q, PROBLEM_JSON, err, "A body of JSON is needed, or uploads");
    if (!rc)
        rc = u->n ? parse_dna(q, u, notes, &bytes, err) : atg_buf_take(q->body, &bytes, err);
    if (!rc)
        rc = atg_operation_read_json(q->arena, bytes, &op, notes, err);
    if (!rc)
        rc = operation_save(request_cases(q), &q->who, &op, o, request_progress(q), &done, err);
    return rc ? rc : write_saved(q, &done, notes, err);
}

static int import(request *q, atg_err *err) {
    save_options o = {.sign = false};
    uploaded u = {.n = 0};
    int rc = read_options(q, &o, err);

    if (!rc)
        rc = take_dna(q, &u, &o, err);
    uploaded_close(&u, !rc);
    return rc;
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
    if (rc)
        return rc;
    o->operation = operation.id;
    o->kind = (record_kind)kind;
    o->source = request_query(q, "source");
    o->progress = request_progress(q);
    return ATG_OK;
}

/* The body or the upload as antigone-table/1. */
static int parse_table(request *q, uploaded *u, atg_str *ret, atg_err *err) {
    worker_input in = {.name = ATG_STR("table.csv")};
    worker_parse_ask ask = {.kind = WORKER_PARSE_TABLE, .n = 1, .in = &in, .out_max = TABLE_MAX};
    worker_parsed parsed = {.size = 0};
    int rc = uploaded_open(q, UPLOAD_TABLE, 1, u, err);

    if (!rc && !u->n && !q->body)
        rc = request_refuse(q, PROBLEM_REQUEST, err, "The body is to be the table");
    if (!rc)
        rc = u->n ? uploaded_input(u, 0, &in, err) : atg_buf_take(q->body, &in.bytes, err);
    if (rc)
        return rc;
    rc = decode(q, &ask, &parsed, err);
    *ret = parsed.json;
    return rc;
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

static int take_table(request *q, uploaded *u, const csv_options *o, csv_done *ret, atg_err *err) {
    atg_str table = {NULL, 0};
    int rc = cases_import_check(request_cases(q), &q->who, &o->operation, o->kind, err);

    if (!rc)
        rc = parse_table(q, u, &table, err);
    if (!rc)
        rc = cases_import_table(request_cases(q), &q->who, q->arena, table, o, ret, err);
    if (!rc && ret->n_problems && !o->dry_run) {
        const csv_problem *first = ret->problems;

        rc = atg_fail(err, ATG_EPARSE,
                      "%.*s (%u problems; 'check=yes' lists them; nothing was "
                      "taken in)",
                      ATG_FMT(first->text), ret->n_problems);
        err->line = first->line;
        err->col = first->col;
    }
    return rc;
}

static int import_table(request *q, atg_err *err) {
    csv_options o = {.dry_run = false};
    csv_done done = {.rows = 0};
    uploaded u = {.n = 0};
    int rc = read_table_options(q, &o, err);

    if (!rc)
        rc = take_table(q, &u, &o, &done, err);
    uploaded_close(&u, !rc && !o.dry_run);
    return rc ? rc : write_table(q, &done, err);
}

const route routes_import[] = {
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/import",
     .flags = ROUTE_LONG | ROUTE_RAW,
     .body = BODY_IMPORT,
     .run = import,
     .job = "import",
     .tag = "exchange",
     .summary =
         "Take in the DNA of an operation: antigone-operation/1 as JSON, or uploads of other files",
     .query = "!agreed_on !ends_on !basis sign invent seed upload population theta min_frequency "
              "mutation mutation_male",
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
     .query = "!source check upload",
     .takes = "text/csv",
     .gives = "TableImported",
     .status = 200},
    {.method = NULL},
};
