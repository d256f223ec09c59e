/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to one service over HTTPS (libcurl).  The certificate is always verified: by the
 * authorities of the system, or by one that was named and by no other.  Redirects are not followed.
 *
 * A handle is one thread's, and keeps its connection from one request to the next. */
#ifndef ATG_CLI_HTTP_H
#define ATG_CLI_HTTP_H

#include <antigone/base.h>

enum { HTTP_HOST = 300, HTTP_URL = 320 };

/* Where a service is, as people write it: "https://HOST[:PORT]", "HOST:PORT". */
typedef struct http_place {
    char url[HTTP_URL];   /* "https://cases.example.org:8443" */
    char host[HTTP_HOST]; /* "cases.example.org:8443" */
    char file[HTTP_HOST]; /* the same as part of a file's name */
} http_place;

/* ATG_EINVAL: it is none. */
int http_place_of(const char *text, http_place *ret, atg_err *err);

typedef struct http http;

typedef struct http_options {
    const http_place *place;
    const char *authority;        /* a file (PEM); NULL: those of the system */
    const atg_progress *progress; /* may be NULL */
} http_options;

int http_open(const http_options *o, http **ret, atg_err *err);
void http_close(http *h);

/* Anything but ATG_OK ends the answer with it. */
typedef struct http_sink {
    int (*write)(void *user, atg_str bytes, atg_err *err);
    void *user;
} http_sink;

typedef struct http_ask {
    const char *method;
    atg_str path; /* with its query */
    atg_str token, purpose;
    int64_t rev;      /* If-Match; 0: none */
    const char *type; /* of the body; NULL: there is none */
    atg_str body;
    bool again;  /* harmless to send again: nothing is changed by it, or nothing a second time */
    bool job;    /* Prefer: respond-async */
    bool last;   /* what is to be said also when somebody asked to stop; it has ten seconds */
    size_t most; /* bytes of the answer */
    /* where what was asked for goes as it comes, in place of the answer's `body` and without a
     * ceiling; NULL: there.  A refusal does not.  Once some of it came, nothing is said again. */
    const http_sink *to;
} http_ask;

typedef struct http_answer {
    long status;
    uint32_t wait_s; /* Retry-After; 0: none */
    atg_str body;    /* until the next request */
    bool problem;    /* the body is application/problem+json */
} http_answer;

/* ATG_EIO: it does not answer, or stopped doing so; ATG_EDENIED: its certificate is not to be
 * trusted; ATG_ELIMIT: the answer is larger than `most`; ATG_ECANCEL. */
int http_send(http *h, const http_ask *a, http_answer *ret, atg_err *err);

/* Wait.  False: somebody asked to stop (cli/progress.h). */
bool http_nap(uint32_t ms);

/* The certificate that the service offers as that of its own authority, fetched without trust in
 * anything and for comparing its fingerprint: nothing is sent to whoever answers but the request
 * for it.  ATG_ENOTFOUND: it has none. */
int http_authority(const http_options *o, atg_arena *arena, atg_str *ret_pem, atg_err *err);

#endif
