/* SPDX-License-Identifier: Apache-2.0 */
/* Every route: without a token, with an ended one, as each role, and with requests that are broken
 * in every way. */
#include "served.h"

#include <stdio.h>

#include "server/request.h"

enum { PATH = 2000, BODY = 4000, REQUESTS = 60, REQUESTS_POSTGRES = 20 };

typedef struct names {
    char operation[64], missing[64], remains[64], record[64];
} names;

static void put_missing(served *w, names *n) {
    record *m = made_missing(&w->made, "Halvorsen", "Liv"), *r = made_remains(&w->made, "K1-7");

    char once[ACCOUNT_ONCE + 1];
    uuid id;
    atg_err err = {0};

    made_ok(account_add(w->made.c, &w->made.by[ROLE_ADMINISTRATOR], ATG_STR("Bureau"),
                        ATG_STR("somebody"), once, &id, &err),
            &err);
    made_add(&w->made, m);
    made_add(&w->made, r);
    uuid_text(&w->made.operation, n->operation);
    snprintf(n->missing, sizeof(n->missing), "%.*s", ATG_FMT(m->code));
    snprintf(n->remains, sizeof(n->remains), "%.*s", ATG_FMT(r->code));
    uuid_text(&m->id, n->record);
}

/* What a word of a path stands for in the store of these tests. */
static const char *word_of(const names *n, atg_str word) {
    static const struct {
        const char *word, *text;
    } words[] = {
        {"{kind}", "missing"}, {"{name}", "somebody"}, {"{site}", "K9"}, {"{field}", "image"}};

    if (atg_str_eq(word, ATG_STR("{operation}")))
        return n->operation;
    if (atg_str_eq(word, ATG_STR("{file}")))
        return n->missing;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (atg_str_eq(word, atg_str_of(words[i].word)))
            return words[i].text;
    return n->record;
}

static void path_of(const names *n, const route *r, char ret[PATH]) {
    atg_str rest = atg_str_of(r->path + 1);
    bool slash = r->path[strlen(r->path) - 1] == '/';
    size_t at = 0;

    while (rest.n) {
        atg_str part = atg_str_cut(&rest, '/');
        const char *text = part.p[0] == '{' ? word_of(n, part) : NULL;

        at += (size_t)snprintf(ret + at, PATH - at, "/%.*s", text ? (int)strlen(text) : (int)part.n,
                               text ? text : part.p);
    }
    if (slash)
        snprintf(ret + at, PATH - at, "/");
}

/* ---- the whole access table ---- */

static bool is_public(const route *r) {
    return r->flags & ROUTE_PUBLIC;
}

static void nobody_gets_past_without_a_token(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH], ended[ACCOUNT_TOKEN + 1];
    names n;
    atg_err err = {0};

    put_missing(&w, &n);
    made_ok(account_session_new(w.made.c, &w.made.all, ended, &err), &err);
    made_ok(account_logout(w.made.c, atg_str_of(ended), &err), &err);
    for (uint32_t i = 0; i < route_count(); i++) {
        const route *r = route_at(i);

        if (is_public(r))
            continue;
        path_of(&n, r, path);
        ANSWER_AUTO a = MUST(&w, 401, r->method, path, SERVED_NOBODY);
        ANSWER_AUTO c = MUST(&w, 401, r->method, path, SERVED_NOBODY,
                             .token = "0123456789abcdef0123456789abcdef"
                                      "0123456789abcdef0123456789abcdef");
        ANSWER_AUTO b = MUST(&w, 401, r->method, path, SERVED_NOBODY, .token = ended);

        assert_true(answer_has(&b, "www-authenticate: bearer"));
    }
    served_close(&w);
}

static bool ends_sessions(const route *r) {
    return strcmp(r->path, "/api/v1/session/renew") == 0 ||
           (strcmp(r->method, "DELETE") == 0 && strstr(r->path, "/api/v1/session"));
}

