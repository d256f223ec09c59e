/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ipc/pool.h"

enum {
    FACES_MS = 30000,
    PIXELS = 100000000,
    ALIGNED_MAX = 1 << 20, /* bytes of an aligned face */
};

/* Faces as they come, and what belongs to the last of them. */
typedef struct gathered {
    atg_arena *arena;
    bool aligned;
    uint32_t n;
    worker_face *face;
    atg_buf *png;
} gathered;

/* The aligned face of the face before is whole. */
static int settle_png(gathered *g, atg_err *err) {
    atg_str bytes;
    int rc;

    if (!g->png)
        return ATG_OK;
    rc = atg_buf_take(g->png, &bytes, err);
    if (rc == ATG_OK) {
        g->face[g->n - 1].aligned = atg_arena_str(g->arena, bytes);
        if (!g->face[g->n - 1].aligned.p)
            rc = atg_fail(err, ATG_ENOMEM, "Out of memory for an answer of the worker");
    }
    atg_buf_free(g->png);
    g->png = NULL;
    return rc;
}

static int take_face(gathered *g, atg_str body, atg_err *err) {
    int rc = settle_png(g, err);

    if (rc)
        return rc;
    if (g->n == WORKER_FACES_MAX)
        return request_nonsense(err);
    rc = frame_get_face(body, &g->face[g->n], err);
    g->n += rc == ATG_OK;
    return rc;
}

static int take_part(void *user, frame_part what, atg_str bytes, atg_err *err) {
    gathered *g = user;
    atg_str all;

    if (what == FRAME_FACE)
        return take_face(g, bytes, err);
    if (what != FRAME_ALIGNED || !g->aligned || g->n == 0)
        return request_nonsense(err);
    if (!g->png)
        g->png = atg_buf_new(ALIGNED_MAX);
    if (!g->png)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an answer of the worker");
    atg_buf_add(g->png, bytes);
    return atg_buf_take(g->png, &all, err);
}

static int ask_faces(worker_pool *pool, const worker_face_ask *ask, exchange *x, atg_err *err) {
    frame_faces v = {.pixels = ask->pixels ? ask->pixels : PIXELS,
                     .milliseconds = x->milliseconds,
                     .pick = ask->pick,
                     .aligned = ask->aligned};
    frame_file file;
    int rc = request_input(&ask->in, &x->fds, &file, err);

    if (rc)
        return rc;
    memcpy(v.marks, ask->marks, sizeof(v.marks));
    frame_put_faces(&x->body, &v);
    return pool_exchange(pool, x, err);
}

static int settle(const gathered *g, const frame_done *d, worker_faces *ret, atg_err *err) {
    if (d->format < WORKER_JPEG || d->width == 0 || d->height == 0 || d->chosen > g->n)
        return request_nonsense(err);
    *ret = (worker_faces){.format = (worker_format)d->format,
                          .width = d->width,
                          .height = d->height,
                          .n = g->n,
                          .face = g->face,
                          .chosen = (int32_t)d->chosen - 1};
    return ATG_OK;
}

/* A worker without networks is asked nothing, and says why. */
static int need_networks(worker_pool *pool, atg_err *err) {
    worker_health health;
    int rc = ATG_OK;

    worker_pool_health(pool, &health);
    if (!health.known)
        rc = worker_pool_check(pool, &health, err);
    if (rc || health.hold.faces || !health.hold.decodes)
        return rc;
    return atg_fail(err, ATG_ENOTFOUND, "No faces are read on this machine: %s",
                    health.hold.why_no_faces);
}

int worker_faces_read(worker_pool *pool, const worker_face_ask *ask, atg_arena *arena,
                      worker_faces *ret, atg_err *err) {
    gathered g = {.arena = arena,
                  .aligned = ask->aligned,
                  .face = ATG_GET(arena, worker_face, WORKER_FACES_MAX)};
    exchange x = {.work = FRAME_FACES,
                  .milliseconds = ask->deadline_ms ? ask->deadline_ms : FACES_MS,
                  .part = take_part,
                  .user = &g};
    int rc;

    if (!g.face)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an answer of the worker");
    rc = need_networks(pool, err);
    if (rc == ATG_OK)
        rc = ask_faces(pool, ask, &x, err);
    channel_close_fds(&x.fds);
    if (rc == ATG_OK)
        rc = settle_png(&g, err);
    atg_buf_free(g.png);
    return rc ? rc : settle(&g, &x.done, ret, err);
}
