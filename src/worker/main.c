/* SPDX-License-Identifier: Apache-2.0 */
/* antigone-worker: started by antigone, with a socket as descriptor 3 (docs/worker.md). */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/face.h"
#include "worker/sandbox.h"
#include "worker/work.h"

enum { PIPE = 3, EXIT_USAGE = 2, EXIT_GONE = 4, PIECE = 32 << 20, KEPT = 256 << 20 };

int work_part(const work *w, frame_part what, atg_str bytes, atg_err *err) {
    int rc = ATG_OK;

    while (bytes.n && rc == ATG_OK) {
        uint32_t n = bytes.n < FRAME_BODY ? (uint32_t)bytes.n : FRAME_BODY;
        frame f = {FRAME_PART, (uint16_t)what, w->request, n};

        rc = channel_send(w->pipe, &f, bytes.p, NULL, CHANNEL_FOREVER, err);
        bytes.p += n;
        bytes.n -= n;
    }
    return rc;
}

int work_note(const work *w, atg_str note, atg_err *err) {
    return work_part(w, FRAME_NOTE, note, err);
}

static int send_body(const work *w, frame_kind kind, const frame_body *body, atg_err *err) {
    frame f = {kind, 0, w->request, (uint32_t)body->n};

    return channel_send(w->pipe, &f, body->p, NULL, CHANNEL_FOREVER, err);
}

/* ---- files ---- */

static int open_file(int fd, atg_str *ret, atg_err *err) {
    struct stat about;
    void *p;

    /* not fstat(): the C library's asks by a path */
    about.st_size = lseek(fd, 0, SEEK_END);
    if (about.st_size <= 0 || about.st_size > WORKER_INPUT_MAX)
        return atg_fail(err, ATG_EINVAL, "This is no file that can be read");
    p = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return atg_fail(err, ATG_ELIMIT, "This file needs more memory than the worker may use");
    *ret = (atg_str){p, (size_t)about.st_size};
    return ATG_OK;
}

/* Pipes are read where they are used; what is mapped is no descriptor any more. */
static int open_files(work *w, channel_fds *fds, atg_err *err) {
    int rc = ATG_OK;

    w->piped = fds->n && lseek(fds->fd[0], 0, SEEK_END) < 0 && errno == ESPIPE;
    for (uint32_t i = 0; i < fds->n && rc == ATG_OK; i++) {
        if (w->piped)
            w->pipes[i] = fds->fd[i];
        else
            rc = open_file(fds->fd[i], &w->files[i], err);
        w->n += rc == ATG_OK;
    }
    if (!w->piped)
        channel_close_fds(fds);
    return rc;
}

static void close_files(const work *w) {
    for (uint32_t i = 0; i < w->n; i++) {
        void *p = NULL;

        if (w->piped) {
            (void)close(w->pipes[i]);
            continue;
        }
        memcpy(&p, &w->files[i].p, sizeof(p));
        (void)munmap(p, w->files[i].n);
    }
}

/* ---- requests ---- */

static int run(const work *w, uint16_t what, frame_done *ret, atg_err *err) {
    if (w->piped && what != FRAME_PARSE)
        return atg_fail(err, ATG_EINVAL, "This is read from no pipe");
    switch (what) {
    case FRAME_PICTURE:
        return work_picture(w, ret, err);
    case FRAME_FACES:
        return work_faces(w, ret, err);
    case FRAME_PARSE:
        return work_parse(w, ret, err);
    default:
        return work_selftest(w, ret, err);
    }
}

static int answer(const work *w, int rc, const frame_done *done, const atg_err *why, atg_err *err) {
    frame_body body = {.n = 0};
    frame_refused no = {(uint32_t)-rc, why->line, why->col, {0}};

    if (rc == ATG_OK) {
        frame_put_done(&body, done);
        return send_body(w, FRAME_DONE, &body, err);
    }
    memcpy(no.msg, why->msg, sizeof(no.msg));
    frame_put_refused(&body, &no);
    return send_body(w, FRAME_REFUSED, &body, err);
}

/* Ask after ask, until the parent is gone. */
static int serve(int pipe, const frame_hello *hello, const face_nets *nets) {
    static unsigned char body[FRAME_BODY];

    for (;;) {
        channel_fds fds = {.n = 0};
        frame_done done = {0};
        atg_err why = {0}, err = {0};
        frame f;
        work w = {.pipe = pipe, .memory = hello->hold.memory, .nets = nets};

        if (channel_receive(pipe, CHANNEL_FOREVER, body, &fds, &f, &err) || f.kind != FRAME_ASK)
            return EXIT_GONE;
        w.request = f.request;
        w.body = (atg_str){(char *)body, f.length};

        int rc = open_files(&w, &fds, &why);

        if (rc == ATG_OK && !hello->hold.decodes)
            rc = atg_fail(&why, ATG_EDENIED, "Nothing is decoded here: %s", hello->hold.why);
        if (rc == ATG_OK)
            rc = run(&w, f.what, &done, &why);
        close_files(&w);
        decode_tidy();
        (void)malloc_trim(0);
        if (answer(&w, rc, &done, &why, &err))
            return EXIT_GONE;
    }
}

static int read_options(int argc, char **argv, sandbox_options *ret, face_options *networks) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--memory") == 0 && i + 1 < argc)
            ret->memory = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--networks") == 0 && i + FACE_WORDS < argc)
            i += face_options_read(argv + i + 1, networks);
        else if (strcmp(argv[i], "--without-seccomp") == 0)
            ret->without_seccomp = true;
        else if (strcmp(argv[i], "--without-capset") == 0)
            ret->without_capset = true;
        else
            return -1;
    }
    return ret->memory ? 0 : -1;
}

static bool has_pipe(void) {
    int kind = 0;
    socklen_t n = sizeof(kind);

    return getsockopt(PIPE, SOL_SOCKET, SO_TYPE, &kind, &n) == 0 && kind == SOCK_STREAM;
}

int main(int argc, char **argv) {
    sandbox_options o = {0};
    face_options networks = {0};
    face_nets *nets;
    frame_hello hello = {0};
    frame_body body = {.n = 0};
    work w = {.pipe = PIPE};
    atg_err err = {0};

    if (read_options(argc, argv, &o, &networks) || !has_pipe()) {
        (void)fprintf(stderr, "antigone-worker " ATG_VERSION " is started by antigone, which sends "
                              "it what is to be decoded.\n");
        return EXIT_USAGE;
    }
    /* NOLINTBEGIN(concurrency-mt-unsafe): one thread */
    (void)mallopt(M_ARENA_MAX, 2);
    if (networks.runtime) {
        /* networks ask for the same large pieces again and again: they are kept until the request
         * is answered */
        (void)mallopt(M_MMAP_THRESHOLD, PIECE);
        (void)mallopt(M_TRIM_THRESHOLD, KEPT);
    }
    /* NOLINTEND(concurrency-mt-unsafe) */
    sandbox_enter(PIPE, &hello.hold);
    if (decode_open(&hello.hold.formats, hello.hold.libraries, sizeof(hello.hold.libraries), &err))
        (void)fprintf(stderr, "antigone-worker: %s\n", err.msg);
    nets = face_nets_load(&networks, &hello.hold);
    sandbox_close(&o, &hello);
    if (nets)
        face_nets_start(nets, &hello.hold);
    frame_put_hello(&body, &hello);
    /* _exit: what libraries do at the end may want what is closed */
    if (send_body(&w, FRAME_HELLO, &body, &err))
        _exit(EXIT_GONE);
    _exit(serve(PIPE, &hello, hello.hold.faces ? nets : NULL));
}
