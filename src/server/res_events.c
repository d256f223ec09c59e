/* SPDX-License-Identifier: Apache-2.0 */
/* Events: which files changed, as it happens. */
#include "server/routes.h"

#include "server/events.h"
#include "server/service_internal.h"

static int read_after(request *q, int64_t *ret, atg_err *err) {
    uint64_t id = 0;

    if (!q->last_event.n)
        return ATG_OK;
    if (request_digits(q->last_event, &id)) {
        *ret = (int64_t)id;
        return ATG_OK;
    }
    return request_refuse(q, PROBLEM_REQUEST, err, "Last-Event-ID is the id of an event");
}

static int follow(request *q, atg_err *err) {
    int64_t after = -1;
    int rc = read_after(q, &after, err);

    if (!rc)
        rc = hub_add(q->s->hub, q, after, err);
    if (rc)
        return rc;
    q->status = MHD_HTTP_OK;
    q->type = "text/event-stream";
    return ATG_OK;
}

const route routes_events[] = {
    {.method = "GET",
     .path = "/api/v1/events",
     .flags = ROUTE_STREAM,
     .run = follow,
     .tag = "events",
     .summary = "Changed files as they change (server-sent events; Last-Event-ID goes on)",
     .gives = "text/event-stream",
     .status = 200},
    {.method = NULL},
};
