/* SPDX-License-Identifier: Apache-2.0 */
/* What comparisons found, and several reports of one person. */
#include "server/routes.h"

#include "app/cases_json.h"
#include "app/tasks.h"

enum { PAGE = 50, PAGE_MAX = 10000 };

static int leads_of(request *q, atg_err *err) {
    leads_query l = {.limit = PAGE};
    file_row operation;
    lead *leads;
    uint32_t n;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = request_choice(q, "conclusion",
                            record_field(RECORD_HYPOTHESIS, HYPOTHESIS_CONCLUSION)->choices,
                            &l.conclusion, err);
    if (!rc)
        rc = request_number(q, "limit", 1, PAGE_MAX, &l.limit, err);
    l.operation = operation.id;
    if (!rc)
        rc = cases_leads(request_cases(q), &q->who, q->arena, &l, &leads, &n, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "leads");
    cases_write_leads(&q->j, leads, n);
    json_end(&q->j, '}');
    return ATG_OK;
}

static int duplicates_of(request *q, atg_err *err) {
    file_row operation;
    duplicates found;
    uint32_t limit = PAGE;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = request_number(q, "limit", 1, PAGE_MAX, &limit, err);
    if (!rc)
        rc = cases_duplicates(request_cases(q), &q->who, q->arena, &operation.id, limit, &found,
                              err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "duplicates");
    cases_write_duplicates(&q->j, &found);
    json_end(&q->j, '}');
    return ATG_OK;
}

static int merged(request *q, atg_err *err) {
    file_page page = {.n = 0};
    file_row file;
    int rc = request_file(q, "file", &file, err);

    if (!rc)
        rc = cases_merged(request_cases(q), &q->who, q->arena, &file.id, &page.rows, &page.n, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (!rc)
        cases_write_files(&q->j, &page);
    return rc;
}

static int merge(request *q, atg_err *err) {
    file_row into, from;
    atg_str code = {NULL, 0};
    int rc = request_members(q, "!from", err);

    if (!rc)
        rc = request_text(q, "from", &code, err);
    if (!rc)
        rc = request_file(q, "file", &into, err);
    if (!rc)
        rc = cases_find(request_cases(q), q->arena, code, &from, err);
    if (!rc)
        rc = cases_merge(request_cases(q), &q->who, &into.id, &from.id, err);
    return rc ? rc : reply_empty(q);
}

static int unmerge(request *q, atg_err *err) {
    file_row from;
    int rc = request_file(q, "file", &from, err);

    if (!rc)
        rc = cases_unmerge(request_cases(q), &q->who, &from.id, err);
    return rc ? rc : reply_empty(q);
}

static int may_match(request *q, atg_err *err) {
    file_row operation;
    int rc = request_operation(q, &operation, err);

    return rc ? rc : task_match_right(request_cases(q), &q->who, &operation.id, err);
}

/* The comparing is done by matchers, which may be on other machines: this waits for them. */
static int match(request *q, atg_err *err) {
    const atg_progress *p = request_progress(q);
    file_row operation;
    task_matching now;
    uint64_t left;
    int rc = request_operation(q, &operation, err);

    if (!rc && !q->turn)
        rc = task_match_begin(request_cases(q), &q->who, &operation.id, err);
    if (!rc)
        rc = task_match_look(request_cases(q), &operation.id, &now, err);
    if (rc || !p)
        return rc ? rc : atg_fail(err, ATG_ENOMEM, "Out of memory for a job");
    left = (uint64_t)(now.waiting + now.running);
    q->most = left > q->most ? left : q->most;
    if (left) {
        q->later = true;
        return p->step(p->user, now.running ? "comparing" : "waiting for a matcher", q->most - left,
                       q->most)
                   ? ATG_OK
                   : atg_fail(err, ATG_ECANCEL, "Stopped");
    }
    rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_number(&q->j, "compared", (int64_t)q->most);
    cases_put_number(&q->j, "failed", now.failed);
    json_end(&q->j, '}');
    return ATG_OK;
}

const route routes_compare[] = {
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/match",
     .flags = ROUTE_JOB,
     .run = match,
     .may = may_match,
     .job = "match",
     .again = true,
     .tag = "comparison",
     .summary = "Have everything of an operation compared anew by the matchers",
     .gives = "Matched",
     .status = 202},
    {.method = "GET",
     .path = "/api/v1/operations/{operation}/leads",
     .flags = ROUTE_LOOKS,
     .run = leads_of,
     .tag = "comparison",
     .summary = "Hypotheses: which remains may be whom, how strongly, and why",
     .query = "conclusion limit",
     .gives = "Leads",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/operations/{operation}/duplicates",
     .flags = ROUTE_LONG | ROUTE_SEARCHES,
     .run = duplicates_of,
     .tag = "comparison",
     .summary = "Reports that may be of one missing person, the most alike first",
     .query = "limit",
     .gives = "Duplicates",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/files/{file}/merged",
     .run = merged,
     .tag = "comparison",
     .summary = "Reports that were merged into this one",
     .gives = "Files",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/files/{file}/merge",
     .flags = ROUTE_PURPOSE,
     .body = BODY_SMALL,
     .run = merge,
     .tag = "comparison",
     .summary = "Another file becomes a report on the person of this one",
     .takes = "Merge",
     .status = 204},
    {.method = "POST",
     .path = "/api/v1/files/{file}/unmerge",
     .flags = ROUTE_PURPOSE,
     .run = unmerge,
     .tag = "comparison",
     .summary = "Take a report apart again",
     .status = 204},
    {.method = NULL},
};
