/* SPDX-License-Identifier: Apache-2.0 */
#include "server/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

enum { CLASSES_OF_STATUS = 6, BUCKETS = 11 };

static const int64_t bounds_us[BUCKETS] = {1000,   5000,   10000,   25000,   50000,   100000,
                                           250000, 500000, 1000000, 2500000, 10000000};

typedef struct counters {
    atomic_uint_fast64_t status[CLASSES_OF_STATUS];
    atomic_uint_fast64_t bucket[BUCKETS + 1];
    atomic_uint_fast64_t us;
} counters;

struct metrics {
    uint32_t n;
    counters by[];
};

int metrics_open(uint32_t n_routes, metrics **ret, atg_err *err) {
    metrics *m = mem_zero(1, sizeof(*m) + (n_routes + 1) * sizeof(counters));

    if (!m)
        return atg_fail(err, ATG_ENOMEM, "Out of memory starting the service");
    m->n = n_routes;
    *ret = m;
    return ATG_OK;
}

void metrics_close(metrics *m) {
    mem_free(m);
}

void metrics_count(metrics *m, uint32_t route, unsigned status, int64_t us) {
    counters *c = &m->by[route < m->n ? route : m->n];
    unsigned of = status / 100 < CLASSES_OF_STATUS ? status / 100 : 0;
    int b = 0;

    while (b < BUCKETS && us > bounds_us[b])
        b++;
    atomic_fetch_add(&c->status[of], 1);
    atomic_fetch_add(&c->bucket[b], 1);
    atomic_fetch_add(&c->us, (uint64_t)(us < 0 ? 0 : us));
}

static uint64_t resident(void) {
    unsigned long long pages = 0, all = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return 0;
    if (fscanf(f, "%llu %llu", &all, &pages) != 2) /* NOLINT(cert-err34-c): the kernel's numbers */
        pages = 0;
    (void)fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_latency(const counters *c, const metrics_name *name, atg_buf *buf) {
    uint64_t sum = 0;

    for (int b = 0; b <= BUCKETS; b++) {
        char le[32] = "+Inf";

        sum += atomic_load(&c->bucket[b]);
        if (b < BUCKETS)
            (void)snprintf(le, sizeof(le), "%g", (double)bounds_us[b] * 1e-6);
        atg_buf_printf(buf,
                       "antigone_request_seconds_bucket{method=\"%s\",route=\"%s\",le=\"%s\"} "
                       "%llu\n",
                       name->method, name->path, le, (unsigned long long)sum);
    }
    atg_buf_printf(buf, "antigone_request_seconds_sum{method=\"%s\",route=\"%s\"} %.6f\n",
                   name->method, name->path, (double)atomic_load(&c->us) * 1e-6);
    atg_buf_printf(buf, "antigone_request_seconds_count{method=\"%s\",route=\"%s\"} %llu\n",
                   name->method, name->path, (unsigned long long)sum);
}

static bool any(const counters *c) {
    for (int i = 0; i < CLASSES_OF_STATUS; i++)
        if (atomic_load(&c->status[i]))
            return true;
    return false;
}

static void write_gauge(atg_buf *buf, const char *name, const char *help, uint64_t x) {
    atg_buf_printf(buf, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name,
                   (unsigned long long)x);
}

void metrics_write(const metrics *m, const metrics_name *names, const metrics_now *now,
                   atg_buf *buf) {
    static const metrics_name none = {"", "none"};

    write_gauge(buf, "antigone_requests_waiting", "Requests in the queue.", now->pool.waiting);
    write_gauge(buf, "antigone_requests_running", "Requests being worked on.", now->pool.running);
    write_gauge(buf, "antigone_connections", "Open connections.", now->connections);
    write_gauge(buf, "antigone_event_streams", "Open streams of events.", now->streams);
    write_gauge(buf, "antigone_certificate_expires_seconds",
                "When the certificate expires, since 1970.", now->certificate_expires);
    write_gauge(buf, "antigone_resident_bytes", "Resident memory of the process.", resident());
    atg_buf_adds(buf, "# HELP antigone_requests_total Requests by route and class of status.\n"
                      "# TYPE antigone_requests_total counter\n");
    for (uint32_t r = 0; r <= m->n; r++)
        for (int i = 0; i < CLASSES_OF_STATUS; i++) {
            const metrics_name *name = r < m->n ? &names[r] : &none;
            uint64_t n = atomic_load(&m->by[r].status[i]);

            if (n)
                atg_buf_printf(buf,
                               "antigone_requests_total{method=\"%s\",route=\"%s\","
                               "status=\"%dxx\"} %llu\n",
                               name->method, name->path, i, (unsigned long long)n);
        }
    atg_buf_adds(buf, "# HELP antigone_request_seconds Time from the first byte to the answer.\n"
                      "# TYPE antigone_request_seconds histogram\n");
    for (uint32_t r = 0; r <= m->n; r++)
        if (any(&m->by[r]))
            write_latency(&m->by[r], r < m->n ? &names[r] : &none, buf);
}
