/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "face/gallery.h"
#include "worker/face.h"

enum { PIXELS = FACE_SIDE * FACE_SIDE };

static void make_planes(const face_nets *nets, const uint8_t *rgb, bool mirrored, float *ret) {
    bool bgr = nets->model[WORKER_EMBEDDER].input.bgr;

    for (int plane = 0; plane < 3; plane++) {
        const float *value = nets->values[WORKER_EMBEDDER].of[plane];
        const uint8_t *from = rgb + (bgr ? 2 - plane : plane);

        for (size_t y = 0; y < FACE_SIDE; y++)
            for (size_t x = 0; x < FACE_SIDE; x++) {
                size_t at = y * FACE_SIDE + (mirrored ? FACE_SIDE - 1 - x : x);

                *ret++ = value[from[3 * at]];
            }
    }
}

int face_template_make(const face_nets *nets, const uint8_t *aligned, float *ret, atg_err *err) {
    const facemodel *m = &nets->model[WORKER_EMBEDDER];
    MEM_AUTO float *planes = mem_alloc((size_t)3 * PIXELS * sizeof(*planes));
    float sum[FACEMODEL_DIMENSION], mirrored[FACEMODEL_DIMENSION];
    int rc;

    if (!planes)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a face");
    make_planes(nets, aligned, false, planes);
    rc = face_nets_embed(nets, planes, sum, err);
    if (rc || !m->flip_add)
        return rc ? rc : face_normalise(m->dimension, sum, ret, err);
    make_planes(nets, aligned, true, planes);
    rc = face_nets_embed(nets, planes, mirrored, err);
    for (uint32_t i = 0; i < m->dimension && !rc; i++)
        sum[i] += mirrored[i];
    return rc ? rc : face_normalise(m->dimension, sum, ret, err);
}
