/* SPDX-License-Identifier: Apache-2.0 */
/* What the service counts, by route: never by person, account or file. */
#ifndef ATG_SERVER_METRICS_H
#define ATG_SERVER_METRICS_H

#include <antigone/base.h>

#include "server/pool.h"

typedef struct metrics metrics;

/* What is so at the moment. */
typedef struct metrics_now {
    pool_state pool;
    uint64_t connections, streams, certificate_expires; /* the last in seconds since 1970 */
} metrics_now;

int metrics_open(uint32_t n_routes, metrics **ret, atg_err *err);
void metrics_close(metrics *m);

/* One request; any thread.  `route`: its number, or n_routes for requests of none. */
void metrics_count(metrics *m, uint32_t route, unsigned status, int64_t us);

/* The text format of Prometheus. */
typedef struct metrics_name {
    const char *method, *path;
} metrics_name;
void metrics_write(const metrics *m, const metrics_name *names, const metrics_now *now,
                   atg_buf *buf);

#endif
