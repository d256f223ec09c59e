/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/face.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "face/quality.h"
#include "worker/sandbox.h"

enum {
    ROOM = 4 * FACE_FOUND_MAX, /* faces of all looks, before those of one place are joined */
    ALIGNED_BYTES = 3 * FACE_SIDE * FACE_SIDE,
    PNG_EFFORT = 6,
};

typedef struct job {
    const work *w;
    frame_faces ask;
    face_source source;
    face_list list;
    face_found room[ROOM];
    int32_t chosen;
} job;

/* ---- an answer ---- */

static int send_aligned(const work *w, const uint8_t *aligned, atg_err *err) {
    IMAGE_AUTO im = vips_image_new_from_memory(aligned, ALIGNED_BYTES, FACE_SIDE, FACE_SIDE, 3,
                                               VIPS_FORMAT_UCHAR);
    void *png = NULL;
    size_t n = 0;
    int rc;

    if (!im)
        return image_fail(err);
    im->Type = VIPS_INTERPRETATION_sRGB;
    if (vips_pngsave_buffer(im, &png, &n, "strip", TRUE, "compression", PNG_EFFORT, NULL))
        return image_fail(err);
    rc = work_part(w, FRAME_ALIGNED, (atg_str){png, n}, err);
    g_free(png);
    return rc;
}

static int send_face(const work *w, const worker_face *f, atg_err *err) {
    frame_body body = {.n = 0};

    frame_put_face(&body, f);
    return work_part(w, FRAME_FACE, (atg_str){(const char *)body.p, body.n}, err);
}

static void put_quality(const face_quality *q, worker_face *ret) {
    ret->refused = q->refused;
    ret->cautions = q->cautions;
    ret->eye_distance = q->eye_distance;
    ret->sharpness = q->sharpness;
    ret->yaw = q->yaw;
    ret->pitch = q->pitch;
    ret->roll = q->roll;
    ret->brightness = q->brightness;
    ret->burnt = q->burnt;
    ret->contrast = q->contrast;
    memcpy(ret->eyes, q->eyes, sizeof(ret->eyes));
    ret->outside = q->outside;
    ret->misfit = q->misfit;
}

/* In pixels of the whole picture. */
static void put_place(const face_found *f, double shrink, worker_face *ret) {
    ret->centre[0] = f->centre.x * shrink;
    ret->centre[1] = f->centre.y * shrink;
    ret->width = f->width * shrink;
    ret->height = f->height * shrink;
    ret->angle = f->angle;
    ret->score = f->score;
    for (size_t i = 0; i < FACE_POINTS; i++) {
        ret->marks[2 * i] = f->marks.at[i].x * shrink;
        ret->marks[2 * i + 1] = f->marks.at[i].y * shrink;
    }
}

static face_landmarks marks_of(const worker_face *f, double shrink) {
    face_landmarks m;

    for (size_t i = 0; i < FACE_POINTS; i++)
        m.at[i] = (face_point){f->marks[2 * i] / shrink, f->marks[2 * i + 1] / shrink};
    return m;
}

static int add_template(const face_nets *nets, const uint8_t *aligned, worker_face *f,
                        atg_err *err) {
    const facemodel *m = &nets->model[WORKER_EMBEDDER];
    int rc = face_template_make(nets, aligned, f->template, err);

    if (rc)
        return rc;
    f->dimension = m->dimension;
    f->pipeline = WORKER_PIPELINE;
    memcpy(f->model, m->sha256, sizeof(f->model));
    return ATG_OK;
}

/* Assess it from the picture at the resolution that it deserves. */
static int assess(job *j, worker_face *f, uint8_t *aligned, atg_err *err) {
    double dx = f->marks[2] - f->marks[0], dy = f->marks[3] - f->marks[1];
    face_landmarks marks;
    face_quality q;
    int rc = face_source_sharpen(&j->source, hypot(dx, dy), err);

    if (rc)
        return rc;
    marks = marks_of(f, j->source.shrink);
    rc = face_align(&j->source.picture, &marks, aligned, err);
    if (!rc)
        rc = face_assess(&j->source.picture, &marks, aligned, &q, err);
    if (rc)
        return rc;
    q.eye_distance *= j->source.shrink;
    put_quality(&q, f);
    return ATG_OK;
}

