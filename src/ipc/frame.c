/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/frame.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"

static const unsigned char magic[4] = {'A', 'T', 'G', 'W'};

void frame_head(const frame *f, unsigned char ret[FRAME_HEAD]) {
    memcpy(ret, magic, sizeof(magic));
    ret[4] = FRAME_VERSION;
    ret[5] = (unsigned char)f->kind;
    ret[6] = (unsigned char)(f->what >> 8);
    ret[7] = (unsigned char)f->what;
    bytes_put64(ret + 8, f->request);
    bytes_put32(ret + 16, f->length);
    bytes_put32(ret + 20, 0);
}

int frame_read(const unsigned char head[FRAME_HEAD], frame *ret, atg_err *err) {
    frame f = {.kind = (frame_kind)head[5],
               .what = (uint16_t)(head[6] << 8 | head[7]),
               .request = bytes_get64(head + 8),
               .length = bytes_get32(head + 16)};
    static const uint16_t last[] = {[FRAME_HELLO] = 0,
                                    [FRAME_ASK] = FRAME_SELFTEST,
                                    [FRAME_PART] = FRAME_NOTE,
                                    [FRAME_DONE] = 0,
                                    [FRAME_REFUSED] = 0};

    if (memcmp(head, magic, sizeof(magic)) != 0 || head[4] != FRAME_VERSION ||
        bytes_get32(head + 20))
        return atg_fail(err, ATG_EPARSE, "This is no frame of the worker's pipe");
    if (head[5] < FRAME_HELLO || head[5] > FRAME_REFUSED || f.what > last[head[5]] ||
        (f.what == 0) != (last[head[5]] == 0) || (f.request == 0) != (f.kind == FRAME_HELLO))
        return atg_fail(err, ATG_EPARSE, "A frame of an unknown kind");
    if (f.length > (f.kind == FRAME_PART ? FRAME_BODY : FRAME_FIXED))
        return atg_fail(err, ATG_EPARSE, "A frame that is too long");
    *ret = f;
    return ATG_OK;
}

/* ---- bodies: one walk over the members, which writes or reads ---- */

typedef struct codec {
    frame_body *out; /* NULL: reads */
    atg_str in;
    size_t at;
    bool bad;
} codec;

static unsigned char *room(codec *c, size_t n) {
    frame_body *out = c->out;

    if (out->full || n > sizeof(out->p) - out->n) {
        out->full = true;
        return NULL;
    }
    out->n += n;
    return out->p + out->n - n;
}

static const unsigned char *next(codec *c, size_t n) {
    if (c->bad || n > c->in.n - c->at) {
        c->bad = true;
        return NULL;
    }
    c->at += n;
    return (const unsigned char *)c->in.p + c->at - n;
}

static void whole(codec *c, uint64_t *v, uint64_t max) {
    if (c->out) {
        unsigned char *p = room(c, 8);

        if (p)
            bytes_put64(p, *v);
        return;
    }

    const unsigned char *p = next(c, 8);

    *v = p ? bytes_get64(p) : 0;
    c->bad |= *v > max;
}

static void count(codec *c, uint32_t *v, uint32_t max) {
    uint64_t x = *v;

    whole(c, &x, max);
    *v = (uint32_t)x;
}

static void flag(codec *c, bool *v) {
    uint64_t x = *v;

    whole(c, &x, 1);
    *v = x != 0;
}

static void number(codec *c, double *v) {
    uint64_t x;

    memcpy(&x, v, sizeof(x));
    whole(c, &x, UINT64_MAX);
    memcpy(v, &x, sizeof(x));
    c->bad |= !c->out && !isfinite(*v);
}

static void single(codec *c, float *v) {
    if (c->out) {
        unsigned char *p = room(c, 4);
        uint32_t x;

        memcpy(&x, v, sizeof(x));
        if (p)
            bytes_put32(p, x);
        return;
    }

    const unsigned char *p = next(c, 4);
    uint32_t x = p ? bytes_get32(p) : 0;

    memcpy(v, &x, sizeof(*v));
    c->bad |= !isfinite(*v);
}

static void blob(codec *c, unsigned char *v, size_t n) {
    unsigned char *out = c->out ? room(c, n) : NULL;
    const unsigned char *in = c->out ? NULL : next(c, n);

    if (out)
        memcpy(out, v, n);
    if (in)
        memcpy(v, in, n);
}

/* Length and bytes, without the NUL that ends it. */
static void text(codec *c, char *z, size_t size) {
    uint64_t n = c->out ? strnlen(z, size - 1) : 0;

    whole(c, &n, size - 1);
    if (c->out) {
        unsigned char *p = room(c, n);

        if (p)
            memcpy(p, z, n);
        return;
    }

    const unsigned char *p = c->bad ? NULL : next(c, n);

    if (p && n && memchr(p, '\0', n))
        c->bad = true;
    memset(z, 0, size);
    if (p)
        memcpy(z, p, n);
}

static void walk_hello(codec *c, frame_hello *v) {
    worker_hold *h = &v->hold;

    count(c, &v->limit_files, UINT32_MAX);
    flag(c, &h->decodes);
    flag(c, &h->seccomp);
    flag(c, &h->no_new_privs);
    count(c, &h->landlock, UINT16_MAX);
    count(c, &h->namespaces, 31);
    whole(c, &h->memory, UINT64_MAX);
    count(c, &h->formats, UINT16_MAX);
    text(c, h->libraries, sizeof(h->libraries));
    text(c, h->why, sizeof(h->why));
    flag(c, &h->faces);
    text(c, h->why_no_faces, sizeof(h->why_no_faces));
}

