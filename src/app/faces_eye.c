/* SPDX-License-Identifier: Apache-2.0 */
#include "app/faces_eye.h"

#include <string.h>

#include "app/networks.h"
#include "base/file.h"
#include "base/mem.h"

enum { EYE_ARENA = 64 << 20 };

struct faces_eye {
    atg_arena *arena;
    worker_networks networks;
    worker_pool *pool;
    unsigned char embedder[WORKER_MODEL]; /* SHA-256 */
    face_eye eye;
};

_Static_assert(WORKER_MODEL == sizeof(((face_version *)0)->model), "a SHA-256");
_Static_assert(WORKER_MARKS == 2 * FACE_POINTS, "x and y of each landmark");

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

static void write_marks(const face_landmarks *from, double ret[WORKER_MARKS]) {
    for (size_t i = 0; i < FACE_POINTS; i++) {
        ret[2 * i] = from->at[i].x;
        ret[2 * i + 1] = from->at[i].y;
    }
}

static face_landmarks read_marks(const double from[WORKER_MARKS]) {
    face_landmarks m;

    for (size_t i = 0; i < FACE_POINTS; i++)
        m.at[i] = (face_point){from[2 * i], from[2 * i + 1]};
    return m;
}

/* The template must be of the network that was asked for. */
static int take_template(const faces_eye *e, const worker_face *f, atg_arena *arena,
                         face_reading *ret, atg_err *err) {
    ret->refused = f->refused;
    ret->cautions = f->cautions;
    if (f->refused)
        return ATG_OK;
    if (f->dimension != e->eye.dim || f->pipeline != e->eye.version.pipeline ||
        memcmp(f->model, e->embedder, WORKER_MODEL) != 0)
        return atg_fail(err, ATG_EIO, "The worker answered with another network's template");
    ret->embedding = ATG_GET(arena, float, f->dimension);
    if (!ret->embedding)
        return no_memory(err);
    memcpy(ret->embedding, f->template, f->dimension * sizeof(*ret->embedding));
    return ATG_OK;
}

static int look(void *user, atg_str picture, const face_landmarks *placed, atg_arena *arena,
                face_reading *ret, atg_err *err) {
    const faces_eye *e = user;
    worker_face_ask ask = {.in = {.bytes = picture, .fd = -1},
                           .pick = placed ? WORKER_FACE_PLACED : WORKER_FACE_BEST};
    worker_faces found = {.chosen = -1};
    int rc;

    if (placed)
        write_marks(placed, ask.marks);
    rc = worker_faces_read(e->pool, &ask, arena, &found, err);
    if (rc)
        return rc;
    *ret = (face_reading){.n_faces = found.n,
                          .faces = ATG_GET(arena, face_seen, found.n + 1),
                          .chosen = found.chosen};
    if (!ret->faces)
        return no_memory(err);
    for (uint32_t i = 0; i < found.n; i++)
        ret->faces[i] =
            (face_seen){.marks = read_marks(found.face[i].marks), .score = found.face[i].score};
    return found.chosen < 0 ? ATG_OK : take_template(e, &found.face[found.chosen], arena, ret, err);
}

static int read_manifest(faces_eye *e, int of, facemodel *ret, atg_err *err) {
    atg_str bytes;
    int rc = file_read(e->arena, e->networks.of[of].manifest, FACEMODEL_MANIFEST, &bytes, err);

    return rc ? rc : facemodel_read(e->arena, bytes, ret, err);
}

/* What its templates will be of. */
static int read_manifests(faces_eye *e, atg_err *err) {
    facemodel detector, embedder;
    int rc = read_manifest(e, WORKER_DETECTOR, &detector, err);

    if (!rc)
        rc = read_manifest(e, WORKER_EMBEDDER, &embedder, err);
    if (rc)
        return rc;
    e->eye = (face_eye){.dim = embedder.dimension, .read = look, .user = e};
    e->eye.version.pipeline = WORKER_PIPELINE;
    networks_identity(&detector, &embedder, e->eye.version.model);
    memcpy(e->embedder, embedder.sha256, sizeof(e->embedder));
    return ATG_OK;
}

static int begin(faces_eye *e, const faces_eye_options *wanted, atg_err *err) {
    worker_options o = {
        .program = wanted->program, .memory = wanted->memory, .networks = &e->networks};
    worker_health health;
    int rc = networks_choose(e->arena, wanted->folder, &e->networks, err);

    if (!rc)
        rc = read_manifests(e, err);
    if (!rc)
        rc = worker_pool_open(&o, &e->pool, err);
    if (!rc)
        rc = worker_pool_check(e->pool, &health, err);
    if (!rc && !health.hold.faces)
        rc = atg_fail(err, ATG_EINVAL, "No faces are read on this machine: %s",
                      health.hold.decodes ? health.hold.why_no_faces : health.hold.why);
    return rc;
}

int faces_eye_open(const faces_eye_options *o, faces_eye **ret, atg_err *err) {
    faces_eye *e = mem_zero(1, sizeof(*e));
    int rc;

    if (!e)
        return no_memory(err);
    e->arena = atg_arena_new(EYE_ARENA);
    rc = e->arena ? begin(e, o, err) : no_memory(err);
    if (rc)
        faces_eye_close(e);
    else
        *ret = e;
    return rc;
}

void faces_eye_close(faces_eye *e) {
    if (!e)
        return;
    worker_pool_close(e->pool);
    atg_arena_free(e->arena);
    mem_free(e);
}

const face_eye *faces_eye_of(const faces_eye *e) {
    return &e->eye;
}
