/* SPDX-License-Identifier: Apache-2.0 */
/* What stands before every handler.  The head of a request is judged on the thread that reads it,
 * without the store; whose session it is, on the pool. */
#include "server/service_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "app/accounts.h"

enum { PURPOSE_MAX = 400, HOST_MAX = 260 };

/* ---- headers ---- */

typedef enum head_name {
    HEAD_HOST,
    HEAD_LENGTH,
    HEAD_ENCODING,
    HEAD_TYPE,
    HEAD_AUTHORIZATION,
    HEAD_ORIGIN,
    HEAD_FETCH_SITE,
    HEAD_PURPOSE,
    HEAD_IF_MATCH,
    HEAD_IF_NONE_MATCH,
    HEAD_LAST_EVENT,
    HEAD_UPLOAD_OFFSET,
    HEAD_PREFER,
    HEAD_RANGE,
    HEAD_IF_RANGE,
    HEADS,
} head_name;

static const char *const head_names[HEADS] = {
    [HEAD_HOST] = "Host",
    [HEAD_LENGTH] = "Content-Length",
    [HEAD_ENCODING] = "Transfer-Encoding",
    [HEAD_TYPE] = "Content-Type",
    [HEAD_AUTHORIZATION] = "Authorization",
    [HEAD_ORIGIN] = "Origin",
    [HEAD_FETCH_SITE] = "Sec-Fetch-Site",
    [HEAD_PURPOSE] = "Antigone-Purpose",
    [HEAD_IF_MATCH] = "If-Match",
    [HEAD_IF_NONE_MATCH] = "If-None-Match",
    [HEAD_LAST_EVENT] = "Last-Event-ID",
    [HEAD_UPLOAD_OFFSET] = "Upload-Offset",
    [HEAD_PREFER] = "Prefer",
    [HEAD_RANGE] = "Range",
    [HEAD_IF_RANGE] = "If-Range",
};

typedef struct head {
    atg_str value[HEADS];
    bool twice;
} head;

static enum MHD_Result note(void *user, enum MHD_ValueKind kind, const char *key,
                            const char *text) {
    head *h = user;

    (void)kind;
    for (int i = 0; i < HEADS; i++)
        if (atg_str_eq_nocase(atg_str_of(key), atg_str_of(head_names[i]))) {
            h->twice |= h->value[i].p != NULL;
            h->value[i] = text ? atg_str_of(text) : (atg_str){"", 0};
        }
    return MHD_YES;
}

/* ---- what the head says ---- */

/* One that two programs could read differently is not read at all. */
static problem_kind check_framing(const head *h, const char *version, atg_err *err) {
    if (h->twice) {
        (void)atg_fail(err, ATG_EINVAL, "A header that may stand once stands twice");
        return PROBLEM_REQUEST;
    }
    if (strcmp(version, "HTTP/1.1") != 0) {
        (void)atg_fail(err, ATG_EINVAL, "Only HTTP/1.1 is spoken here");
        return PROBLEM_REQUEST;
    }
    if (h->value[HEAD_ENCODING].p &&
        (h->value[HEAD_LENGTH].p ||
         !atg_str_eq_nocase(h->value[HEAD_ENCODING], ATG_STR("chunked")))) {
        (void)atg_fail(err, ATG_EINVAL, "The length of the body is said in two ways, or unclear");
        return PROBLEM_REQUEST;
    }
    return PROBLEM_NONE;
}

static bool known_host(const request *q, atg_str host) {
    char name[HOST_MAX];
    size_t n;

    if (!host.n || host.n >= sizeof(name))
        return false;
    if (host.p[0] == '[') {
        const char *end = memchr(host.p, ']', host.n);

        if (!end)
            return false;
        host.p++;
        n = (size_t)(end - host.p);
    } else {
        const char *colon = memchr(host.p, ':', host.n);

        n = colon ? (size_t)(colon - host.p) : host.n;
    }
    memcpy(name, host.p, n);
    name[n] = '\0';
    return strlen(name) == n && n && (strcmp(name, q->s->host) == 0 || tls_is_for(q->s->tls, name));
}

/* A page of another site may not make a browser ask here, whatever it would be told. */
static bool is_cross_site(const request *q, const head *h) {
    atg_str origin = h->value[HEAD_ORIGIN], site = h->value[HEAD_FETCH_SITE];
    atg_str own = atg_arena_printf(q->arena, "https://%.*s", ATG_FMT(h->value[HEAD_HOST]));

    if (origin.p && !atg_str_eq_nocase(origin, own))
        return true;
    return site.p && !(q->route->flags & ROUTE_NAVIGATE) && !atg_str_eq(site, ATG_STR("none")) &&
           !atg_str_eq(site, ATG_STR("same-origin"));
}

