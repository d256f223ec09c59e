/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are read piece by piece while they are sent, whole or the range that is asked for
 * (RFC 9110, 14): one client takes a piece of memory, not the answer. */
#ifndef ATG_SERVER_SOURCE_H
#define ATG_SERVER_SOURCE_H

#include "app/outgoing.h"
#include "server/request.h"

typedef struct source {
    uint64_t size;
    /* `n` bytes from `at` on: on the threads that write, so nothing that waits for others */
    int (*read)(void *user, uint64_t at, void *ret, size_t n, atg_err *err);
    void (*close)(void *user);
    void *user;
    uint64_t first, n; /* what of it is sent: source_choose() */
} source;

/* Answer with it; it is closed in any case.  Ranges are given where the ETag says what it is. */
int reply_source(request *q, unsigned status, const char *type, const source *from, atg_err *err);
/* The same with what is there, which becomes the answer's. */
int reply_outgoing(request *q, unsigned status, const char *type, outgoing *o, atg_err *err);

/* In place of it comes something else. */
void source_drop(request *q);
/* Of reply.c: all of it, or the range that is asked for, with status and headers in `q`.  False:
 * there is no such range. */
bool source_choose(request *q);
/* Of reply.c: the response; NULL: there is none. */
struct MHD_Response *source_response(request *q);

#endif
