/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli/progress.h"
#include "server/target.h"

enum {
    CONNECT_S = 20,
    LAST_S = 10,
    SILENT_S = 900, /* without a byte: long work says nothing until it is done */
    TRIES = 6,
    FIRST_NAP_MS = 200,
    WAIT_MOST_S = 5, /* a Retry-After that is waited for without asking */
    SHOWN_FROM = 1 << 20,
    EXPIRED = 1 << 10, /* GNUTLS_CERT_EXPIRED */
    TOO_EARLY = 1 << 9 /* GNUTLS_CERT_NOT_ACTIVATED */
};

struct http {
    CURL *curl;
    http_place place;
    char *authority;
    const atg_progress *progress;
    atg_buf *body;
    size_t n, most;
    bool over;     /* the answer is larger */
    bool answered; /* it has answered before */
    bool last;
    const http_sink *to;
    size_t given; /* bytes, to it */
    int refused;  /* by it, and why */
    atg_err why;
    char told[CURL_ERROR_SIZE];
};

/* ---- where it is ---- */

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
           c == '[' || c == ']';
}

static char lower(char c) {
    if (c >= 'A' && c <= 'Z')
        return "abcdefghijklmnopqrstuvwxyz"[c - 'A'];
    return c;
}

int http_place_of(const char *text, http_place *ret, atg_err *err) {
    static const char scheme[] = "https://";
    http_place p = {.url = ""};
    const char *at = text;
    size_t n;

    if (strncmp(at, scheme, sizeof(scheme) - 1) == 0)
        at += sizeof(scheme) - 1;
    n = strcspn(at, "/");
    if (!n || n >= sizeof(p.host) || (at[n] && strcmp(at + n, "/") != 0))
        return atg_fail(err, ATG_EINVAL, "Name the service as https://HOST:PORT, not '%.80s'",
                        text);
    for (size_t i = 0; i < n; i++) {
        char c = lower(at[i]);

        if (!is_plain(c))
            return atg_fail(err, ATG_EINVAL, "Name the service as https://HOST:PORT, not '%.80s'",
                            text);
        p.host[i] = c;
        p.file[i] = c;
        if (strchr(":[]", c))
            p.file[i] = '_';
    }
    (void)snprintf(p.url, sizeof(p.url), "%s%s", scheme, p.host);
    *ret = p;
    return ATG_OK;
}

/* ---- what curl calls ---- */

