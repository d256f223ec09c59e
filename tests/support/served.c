/* SPDX-License-Identifier: Apache-2.0 */
#include "served.h"

#include "schema.h"

#include "app/accounts_internal.h"
#include "base/clock.h"
#include "store/accounts.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/request.h"

enum { PARTS = 24, WAIT_S = 60 };

/* ---- the service ---- */

static int open_sessions(served *w, atg_err *err) {
    int rc = ATG_OK;

    for (int r = 0; r <= ROLES && !rc; r++)
        rc = account_session_new(w->made.c, r < ROLES ? &w->made.by[r] : &w->made.all, w->token[r],
                                 err);
    return rc;
}

/* The second factors of the accounts, with a secret that can be opened. */
static int seal_factors(db *d, void *user, atg_err *err) {
    static const code_secret secret = {{1}};
    made_cases *m = user;
    int rc = ATG_OK;

    for (int r = 0; r <= ROLES && !rc; r++) {
        account_row row;

        rc = accounts_get(d, m->arena, r < ROLES ? &m->by[r].account : &m->all.account, &row, err);
        if (!rc)
            rc = account_seal_code(m->c, d, m->arena, &row.id, &secret, &row.totp, err);
        if (!rc)
            rc = accounts_update(d, &row, err);
    }
    return rc;
}

void served_start(served *w, const service_options *options) {
    service_options o = options ? *options : (service_options){.log = NULL};
    atg_err err = {0};

    o.c = w->made.c;
    o.listen = o.listen ? o.listen : "127.0.0.1:0";
    o.address_rate = o.address_rate ? o.address_rate : 100000;
    o.account_rate = o.account_rate ? o.account_rate : 100000;
    o.stop_s = o.stop_s ? o.stop_s : 5;
    made_ok(service_open(&o, &w->s, &err), &err);
    snprintf(w->url, sizeof(w->url), "https://%s", service_address(w->s));
}

void served_stop(served *w) {
    service_close(w->s);
    w->s = NULL;
}

typedef struct confirming {
    hash256 token;
    int64_t until;
} confirming;

static int write_confirmed(db *d, void *user, atg_err *err) {
    const confirming *w = user;

    return sessions_confirm(d, &w->token, w->until, err);
}

void served_confirm(served *w, int who) {
    confirming one = {account_token_hash(atg_str_of(w->token[who])), clock_now() + 3600000000};
    atg_err err = {0};

    made_ok(store_write(cases_store(w->made.c), write_confirmed, &one, &err), &err);
}

served served_open(const database *where, const service_options *options) {
    served w = {.where = where, .made = made_cases_open(where)};
    atg_err err = {0};

    account_test_cost(PASSWORD_LEAST);
    made_ok(store_write(cases_store(w.made.c), seal_factors, &w.made, &err), &err);
    made_ok(open_sessions(&w, &err), &err);
    w.curl = curl_easy_init();
    served_start(&w, options);
    snprintf(w.authority, sizeof(w.authority), "%s/tls/ca.pem", where->directory);
    return w;
}

void served_close(served *w) {
    curl_easy_cleanup(w->curl);
    served_stop(w);
    made_cases_close(&w->made);
    account_test_cost(PASSWORD_ACCOUNT);
}

/* ---- asking ---- */

typedef struct growing {
    char **p;
    size_t *n;
} growing;

static size_t grow(char *data, size_t size, size_t n, void *user) {
    growing *g = user;
    char *more = realloc(*g->p, *g->n + size * n + 1);

    if (!more)
        return 0;
    memcpy(more + *g->n, data, size * n);
    *g->p = more;
    *g->n += size * n;
    more[*g->n] = '\0';
    return size * n;
}

static void add_header(struct curl_slist **list, const char *name, const char *text) {
    char line[4096];

    snprintf(line, sizeof(line), "%s: %s", name, text);
    *list = curl_slist_append(*list, line);
}

static struct curl_slist *headers_of(const served *w, const ask *a) {
    struct curl_slist *list = NULL;
    char bearer[200];
    const char *token = a->token ? a->token : a->who != SERVED_NOBODY ? w->token[a->who] : NULL;

    if (token) {
        snprintf(bearer, sizeof(bearer), "Bearer %s", token);
        add_header(&list, "Authorization", bearer);
    }
    if (a->purpose)
        add_header(&list, "Antigone-Purpose", a->purpose);
    if (a->body && !(a->header[0] && strncasecmp(a->header[0], "Content-Type", 12) == 0))
        add_header(&list, "Content-Type", "application/json");
    for (size_t i = 0; i < sizeof(a->header) / sizeof(*a->header) && a->header[i]; i++)
        list = curl_slist_append(list, a->header[i]);
    return list;
}

static json_t *described;

static void describe(void) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(16 << 20);
    json_t *all;
    atg_str text;
    atg_err err = {0};

    made_ok(service_openapi(buf, &err), &err);
    made_ok(atg_buf_take(buf, &text, &err), &err);
    all = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    described =
        json_pack("{s:O}", "$defs", json_object_get(json_object_get(all, "components"), "schemas"));
    json_decref(all);
}

/* The schemas of the served description, where schema.h looks for them.  Any thread. */
static json_t *description(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    assert_int_equal(pthread_once(&once, describe), 0);
    return described;
}