static void walk_picture(codec *c, frame_picture *v) {
    whole(c, &v->pixels, UINT64_MAX);
    whole(c, &v->clean_max, UINT64_MAX);
    count(c, &v->milliseconds, UINT32_MAX);
    count(c, &v->clean, WORKER_CLEAN_PNG);
    count(c, &v->quality, 100);
    count(c, &v->thumbnail, WORKER_SIDE_MAX);
    count(c, &v->seal, WORKER_SIDE_MAX);
}

static void numbers(codec *c, double *v, size_t n) {
    for (size_t i = 0; i < n; i++)
        number(c, &v[i]);
}

static void walk_faces(codec *c, frame_faces *v) {
    whole(c, &v->pixels, UINT64_MAX);
    count(c, &v->milliseconds, UINT32_MAX);
    count(c, &v->pick, WORKER_FACE_PLACED);
    flag(c, &v->aligned);
    numbers(c, v->marks, WORKER_MARKS);
}

static void walk_face(codec *c, frame_face *v) {
    double *const measures[] = {&v->width,        &v->height,     &v->angle, &v->score,
                                &v->eye_distance, &v->sharpness,  &v->yaw,   &v->pitch,
                                &v->roll,         &v->brightness, &v->burnt, &v->contrast,
                                &v->outside,      &v->misfit};

    numbers(c, v->centre, 2);
    numbers(c, v->marks, WORKER_MARKS);
    numbers(c, v->eyes, 2);
    for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++)
        number(c, measures[i]);
    count(c, &v->refused, UINT32_MAX);
    count(c, &v->cautions, UINT32_MAX);
    count(c, &v->pipeline, UINT16_MAX);
    count(c, &v->dimension, WORKER_TEMPLATE_MAX);
    blob(c, v->model, WORKER_MODEL);
    for (uint32_t i = 0; i < v->dimension && !c->bad; i++)
        single(c, &v->template[i]);
}

static void walk_mutation(codec *c, worker_mutation *v) {
    count(c, &v->model, UINT16_MAX);
    number(c, &v->rate);
    number(c, &v->rate2);
    number(c, &v->range);
}

static void walk_parse(codec *c, frame_parse *v) {
    whole(c, &v->out_max, UINT64_MAX);
    count(c, &v->milliseconds, UINT32_MAX);
    count(c, &v->kind, WORKER_PARSE_BUNDLE);
    count(c, &v->n, WORKER_INPUTS_MAX);
    for (uint32_t i = 0; i < v->n && !c->bad; i++) {
        whole(c, &v->files[i].size, WORKER_INPUT_MAX);
        text(c, v->files[i].name, sizeof(v->files[i].name));
    }
    text(c, v->population, sizeof(v->population));
    number(c, &v->theta);
    number(c, &v->min_frequency);
    walk_mutation(c, &v->female);
    walk_mutation(c, &v->male);
}

static void walk_selftest(codec *c, frame_selftest *v) {
    count(c, &v->milliseconds, UINT32_MAX);
    count(c, &v->test, FRAME_TEST_FLOOD);
}

static void walk_done(codec *c, frame_done *v) {
    count(c, &v->format, WORKER_BMP);
    count(c, &v->width, INT32_MAX);
    count(c, &v->height, INT32_MAX);
    count(c, &v->orientation, 8);
    count(c, &v->frames, INT32_MAX);
    count(c, &v->chosen, WORKER_FACES_MAX);
    for (int i = 0; i < 3; i++) {
        count(c, &v->images[i].format, WORKER_BMP);
        count(c, &v->images[i].width, INT32_MAX);
        count(c, &v->images[i].height, INT32_MAX);
    }
}

static void walk_refused(codec *c, frame_refused *v) {
    count(c, &v->code, UINT16_MAX);
    count(c, &v->line, UINT32_MAX);
    count(c, &v->col, UINT32_MAX);
    text(c, v->msg, sizeof(v->msg));
}

static int finish(const codec *c, atg_err *err) {
    if (c->bad || c->at != c->in.n)
        return atg_fail(err, ATG_EPARSE, "A frame of the worker's pipe has a wrong body");
    return ATG_OK;
}

#define BODY(name)                                                                                 \
    void frame_put_##name(frame_body *b, const frame_##name *v) {                                  \
        codec c = {.out = b};                                                                      \
        frame_##name copy = *v;                                                                    \
                                                                                                   \
        walk_##name(&c, &copy);                                                                    \
    }                                                                                              \
    int frame_get_##name(atg_str body, frame_##name *ret, atg_err *err) {                          \
        codec c = {.in = body};                                                                    \
        frame_##name read;                                                                         \
        int rc;                                                                                    \
                                                                                                   \
        memset(&read, 0, sizeof(read));                                                            \
        walk_##name(&c, &read);                                                                    \
        rc = finish(&c, err);                                                                      \
        if (rc == ATG_OK)                                                                          \
            *ret = read;                                                                           \
        return rc;                                                                                 \
    }

BODY(hello)
BODY(picture)
BODY(faces)
BODY(face)
BODY(parse)
BODY(selftest)
BODY(done)
BODY(refused)
