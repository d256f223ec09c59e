/* SPDX-License-Identifier: Apache-2.0 */
#include "server/service_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "server/events.h"
#include "server/runner.h"

enum {
    THREADS = 8,
    QUEUE = 256,
    CONNECTIONS = 2048,
    CONNECTIONS_EACH = 256,
    IDLE_S = 30,
    ADDRESS_RATE = 20,
    ACCOUNT_RATE = 100,
    BURST = 10,
    BODY_S = 300,
    STOP_S = 30,
    LOOK_S = 3600,
    LINGER_MS = 2000,
    NAP_MS = 5,
    WORKERS = 2,
};

int64_t service_clock(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fill_in(service_options *o) {
    o->listen = o->listen ? o->listen : "127.0.0.1:8443";
    o->threads = o->threads ? o->threads : THREADS;
    o->queue = o->queue ? o->queue : QUEUE;
    o->connections = o->connections ? o->connections : CONNECTIONS;
    o->connections_each = o->connections_each ? o->connections_each : CONNECTIONS_EACH;
    o->idle_s = o->idle_s ? o->idle_s : IDLE_S;
    o->address_rate = o->address_rate ? o->address_rate : ADDRESS_RATE;
    o->account_rate = o->account_rate ? o->account_rate : ACCOUNT_RATE;
    o->body_s = o->body_s ? o->body_s : BODY_S;
    o->stop_s = o->stop_s ? o->stop_s : STOP_S;
}

/* ---- the keeper ---- */

static bool goes_on(void *user, const char *phase, uint64_t done, uint64_t total) {
    const service *s = user;

    (void)phase;
    (void)done;
    (void)total;
    return !atomic_load(&s->stopping);
}

static void *keep(void *user) {
    service *s = user;
    atg_progress progress = {goes_on, s};

    pthread_mutex_lock(&s->keeper_lock);
    while (!atomic_load(&s->stopping)) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_S;
        if (!pthread_cond_timedwait(&s->keeper_wake, &s->keeper_lock, &until))
            continue;

        atg_err err = {0};

        if (s->uploads)
            (void)uploads_tidy(s->uploads);
        faces_standby_tidy(s->faces, &progress);
        if (service_reload(s, &err))
            logs_event(s, "certificate", err.msg);
        else if (service_warning(s))
            logs_event(s, "certificate", service_warning(s));
    }
    pthread_mutex_unlock(&s->keeper_lock);
    return NULL;
}

static int start_keeper(service *s, atg_err *err) {
    if (pthread_create(&s->keeper, NULL, keep, s))
        return atg_fail(err, ATG_EIO, "The system gives no more threads");
    s->keeping = true;
    return ATG_OK;
}

static void stop_keeper(service *s) {
    pthread_mutex_lock(&s->keeper_lock);
    pthread_cond_broadcast(&s->keeper_wake);
    pthread_mutex_unlock(&s->keeper_lock);
    if (s->keeping)
        pthread_join(s->keeper, NULL);
    s->keeping = false;
}

/* ---- the worker ---- */

/* Without one the service goes on: uploads alone are refused. */
static void start_worker(service *s) {
    worker_options o = {.program = s->o.worker, .workers = WORKERS, .memory = s->o.worker_memory};
    worker_health health = {.known = false};
    atg_err err = {0};
    char text[sizeof(err.msg) + 80];
    int rc = worker_pool_open(&o, &s->worker, &err);

    if (!rc)
        rc = worker_pool_check(s->worker, &health, &err);
    if (!rc && health.hold.decodes) {
        logs_event(s, "worker", "It is there and confined");
        return;
    }
    (void)snprintf(text, sizeof(text), "Uploads are refused ('antigone doctor' says more): %s",
                   rc ? err.msg : health.hold.why);
    logs_event(s, "worker", text);
}

bool service_decodes(const service *s) {
    worker_health health = {.known = false};

    if (s->worker)
        worker_pool_health(s->worker, &health);
    return health.known && health.hold.decodes;
}

/* ---- uploads ---- */

/* So does it without a folder for them. */
static void start_uploads(service *s) {
    uploads_options o = {.all = s->o.uploads, .reserve = s->o.reserve};
    atg_err err = {0};

    if (uploads_open(s->c, &o, &s->uploads, &err))
        logs_event(s, "uploads", err.msg);
}

