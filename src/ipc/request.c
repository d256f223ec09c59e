/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/feeder.h"
#include "ipc/pool.h"

enum {
    PICTURE_MS = 30000,
    PARSE_MS = 60000,
    QUALITY = 90,
    PIXELS = 100000000,
    SMALL_MAX = 16 << 20, /* bytes of a thumbnail or a seal image */
    NOTE_MAX = 4096,
};

/* ---- files on their way to the worker ---- */

static int fill(int fd, atg_str bytes) {
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR)
            return -1;
        bytes.p += n > 0 ? n : 0;
        bytes.n -= n > 0 ? (size_t)n : 0;
    }
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

/* Bytes as a file in memory that nobody can change any more. */
static int file_of_bytes(atg_str bytes, int *ret, atg_err *err) {
    int fd = memfd_create("antigone", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return atg_fail(err, ATG_ENOMEM, "Out of memory or descriptors for a file");
    if (fill(fd, bytes)) {
        (void)close(fd);
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a file");
    }
    *ret = fd;
    return ATG_OK;
}

static int file_of_fd(int fd, int *ret, uint64_t *ret_size, atg_err *err) {
    struct stat about;
    int mode = fcntl(fd, F_GETFL), seals = fcntl(fd, F_GET_SEALS);
    bool fixed = mode >= 0 && (mode & O_ACCMODE) == O_RDONLY;

    if (mode < 0 || fstat(fd, &about) || !S_ISREG(about.st_mode))
        return atg_fail(err, ATG_EINVAL, "What is given to the worker is no regular file");
    if (!fixed && (seals < 0 || !(seals & F_SEAL_WRITE)))
        return atg_fail(err, ATG_EINVAL, "What is given to the worker is open for writing");
    *ret = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (*ret < 0)
        return atg_fail(err, ATG_ENOMEM, "Out of descriptors for a file");
    *ret_size = (uint64_t)about.st_size;
    return ATG_OK;
}

/* Its ending is what counts; a text that is not UTF-8 at its beginning does no harm there. */
static void name_file(const worker_input *in, frame_file *ret) {
    size_t cut = in->name.n < sizeof(ret->name) ? 0 : in->name.n - sizeof(ret->name) + 1;

    memset(ret, 0, sizeof(*ret));
    if (in->name.n)
        memcpy(ret->name, in->name.p + cut, in->name.n - cut);
}

int request_input(const worker_input *in, channel_fds *fds, frame_file *ret, atg_err *err) {
    uint64_t size = in->bytes.n;
    int fd, rc;

    if (in->bytes.p && in->bytes.n > WORKER_INPUT_MAX)
        return atg_fail(err, ATG_ELIMIT, "This file is longer than %d MiB", WORKER_INPUT_MAX >> 20);
    rc = in->bytes.p ? file_of_bytes(in->bytes, &fd, err) : file_of_fd(in->fd, &fd, &size, err);
    if (rc)
        return rc;
    fds->fd[fds->n++] = fd;
    if (size > WORKER_INPUT_MAX)
        return atg_fail(err, ATG_ELIMIT, "This file is longer than %d MiB", WORKER_INPUT_MAX >> 20);
    if (size == 0)
        return atg_fail(err, ATG_EPARSE, "This file is empty");
    name_file(in, ret);
    ret->size = size;
    return ATG_OK;
}

/* ---- bytes on their way back ---- */

int request_nonsense(atg_err *err) {
    return atg_fail(err, ATG_EIO, "The worker answered with what is no answer");
}

/* Where the parts of an answer go. */
typedef struct answer {
    const worker_sink *to; /* of the result */
    uint64_t max, size;    /* of the result */
    atg_buf *result, *thumbnail, *seal;
    atg_arena *arena;
    uint32_t n_notes;
    atg_str *notes; /* NULL: notes are no part of the answer */
} answer;

static int too_long(atg_err *err, uint64_t max) {
    return atg_fail(err, ATG_ELIMIT, "What becomes of this file is longer than %llu bytes",
                    (unsigned long long)max);
}

static int add_note(answer *a, atg_str note, atg_err *err) {
    atg_str kept = note.n && note.n <= NOTE_MAX ? atg_arena_str(a->arena, note) : (atg_str){0};

    if (!a->notes || a->n_notes == WORKER_NOTES_MAX || note.n == 0 || note.n > NOTE_MAX)
        return request_nonsense(err);
    if (!kept.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for notes");
    a->notes[a->n_notes++] = kept;
    return ATG_OK;
}

static int take_part(void *user, frame_part what, atg_str bytes, atg_err *err) {
    answer *a = user;
    atg_buf *to = what == FRAME_THUMBNAIL ? a->thumbnail : what == FRAME_SEAL ? a->seal : a->result;

    if (what == FRAME_NOTE)
        return add_note(a, bytes, err);
    if (what == FRAME_RESULT) {
        a->size += bytes.n;
        if (a->size > a->max)
            return too_long(err, a->max);
        if (a->to)
            return a->to->write(a->to->user, bytes, err);
    }
    if (!to)
        return request_nonsense(err);
    atg_buf_add(to, bytes);
    return atg_buf_take(to, &bytes, err);
}

/* What was gathered, in the arena. */
static int settle(const answer *a, const atg_buf *buf, atg_str *ret, atg_err *err) {
    atg_str bytes;
    int rc = atg_buf_take(buf, &bytes, err);

    if (rc)
        return rc;
    *ret = atg_arena_str(a->arena, bytes);
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for an answer of the worker");
}

/* ---- pictures ---- */

static int settle_image(const answer *a, const atg_buf *buf, const frame_done_image *told,
                        worker_image *ret, atg_err *err) {
    if (!buf)
        return ATG_OK;
    if (told->width == 0 || told->height == 0 ||
        (told->format != WORKER_JPEG && told->format != WORKER_PNG))
        return request_nonsense(err);
    ret->format = (worker_format)told->format;
    ret->width = told->width;
    ret->height = told->height;

    int rc = settle(a, buf, &ret->bytes, err);

    ret->size = ret->bytes.n;
    return rc;
}

static int settle_picture(const answer *a, const frame_done *d, worker_picture *ret, atg_err *err) {
    worker_picture p = {.format = (worker_format)d->format,
                        .width = d->width,
                        .height = d->height,
                        .orientation = d->orientation,
                        .frames = d->frames};
    int rc = settle_image(a, a->result, &d->images[0], &p.clean, err);

    if (rc == ATG_OK)
        rc = settle_image(a, a->thumbnail, &d->images[1], &p.thumbnail, err);
    if (rc == ATG_OK)
        rc = settle_image(a, a->seal, &d->images[2], &p.seal, err);
    if (rc)
        return rc;
    if (p.format < WORKER_JPEG || p.width == 0 || p.height == 0 || p.orientation == 0 ||
        p.frames == 0)
        return request_nonsense(err);
    if (a->to && p.clean.width) {
        p.clean.bytes = (atg_str){0};
        p.clean.size = a->size;
    }
    *ret = p;
    return ATG_OK;
}

static int ask_picture(worker_pool *pool, const worker_picture_ask *ask, answer *a, exchange *x,
                       worker_picture *ret, atg_err *err) {
    frame_picture v = {.pixels = ask->pixels ? ask->pixels : PIXELS,
                       .clean_max = a->max,
                       .milliseconds = x->milliseconds,
                       .clean = ask->clean,
                       .quality = ask->quality ? ask->quality : QUALITY,
                       .thumbnail = ask->thumbnail,
                       .seal = ask->seal};
    frame_file file;
    int rc = request_input(&ask->in, &x->fds, &file, err);

    if (rc)
        return rc;
    frame_put_picture(&x->body, &v);
    rc = pool_exchange(pool, x, err);
    return rc ? rc : settle_picture(a, &x->done, ret, err);
}

int worker_picture_read(worker_pool *pool, const worker_picture_ask *ask, atg_arena *arena,
                        worker_picture *ret, atg_err *err) {
    uint64_t max = ask->clean_max ? ask->clean_max : WORKER_INPUT_MAX;
    ATG_AUTO(atg_buf) result = ask->clean ? atg_buf_new((size_t)max + 1) : NULL;
    ATG_AUTO(atg_buf) thumbnail = ask->thumbnail ? atg_buf_new(SMALL_MAX) : NULL;
    ATG_AUTO(atg_buf) seal = ask->seal ? atg_buf_new(SMALL_MAX) : NULL;
    answer a = {ask->clean ? ask->clean_to : NULL, max, 0, result, thumbnail, seal, arena, 0, NULL};
    exchange x = {.work = FRAME_PICTURE,
                  .milliseconds = ask->deadline_ms ? ask->deadline_ms : PICTURE_MS,
                  .part = take_part,
                  .user = &a};
    int rc;

    if (ask->quality > 100 || ask->thumbnail > WORKER_SIDE_MAX || ask->seal > WORKER_SIDE_MAX)
        return atg_fail(err, ATG_EINVAL, "A picture's quality or size is out of range");
    if ((ask->clean && !result) || (ask->thumbnail && !thumbnail) || (ask->seal && !seal))
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    rc = ask_picture(pool, ask, &a, &x, ret, err);
    channel_close_fds(&x.fds);
    return rc;
}

/* ---- files that are parsed ---- */

static int add_input(const worker_input *in, feeder *feed, channel_fds *fds, frame_file *ret,
                     atg_err *err) {
    if (!in->from)
        return request_input(in, fds, ret, err);
    if (in->from->size == 0 || in->from->size > WORKER_INPUT_MAX)
        return atg_fail(err, ATG_ELIMIT, "This file is empty, or longer than %d MiB",
                        WORKER_INPUT_MAX >> 20);
    name_file(in, ret);
    ret->size = in->from->size;
    return feeder_input(feed, in->from, fds, err);
}

static int ask_parse(worker_pool *pool, const worker_parse_ask *ask, exchange *x, feeder *feed,
                     uint64_t max, atg_err *err) {
    frame_parse v = {.out_max = max,
                     .milliseconds = x->milliseconds,
                     .kind = ask->kind,
                     .n = ask->n,
                     .theta = ask->theta,
                     .min_frequency = ask->min_frequency,
                     .female = ask->female,
                     .male = ask->male};
    int rc = ATG_OK;

    if (ask->population.n >= sizeof(v.population))
        return atg_fail(err, ATG_EINVAL, "The name of a population is too long");
    if (ask->population.n)
        memcpy(v.population, ask->population.p, ask->population.n);
    for (uint32_t i = 0; i < ask->n && rc == ATG_OK; i++)
        rc = add_input(&ask->in[i], feed, &x->fds, &v.files[i], err);
    if (rc == ATG_OK)
        rc = feeder_start(feed, err);
    if (rc)
        return rc;
    frame_put_parse(&x->body, &v);
    return pool_exchange(pool, x, err);
}

int worker_parse(worker_pool *pool, const worker_parse_ask *ask, atg_arena *arena,
                 worker_parsed *ret, atg_err *err) {
    uint64_t max = ask->out_max ? ask->out_max : WORKER_INPUT_MAX;
    ATG_AUTO(atg_buf) result = ask->to ? NULL : atg_buf_new((size_t)max + 1);
    answer a = {.to = ask->to, .max = max, .result = result, .arena = arena};
    exchange x = {.work = FRAME_PARSE,
                  .milliseconds = ask->deadline_ms ? ask->deadline_ms : PARSE_MS,
                  .part = take_part,
                  .user = &a};
    worker_parsed made = {0};
    feeder feed = {.n = 0};
    atg_err why = {0};
    int rc;

    if (ask->n == 0 || ask->n > WORKER_INPUTS_MAX)
        return atg_fail(err, ATG_EINVAL, "The worker parses 1 to %d files at once",
                        WORKER_INPUTS_MAX);
    a.notes = ATG_GET(arena, atg_str, WORKER_NOTES_MAX);
    if (!a.notes || (!ask->to && !result))
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an answer of the worker");
    rc = ask_parse(pool, ask, &x, &feed, max, err);
    channel_close_fds(&x.fds);
    if (feeder_end(&feed, &why))
        rc = atg_fail(err, why.code, "%s", why.msg);
    if (rc == ATG_OK && !ask->to)
        rc = settle(&a, result, &made.json, err);
    if (rc)
        return rc;
    made.size = a.size;
    made.n_notes = a.n_notes;
    made.notes = a.notes;
    *ret = made;
    return ATG_OK;
}

/* ---- tests ---- */

int worker_selftest(worker_pool *pool, frame_test test, uint32_t deadline_ms, atg_arena *arena,
                    atg_str *ret, atg_err *err) {
    ATG_AUTO(atg_buf) result = atg_buf_new(SMALL_MAX + 1);
    answer a = {.max = SMALL_MAX, .result = result, .arena = arena};
    exchange x = {
        .work = FRAME_SELFTEST, .milliseconds = deadline_ms, .part = take_part, .user = &a};
    int rc;

    if (!result)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an answer of the worker");
    frame_put_selftest(&x.body, &(frame_selftest){deadline_ms, test});
    rc = pool_exchange(pool, &x, err);
    return rc ? rc : settle(&a, result, ret, err);
}