static bool succeeded(const http *h) {
    long status = 0;

    (void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
}

static size_t hand_on(http *h, atg_str bytes) {
    h->refused = h->to->write(h->to->user, bytes, &h->why);
    h->given += bytes.n;
    return h->refused ? 0 : bytes.n;
}

static size_t take(const char *data, size_t size, size_t n, void *user) {
    http *h = user;

    n *= size;
    if (h->to && succeeded(h))
        return hand_on(h, (atg_str){data, n});
    if (n > h->most - h->n) {
        h->over = true;
        return 0;
    }
    h->n += n;
    atg_buf_add(h->body, (atg_str){data, n});
    return n;
}

static int on_progress(void *user, curl_off_t in_all, curl_off_t in, curl_off_t out_all,
                       curl_off_t out) {
    const http *h = user;
    bool up = out_all >= SHOWN_FROM;

    if (progress_stopped() && !h->last)
        return 1;
    if (!h->progress || h->last || (!up && in_all < SHOWN_FROM))
        return 0;
    return !h->progress->step(h->progress->user, up && !in ? "sending" : "receiving",
                              (uint64_t)(up && !in ? out : in),
                              (uint64_t)(up && !in ? out_all : in_all));
}

/* ---- opening ---- */

static void set_up(http *h) {
    CURL *c = h->curl;

    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(c, CURLOPT_USERAGENT, "antigone/" ATG_VERSION);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
    (void)curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->told);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
    (void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, h);
    if (!h->authority)
        return;
    /* that one, and not those of the system besides */
    (void)curl_easy_setopt(c, CURLOPT_CAINFO, h->authority);
    (void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
}

int http_open(const http_options *o, http **ret, atg_err *err) {
    http *h = mem_zero(1, sizeof(*h));

    if (!h)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a connection");
    h->place = *o->place;
    h->progress = o->progress;
    h->authority = o->authority ? mem_alloc(strlen(o->authority) + 1) : NULL;
    h->curl = curl_easy_init();
    if (!h->curl || (o->authority && !h->authority)) {
        http_close(h);
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a connection");
    }
    if (o->authority)
        memcpy(h->authority, o->authority, strlen(o->authority) + 1);
    set_up(h);
    *ret = h;
    return ATG_OK;
}

void http_close(http *h) {
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    atg_buf_free(h->body);
    mem_free(h->authority);
    mem_free(h);
}

/* ---- what went wrong ---- */

/* Was nothing said yet to whoever is there? */
static bool unsaid(CURLcode rc) {
    return rc == CURLE_COULDNT_CONNECT || rc == CURLE_COULDNT_RESOLVE_HOST ||
           rc == CURLE_COULDNT_RESOLVE_PROXY || rc == CURLE_SSL_CONNECT_ERROR;
}

static int distrusted(const http *h, atg_err *err) {
    long bits = 0;

    (void)curl_easy_getinfo(h->curl, CURLINFO_SSL_VERIFYRESULT, &bits);
    if (bits & EXPIRED || strstr(h->told, "expired"))
        return atg_fail(err, ATG_EDENIED,
                        "The certificate of %s has expired: its operator renews it. Nothing was "
                        "sent",
                        h->place.host);
    if (bits & TOO_EARLY || strstr(h->told, "not yet"))
        return atg_fail(err, ATG_EDENIED,
                        "The certificate of %s is not valid yet: is the clock of this machine "
                        "right? Nothing was sent",
                        h->place.host);
    if (strstr(h->told, "does not match"))
        return atg_fail(err, ATG_EDENIED,
                        "The certificate that %s shows is for other names: is this the name that "
                        "its operator told? Nothing was sent",
                        h->place.host);
    return atg_fail(err, ATG_EDENIED,
                    "The certificate of %s is not signed by %s. Nothing was sent. Its operator "
                    "tells the fingerprint of its authority by another way, and 'antigone login "
                    "--server %s --fingerprint DIGITS' trusts that one",
                    h->place.host,
                    h->authority ? "the authority that is trusted for it"
                                 : "an authority that this machine trusts",
                    h->place.url);
}

static int unreached(const http *h, CURLcode rc, atg_err *err) {
    if (rc == CURLE_COULDNT_RESOLVE_HOST)
        return atg_fail(err, ATG_EIO,
                        "No machine named %s is known: is the name right, and is there a network",
                        h->place.host);
    if (rc == CURLE_SSL_CONNECT_ERROR)
        return atg_fail(err, ATG_EIO, "What answers at %s does not speak HTTPS as it should",
                        h->place.host);
    return atg_fail(err, ATG_EIO,
                    "%s does not answer: the service is not running, or the network does not "
                    "reach it",
                    h->place.url);
}

static int broken(const http *h, const http_ask *a, atg_err *err) {
    if (a->again)
        return atg_fail(err, ATG_EIO, "The connection to %s broke: try again", h->place.host);
    return atg_fail(err, ATG_EIO,
                    "The connection to %s broke before the answer came: it is not known whether "
                    "the change was made. Look ('antigone history', 'antigone list') before doing "
                    "it again",
                    h->place.host);
}

static int explain(const http *h, CURLcode rc, const http_ask *a, atg_err *err) {
    if (rc == CURLE_ABORTED_BY_CALLBACK)
        return atg_fail(err, ATG_ECANCEL, "Stopped");
    if (rc == CURLE_OUT_OF_MEMORY)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a request");
    if (h->refused) {
        if (err)
            *err = h->why;
        return h->refused;
    }
    if (h->over)
        return atg_fail(err, ATG_ELIMIT, "The answer has more than %zu MiB: ask for less",
                        h->most >> 20);
    if (rc == CURLE_PEER_FAILED_VERIFICATION)
        return distrusted(h, err);
    if (rc == CURLE_SSL_CACERT_BADFILE)
        return atg_fail(err, ATG_EINVAL, "%s holds no certificate that can be read",
                        h->authority ? h->authority : "The file of the system's authorities");
    if (unsaid(rc))
        return unreached(h, rc, err);
    if (rc == CURLE_OPERATION_TIMEDOUT && h->told[0] && strncmp(h->told, "Connection", 10) == 0)
        return unreached(h, CURLE_COULDNT_CONNECT, err);
    return broken(h, a, err);
}

/* ---- sending ---- */

static void add(struct curl_slist **list, atg_str line, bool *ok) {
    struct curl_slist *more = line.p ? curl_slist_append(*list, line.p) : NULL;

    *ok &= more != NULL;
    *list = more ? more : *list;
}

static struct curl_slist *headers_of(atg_arena *arena, const http_ask *a, bool *ok) {
    struct curl_slist *list = NULL;

    if (a->token.n)
        add(&list, atg_arena_printf(arena, "Authorization: Bearer %.*s", ATG_FMT(a->token)), ok);
    if (a->purpose.n)
        add(&list,
            atg_arena_printf(arena, "Antigone-Purpose: %.*s",
                             ATG_FMT(target_encode(arena, a->purpose))),
            ok);
    if (a->rev)
        add(&list, atg_arena_printf(arena, "If-Match: \"%lld\"", (long long)a->rev), ok);
    if (a->job)
        add(&list, ATG_STR("Prefer: respond-async"), ok);
    /* where there is no body, curl leaves it out */
    add(&list, atg_arena_printf(arena, "Content-Type: %s", a->type ? a->type : ""), ok);
    return list;
}

static void aim(http *h, const http_ask *a, const char *url, struct curl_slist *headers) {
    bool bodied = strcmp(a->method, "GET") != 0 && strcmp(a->method, "DELETE") != 0;
    CURL *c = h->curl;

    (void)curl_easy_setopt(c, CURLOPT_URL, url);
    (void)curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    if (bodied) {
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)a->body.n);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, a->body.p ? a->body.p : "");
    }
    (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, a->method);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    /* on a connection that was used before, curl sends again by itself what got no answer */
    (void)curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, a->again ? 0L : 1L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT, a->last ? (long)LAST_S : 0L);
    h->last = a->last;
}

