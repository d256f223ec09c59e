/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of events (server-sent events), which sleep between them.  One thread looks for what is
 * new and hands it to those who may learn of it. */
#ifndef ATG_SERVER_EVENTS_H
#define ATG_SERVER_EVENTS_H

#include "server/request.h"

enum { STREAMS_MAX = 2000 };

typedef struct hub hub;

int hub_open(cases *c, hub **ret, atg_err *err);
/* End all streams; nothing stays suspended. */
void hub_stop(hub *h);
/* When no connection is left. */
void hub_close(hub *h);
uint32_t hub_count(hub *h);

/* Make the request's answer a stream that begins behind `after` (negative: now). */
int hub_add(hub *h, request *q, int64_t after, atg_err *err);

/* Tell the streams of an account something that is no change of a file: lines of an event. */
void hub_tell(hub *h, const uuid *account, atg_str text);

#endif
