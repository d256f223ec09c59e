/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/feeder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"

enum { PIECE = 64 << 10 };

int feeder_input(feeder *f, const worker_source *from, channel_fds *fds, atg_err *err) {
    int ends[2];

    if (pipe2(ends, O_CLOEXEC))
        return atg_fail(err, ATG_ENOMEM, "Out of descriptors for a file");
    fds->fd[fds->n++] = ends[0];
    f->from[f->n] = from;
    f->to[f->n++] = ends[1];
    return ATG_OK;
}

/* False: nobody reads it any more, and why is said elsewhere. */
static bool write_all(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno != EINTR)
            return false;
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static int feed_one(feeder *f, uint32_t i, char *piece) {
    const worker_source *from = f->from[i];
    bool reads = true;

    for (uint64_t at = 0; at < from->size && reads;) {
        size_t n = from->size - at < PIECE ? (size_t)(from->size - at) : PIECE;
        int rc = from->read(from->user, at, piece, n, &f->why);

        if (rc)
            return rc;
        reads = write_all(f->to[i], piece, n);
        at += n;
    }
    return ATG_OK;
}

/* In the order in which they are read. */
static void *feed_all(void *user) {
    feeder *f = user;
    MEM_AUTO char *piece = mem_alloc(PIECE);
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (!piece)
        f->rc = atg_fail(&f->why, ATG_ENOMEM, "Out of memory for a file");
    for (uint32_t i = 0; i < f->n; i++) {
        if (!f->rc)
            f->rc = feed_one(f, i, piece);
        (void)close(f->to[i]);
    }
    return NULL;
}

int feeder_start(feeder *f, atg_err *err) {
    if (!f->n)
        return ATG_OK;
    if (pthread_create(&f->thread, NULL, feed_all, f))
        return atg_fail(err, ATG_ENOMEM, "The system gives no more threads");
    f->running = true;
    return ATG_OK;
}

int feeder_end(feeder *f, atg_err *err) {
    if (f->running)
        (void)pthread_join(f->thread, NULL);
    for (uint32_t i = 0; i < f->n && !f->running; i++)
        (void)close(f->to[i]);
    return f->rc ? atg_fail(err, f->rc, "%s", f->why.msg) : ATG_OK;
}
