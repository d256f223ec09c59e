/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the service share. */
#ifndef ATG_SERVER_SERVICE_INTERNAL_H
#define ATG_SERVER_SERVICE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "app/faces_standby.h"
#include "app/uploads.h"
#include "ipc/worker.h"
#include "server/known.h"
#include "server/metrics.h"
#include "server/pool.h"
#include "server/request.h"
#include "server/tls.h"

enum { SERVICE_ADDRESS = 80 };

struct service {
    service_options o;
    cases *c;
    tls *tls;
    pool *pool;
    metrics *metrics;
    worker_pool *worker;   /* NULL: there is no such program, and uploads are refused */
    struct hub *hub;       /* of streams of events */
    uploads *uploads;      /* NULL: another service takes them in this folder */
    atomic_uint feeds;     /* uploads that come in now */
    faces_standby *faces;  /* galleries that are kept ready */
    struct runner *runner; /* of jobs */
    limiter *by_address, *by_account;
    known_tokens *known; /* tokens that were good */
    struct MHD_Daemon *daemon;
    char address[SERVICE_ADDRESS], host[SERVICE_ADDRESS], warning[200];
    uint16_t port;
    pthread_mutex_t log_lock;
    atomic_uint_fast64_t requests;
    atomic_uint in_flight;
    atomic_bool stopping, hurry; /* nothing new; end what is long */
    pthread_t keeper;            /* renews the certificate */
    bool keeping;
    pthread_mutex_t keeper_lock;
    pthread_cond_t keeper_wake;
};

/* A clock that goes on, microseconds. */
int64_t service_clock(void);

/* Is there a worker, and does this machine confine it well enough to decode? */
bool service_decodes(const service *s);

/* ---- guard.c ---- */

/* What can be refused from the head of the request alone. */
problem_kind guard_head(request *q, const char *method, const char *version, atg_err *err);
/* What needs the store: whose session it is, how much that account may, what the body is. */
problem_kind guard_session(request *q, atg_err *err);
bool guard_loopback(const request *q);

/* ---- reply.c ---- */

/* Hand the answer over. */
enum MHD_Result reply_send(request *q);

/* ---- daemon.c ---- */

/* Make an answer of how a handler ended. */
void request_settle(request *q, int rc, const atg_err *err);
/* There is no place on the pool. */
void request_busy(request *q);

request *request_new(service *s, struct MHD_Connection *connection, const char *raw);
void request_free(request *q);
/* One whose answer nobody waits for, of a target such as "/api/v1/audit/verify". */
int request_detached(service *s, const char *method, atg_str raw, request **ret, atg_err *err);
int daemon_start(service *s, atg_err *err);

/* ---- logs.c ---- */

void logs_request(service *s, const request *q, unsigned status, int64_t us);
void logs_event(service *s, const char *event, const char *detail);

#endif