static void each_role_gets_what_is_its_own(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH];
    names n;

    put_missing(&w, &n);
    for (uint32_t i = 0; i < route_count(); i++) {
        const route *r = route_at(i);

        if (is_public(r) || ends_sessions(r) || r->flags & ROUTE_STREAM)
            continue;
        path_of(&n, r, path);
        for (int who = 0; who < ROLES; who++) {
            ANSWER_AUTO a = served_ask(
                &w, &(ask){r->method, path, who, .body = r->takes ? "{}" : NULL,
                           .purpose = "a test of rights", .header = {"If-Match: \"1\""}});

            if (a.status == 0 || a.status >= 500 || a.status == 401)
                fail_msg("%s %s as %s: %ld", r->method, r->path, role_names[who], a.status);
            if (r->roles && !(r->roles >> who & 1) && a.status < 400)
                fail_msg("%s %s let %s in: %ld", r->method, r->path, role_names[who], a.status);
        }
    }
    served_close(&w);
}

/* ---- broken requests ---- */

static const char *const hostile[] = {
    "..",
    "%2e%2e",
    "%2f",
    "%00",
    "%ff%fe",
    "'%20OR%201=1--",
    "%22;DROP%20TABLE%20file;--",
    "=1+1",
    "%F0%9F%92%80",
    "-1",
    "9223372036854775808",
    "*",
    "null",
    "{}",
    "%25n%25n",
    "AM-K3-000001",
    "missing",
    "operation",
    "photograph",
    "00000000-0000-7000-8000-000000000000",
    "a",
    "image",
    "%E2%80%AE",
    "x%0d%0aSet-Cookie:%20a=b",
    "~",
    "(",
    "\\",
};
enum { HOSTILE = sizeof(hostile) / sizeof(*hostile) };

static const char *const bodies[] = {
    "{\"kind\":\"missing\",\"fields\":{\"family_name\":\"x\",\"sex\":\"male\"}}",
    "{\"name\":\"bo\",\"password\":\"wagon lilac brave otter\",\"code\":\"123456\"}",
    "{\"state\":\"examined\"}",
    "{\"fields\":{\"age\":[1,2],\"born\":\"1984\"}}",
    "{\"grant\":[\"board\"],\"revoke\":[\"board\"],\"operation\":\"OP-K3-000001\"}",
    "{\"kind\":\"look\",\"most\":1000000000}",
    "{\"from\":\"AM-K3-000001\"}",
    "{\"kind\":\"mark\",\"fields\":{\"kind\":\"tattoo\",\"location\":\"arm\"}}",
    "{\"format\":\"antigone-operation/1\",\"name\":\"x\",\"markers\":[]}",
    "{\"kind\":\"missing\",\"theirs\":[\"sex\"]}",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "1e999",
    "",
};
enum { BODIES = sizeof(bodies) / sizeof(*bodies) };

static void write_path(atg_rng *rng, const names *n, const route *r, char ret[PATH]) {
    atg_str rest = atg_str_of(r->path + 1);
    size_t at = 0;

    while (rest.n && at < PATH / 2) {
        atg_str part = atg_str_cut(&rest, '/');
        bool odd = part.p[0] == '{' ? atg_rng_below(rng, 3) == 0 : atg_rng_below(rng, 50) == 0;
        const char *text = odd                ? hostile[atg_rng_below(rng, HOSTILE)]
                           : part.p[0] == '{' ? word_of(n, part)
                                              : NULL;

        at += (size_t)snprintf(ret + at, PATH - at, "/%.*s", text ? (int)strlen(text) : (int)part.n,
                               text ? text : part.p);
    }
    rest = atg_str_of(r->query ? r->query : "x");
    for (char sep = '?'; rest.n && at < PATH / 2; sep = '&') {
        atg_str name = atg_str_cut(&rest, ' ');
        bool needed = name.p[0] == '!';

        if (!needed && atg_rng_below(rng, 3))
            continue;
        at += (size_t)snprintf(ret + at, PATH - at, "%c%.*s=%s", sep, (int)(name.n - needed),
                               name.p + needed, hostile[atg_rng_below(rng, HOSTILE)]);
    }
}

