/* SPDX-License-Identifier: Apache-2.0 */
/* Between libmicrohttpd and the pool.  Its threads only read and write; a request that is whole is
 * suspended and runs on the pool, which resumes it with the answer. */
#include "server/service_internal.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "app/accounts.h"
#include "base/mem.h"
#include "server/feed.h"
#include "server/runner.h"
#include "server/source.h"

enum {
    POLLERS = 4,
    CONNECTION_BYTES = 32 << 10,
    BODY_SLACK = 1 << 20, /* of a body that is too large, read before the connection is cut */
};

/* TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers (RFC 9325). */
static const char priorities[] =
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:+ECDHE-ECDSA:"
    "+ECDHE-RSA:+AEAD:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+SIGN-ALL:-SIGN-RSA-SHA1:"
    "-SIGN-ECDSA-SHA1:+CTYPE-X509:%SERVER_PRECEDENCE";

/* ---- requests ---- */

static void read_address(request *q, const struct sockaddr *from) {
    if (from && from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;

        (void)inet_ntop(AF_INET, &v4->sin_addr, q->address, sizeof(q->address));
        q->address_key[0] = 4;
        memcpy(q->address_key + 1, &v4->sin_addr, 4);
    } else if (from && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;

        (void)inet_ntop(AF_INET6, &v6->sin6_addr, q->address, sizeof(q->address));
        q->address_key[0] = 6;
        /* one subscriber has a whole /64 */
        memcpy(q->address_key + 1, &v6->sin6_addr, 8);
    }
}

static request *make(service *s, atg_str raw) {
    atg_arena *arena = atg_arena_new(ARENA_LARGE);
    request *q = arena ? ATG_GET(arena, request, 1) : NULL;
    uint64_t number = atomic_fetch_add(&s->requests, 1) + 1;

    if (q) {
        q->job = ATG_GET(arena, pool_job, 1);
        q->raw = atg_arena_str(arena, raw).p;
    }
    if (!q || !q->job || !q->raw) {
        atg_arena_free(arena);
        return NULL;
    }
    q->s = s;
    q->arena = arena;
    q->began = service_clock();
    (void)snprintf(q->id, sizeof(q->id), "%llx-%llx", (unsigned long long)(q->began / 1000000),
                   (unsigned long long)number);
    atomic_fetch_add(&s->in_flight, 1);
    return q;
}

request *request_new(service *s, struct MHD_Connection *connection, const char *raw) {
    request *q = make(s, atg_str_of(raw));
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    if (!q)
        return NULL;
    q->connection = connection;
    read_address(q, info ? info->client_addr : NULL);
    return q;
}

int request_detached(service *s, const char *method, atg_str raw, request **ret, atg_err *err) {
    request *q = make(s, raw);
    int rc = q ? target_read(q->arena, atg_str_of(q->raw), &q->at, err)
               : atg_fail(err, ATG_ENOMEM, "Out of memory for a job");

    if (!rc && route_find(method, &q->at, &q->found))
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such path");
    if (rc) {
        request_free(q);
        return rc;
    }
    q->route = q->found.route;
    *ret = q;
    return ATG_OK;
}

void request_free(request *q) {
    if (!q)
        return;
    feed_free(q);
    source_drop(q);
    atomic_fetch_sub(&q->s->in_flight, 1);
    if (q->stream)
        MHD_destroy_response(q->stream);
    json_decref(q->json);
    atg_buf_free(q->body);
    atg_buf_free(q->out);
    atg_arena_free(q->arena);
}

/* ---- on the pool ---- */

void request_settle(request *q, int rc, const atg_err *err) {
    problem_kind kind = q->problem;

    if (!rc && !kind)
        return;
    if (!kind)
        kind = problem_of(err);
    if (kind == PROBLEM_TOO_LARGE && strstr(err->msg, "used up"))
        kind = PROBLEM_QUOTA;
    /* what the use cases refuse for want of a written reason, they name so */
    if (kind == PROBLEM_DENIED && !q->who.reason.n && strstr(err->msg, "reason"))
        kind = PROBLEM_PURPOSE;
    q->problem = kind;
    if (!problem_told(kind))
        q->cause = atg_arena_str(q->arena, atg_str_of(err->msg)).p;
    reply_problem(q, kind, err->msg, err->line ? err : NULL);
    if (!q->wait_s && problem_rows[kind].status == MHD_HTTP_SERVICE_UNAVAILABLE)
        q->wait_s = 1;
}