static bool is_json(atg_str type) {
    atg_str kind = atg_str_cut(&type, ';');

    return atg_str_eq_nocase(atg_str_trim(kind), ATG_STR("application/json")) &&
           (!type.n || atg_str_eq_nocase(atg_str_trim(type), ATG_STR("charset=utf-8")));
}

/* What a route names that takes no JSON: "text/csv", or a family, "image/" and a star. */
static bool is_media(const char *range, atg_str type) {
    atg_str kind = atg_str_trim(atg_str_cut(&type, ';'));
    size_t n = strlen(range) - 1;

    if (range[n] != '*')
        return atg_str_eq_nocase(kind, atg_str_of(range));
    return kind.n > n && atg_str_eq_nocase((atg_str){kind.p, n}, (atg_str){range, n});
}

static problem_kind check_type(const route *r, atg_str type, atg_err *err) {
    const char *range = r->takes && strchr(r->takes, '/') ? r->takes : NULL;

    if (range ? is_media(range, type) : is_json(type))
        return PROBLEM_NONE;
    (void)atg_fail(err, ATG_EINVAL, "The body is to be %s", range ? range : "application/json");
    return PROBLEM_MEDIA_TYPE;
}

static bool length_of(atg_str text, uint64_t *ret) {
    uint64_t n = 0;

    if (!text.n || text.n > 15)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        n = 10 * n + (uint64_t)(text.p[i] - '0');
    }
    *ret = n;
    return true;
}

static problem_kind check_body(request *q, const head *h, atg_err *err) {
    uint64_t n = 0;
    bool chunked = h->value[HEAD_ENCODING].p != NULL;

    if (h->value[HEAD_LENGTH].p && !length_of(h->value[HEAD_LENGTH], &n)) {
        (void)atg_fail(err, ATG_EINVAL, "Content-Length is to be a number");
        q->drop = true;
        return PROBLEM_REQUEST;
    }
    if (!n && !chunked)
        return PROBLEM_NONE;
    if (!q->route->body) {
        (void)atg_fail(err, ATG_EINVAL, "This request takes no body");
        return PROBLEM_REQUEST;
    }
    if (n > q->route->body) {
        (void)atg_fail(err, ATG_ELIMIT, "The body may have %zu bytes", q->route->body);
        return PROBLEM_TOO_LARGE;
    }
    if (check_type(q->route, h->value[HEAD_TYPE], err))
        return PROBLEM_MEDIA_TYPE;
    q->length = n;
    if (q->route->begin)
        return PROBLEM_NONE;
    q->body = atg_buf_new(q->route->body);
    if (!q->body) {
        (void)atg_fail(err, ATG_ENOMEM, "Out of memory for a request");
        return PROBLEM_BUSY;
    }
    return PROBLEM_NONE;
}

/* Only what the route knows: a word that is misspelled must not be passed over in silence. */
static problem_kind check_query(const request *q, atg_err *err) {
    for (uint32_t i = 0; i < q->at.n_query; i++) {
        atg_str rest = atg_str_of(q->route->query ? q->route->query : "");
        bool known = false;

        while (rest.n && !known) {
            atg_str name = atg_str_cut(&rest, ' ');

            if (name.n && name.p[0] == '!')
                name = (atg_str){name.p + 1, name.n - 1};
            known = atg_str_eq(name, q->at.query[i].name);
        }
        if (!known) {
            (void)atg_fail(err, ATG_EINVAL, "The query has a name that is not known here");
            return PROBLEM_REQUEST;
        }
    }
    return PROBLEM_NONE;
}

/* Is there what the route cannot do without ("!")? */
static problem_kind check_query_whole(const request *q, atg_err *err) {
    atg_str rest = atg_str_of(q->route->query ? q->route->query : "");

    while (rest.n) {
        atg_str name = atg_str_cut(&rest, ' ');

        if (name.p[0] == '!' &&
            !target_query(&q->at, atg_arena_str(q->arena, (atg_str){name.p + 1, name.n - 1}).p).n) {
            (void)atg_fail(err, ATG_EINVAL, "The query needs '%.*s'", (int)name.n - 1, name.p + 1);
            return PROBLEM_REQUEST;
        }
    }
    return PROBLEM_NONE;
}

