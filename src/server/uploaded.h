/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that a request uses: `upload` in its query names one, or several with commas between. */
#ifndef ATG_SERVER_UPLOADED_H
#define ATG_SERVER_UPLOADED_H

#include "app/uploads.h"
#include "ipc/worker.h"
#include "server/request.h"

typedef struct uploaded {
    uint32_t n;
    struct uploaded_one {
        upload from;
        upload_info info;
        int fd; /* the bytes, for the worker: in memory that is nobody's resident set; -1 */
    } of[WORKER_INPUTS_MAX];
} uploaded;

/* Take those that the query names, at most `most` and none twice; none named: `ret->n` is 0.
 * uploaded_close() in any case. */
int uploaded_open(request *q, upload_use use, uint32_t most, uploaded *ret, atg_err *err);
/* With `used` they go. */
void uploaded_close(uploaded *u, bool used);

/* The i-th as a file that the worker can be given. */
int uploaded_input(uploaded *u, uint32_t i, worker_input *ret, atg_err *err);

#endif