/* What is left of the quota that the request used. */
static void tell_quota(request *q) {
    quota_kind kind = q->route->flags & ROUTE_LOOKS      ? QUOTA_LOOK
                      : q->route->flags & ROUTE_SEARCHES ? QUOTA_SEARCH
                      : q->route->flags & ROUTE_EXPORTS  ? QUOTA_EXPORT
                                                         : QUOTAS;
    int64_t left, most;

    if (kind != QUOTAS && !uuid_none(&q->who.account) &&
        !account_quota_left(q->s->c, &q->who, kind, &left, &most, NULL))
        q->quota = atg_arena_printf(q->arena, "%s; left=%lld; most=%lld", quota_names[kind],
                                    (long long)left, (long long)most);
}

static void run(void *user) {
    request *q = user;
    atg_err err = {0};
    int rc = ATG_OK;

    if (!q->route->begin) /* else it was looked at before the body came */
        q->problem = guard_session(q, &err);
    if (!q->problem)
        rc = runner_wants(q) ? runner_take(q->s->runner, q, &err) : q->route->run(q, &err);
    request_settle(q, rc, &err);
    tell_quota(q);
    q->stage = STAGE_ANSWER;
    /* from here on it may be gone */
    MHD_resume_connection(q->connection);
}

/* ---- on the threads that read and write ---- */

static enum MHD_Result refuse(request *q, problem_kind kind, const atg_err *err) {
    q->problem = kind;
    reply_problem(q, kind, err->msg, NULL);
    return reply_send(q);
}

static enum MHD_Result on_head(request *q, const char *method, const char *version) {
    atg_err err = {0};
    problem_kind problem = guard_head(q, method, version, &err);

    if (problem && q->drop)
        return refuse(q, problem, &err);
    /* behind an answer that it gets now libmicrohttpd closes the connection; at its next call
     * nothing of this request is left to be read, and it keeps it */
    if (problem) {
        q->problem = problem;
        reply_problem(q, problem, err.msg, NULL);
    }
    q->stage = problem ? STAGE_ANSWER : STAGE_BODY;
    return !problem && q->route->begin ? feed_begin(q) : MHD_YES;
}

static pool_lane lane_of(const request *q) {
    unsigned flags = q->route->flags;

    if (flags & ROUTE_WATCH && !q->authorization.n)
        return POOL_WATCH;
    if (flags & ROUTE_HASH)
        return POOL_HASH;
    return flags & ROUTE_LONG && !runner_wants(q) ? POOL_LONG : POOL_ORDINARY;
}

void request_busy(request *q) {
    q->problem = PROBLEM_BUSY;
    q->wait_s = 1;
    reply_problem(q, PROBLEM_BUSY, "Too much is being asked at the moment: try again", NULL);
}

static enum MHD_Result on_whole(request *q) {
    *q->job = (pool_job){run, q, NULL};
    q->stage = STAGE_RUNNING;
    MHD_suspend_connection(q->connection);
    if (pool_push(q->s->pool, lane_of(q), q->job))
        return MHD_YES;
    request_busy(q);
    q->stage = STAGE_ANSWER;
    MHD_resume_connection(q->connection);
    return MHD_YES;
}

static enum MHD_Result on_body(request *q, const char *data, size_t *n) {
    q->taken += *n;
    /* nobody keeps a place by sending a byte now and then */
    if (q->taken > q->route->body + BODY_SLACK ||
        service_clock() - q->began > (int64_t)q->s->o.body_s * 1000000)
        return MHD_NO;
    if (q->feed) {
        enum MHD_Result done = feed_body(q, data, n);

        q->taken -= *n; /* comes again */
        return done;
    }
    if (q->body && q->taken <= q->route->body)
        atg_buf_add(q->body, (atg_str){data, *n});
    *n = 0;
    return MHD_YES;
}

