/* SPDX-License-Identifier: Apache-2.0 */
/* Operations, and the files in them: listed, searched, made, shown whole. */
#include "server/routes.h"

#include "app/cases_json.h"
#include "base/json_read.h"
#include "server/changes.h"

enum { PAGE = 50, PAGE_MAX = 900 };

/* ---- operations ---- */

static int title_operations(request *q, file_page *page, atg_err *err) {
    page->titles = ATG_GET(q->arena, atg_str, page->n + 1);
    if (!page->titles)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < page->n; i++) {
        seen o;
        int rc = cases_get(request_cases(q), &q->who, q->arena, RECORD_OPERATION, &page->rows[i].id,
                           &o, err);

        if (rc)
            return rc;
        page->titles[i] = o.r->fields[OPERATION_NAME].text;
    }
    return ATG_OK;
}

static int list_operations(request *q, atg_err *err) {
    file_page page = {.n = 0};
    int rc = cases_operations(request_cases(q), &q->who, q->arena, &page.rows, &page.n, err);

    if (!rc)
        rc = title_operations(q, &page, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (!rc)
        cases_write_files(&q->j, &page);
    return rc;
}

static int add_operation(request *q, atg_err *err) {
    record *r = record_new(q->arena, RECORD_OPERATION);
    int rc = r ? request_members(q, "!fields", err)
               : atg_fail(err, ATG_ENOMEM, "Out of memory for a record");

    return rc ? rc : changes_add(q, r, err);
}

/* ---- lists ---- */

static int read_after(request *q, files_query *f, atg_err *err) {
    atg_str after = request_query(q, "after");
    file_row row;
    int rc;

    if (!after.n)
        return ATG_OK;
    rc = cases_find(request_cases(q), q->arena, after, &row, err);
    if (rc == ATG_ENOTFOUND)
        return request_refuse(q, PROBLEM_REQUEST, err, "'after' names no file");
    f->after = row.id;
    return rc;
}

static int read_filters(request *q, record_kind kind, int *ret_state, int *ret_sex, atg_err *err) {
    int rc = request_choice(q, "state", record_types[kind].states, ret_state, err);

    return rc ? rc
              : request_choice(q, "sex", record_field(RECORD_MISSING, MISSING_SEX)->choices,
                               ret_sex, err);
}

static int file_kind(request *q, record_kind *ret, atg_err *err) {
    int rc = request_kind(q, request_query(q, "kind"), ret, err);

    if (!rc && !record_types[*ret].is_file)
        rc = request_refuse(q, PROBLEM_REQUEST, err, "A %s stands in a file",
                            record_types[*ret].title);
    return rc;
}

static int list_files(request *q, atg_err *err) {
    static const char *const orders[] = {"code", "name", "change", NULL};
    files_query f = {.limit = PAGE};
    file_row operation;
    file_page page;
    int order = -1, rc = request_operation(q, &operation, err);

    if (!rc)
        rc = file_kind(q, &f.kind, err);
    if (!rc)
        rc = read_filters(q, f.kind, &f.state, &f.sex, err);
    if (!rc)
        rc = request_choice(q, "order", orders, &order, err);
    if (!rc)
        rc = request_number(q, "limit", 1, PAGE_MAX, &f.limit, err);
    if (!rc)
        rc = request_flag(q, "withdrawn", &f.withdrawn, err);
    if (!rc)
        rc = read_after(q, &f, err);
    if (rc)
        return rc;
    f.operation = operation.id;
    f.order = order < 0 ? FILES_BY_CODE : (files_order)order;
    rc = cases_list(request_cases(q), &q->who, q->arena, &f, &page, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    cases_write_files(&q->j, &page);
    if (page.more)
        reply_next(q, page.rows[page.n - 1].code);
    return ATG_OK;
}

/* Words of a search are better not in an address, which proxies write down: the members of a body
 * stand for the names of a query. */
static int read_body_query(request *q, atg_err *err) {
    json_t *all = json_iterable(q->json);
    int rc = request_members(q, "!kind !q state sex limit", err);

    if (rc)
        return rc;
    q->at.n_query = 0;
    for (void *it = json_object_iter(all); it; it = json_object_iter_next(all, it)) {
        const json_t *v = json_object_iter_value(it);
        target_pair *p = &q->at.query[q->at.n_query++];

        p->name = atg_arena_str(q->arena, atg_str_of(json_object_iter_key(it)));
        if (json_is_integer(v))
            p->value = atg_arena_printf(q->arena, "%lld", (long long)json_integer_value(v));
        else if (json_is_string(v))
            p->value =
                atg_arena_str(q->arena, (atg_str){json_string_value(v), json_string_length(v)});
        else
            return atg_fail(err, ATG_EPARSE, "'%s' is to be a text or a number", p->name.p);
    }
    return ATG_OK;
}

static int search_files(request *q, atg_err *err) {
    search_query s = {.text = request_query(q, "q"), .limit = PAGE};
    record_kind kind = RECORD_MISSING;
    file_row operation;
    file_page page;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = file_kind(q, &kind, err);
    if (!rc)
        rc = read_filters(q, kind, &s.state, &s.sex, err);
    if (!rc)
        rc = request_number(q, "limit", 1, PAGE_MAX, &s.limit, err);
    if (rc)
        return rc;
    s.operation = operation.id;
    s.kind = (int)kind;
    rc = cases_search(request_cases(q), &q->who, q->arena, &s, &page, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (!rc)
        cases_write_files(&q->j, &page);
    return rc;
}

static int search_quietly(request *q, atg_err *err) {
    int rc = read_body_query(q, err);

    return rc ? rc : search_files(q, err);
}

/* ---- files ---- */

static int add_file(request *q, atg_err *err) {
    file_row operation;
    record_kind kind = RECORD_MISSING;
    record *r;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = request_new_kind(q, &kind, err);
    if (rc)
        return rc;
    if (!record_types[kind].is_file || kind == RECORD_OPERATION)
        return atg_fail(err, ATG_EINVAL, "A %s is no file of an operation",
                        record_types[kind].title);
    r = record_new(q->arena, kind);
    if (!r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a record");
    r->operation = operation.id;
    return changes_add(q, r, err);
}

static int show_file(request *q, atg_err *err) {
    file_row file;
    seen *all;
    uint32_t n;
    int rc = request_file(q, "file", &file, err);

    if (!rc)
        rc = cases_file(request_cases(q), &q->who, q->arena, &file.id, &all, &n, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    reply_revision(q, all->r->rev);
    json_begin_object(&q->j);
    json_key(&q->j, "records");
    cases_write_all(&q->j, all, n);
    json_end(&q->j, '}');
    return ATG_OK;
}

/* What a printed code names: no look at it, and nothing of what stands in it. */
static int name_file(request *q, atg_err *err) {
    file_row file;
    int rc =
        cases_find_own(request_cases(q), &q->who, q->arena, request_word(q, "file"), &file, err);

    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_text(&q->j, "code", file.code);
    cases_put_id(&q->j, "id", &file.id);
    json_key(&q->j, "kind");
    json_text(&q->j, record_types[file.kind].name);
    cases_put_id(&q->j, "operation", &file.operation);
    json_end(&q->j, '}');
    return ATG_OK;
}

/* Who did it, by account, each once. */
static int write_names(request *q, const audit_entry *entries, uint32_t n, atg_err *err) {
    json_key(&q->j, "names");
    json_begin_object(&q->j);
    for (uint32_t i = 0; i < n; i++) {
        const uuid *account = &entries[i].e.account;
        char id[UUID_TEXT + 1];
        uint32_t k = 0;
        atg_str name;
        int rc;

        while (k < i && uuid_cmp(&entries[k].e.account, account) != 0)
            k++;
        if (k < i)
            continue;
        rc = cases_account(request_cases(q), q->arena, account, &name, err);
        if (rc)
            return rc;
        uuid_text(account, id);
        cases_put_text(&q->j, id, name);
    }
    json_end(&q->j, '}');
    return ATG_OK;
}

static int show_history(request *q, atg_err *err) {
    file_row file;
    audit_entry *entries;
    uint32_t n;
    int rc = request_file(q, "file", &file, err);

    if (!rc)
        rc = cases_history(request_cases(q), &q->who, q->arena, &file.id, &entries, &n, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "entries");
    cases_write_history(&q->j, entries, n);
    rc = write_names(q, entries, n, err);
    json_end(&q->j, '}');
    return rc;
}

const route routes_files[] = {
    {.method = "GET",
     .path = "/api/v1/operations",
     .run = list_operations,
     .tag = "files",
     .summary = "The operations that one has a role in",
     .gives = "Files",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/operations",
     .body = BODY_RECORD,
     .run = add_operation,
     .tag = "files",
     .summary = "Make an operation",
     .takes = "NewOperation",
     .gives = "Changed",
     .status = 201},
    {.method = "GET",
     .path = "/api/v1/operations/{operation}/files",
     .flags = ROUTE_SEARCHES,
     .run = list_files,
     .tag = "files",
     .summary = "List files of a kind, page by page",
     .query = "!kind state sex order limit after withdrawn",
     .gives = "Files",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/files",
     .body = BODY_RECORD,
     .run = add_file,
     .tag = "files",
     .summary = "Make a file: of a missing person, of remains, of a family, ...",
     .takes = "NewRecord",
     .gives = "Changed",
     .status = 201},
    {.method = "GET",
     .path = "/api/v1/operations/{operation}/search",
     .flags = ROUTE_SEARCHES,
     .run = search_files,
     .tag = "files",
     .summary = "Find files by words, beginnings and parts of words, codes and dates",
     .query = "!kind !q state sex limit",
     .gives = "Files",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/search",
     .flags = ROUTE_SEARCHES,
     .body = BODY_SMALL,
     .run = search_quietly,
     .tag = "files",
     .summary = "The same with the words in the body, so that no address has them",
     .takes = "Search",
     .gives = "Files",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/files/{file}",
     .flags = ROUTE_LOOKS,
     .run = show_file,
     .tag = "files",
     .summary = "A file with everything in it that one may see; first the file itself",
     .gives = "File",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/files/{file}/name",
     .run = name_file,
     .tag = "files",
     .summary = "Which file a printed code or an identifier names; no look at the file",
     .gives = "FileName",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/files/{file}/history",
     .flags = ROUTE_LOOKS,
     .run = show_history,
     .tag = "files",
     .summary = "The history of a file, opened as far as one may read it",
     .gives = "History",
     .status = 200},
    {.method = NULL},
};
