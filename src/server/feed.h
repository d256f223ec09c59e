/* SPDX-License-Identifier: Apache-2.0 */
/* A body that goes on to an upload while it comes.  The threads that read fill one buffer, the pool
 * empties it, and meanwhile the connection is suspended: so it takes the same memory however long
 * the body is, and nobody sends faster than the disk takes it. */
#ifndef ATG_SERVER_FEED_H
#define ATG_SERVER_FEED_H

#include "app/uploads.h"
#include "server/request.h"

typedef struct feed {
    upload to;
    bool failed; /* what follows is read and dropped */
    size_t n;    /* in the buffer */
    char bytes[UPLOAD_PIECE];
} feed;

/* Of the handler that begins: from here on the body goes into `q->feed->to`, which it opens.
 * PROBLEM_BUSY: too many at once. */
int feed_new(request *q, atg_err *err);
/* Of the handler that ends: what is still in the buffer goes on. */
int feed_rest(request *q, atg_err *err);
void feed_free(request *q);

/* ---- of daemon.c ---- */

/* The head came: have the session looked at and the handler begin, before any of the body is
 * read. */
enum MHD_Result feed_begin(request *q);
/* Some of the body came. */
enum MHD_Result feed_body(request *q, const char *data, size_t *n);
/* The sender is gone before its end: what came is kept.  The request is freed. */
void feed_cut(request *q);

#endif