/* Asked again with nothing of the body read: it is refused here, or read from now on. */
static enum MHD_Result on_begun(request *q) {
    q->drop = q->problem != PROBLEM_NONE;
    if (q->problem)
        return reply_send(q);
    q->stage = STAGE_BODY;
    return MHD_YES;
}

/* libmicrohttpd tells the end of a request only when its head was whole: until then the request
 * belongs to the connection. */
typedef struct half {
    request *q;
} half;

static half *half_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are those of libmicrohttpd */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **state) {
    request *q = *state;
    atg_err err = {0};

    (void)user;
    (void)url;
    if (!q)
        return MHD_NO;
    if (q->stage == STAGE_NEW) {
        half *h = half_of(connection);

        if (h) /* from here on on_done() is called */
            h->q = NULL;
        return on_head(q, method, version);
    }
    if (q->stage == STAGE_BEGUN)
        return on_begun(q);
    if (q->stage == STAGE_BODY && *n)
        return on_body(q, data, n);
    if (q->stage == STAGE_BODY && q->problem)
        return reply_send(q);
    if (q->stage == STAGE_BODY && q->taken > q->route->body) {
        (void)atg_fail(&err, ATG_ELIMIT, "The body may have %zu bytes", q->route->body);
        q->drop = true;
        return refuse(q, PROBLEM_TOO_LARGE, &err);
    }
    if (q->stage == STAGE_BODY)
        return on_whole(q);
    return q->stage == STAGE_ANSWER ? reply_send(q) : MHD_YES;
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    half *h = *context;

    (void)user;
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = mem_zero(1, sizeof(half));
        return;
    }
    if (h)
        request_free(h->q);
    mem_free(h);
    *context = NULL;
}

static void *on_target(void *user, const char *raw, struct MHD_Connection *connection) {
    half *h = half_of(connection);

    if (!h)
        return NULL;
    request_free(h->q);
    h->q = request_new(user, connection, raw);
    return h->q;
}

static void on_done(void *user, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode code) {
    service *s = user;
    request *q = *state;
    half *h = half_of(connection);
    int64_t us;

    (void)code;
    if (h)
        h->q = NULL;
    if (!q)
        return;
    us = service_clock() - q->began;
    metrics_count(s->metrics, q->route ? q->found.index : route_count(), q->status, us);
    logs_request(s, q, q->status, us);
    if (q->feed)
        feed_cut(q);
    else
        request_free(q);
    *state = NULL;
}

/* ---- listening ---- */

static int resolve(const char *listen, struct addrinfo **ret, char *host, size_t size,
                   atg_err *err) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;
    bool bracket = n > 2 && listen[0] == '[' && listen[n - 1] == ']';

    if (!colon || !n || n >= size)
        return atg_fail(err, ATG_EINVAL, "Write an address and a port: 127.0.0.1:8443");
    memcpy(host, listen + bracket, n - 2 * (size_t)bracket);
    host[n - 2 * (size_t)bracket] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, ret))
        return atg_fail(err, ATG_EINVAL, "'%s' is no address and port such as 127.0.0.1:8443",
                        listen);
    return ATG_OK;
}

static void note_port(service *s) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    bool six = strchr(s->host, ':') != NULL;

    s->port = info ? info->port : 0;
    (void)snprintf(s->address, sizeof(s->address), six ? "[%s]:%u" : "%s:%u", s->host, s->port);
}

int daemon_start(service *s, atg_err *err) {
    const service_options *o = &s->o;
    struct addrinfo *at = NULL;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME;
    int rc = resolve(o->listen, &at, s->host, sizeof(s->host), err);

    if (rc)
        return rc;
    flags |= at->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0;
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, at->ai_addr,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)POLLERS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)o->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)o->connections_each,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)o->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_done, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target,
        s, MHD_OPTION_HTTPS_PRIORITIES, priorities, MHD_OPTION_HTTPS_CERT_CALLBACK, tls_retrieve,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    freeaddrinfo(at);
    if (!s->daemon)
        return atg_fail(err, ATG_EIO, "Nothing can listen at %s: is another service there?",
                        o->listen);
    note_port(s);
    return ATG_OK;
}
