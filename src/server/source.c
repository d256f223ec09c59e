/* SPDX-License-Identifier: Apache-2.0 */
#include "server/source.h"

#include <string.h>

#include "base/mem.h"

enum { BLOCK = 64 << 10 };

static ssize_t read_some(void *user, uint64_t at, char *ret, size_t most) {
    source *s = user;
    size_t n = at < s->n ? (s->n - at < most ? (size_t)(s->n - at) : most) : 0;

    if (!n)
        return MHD_CONTENT_READER_END_OF_STREAM;
    /* what is damaged on disk must not look as if it were whole */
    return s->read(s->user, s->first + at, ret, n, NULL) ? MHD_CONTENT_READER_END_WITH_ERROR
                                                         : (ssize_t)n;
}

static void end(void *user) {
    source *s = user;

    s->close(s->user);
    mem_free(s);
}

/* ---- ranges ---- */

/* Digits up to a number of 15; false: none. */
static bool digits(atg_str *text, uint64_t *ret) {
    uint64_t x = 0;
    size_t n = 0;

    while (n < text->n && n < 16 && text->p[n] >= '0' && text->p[n] <= '9')
        x = 10 * x + (uint64_t)(text->p[n++] - '0');
    *text = (atg_str){text->p + n, text->n - n};
    *ret = x;
    return n > 0 && n < 16;
}

typedef enum range_kind { RANGE_ALL, RANGE_PART, RANGE_NONE } range_kind;

/* One range of bytes; several, or what is none, count as not asked for. */
static range_kind read_range(atg_str text, uint64_t size, uint64_t *ret_first, uint64_t *ret_n) {
    static const atg_str unit = {"bytes=", 6};
    uint64_t first = 0, last = size ? size - 1 : 0;
    bool from, to;

    if (text.n < unit.n || memcmp(text.p, unit.p, unit.n) != 0)
        return RANGE_ALL;
    text = (atg_str){text.p + unit.n, text.n - unit.n};
    from = digits(&text, &first);
    if (!text.n || text.p[0] != '-')
        return RANGE_ALL;
    text = (atg_str){text.p + 1, text.n - 1};
    to = digits(&text, &last);
    if (text.n || (!from && !to) || (from && to && last < first))
        return RANGE_ALL;
    if (!from) { /* the last so many */
        first = last < size ? size - last : 0;
        last = size ? size - 1 : 0;
        to = first < size;
        if (!to)
            return RANGE_NONE;
    }
    if (first >= size)
        return RANGE_NONE;
    last = to && last < size ? last : size - 1;
    *ret_first = first;
    *ret_n = last - first + 1;
    return RANGE_PART;
}

bool source_choose(request *q) {
    source *s = q->source;
    unsigned long long size = s->size;

    s->first = 0;
    s->n = s->size;
    if (!q->etag.n || q->status != MHD_HTTP_OK)
        return true;
    reply_head(q, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    if (!q->range.n || (q->if_range.n && !atg_str_eq(q->if_range, q->etag)))
        return true;
    switch (read_range(q->range, s->size, &s->first, &s->n)) {
    case RANGE_ALL:
        return true;
    case RANGE_NONE:
        reply_head(q, MHD_HTTP_HEADER_CONTENT_RANGE, "bytes */%llu", size);
        return false;
    case RANGE_PART:
        q->status = MHD_HTTP_PARTIAL_CONTENT;
        reply_head(q, MHD_HTTP_HEADER_CONTENT_RANGE, "bytes %llu-%llu/%llu",
                   (unsigned long long)s->first, (unsigned long long)(s->first + s->n - 1), size);
    }
    return true;
}

/* ---- the answer ---- */

int reply_source(request *q, unsigned status, const char *type, const source *from, atg_err *err) {
    int rc = reply_text(q, status, type, err);

    if (!rc && !q->source) {
        q->source = ATG_GET(q->arena, source, 1);
        rc = q->source ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for an answer");
    }
    if (rc) {
        from->close(from->user);
        return rc;
    }
    *q->source = *from;
    return ATG_OK;
}

void source_drop(request *q) {
    if (q->source)
        q->source->close(q->source->user);
    q->source = NULL;
}

static int read_outgoing(void *user, uint64_t at, void *ret, size_t n, atg_err *err) {
    return outgoing_read(user, at, ret, n, err);
}

static void close_outgoing(void *user) {
    outgoing_free(user);
}

int reply_outgoing(request *q, unsigned status, const char *type, outgoing *o, atg_err *err) {
    source from = {
        .size = outgoing_size(o), .read = read_outgoing, .close = close_outgoing, .user = o};

    return reply_source(q, status, type, &from, err);
}

struct MHD_Response *source_response(request *q) {
    source *s = mem_alloc(sizeof(*s));
    struct MHD_Response *r;

    if (!s)
        return NULL;
    *s = *q->source;
    r = MHD_create_response_from_callback(s->n, BLOCK, read_some, s, end);
    if (r)
        q->source = NULL; /* it is the response's now */
    else
        mem_free(s);
    return r;
}
