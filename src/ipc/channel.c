/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t channel_now(void) {
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void channel_close_fds(channel_fds *fds) {
    for (uint32_t i = 0; i < fds->n; i++)
        (void)close(fds->fd[i]);
    fds->n = 0;
}

static int gone(atg_err *err) {
    return atg_fail(err, ATG_EIO, "The other side of the worker's pipe is gone");
}

/* The worker waits in the call itself: poll() is none of what it may do. */
static int ready(int fd, short what, int64_t deadline, atg_err *err) {
    struct pollfd p = {.fd = fd, .events = what};

    while (deadline != CHANNEL_FOREVER) {
        int64_t left = deadline - channel_now();
        int n = left > 0 ? poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) : 0;

        if (n > 0)
            return ATG_OK;
        if (left <= 0)
            return atg_fail(err, ATG_ECANCEL, "Time is up");
        if (n < 0 && errno != EINTR)
            return gone(err);
    }
    return ATG_OK;
}

static bool again(void) {
    return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

static void attach(struct msghdr *m, void *room, const channel_fds *fds) {
    size_t n = fds->n * sizeof(int);
    struct cmsghdr *c;

    m->msg_control = room;
    m->msg_controllen = CMSG_SPACE(n);
    c = CMSG_FIRSTHDR(m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), fds->fd, n);
}

/* As much as goes of what is behind the first `sent` bytes; how many went, or -1. */
static ssize_t send_some(int fd, struct iovec v[2], size_t sent, const channel_fds *fds,
                         int flags) {
    _Alignas(struct cmsghdr) unsigned char room[CMSG_SPACE(sizeof(fds->fd))] = {0};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    size_t of_head = sent < v[0].iov_len ? sent : v[0].iov_len;

    v[0].iov_base = (unsigned char *)v[0].iov_base + of_head;
    v[0].iov_len -= of_head;
    v[1].iov_base = (unsigned char *)v[1].iov_base + (sent - of_head);
    v[1].iov_len -= sent - of_head;
    if (sent == 0 && fds && fds->n)
        attach(&m, room, fds);
    return sendmsg(fd, &m, flags);
}

int channel_send(int fd, const frame *f, const void *body, const channel_fds *fds, int64_t deadline,
                 atg_err *err) {
    int flags = MSG_NOSIGNAL | (deadline == CHANNEL_FOREVER ? 0 : MSG_DONTWAIT);
    unsigned char head[FRAME_HEAD], nothing[1], *from = nothing;
    size_t sent = 0, n = FRAME_HEAD + f->length;

    frame_head(f, head);
    if (f->length)
        memcpy(&from, &body, sizeof(from)); /* sendmsg() takes what it reads as not const */
    while (sent < n) {
        struct iovec v[2] = {{head, FRAME_HEAD}, {from, f->length}};
        int rc = ready(fd, POLLOUT, deadline, err);
        ssize_t k;

        if (rc)
            return rc;
        k = send_some(fd, v, sent, fds, flags);
        if (k < 0 && !again())
            return gone(err);
        sent += k > 0 ? (size_t)k : 0;
    }
    return ATG_OK;
}

/* The descriptors that came with a message. */
static void detach(struct msghdr *m, channel_fds *ret) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t n = c->cmsg_len >= CMSG_LEN(0) ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n; i++) {
            int got;

            memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (ret->n < WORKER_INPUTS_MAX)
                ret->fd[ret->n++] = got;
            else
                (void)close(got);
        }
    }
}

/* Exactly `n` bytes.  `fds` gets what comes with them. */
/* NOLINTNEXTLINE(readability-non-const-parameter): recvmsg() writes it */
static int take(int fd, int64_t deadline, unsigned char *to, size_t n, channel_fds *fds,
                atg_err *err) {
    _Alignas(struct cmsghdr) unsigned char room[CMSG_SPACE(sizeof(fds->fd))];

    for (size_t got = 0; got < n;) {
        struct iovec v = {to + got, n - got};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
        int rc = ready(fd, POLLIN, deadline, err);

        if (rc)
            return rc;
        if (fds) {
            m.msg_control = room;
            m.msg_controllen = sizeof(room);
        }

        ssize_t k =
            recvmsg(fd, &m, MSG_CMSG_CLOEXEC | (deadline == CHANNEL_FOREVER ? 0 : MSG_DONTWAIT));

        if (k == 0 || (k < 0 && !again()))
            return gone(err);
        if (k > 0 && fds)
            detach(&m, fds);
        got += k > 0 ? (size_t)k : 0;
    }
    return ATG_OK;
}

int channel_receive(int fd, int64_t deadline, unsigned char *body, channel_fds *ret_fds, frame *ret,
                    atg_err *err) {
    unsigned char head[FRAME_HEAD];
    channel_fds with_head = {.n = 0}, with_body = {.n = 0};
    frame f;
    int rc = take(fd, deadline, head, FRAME_HEAD, ret_fds ? &with_head : NULL, err);

    if (rc == ATG_OK)
        rc = frame_read(head, &f, err);
    if (rc == ATG_OK && f.length)
        rc = take(fd, deadline, body, f.length, ret_fds ? &with_body : NULL, err);
    if (rc == ATG_OK && with_body.n)
        rc = atg_fail(err, ATG_EPARSE, "A descriptor in the middle of a frame");
    channel_close_fds(&with_body);
    if (rc) {
        channel_close_fds(&with_head);
        return rc;
    }
    if (ret_fds)
        *ret_fds = with_head;
    *ret = f;
    return ATG_OK;
}
