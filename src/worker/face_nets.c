/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "worker/face.h"

enum { TRIAL = 64 /* pixels along a side of the first thing that a detector sees; <= FACE_SIDE */ };

int face_options_read(char *const *words, face_options *ret) {
    uint32_t threads = (uint32_t)strtoul(words[0], NULL, 10);

    ret->threads = threads == 0                 ? FACE_THREADS
                   : threads < FACE_THREADS_MAX ? threads
                                                : FACE_THREADS_MAX;
    ret->runtime = words[1];
    for (int i = 0; i < WORKER_NETWORKS; i++) {
        ret->of[i].manifest = words[2 + 2 * i];
        ret->of[i].file = words[3 + 2 * i];
    }
    return FACE_WORDS;
}

/* ---- before the sandbox closes ---- */

static int read_one(face_nets *nets, const face_options *o, int i, atg_err *err) {
    atg_str json;
    int rc = file_read(nets->arena, o->of[i].manifest, FACEMODEL_MANIFEST, &json, err);

    if (!rc)
        rc = facemodel_read(nets->arena, json, &nets->model[i], err);
    if (!rc && nets->model[i].kind != (facemodel_kind)i)
        rc = atg_fail(err, ATG_EINVAL, "%s is no manifest of %s", o->of[i].manifest,
                      i == WORKER_DETECTOR ? "a detector" : "an embedder");
    if (!rc)
        rc = file_read(nets->files, o->of[i].file, FACEMODEL_FILE, &nets->bytes[i], err);
    return rc ? rc : facemodel_check(&nets->model[i], nets->bytes[i], err);
}

static int load(face_nets *nets, const face_options *o, atg_err *err) {
    int rc = ATG_OK;

    nets->threads = o->threads;
    nets->arena = atg_arena_new(1 << 20);
    nets->files = atg_arena_new(2 * (size_t)FACEMODEL_FILE);
    if (!nets->arena || !nets->files)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for networks");
    for (int i = 0; i < WORKER_NETWORKS && !rc; i++)
        rc = read_one(nets, o, i, err);
    return rc ? rc : ort_open(o->runtime, &nets->o, err);
}

static void forget_files(face_nets *nets) {
    atg_arena_free(nets->files);
    nets->files = NULL;
    memset(nets->bytes, 0, sizeof(nets->bytes));
}

static void tell(worker_hold *hold, const char *why) {
    (void)snprintf(hold->why_no_faces, sizeof(hold->why_no_faces), "%.299s", why);
}

face_nets *face_nets_load(const face_options *o, worker_hold *hold) {
    face_nets *nets;
    atg_err err = {0};
    size_t said = strlen(hold->libraries);

    if (!o->runtime) {
        tell(hold, "no networks are installed: 'antigone model list' says what is missing");
        return NULL;
    }
    nets = mem_zero(1, sizeof(*nets));
    if (!nets || load(nets, o, &err)) {
        tell(hold, nets ? err.msg : "memory is short");
        if (nets) {
            forget_files(nets);
            atg_arena_free(nets->arena);
            mem_free(nets);
        }
        return NULL;
    }
    (void)snprintf(hold->libraries + said, sizeof(hold->libraries) - said, ", ONNX Runtime %s",
                   ort_version(nets->o));
    return nets;
}

/* ---- behind it ---- */

static const char *const yunet[] = {"cls_8",  "cls_16",  "cls_32",  "obj_8", "obj_16", "obj_32",
                                    "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"};

static bool takes(int64_t has, int64_t wanted) {
    return has == 0 || has == wanted;
}

static int bind(face_nets *nets, int i, atg_err *err) {
    static const char *const any[] = {NULL};
    bool detector = i == WORKER_DETECTOR;
    int64_t shape[ORT_RANK], side = detector ? 0 : FACE_SIDE;
    int rc = ort_net_open(nets->o, nets->bytes[i], &nets->net[i], err);

    if (!rc)
        rc = ort_net_bind(nets->net[i], detector ? yunet : any, detector ? ORT_OUTPUTS : 1, shape,
                          err);
    if (rc)
        return rc;
    if (!takes(shape[0], 1) || !takes(shape[1], 3) || !takes(shape[2], side) ||
        !takes(shape[3], side))
        return atg_fail(err, ATG_EINVAL,
                        detector ? "A detector must take pictures of any size, one at a time"
                                 : "An embedder must take one face of 112 by 112 pixels at a time");
    return ATG_OK;
}

