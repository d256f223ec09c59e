/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: long work that goes on behind its answer 202.  Whoever asked for one sees it. */
#include "server/routes.h"

#include "app/tasks.h"
#include "server/runner.h"
#include "server/service_internal.h"

static int show(request *q, atg_err *err) {
    uuid id;
    task_row t;
    int rc = request_id(q, request_word(q, "job"), &id, err);

    if (!rc)
        rc = task_look(q->s->c, &q->who, q->arena, &id, &t, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    runner_look(q->s->runner, q->arena, &t);
    q->wait_s = t.ended ? 0 : 1;
    runner_write(q, &t);
    return ATG_OK;
}

static int list(request *q, atg_err *err) {
    task_row *all;
    uint32_t n;
    int rc = task_list(q->s->c, &q->who, q->arena, &all, &n, err);

    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "jobs");
    json_begin_array(&q->j);
    for (uint32_t i = 0; i < n; i++) {
        all[i].answer = (atg_str){"", 0};
        runner_look(q->s->runner, q->arena, &all[i]);
        runner_write(q, &all[i]);
    }
    json_end(&q->j, ']');
    json_end(&q->j, '}');
    return ATG_OK;
}

static int cancel(request *q, atg_err *err) {
    uuid id;
    task_row t;
    int rc = request_id(q, request_word(q, "job"), &id, err);

    if (!rc)
        rc = task_look(q->s->c, &q->who, q->arena, &id, &t, err);
    if (rc)
        return rc;
    /* an import that runs here holds up who writes that it shall end */
    runner_cancel(q->s->runner, &id);
    rc = task_cancel(q->s->c, &q->who, &id, err);
    return rc ? rc : reply_empty(q);
}

const route routes_jobs[] = {
    {.method = "GET",
     .path = "/api/v1/jobs",
     .run = list,
     .tag = "jobs",
     .summary = "One's own jobs of the last week, the newest first, without what came of them",
     .gives = "Jobs",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/jobs/{job}",
     .run = show,
     .tag = "jobs",
     .summary = "How far a job is; when it has ended, what came of it",
     .gives = "Job",
     .status = 200},
    {.method = "DELETE",
     .path = "/api/v1/jobs/{job}",
     .run = cancel,
     .tag = "jobs",
     .summary = "Ask for the end of a job; nothing of it is kept",
     .status = 204},
    {.method = NULL},
};
