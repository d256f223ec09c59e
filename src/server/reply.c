/* SPDX-License-Identifier: Apache-2.0 */
#include "server/service_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/source.h"

static int begin(request *q, unsigned status, const char *type, atg_err *err) {
    atg_buf_free(q->out);
    source_drop(q);
    q->out = atg_buf_new(REPLY_MAX);
    if (!q->out)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an answer");
    q->j = json_new(q->out);
    q->status = status;
    q->type = type;
    return ATG_OK;
}

int reply_json(request *q, unsigned status, atg_err *err) {
    return begin(q, status, "application/json", err);
}

int reply_text(request *q, unsigned status, const char *type, atg_err *err) {
    return begin(q, status, type, err);
}

int reply_empty(request *q) {
    atg_buf_free(q->out);
    q->out = NULL;
    q->status = MHD_HTTP_NO_CONTENT;
    q->type = NULL;
    return ATG_OK;
}

void reply_revision(request *q, int64_t rev) {
    q->etag = atg_arena_printf(q->arena, "\"%lld\"", (long long)rev);
}

void reply_next(request *q, atg_str after) {
    ATG_AUTO(atg_buf) buf = atg_buf_new((size_t)2 * TARGET_MAX);
    atg_str text = atg_str_of(q->raw), path = atg_str_cut(&text, '?');

    if (!buf)
        return;
    atg_buf_printf(buf, "<%.*s?after=%.*s", ATG_FMT(path), ATG_FMT(target_encode(q->arena, after)));
    for (uint32_t i = 0; i < q->at.n_query; i++) {
        const target_pair *p = &q->at.query[i];

        if (!atg_str_eq(p->name, ATG_STR("after")))
            atg_buf_printf(buf, "&%.*s=%.*s", ATG_FMT(target_encode(q->arena, p->name)),
                           ATG_FMT(target_encode(q->arena, p->value)));
    }
    atg_buf_adds(buf, ">; rel=\"next\"");
    if (atg_buf_take(buf, &text, NULL) == ATG_OK)
        q->link = atg_arena_str(q->arena, text);
}

void reply_head(request *q, const char *name, const char *fmt, ...) {
    char text[200];
    va_list ap;
    size_t i = 0;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    while (i < REPLY_HEADS && q->heads[i].name && strcmp(q->heads[i].name, name) != 0)
        i++;
    if (i == REPLY_HEADS)
        return;
    q->heads[i].name = name;
    q->heads[i].text = atg_arena_str(q->arena, atg_str_of(text));
}

void reply_problem(request *q, problem_kind kind, const char *detail, const atg_err *where) {
    const problem_row *row = &problem_rows[kind];
    json *j = &q->j;

    q->location = q->link = q->etag = q->file_name = (atg_str){NULL, 0};
    if (begin(q, row->status, "application/problem+json", NULL)) {
        q->status = row->status;
        return;
    }
    json_object_line(j);
    json_key(j, "type");
    json_str(j, atg_arena_printf(q->arena, "urn:antigone:problem:%s", row->type));
    json_key(j, "title");
    json_text(j, row->title);
    json_key(j, "status");
    json_int(j, row->status);
    if (detail && *detail && problem_told(kind)) {
        json_key(j, "detail");
        json_text(j, detail);
    }
    json_key(j, "instance");
    json_str(j, atg_arena_printf(q->arena, "urn:antigone:request:%s", q->id));
    if (where && where->line) {
        json_key(j, "line");
        json_int(j, where->line);
        json_key(j, "column");
        json_int(j, where->col);
    }
    json_end(j, '}');
}

/* ---- handing over ---- */

static void put(struct MHD_Response *r, const char *name, const char *text) {
    if (text && *text)
        (void)MHD_add_response_header(r, name, text);
}

static void put_number(struct MHD_Response *r, const char *name, uint64_t x) {
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)x);
    put(r, name, text);
}

/* Pages of our own have no script and take nothing from elsewhere. */
static void put_strict(struct MHD_Response *r, bool page) {
    put(r, "Strict-Transport-Security", "max-age=63072000; includeSubDomains");
    put(r, "Content-Security-Policy",
        page ? "default-src 'none'; style-src 'self'; img-src 'self'; object-src 'none'; "
               "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
             : "default-src 'none'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
               "form-action 'none'");
    put(r, "X-Content-Type-Options", "nosniff");
    put(r, "X-Frame-Options", "DENY");
    put(r, "Referrer-Policy", "no-referrer");
    put(r, "Cache-Control", "no-store");
    put(r, "Cross-Origin-Opener-Policy", "same-origin");
    put(r, "Cross-Origin-Embedder-Policy", "require-corp");
    put(r, "Cross-Origin-Resource-Policy", "same-origin");
    put(r, "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
}

static void put_limits(const request *q, struct MHD_Response *r) {
    if (q->rate.limit) {
        put_number(r, "RateLimit-Limit", q->rate.limit);
        put_number(r, "RateLimit-Remaining", q->rate.left);
        put_number(r, "RateLimit-Reset", q->rate.wait_s ? q->rate.wait_s : 1);
    }
    put(r, "Antigone-Quota", q->quota.p);
    if (q->wait_s)
        put_number(r, MHD_HTTP_HEADER_RETRY_AFTER, q->wait_s);
}

static void put_headers(const request *q, struct MHD_Response *r) {
    put_strict(r, q->type && strncmp(q->type, "text/html", 9) == 0);
    put_limits(q, r);
    put(r, "Antigone-Request", q->id);
    put(r, MHD_HTTP_HEADER_CONTENT_TYPE, q->type);
    put(r, MHD_HTTP_HEADER_LOCATION, q->location.p);
    put(r, MHD_HTTP_HEADER_LINK, q->link.p);
    put(r, MHD_HTTP_HEADER_ETAG, q->etag.p);
    put(r, MHD_HTTP_HEADER_CONTENT_DISPOSITION, q->file_name.p);
    for (size_t i = 0; i < REPLY_HEADS && q->heads[i].name; i++)
        put(r, q->heads[i].name, q->heads[i].text.p);
    if (q->status == MHD_HTTP_UNAUTHORIZED)
        put(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"antigone\"");
    if (q->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        put(r, MHD_HTTP_HEADER_ALLOW, q->found.allow);
    /* what is left of a body that was not read is no next request */
    if (q->drop || atomic_load(&q->s->stopping))
        put(r, MHD_HTTP_HEADER_CONNECTION, "close");
}

/* The bytes stay where they are until the request is freed, behind the last of them. */
static struct MHD_Response *from_memory(request *q) {
    atg_str text = {"", 0};

    if (q->out && atg_buf_take(q->out, &text, NULL)) {
        reply_problem(q, PROBLEM_TOO_LARGE, "The answer is too large: ask for less", NULL);
        if (!q->out || atg_buf_take(q->out, &text, NULL))
            text = (atg_str){"", 0};
    }
    return MHD_create_response_from_buffer(text.n, request_bytes(text), MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result reply_send(request *q) {
    struct MHD_Response *r = q->stream;
    enum MHD_Result done;

    if (q->source && !source_choose(q))
        reply_problem(q, PROBLEM_RANGE, "Content-Range says how many there are", NULL);
    if (!r)
        r = q->source ? source_response(q) : from_memory(q);
    if (!r)
        return MHD_NO;
    put_headers(q, r);
    done = MHD_queue_response(q->connection, q->status, r);
    MHD_destroy_response(r);
    q->stream = NULL;
    q->stage = STAGE_SENT;
    return done;
}
