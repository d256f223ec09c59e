/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON: which route, how it ended, how long it took, which account, and why the
 * service or the store failed.  Never what stands in a path, a query, a header or a body. */
#include "server/service_internal.h"

#include "base/clock.h"
#include "base/instant.h"

enum { LINE_MAX_BYTES = 4096 };

static void write_line(service *s, const atg_buf *buf) {
    atg_str line;

    if (atg_buf_take(buf, &line, NULL))
        return;
    pthread_mutex_lock(&s->log_lock);
    (void)fwrite(line.p, 1, line.n, s->o.log);
    (void)fflush(s->o.log);
    pthread_mutex_unlock(&s->log_lock);
}

static json begin(atg_buf *buf) {
    char at[INSTANT_TEXT + 1];
    json j = json_new(buf);

    instant_text(clock_now(), at);
    json_object_line(&j);
    json_key(&j, "at");
    json_text(&j, at);
    return j;
}

void logs_request(service *s, const request *q, unsigned status, int64_t us) {
    ATG_AUTO(atg_buf) buf = s->o.log ? atg_buf_new(LINE_MAX_BYTES) : NULL;
    char account[UUID_TEXT + 1];
    json j;

    if (!buf)
        return;
    j = begin(buf);
    json_key(&j, "request");
    json_text(&j, q->id);
    json_key(&j, "method");
    json_text(&j, q->route ? q->route->method : "");
    json_key(&j, "route");
    json_text(&j, q->route ? q->route->path : "none");
    json_key(&j, "status");
    json_int(&j, status);
    json_key(&j, "ms");
    json_num(&j, (double)us * 1e-3);
    if (!uuid_none(&q->who.account)) {
        uuid_text(&q->who.account, account);
        json_key(&j, "account");
        json_text(&j, account);
    }
    if (q->problem) {
        json_key(&j, "problem");
        json_text(&j, problem_rows[q->problem].type);
    }
    if (q->cause) {
        json_key(&j, "cause");
        json_text(&j, q->cause);
    }
    json_end(&j, '}');
    write_line(s, buf);
}

void logs_event(service *s, const char *event, const char *detail) {
    ATG_AUTO(atg_buf) buf = s->o.log ? atg_buf_new(LINE_MAX_BYTES) : NULL;
    json j;

    if (!buf)
        return;
    j = begin(buf);
    json_key(&j, "event");
    json_text(&j, event);
    if (detail) {
        json_key(&j, "detail");
        json_text(&j, detail);
    }
    json_end(&j, '}');
    write_line(s, buf);
}
