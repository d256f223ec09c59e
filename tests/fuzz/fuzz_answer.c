/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker that somebody took over may write into its pipe: the service takes an answer to its
 * own request, or says that this is none, and keeps within its room. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/utf8.h"
#include "ipc/pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REQUEST = 1, REFUSE_AT = 3, SOME = 64 << 10 };

typedef struct heard {
    uint32_t parts;
} heard;

/* The fourth part is too much for whoever takes them. */
static int take(void *user, frame_part what, atg_str bytes, atg_err *err) {
    heard *h = user;

    assert(what >= FRAME_RESULT && what <= FRAME_NOTE && bytes.n <= FRAME_BODY);
    for (size_t i = 0; i < bytes.n; i += 512)
        assert(bytes.p[i] || true);
    return h->parts++ < REFUSE_AT ? ATG_OK : atg_fail(err, ATG_ELIMIT, "Too much");
}

static void check_words(const char *msg) {
    assert(msg[0]);
    for (size_t i = 0, all = strlen(msg); i < all;) {
        size_t n = utf8_len(msg + i, all - i);

        assert(n && (unsigned char)msg[i] >= ' ' && msg[i] != 0x7f);
        i += n;
    }
}

static bool is_refusal(int rc) {
    return rc == ATG_EINVAL || rc == ATG_EPARSE || rc == ATG_ELIMIT || rc == ATG_EDENIED ||
           rc == ATG_ENOTFOUND;
}

/* A pipe with these bytes in it, behind which nothing comes. */
static int filled(const uint8_t *data, size_t size) {
    int pipe[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipe))
        abort();
    for (size_t sent = 0; sent < size;) {
        ssize_t n = write(pipe[0], data + sent, size - sent);

        if (n <= 0)
            abort();
        sent += (size_t)n;
    }
    (void)close(pipe[0]);
    return pipe[1];
}

static void check_end(outcome how, int rc, const heard *h) {
    bool good = rc == ATG_EPARSE || rc == ATG_EIO;

    if (how == WHOLE)
        good = rc == ATG_OK || is_refusal(rc);
    if (how == OURS)
        good = rc == ATG_ELIMIT && h->parts == REFUSE_AT + 1;
    assert(good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static unsigned char room[FRAME_BODY];
    heard h = {0};
    exchange x = {.part = take, .user = &h};
    outcome how = BROKEN;
    atg_err err = {0};
    int fd, rc;

    /* what fits into the pipe at once */
    if (size > SOME)
        return 0;
    fd = filled(data, size);
    rc = pool_answer(fd, REQUEST, room, &x, channel_now() + 5000, &how, &err);
    (void)close(fd);
    if (rc)
        check_words(err.msg);
    check_end(how, rc, &h);
    return 0;
}
