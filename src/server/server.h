/* SPDX-License-Identifier: Apache-2.0 */
/* The service: accounts, the API and its pages over HTTPS (docs/service.md, docs/api.md).
 *
 * One at a time in a process.  The functions serve one thread at a time. */
#ifndef ATG_SERVER_SERVER_H
#define ATG_SERVER_SERVER_H

#include <stdio.h>

#include "app/cases.h"

typedef struct service service;

typedef struct service_options {
    cases *c;           /* stays the caller's, and open as long as the service is */
    const char *listen; /* "ADDRESS:PORT", "[::1]:8443"; NULL: 127.0.0.1:8443; port 0: a free one */
    const char *certificate, *key; /* PEM files, read again by service_reload(); both NULL: a local
                                      certificate authority in the store's folder */
    const char *const *names;      /* other names and addresses that people reach it by */
    uint32_t n_names;
    const char *worker;     /* the program that decodes uploads; NULL: as worker_options says */
    uint64_t worker_memory; /* bytes of its address space; 0: as worker_options says */
    uint32_t decode_ms;     /* that it has for a file; 0: as ipc/worker.h says */
    FILE *log;              /* a line of JSON a request; NULL: none */
    /* 0: what docs/service.md says */
    uint32_t threads, queue;
    uint32_t connections, connections_each; /* at a time; from one address */
    uint32_t idle_s;                        /* without a byte, before a connection is closed */
    uint32_t address_rate, account_rate;    /* requests a second; bursts are ten times as many */
    uint64_t uploads, reserve; /* bytes of uploads that may wait; of the disk left to others */
    uint32_t body_s;           /* for a whole body to come */
    uint32_t stop_s;           /* how long running requests have when the service stops */
} service_options;

/* Start to answer.  ATG_EINVAL: an address or a name that is none; ATG_EIO: it cannot be listened
 * to; ATG_EDENIED: a key that others may read, a name that the local authority may not sign. */
int service_open(const service_options *o, service **ret, atg_err *err);
/* Take no new connections, let running requests finish, and end.  NULL is allowed. */
void service_close(service *s);
static inline void service_freep(service **p) {
    service_close(*p);
}

/* Where it listens: "127.0.0.1:8443". */
const char *service_address(const service *s);
uint16_t service_port(const service *s);

/* Read the certificate files again; the old ones stay in use when that fails. */
int service_reload(service *s, atg_err *err);

/* Something that the operator ought to know: an expired certificate; NULL: nothing. */
const char *service_warning(const service *s);

/* SHA-256 of the local authority's certificate, "AB:CD:..."; empty with certificate files. */
const char *service_fingerprint(const service *s);

/* The description of the API: OpenAPI 3.1, as JSON. */
int service_openapi(atg_buf *buf, atg_err *err);

#endif