static void make_values(face_nets *nets, int i) {
    const facemodel_input *in = &nets->model[i].input;

    for (int plane = 0; plane < 3; plane++)
        for (int x = 0; x < 256; x++)
            nets->values[i].of[plane][x] =
                (float)((x / in->divisor - in->mean[plane]) / in->std[plane]);
}

/* What they answer to nothing at all has the right shape, or no answer has. */
static int try_out(const face_nets *nets, atg_err *err) {
    MEM_AUTO float *planes = mem_zero((size_t)3 * FACE_SIDE * FACE_SIDE, sizeof(*planes));
    float embedding[FACEMODEL_DIMENSION];
    ort_result result;
    face_tensors tensors;
    int rc;

    if (!planes)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for networks");
    rc = face_nets_detect(nets, planes, TRIAL, TRIAL, &result, &tensors, err);
    if (rc)
        return rc;
    ort_result_close(&result);
    return face_nets_embed(nets, planes, embedding, err);
}

void face_nets_start(face_nets *nets, worker_hold *hold) {
    atg_err err = {0};
    int rc = ATG_OK;

    for (int i = 0; i < WORKER_NETWORKS && !rc; i++) {
        rc = bind(nets, i, &err);
        make_values(nets, i);
        if (rc) {
            char why[sizeof(err.msg)];

            (void)snprintf(why, sizeof(why), "%.*s: %.200s", ATG_FMT(nets->model[i].file), err.msg);
            tell(hold, why);
        }
    }
    forget_files(nets);
    if (!rc && try_out(nets, &err))
        tell(hold, err.msg);
    else
        hold->faces = !rc;
}

/* ---- runs ---- */

static int check_tensor(const ort_tensor *t, size_t cells, size_t each, const char *name,
                        atg_err *err) {
    if (t->n == cells * each)
        return ATG_OK;
    return atg_fail(err, ATG_EINVAL, "The detector's output %s has %zu numbers instead of %zu",
                    name, t->n, cells * each);
}

int face_nets_detect(const face_nets *nets, const float *planes, uint32_t width, uint32_t height,
                     ort_result *ret, face_tensors *ret_tensors, atg_err *err) {
    static const size_t each[] = {1, 1, 4, 10};
    const int64_t shape[ORT_RANK] = {1, 3, height, width};
    ort_result r;
    int rc = ort_net_run(nets->net[WORKER_DETECTOR], planes, shape, &r, err);

    if (rc)
        return rc;
    for (uint32_t i = 0; i < ORT_OUTPUTS && !rc; i++) {
        size_t stride = (size_t)8 << i % FACE_STRIDES;

        rc = check_tensor(&r.out[i], width / stride * (height / stride), each[i / FACE_STRIDES],
                          yunet[i], err);
    }
    if (rc) {
        ort_result_close(&r);
        return rc;
    }
    for (int s = 0; s < FACE_STRIDES; s++) {
        ret_tensors->cls[s] = r.out[s].x;
        ret_tensors->obj[s] = r.out[FACE_STRIDES + s].x;
        ret_tensors->bbox[s] = r.out[2 * FACE_STRIDES + s].x;
        ret_tensors->kps[s] = r.out[3 * FACE_STRIDES + s].x;
    }
    *ret = r;
    return ATG_OK;
}

int face_nets_embed(const face_nets *nets, const float *planes, float *ret, atg_err *err) {
    const int64_t shape[ORT_RANK] = {1, 3, FACE_SIDE, FACE_SIDE};
    uint32_t n = nets->model[WORKER_EMBEDDER].dimension;
    ort_result r;
    int rc = ort_net_run(nets->net[WORKER_EMBEDDER], planes, shape, &r, err);

    if (rc)
        return rc;
    if (r.out[0].n == n)
        memcpy(ret, r.out[0].x, n * sizeof(*ret));
    else
        rc = atg_fail(err, ATG_EINVAL, "The embedder gives %zu numbers, its manifest says %u",
                      r.out[0].n, n);
    ort_result_close(&r);
    return rc;
}
