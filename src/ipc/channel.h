/* SPDX-License-Identifier: Apache-2.0 */
/* Frames over a socket. */
#ifndef ATG_IPC_CHANNEL_H
#define ATG_IPC_CHANNEL_H

#include "ipc/frame.h"

/* Milliseconds of CLOCK_MONOTONIC; CHANNEL_FOREVER: wait as long as it takes. */
#define CHANNEL_FOREVER INT64_MAX
int64_t channel_now(void);

typedef struct channel_fds {
    uint32_t n;
    int fd[WORKER_INPUTS_MAX];
} channel_fds;

/* Send a whole frame; `f->length` bytes at `body`.  Descriptors (may be NULL) go with it and stay
 * the caller's.  ATG_EIO: the other side is gone; ATG_ECANCEL: it is past `deadline`. */
ATG_MUST_USE int channel_send(int fd, const frame *f, const void *body, const channel_fds *fds,
                              int64_t deadline, atg_err *err);

/* Receive a whole frame; its body into `body` (FRAME_BODY bytes).  Where `ret_fds` is NULL
 * descriptors that come are dropped; else they are the caller's, on success only, and each that
 * comes with anything but the head of a frame is a failure.  ATG_EPARSE: no such frame; ATG_EIO:
 * the other side is gone; ATG_ECANCEL: it is past `deadline`. */
ATG_MUST_USE int channel_receive(int fd, int64_t deadline, unsigned char *body,
                                 channel_fds *ret_fds, frame *ret, atg_err *err);

void channel_close_fds(channel_fds *fds);

#endif