/* What is answered is what the description says. */
static void check_answer(const ask *a, const answer *got) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    bool problem = answer_has(got, "content-type: application/problem+json");
    const char *name = problem ? "Problem" : NULL;
    route_found found;
    target t;

    if (!problem && target_read(arena, atg_str_of(a->path), &t, NULL) == ATG_OK &&
        route_find(a->method, &t, &found) == PROBLEM_NONE && got->status != 304) {
        bool job = found.route->job && got->status == 202;
        bool part = found.route->flags & ROUTE_RANGES && got->status == 206;

        if (got->status != (long)found.route->status && !job && !part && got->status != 503)
            fail_msg("%s %s: %ld is not described", a->method, a->path, got->status);
        name = job ? "Job" : found.route->gives;
    }
    if (!name || strchr(name, '/') || !got->n_body)
        return;
    if (!schema_fits(description(), json_object_get(json_object_get(description(), "$defs"), name),
                     got->json))
        fail_msg("%s %s: not a %s: %s", a->method, a->path, name, got->body);
}

answer served_ask(const served *w, const ask *a) {
    answer got = {.status = 0};
    char url[8192];
    CURL *c = w->curl ? w->curl : curl_easy_init();
    struct curl_slist *list = headers_of(w, a);
    growing head = {&got.head, &got.n_head}, body = {&got.body, &got.n_body};

    assert_non_null(c);
    snprintf(url, sizeof(url), "%s%s", w->url, a->path);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_CAINFO, w->authority);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, a->method);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c, CURLOPT_EXPECT_100_TIMEOUT_MS, 20L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)WAIT_S);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, grow);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, grow);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, &head);
    if (strcmp(a->method, "HEAD") == 0)
        curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    if (a->body) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)(a->n_body ? a->n_body : strlen(a->body)));
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, a->body);
    }
    if (curl_easy_perform(c) == CURLE_OK)
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &got.status);
    if (w->curl)
        curl_easy_reset(c);
    else
        curl_easy_cleanup(c);
    curl_slist_free_all(list);
    if (got.n_body)
        got.json = json_loadb(got.body, got.n_body, JSON_REJECT_DUPLICATES, NULL);
    if (got.status)
        check_answer(a, &got);
    return got;
}

answer served_must(const served *w, long status, const ask *a) {
    answer got = served_ask(w, a);

    if (got.status != status)
        fail_msg("%s %s (%d): %ld where %ld was expected: %s", a->method, a->path, a->who,
                 got.status, status, got.body ? got.body : "");
    return got;
}

void answer_free(answer *a) {
    free(a->head);
    free(a->body);
    json_decref(a->json);
    *a = (answer){.status = 0};
}

bool answer_has(const answer *a, const char *line_part) {
    return a->head && strcasestr(a->head, line_part) != NULL;
}

const char *answer_text(const answer *a, const char *key) {
    const char *text = json_string_value(json_object_get(a->json, key));

    return text ? text : "";
}

/* ---- raw bytes ---- */

struct raw_client {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};

int raw_connect(uint16_t port, const char *from) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in own = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && inet_pton(AF_INET, from, &own.sin_addr) == 1 &&
        bind(fd, (const struct sockaddr *)(const void *)&own, sizeof(own)) == 0 &&
        connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

raw_client *raw_dial(uint16_t port, const char *from) {
    raw_client *c = calloc(1, sizeof(*c));
    int rc;

    if (!c)
        return NULL;
    c->fd = raw_connect(port, from);
    gnutls_init(&c->session, GNUTLS_CLIENT);
    gnutls_set_default_priority(c->session);
    gnutls_certificate_allocate_credentials(&c->credentials);
    gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials);
    gnutls_transport_set_int(c->session, c->fd);
    gnutls_handshake_set_timeout(c->session, 10000);
    do
        rc = c->fd < 0 ? GNUTLS_E_PUSH_ERROR : gnutls_handshake(c->session);
    while (rc < 0 && !gnutls_error_is_fatal(rc));
    if (rc >= 0)
        return c;
    raw_close(c);
    return NULL;
}

raw_client *raw_open(const served *w) {
    raw_client *c = raw_dial(service_port(w->s), "127.0.0.1");

    assert_non_null(c);
    return c;
}

bool raw_send(raw_client *c, const char *bytes, size_t n) {
    while (n) {
        ssize_t sent = gnutls_record_send(c->session, bytes, n);

        if (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

size_t raw_read(raw_client *c, char *ret, size_t size, int wait_ms) {
    size_t n = 0;

    gnutls_record_set_timeout(c->session, (unsigned)wait_ms);
    while (n + 1 < size) {
        struct pollfd p = {c->fd, POLLIN, 0};
        ssize_t got;

        if (!gnutls_record_check_pending(c->session) && poll(&p, 1, wait_ms) <= 0)
            break;
        got = gnutls_record_recv(c->session, ret + n, size - 1 - n);
        if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    ret[n] = '\0';
    return n;
}

ssize_t raw_some(raw_client *c, char *ret, size_t size) {
    ssize_t got;

    do
        got = gnutls_record_recv(c->session, ret, size);
    while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
    return got;
}

void raw_close(raw_client *c) {
    if (!c)
        return;
    gnutls_deinit(c->session);
    gnutls_certificate_free_credentials(c->credentials);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}