static int answer_face(job *j, worker_face *f, bool picked, atg_err *err) {
    uint8_t aligned[ALIGNED_BYTES];
    int rc = assess(j, f, aligned, err);

    if (!rc && picked && !f->refused)
        rc = add_template(j->w->nets, aligned, f, err);
    if (!rc)
        rc = send_face(j->w, f, err);
    if (!rc && picked && j->ask.aligned)
        rc = send_aligned(j->w, aligned, err);
    return rc;
}

/* ---- finding ---- */

/* As face_find() would give it. */
static int place(const job *j, worker_face *ret, atg_err *err) {
    double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;

    memcpy(ret->marks, j->ask.marks, sizeof(ret->marks));
    for (size_t i = 0; i < FACE_POINTS; i++) {
        double x = ret->marks[2 * i], y = ret->marks[2 * i + 1];

        if (!(x >= 0 && y >= 0 && x <= j->source.width && y <= j->source.height))
            return atg_fail(err, ATG_EINVAL, "Landmark %zu lies outside of the picture", i + 1);
        x0 = fmin(x0, x);
        y0 = fmin(y0, y);
        x1 = fmax(x1, x);
        y1 = fmax(y1, y);
    }
    ret->centre[0] = (x0 + x1) / 2;
    ret->centre[1] = (y0 + y1) / 2;
    ret->width = ret->height = 2 * fmax(x1 - x0, y1 - y0);
    ret->score = 1;
    return ATG_OK;
}

static int answer_placed(job *j, atg_err *err) {
    worker_face f = {.pipeline = 0};
    int rc = place(j, &f, err);

    j->chosen = 0;
    return rc ? rc : answer_face(j, &f, true, err);
}

static int answer_found(job *j, atg_err *err) {
    uint32_t shrink = j->source.shrink;
    int rc;

    j->list = (face_list){0, ROOM, j->room, 0};
    rc = face_find(j->w->nets, &j->source.picture, j->ask.pick == WORKER_FACE_ALL, &j->list, err);
    if (rc)
        return rc;
    j->chosen = face_choose(&j->list);
    if (j->chosen >= WORKER_FACES_MAX)
        j->chosen = -1;
    for (uint32_t i = 0; i < j->list.n && i < WORKER_FACES_MAX && !rc; i++) {
        worker_face f = {.pipeline = 0};
        bool picked = j->ask.pick == WORKER_FACE_ALL ||
                      (j->ask.pick == WORKER_FACE_BEST && (int32_t)i == j->chosen);

        put_place(&j->list.found[i], shrink, &f);
        rc = answer_face(j, &f, picked, err);
    }
    return rc;
}

static int answer(job *j, frame_done *ret, atg_err *err) {
    int rc = j->ask.pick == WORKER_FACE_PLACED ? answer_placed(j, err) : answer_found(j, err);

    if (rc)
        return rc;
    ret->format = j->source.facts.format;
    ret->width = j->source.width;
    ret->height = j->source.height;
    ret->orientation = j->source.facts.orientation;
    ret->frames = j->source.facts.frames;
    ret->chosen = (uint32_t)(j->chosen + 1);
    return ATG_OK;
}

static int run(job *j, frame_done *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SIZE_MAX);
    int rc = arena ? face_source_open(j->w->files[0], j->ask.pixels, arena, &j->source, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");

    if (rc)
        return rc;
    rc = answer(j, ret, err);
    face_source_close(&j->source);
    return rc;
}

int work_faces(const work *w, frame_done *ret, atg_err *err) {
    job *j;
    int rc;

    if (!w->nets)
        return atg_fail(err, ATG_ENOTFOUND, "No faces are read here");
    j = mem_zero(1, sizeof(*j));
    if (!j)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    j->w = w;
    rc = frame_get_faces(w->body, &j->ask, err);
    if (!rc && w->n != 1)
        rc = atg_fail(err, ATG_EINVAL, "A picture is one file");
    if (!rc) {
        sandbox_time(j->ask.milliseconds);
        rc = run(j, ret, err);
    }
    mem_free(j);
    return rc;
}