static CURLcode perform(http *h, const http_ask *a) {
    atg_buf_free(h->body);
    h->body = atg_buf_new(a->most);
    h->n = 0;
    h->most = a->most;
    h->over = false;
    h->to = a->to;
    h->given = 0;
    h->refused = ATG_OK;
    h->told[0] = '\0';
    return h->body ? curl_easy_perform(h->curl) : CURLE_OUT_OF_MEMORY;
}

static int read_answer(http *h, http_answer *ret, atg_err *err) {
    http_answer got = {.status = 0};
    curl_off_t wait_s = 0;
    const char *type = NULL;

    (void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &got.status);
    (void)curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &wait_s);
    (void)curl_easy_getinfo(h->curl, CURLINFO_CONTENT_TYPE, &type);
    got.wait_s = wait_s > 0 && wait_s < 1000000 ? (uint32_t)wait_s : 0;
    got.problem = type && strncmp(type, "application/problem+json", 24) == 0;
    h->answered = true;
    *ret = got;
    return atg_buf_take(h->body, &ret->body, err);
}

bool http_nap(uint32_t ms) {
    while (ms && !progress_stopped()) {
        uint32_t part = ms < 100 ? ms : 100;
        struct timespec t = {0, part * 1000000L};

        (void)nanosleep(&t, NULL);
        ms -= part;
    }
    return !progress_stopped();
}

/* A service that is started again is back within seconds; what was not said, or can be said twice,
 * is said again then. */
static bool worth_it(const http *h, const http_ask *a, CURLcode rc, int tries) {
    bool lost = rc == CURLE_GOT_NOTHING || rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR ||
                rc == CURLE_PARTIAL_FILE;

    return tries < TRIES &&
           ((unsaid(rc) && h->answered) || (lost && a->again && !h->over && !h->given));
}

static int send_until(http *h, const http_ask *a, http_answer *ret, atg_err *err) {
    for (int tries = 1;; tries++) {
        CURLcode code = perform(h, a);
        uint32_t ms = (uint32_t)FIRST_NAP_MS << (tries - 1);
        int rc;

        if (code && !worth_it(h, a, code, tries))
            return explain(h, code, a, err);
        if (!code) {
            rc = read_answer(h, ret, err);
            if (rc || (ret->status != 429 && ret->status != 503) || !ret->wait_s ||
                ret->wait_s > WAIT_MOST_S || tries >= TRIES)
                return rc;
            ms = 1000 * ret->wait_s;
        }
        if (!http_nap(ms))
            return atg_fail(err, ATG_ECANCEL, "Stopped");
    }
}

int http_send(http *h, const http_ask *a, http_answer *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    bool ok = arena != NULL;
    struct curl_slist *headers = ok ? headers_of(arena, a, &ok) : NULL;
    atg_str url =
        ok ? atg_arena_printf(arena, "%s%.*s", h->place.url, ATG_FMT(a->path)) : (atg_str){NULL, 0};
    int rc = ATG_OK;

    if (!ok || !url.p)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for a request");
    if (!rc) {
        aim(h, a, url.p, headers);
        rc = send_until(h, a, ret, err);
        if (a->body.n >= SHOWN_FROM || h->n >= SHOWN_FROM || h->given >= SHOWN_FROM)
            progress_clear();
    }
    (void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return rc;
}

int http_authority(const http_options *o, atg_arena *arena, atg_str *ret_pem, atg_err *err) {
    http_ask a = {.method = "GET", .path = ATG_STR("/ca.crt"), .again = true, .most = 1 << 16};
    http_answer got = {.status = 0};
    http *h;
    int rc = http_open(o, &h, err);

    if (rc)
        return rc;
    /* what comes is believed only when it is the certificate of the fingerprint that was told */
    (void)curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYPEER, 0L);
    (void)curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    rc = http_send(h, &a, &got, err);
    if (!rc && got.status != 200)
        rc = atg_fail(err, ATG_ENOTFOUND,
                      "%s has no authority of its own: name the certificate of its authority with "
                      "--ca FILE, or leave --fingerprint out where the system knows it",
                      o->place->host);
    if (!rc) {
        *ret_pem = atg_arena_str(arena, got.body);
        rc = ret_pem->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a certificate");
    }
    http_close(h);
    return rc;
}