static problem_kind check_rate(request *q, uint32_t n, atg_err *err) {
    q->rate = limiter_take(q->s->by_address, q->address_key, n, service_clock());
    if (q->rate.allowed)
        return PROBLEM_NONE;
    q->wait_s = q->rate.wait_s;
    (void)atg_fail(err, ATG_ELIMIT, "Too many requests from this address: wait %u s", q->wait_s);
    return PROBLEM_RATE;
}

/* The token of the header, or an empty text where it is none. */
static atg_str token_in(atg_str text) {
    static const atg_str bearer = {"Bearer ", 7};

    if (text.n != bearer.n + ACCOUNT_TOKEN ||
        !atg_str_eq_nocase((atg_str){text.p, bearer.n}, bearer))
        return (atg_str){"", 0};
    return (atg_str){text.p + bearer.n, ACCOUNT_TOKEN};
}

/* An address counts for those who have no good token; who has one is counted by account. */
static problem_kind check_address(request *q, const head *h, atg_err *err) {
    atg_str token = token_in(h->value[HEAD_AUTHORIZATION]);

    if (token.n && known_is(q->s->known, token))
        return PROBLEM_NONE;
    return check_rate(q, h->value[HEAD_AUTHORIZATION].n ? 0 : 1, err);
}

/* ---- in order ---- */

static problem_kind read_target(request *q, const char *method, atg_err *err) {
    int rc = target_read(q->arena, atg_str_of(q->raw), &q->at, err);

    if (rc == ATG_ELIMIT)
        return PROBLEM_TARGET_LENGTH;
    if (rc)
        return rc == ATG_ENOMEM ? PROBLEM_BUSY : PROBLEM_REQUEST;

    problem_kind problem = route_find(method, &q->at, &q->found);

    q->route = q->found.route;
    if (problem)
        (void)atg_fail(err, ATG_ENOTFOUND, "%s",
                       problem == PROBLEM_METHOD ? "Allow names the methods there are"
                                                 : "There is no such path");
    return problem;
}

/* Preferences that are not known here are passed over (RFC 7240). */
static bool prefers(atg_str all, const char *what) {
    while (all.n) {
        atg_str one = atg_str_cut(&all, ',');

        if (atg_str_eq_nocase(atg_str_trim(atg_str_cut(&one, ';')), atg_str_of(what)))
            return true;
    }
    return false;
}

static void keep(request *q, const head *h) {
    q->prefers_job = prefers(h->value[HEAD_PREFER], "respond-async");
    q->authorization = atg_arena_str(q->arena, h->value[HEAD_AUTHORIZATION]);
    q->purpose = atg_arena_str(q->arena, h->value[HEAD_PURPOSE]);
    q->if_match = atg_arena_str(q->arena, h->value[HEAD_IF_MATCH]);
    q->if_none_match = atg_arena_str(q->arena, h->value[HEAD_IF_NONE_MATCH]);
    q->last_event = atg_arena_str(q->arena, h->value[HEAD_LAST_EVENT]);
    q->range = atg_arena_str(q->arena, h->value[HEAD_RANGE]);
    q->if_range = atg_arena_str(q->arena, h->value[HEAD_IF_RANGE]);
    q->upload_offset = atg_arena_str(q->arena, h->value[HEAD_UPLOAD_OFFSET]);
}

static problem_kind check_head(request *q, const head *h, const char *method, const char *version,
                               atg_err *err) {
    problem_kind problem = check_framing(h, version, err);

    if (!problem)
        problem = read_target(q, method, err);
    if (!problem && !known_host(q, h->value[HEAD_HOST])) {
        (void)atg_fail(err, ATG_EINVAL, "The certificate is not for the name in Host");
        problem = PROBLEM_HOST;
    }
    if (!problem && is_cross_site(q, h)) {
        (void)atg_fail(err, ATG_EDENIED, "This request came from a page of another site");
        problem = PROBLEM_CROSS_SITE;
    }
    if (!problem)
        problem = check_address(q, h, err);
    if (!problem && !(q->route->flags & ROUTE_PUBLIC) && !h->value[HEAD_AUTHORIZATION].n) {
        (void)atg_fail(err, ATG_EDENIED, "A token is needed: POST /api/v1/session gives one");
        problem = PROBLEM_NO_SESSION;
    }
    return problem ? problem : check_body(q, h, err);
}