/* ---- open and close ---- */

static int start(service *s, atg_err *err) {
    tls_options o = {.directory = cases_directory(s->c),
                     .certificate = s->o.certificate,
                     .key = s->o.key,
                     .names = s->o.names,
                     .n_names = s->o.n_names};
    int rc = tls_open(&o, &s->tls, err);

    if (!rc)
        rc = limiter_open(s->o.address_rate, BURST * s->o.address_rate, &s->by_address, err);
    if (!rc)
        rc = limiter_open(s->o.account_rate, BURST * s->o.account_rate, &s->by_account, err);
    if (!rc)
        rc = known_open(&s->known, err);
    if (!rc)
        rc = metrics_open(route_count(), &s->metrics, err);
    if (!rc)
        rc = pool_open(s->o.threads, s->o.queue, &s->pool, err);
    if (!rc)
        rc = hub_open(s->c, &s->hub, err);
    if (!rc)
        rc = faces_standby_open(s->c, &(faces_standby_options){0}, &s->faces, err);
    if (!rc) {
        start_worker(s);
        start_uploads(s);
    }
    if (!rc)
        rc = runner_open(s, &s->runner, err);
    if (!rc)
        rc = daemon_start(s, err);
    if (!rc)
        rc = runner_begin(s->runner, err);
    return rc ? rc : start_keeper(s, err);
}

int service_open(const service_options *o, service **ret, atg_err *err) {
    service *s = mem_zero(1, sizeof(*s));
    int rc;

    if (!s)
        return atg_fail(err, ATG_ENOMEM, "Out of memory starting the service");
    s->o = *o;
    s->c = o->c;
    fill_in(&s->o);
    pthread_mutex_init(&s->log_lock, NULL);
    pthread_mutex_init(&s->keeper_lock, NULL);
    pthread_cond_init(&s->keeper_wake, NULL);
    rc = start(s, err);
    if (rc) {
        service_close(s);
        return rc;
    }
    logs_event(s, "start", s->address);
    *ret = s;
    return ATG_OK;
}

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
}

/* What runs may finish; what is long is ended when its time is over.  Nothing stays suspended,
 * which libmicrohttpd would not forgive. */
static void stop_daemon(service *s) {
    int listening = MHD_quiesce_daemon(s->daemon);

    hub_stop(s->hub);
    if (!pool_drain(s->pool, s->o.stop_s * 1000)) {
        atomic_store(&s->hurry, true);
        while (!pool_drain(s->pool, s->o.stop_s * 1000))
            ;
    }
    runner_stop(s->runner);
    for (int ms = 0; ms < LINGER_MS && atomic_load(&s->in_flight); ms += NAP_MS)
        nap();
    MHD_stop_daemon(s->daemon);
    if (listening >= 0)
        (void)close(listening);
}

void service_close(service *s) {
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    stop_keeper(s);
    if (s->daemon)
        stop_daemon(s);
    pool_close(s->pool);
    runner_close(s->runner);
    hub_close(s->hub);
    faces_standby_close(s->faces);
    uploads_close(s->uploads);
    worker_pool_close(s->worker);
    if (s->daemon)
        logs_event(s, "stop", NULL);
    metrics_close(s->metrics);
    known_close(s->known);
    limiter_close(s->by_account);
    limiter_close(s->by_address);
    tls_close(s->tls);
    pthread_cond_destroy(&s->keeper_wake);
    pthread_mutex_destroy(&s->keeper_lock);
    pthread_mutex_destroy(&s->log_lock);
    mem_free(s);
}

const char *service_address(const service *s) {
    return s->address;
}

uint16_t service_port(const service *s) {
    return s->port;
}

int service_reload(service *s, atg_err *err) {
    return tls_renew(s->tls, err);
}

const char *service_warning(const service *s) {
    return tls_expires(s->tls) < clock_now()
               ? "The certificate has expired: renew the files and send SIGHUP"
               : NULL;
}

const char *service_fingerprint(const service *s) {
    const char *print = tls_fingerprint(s->tls);

    return print ? print : "";
}