static size_t write_body(atg_rng *rng, char ret[BODY]) {
    const char *from = bodies[atg_rng_below(rng, BODIES)];
    size_t n = strlen(from);

    memcpy(ret, from, n + 1);
    for (uint64_t k = atg_rng_below(rng, 4); k > 0 && n; k--)
        switch (atg_rng_below(rng, 3)) {
        case 0:
            ret[atg_rng_below(rng, n)] = (char)atg_rng_below(rng, 256);
            break;
        case 1:
            n = (size_t)atg_rng_below(rng, n) + 1;
            break;
        default:
            if (n < BODY / 2) {
                memcpy(ret + n, ret, n);
                n *= 2;
            }
        }
    return n;
}

static const char *header_of(atg_rng *rng) {
    static const char *const headers[] = {
        "If-Match: \"1\"",
        "If-Match: \"99999999999999999999\"",
        "If-None-Match: *",
        "X-Forwarded-For: 1.2.3.4",
        "Content-Type: text/xml",
        "Expect: 100-continue",
        "Range: bytes=0-0",
        "Cookie: a=b",
        "Accept-Encoding: gzip, br",
        "Antigone-Purpose: %E2%80%AE%0d",
        "X-HTTP-Method-Override: DELETE",
        "Upgrade: h2c",
    };

    return headers[atg_rng_below(rng, sizeof(headers) / sizeof(*headers))];
}

static void renew_when_out(served *w) {
    ANSWER_AUTO a = served_ask(w, &(ask){"GET", "/api/v1/session", SERVED_ALL});
    atg_err err = {0};

    if (a.status == 401)
        made_ok(account_session_new(w->made.c, &w->made.all, w->token[SERVED_ALL], &err), &err);
}

static void break_one(served *w, const names *n, atg_rng *rng, const route *r) {
    char path[PATH], body[BODY];
    bool with = atg_rng_below(rng, 8) ? r->body > 0 : r->body == 0;
    size_t size = with ? write_body(rng, body) : 0;
    const char *methods[] = {"GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "X"};

    write_path(rng, n, r, path);

    ask a = {.method = atg_rng_below(rng, 20) ? r->method : methods[atg_rng_below(rng, 8)],
             .path = path,
             .who = atg_rng_below(rng, 20) ? SERVED_ALL : SERVED_NOBODY,
             .body = with ? body : NULL,
             .n_body = size,
             .purpose = atg_rng_below(rng, 3) ? "a%20test" : NULL};

    if (atg_rng_below(rng, 2))
        a.header[0] = header_of(rng);

    ANSWER_AUTO got = served_ask(w, &a);

    if (got.status == 0 || got.status >= 500)
        fail_msg("%s %s with %.*s: %ld %s", a.method, path, (int)size, with ? body : "", got.status,
                 got.body ? got.body : "");
    if (got.status >= 400 && a.method[0] != 'H')
        assert_true(answer_has(&got, "application/problem+json"));
    assert_false(answer_has(&got, "set-cookie"));
    assert_true(!got.body || !strstr(got.body, "SELECT "));
}

static void broken_requests_are_refused_and_nothing_fails(const database *where) {
    service_options o = {.idle_s = 60};
    served w = served_open(where, &o);
    atg_rng rng = atg_rng_seed(20261130);
    long most = database_number("ATG_REQUESTS", where->postgres ? REQUESTS_POSTGRES : REQUESTS);
    names n;
    atg_err err = {0};

    put_missing(&w, &n);
    for (int k = 0; k < QUOTAS; k++)
        made_ok(account_quota(w.made.c, &w.made.by[ROLE_ADMINISTRATOR], &w.made.all.account,
                              (quota_kind)k, 1000000000, &err),
                &err);
    for (uint32_t i = 0; i < route_count(); i++) {
        /* what goes over the whole history takes longer with each request */
        long times = route_at(i)->flags & ROUTE_LONG     ? most / 10
                     : route_at(i)->flags & ROUTE_STREAM ? 0
                                                         : most;

        for (long k = 0; k < times; k++) {
            if (k % 20 == 0)
                renew_when_out(&w);
            break_one(&w, &n, &rng, route_at(i));
        }
    }
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"nobody gets past without a token", nobody_gets_past_without_a_token, ON_BOTH},
        {"each role gets what is its own", each_role_gets_what_is_its_own, ON_BOTH},
        {"broken requests are refused, and nothing fails",
         broken_requests_are_refused_and_nothing_fails, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