problem_kind guard_head(request *q, const char *method, const char *version, atg_err *err) {
    head h = {.twice = false};
    problem_kind problem;

    (void)MHD_get_connection_values(q->connection, MHD_HEADER_KIND, note, &h);
    q->head = strcmp(method, "HEAD") == 0;
    problem = check_head(q, &h, method, version, err);
    if (problem)
        q->drop = q->drop || h.twice || h.value[HEAD_ENCODING].p ||
                  (h.value[HEAD_LENGTH].p && !atg_str_eq(h.value[HEAD_LENGTH], ATG_STR("0")));
    else
        keep(q, &h);
    return problem;
}

/* ---- whose it is ---- */

static problem_kind read_purpose(request *q, atg_err *err) {
    atg_str text;

    if (target_decode(q->arena, q->purpose, false, &text, err))
        return PROBLEM_REQUEST;
    text = atg_str_trim(text);
    if (text.n > PURPOSE_MAX) {
        (void)atg_fail(err, ATG_ELIMIT, "A purpose has at most %d bytes", PURPOSE_MAX);
        return PROBLEM_REQUEST;
    }
    q->who.reason = text;
    return PROBLEM_NONE;
}

static problem_kind read_session(request *q, atg_err *err) {
    atg_str token = token_in(q->authorization);
    session_state state;
    int rc = token.n ? account_session_look(q->s->c, q->arena, token, &state, err)
                     : atg_fail(err, ATG_EDENIED, "Authorization is to be Bearer and the token");

    if (rc == ATG_EDENIED) {
        atg_err limit = {0};
        problem_kind problem = check_rate(q, 1, &limit);

        known_remove(q->s->known, token);
        if (problem)
            *err = limit;
        return problem ? problem : PROBLEM_NO_SESSION;
    }
    if (rc)
        return problem_of(err);
    known_add(q->s->known, token);
    q->who = state.who;
    q->fresh = state.confirmed;
    return PROBLEM_NONE;
}

static problem_kind check_account_rate(request *q, atg_err *err) {
    q->rate = limiter_take(q->s->by_account, q->who.account.bytes, 1, service_clock());
    if (q->rate.allowed)
        return PROBLEM_NONE;
    q->wait_s = q->rate.wait_s;
    (void)atg_fail(err, ATG_ELIMIT, "Too many requests of this account: wait %u s", q->wait_s);
    return PROBLEM_RATE;
}

static problem_kind read_body(request *q, atg_err *err) {
    json_error_t where;
    atg_str text;

    if (!q->body || q->route->flags & ROUTE_RAW)
        return PROBLEM_NONE;
    if (atg_buf_take(q->body, &text, err))
        return PROBLEM_TOO_LARGE;
    q->json = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &where);
    if (q->json)
        return PROBLEM_NONE;
    (void)atg_fail(err, ATG_EPARSE, "%s", where.text);
    err->line = where.line > 0 ? (uint32_t)where.line : 1;
    err->col = where.column > 0 ? (uint32_t)where.column : 1;
    return PROBLEM_JSON;
}

static problem_kind check_needs(const request *q, atg_err *err) {
    if (q->route->flags & ROUTE_PURPOSE && q->who.reason.n < 3) {
        (void)atg_fail(err, ATG_EDENIED, "Say why in Antigone-Purpose: it stands in the history");
        return PROBLEM_PURPOSE;
    }
    if (q->route->flags & ROUTE_MATCH && !q->if_match.n) {
        (void)atg_fail(err, ATG_EINVAL, "Send the ETag of what was read as If-Match");
        return PROBLEM_NO_MATCH;
    }
    if (q->route->takes && !q->json && !(q->route->flags & ROUTE_RAW)) {
        (void)atg_fail(err, ATG_EPARSE, "A body of JSON is needed");
        return PROBLEM_JSON;
    }
    return PROBLEM_NONE;
}

problem_kind guard_session(request *q, atg_err *err) {
    problem_kind problem = PROBLEM_NONE;

    if (q->authorization.n)
        problem = read_session(q, err);
    if (!problem && q->authorization.n)
        problem = check_account_rate(q, err);
    if (!problem)
        problem = check_query(q, err);
    if (!problem)
        problem = check_query_whole(q, err);
    if (!problem)
        problem = read_purpose(q, err);
    if (!problem)
        problem = read_body(q, err);
    return problem ? problem : check_needs(q, err);
}

bool guard_loopback(const request *q) {
    return strncmp(q->address, "127.", 4) == 0 || strcmp(q->address, "::1") == 0;
}
