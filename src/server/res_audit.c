/* SPDX-License-Identifier: Apache-2.0 */
/* The history of the whole store. */
#include "server/routes.h"

#include "app/cases_json.h"
#include "app/tasks.h"
#include "app/upkeep.h"
#include "server/changes.h"
#include "server/source.h"

enum { AUDITORS = 1u << ROLE_AUDITOR | 1u << ROLE_BOARD | 1u << ROLE_ADMINISTRATOR };

static int verify(request *q, atg_err *err) {
    verify_wish w = {.threads = 1, .progress = request_progress(q)};
    audit_report r;
    int rc = upkeep_verify(request_cases(q), &q->who, &w, &r, err);

    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_number(&q->j, "entries", (int64_t)r.entries);
    cases_put_number(&q->j, "files", (int64_t)r.files);
    cases_put_number(&q->j, "leaves", (int64_t)r.leaves);
    cases_put_number(&q->j, "checkpoints", (int64_t)r.checkpoints);
    cases_put_number(&q->j, "records", (int64_t)r.records);
    cases_put_number(&q->j, "waiting", (int64_t)r.waiting);
    json_key(&q->j, "seconds");
    json_num(&q->j, r.seconds);
    json_end(&q->j, '}');
    return ATG_OK;
}

static int may_verify(request *q, atg_err *err) {
    return task_verify_right(request_cases(q), &q->who, err);
}

static int export_history(request *q, atg_err *err) {
    ATG_AUTO(outgoing) o = NULL;
    outgoing *given;
    int rc = changes_confirmed(q, err);

    if (!rc)
        rc = outgoing_new(request_cases(q), &o, err);
    if (!rc)
        rc = upkeep_give_history(request_cases(q), &q->who, o, request_progress(q), err);
    if (rc)
        return rc;
    q->file_name = ATG_STR("attachment; filename=\"history.audit\"");
    given = o;
    o = NULL;
    return reply_outgoing(q, MHD_HTTP_OK, "application/octet-stream", given, err);
}

static int sign(request *q, atg_err *err) {
    checkpoint note;
    char text[CHECKPOINT_MAX];
    int rc = upkeep_checkpoint(request_cases(q), &q->who, NULL, &note, err);

    if (!rc)
        rc = reply_text(q, MHD_HTTP_OK, "text/plain; charset=utf-8", err);
    if (rc)
        return rc;
    (void)checkpoint_text(&note, text);
    atg_buf_adds(q->out, text);
    return ATG_OK;
}

static int key(request *q, atg_err *err) {
    char digits[UPKEEP_KEY + 1];
    int rc = upkeep_key(request_cases(q), digits, err);

    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_text(&q->j, "key", atg_str_of(digits));
    json_end(&q->j, '}');
    return ATG_OK;
}

const route routes_audit[] = {
    {.method = "POST",
     .path = "/api/v1/audit/verify",
     .flags = ROUTE_LONG | ROUTE_JOB,
     .run = verify,
     .may = may_verify,
     .job = "verify",
     .again = true,
     .tag = "audit",
     .summary = "Show that nothing in the history was changed, or name the first thing that was",
     .gives = "Verified",
     .status = 202,
     .roles = AUDITORS},
    {.method = "GET",
     .path = "/api/v1/audit/export",
     .flags = ROUTE_LONG | ROUTE_PURPOSE | ROUTE_EXPORTS,
     .run = export_history,
     .tag = "audit",
     .summary = "After confirming: the whole history, which is verified without the store",
     .gives = "application/octet-stream",
     .status = 200,
     .roles = AUDITORS},
    {.method = "POST",
     .path = "/api/v1/audit/checkpoint",
     .run = sign,
     .tag = "audit",
     .summary = "Sign the history as it is now: a note for a witness",
     .gives = "text/plain",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/audit/key",
     .run = key,
     .tag = "audit",
     .summary = "The public key that signs the checkpoints",
     .gives = "Key",
     .status = 200},
    {.method = NULL},
};
