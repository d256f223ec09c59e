/* SPDX-License-Identifier: Apache-2.0 */
/* Faces inside the worker: picture -> looks -> faces -> aligned face -> template
 * (docs/worker.md, section 8). */
#ifndef ATG_WORKER_FACE_H
#define ATG_WORKER_FACE_H

#include "face/align.h"
#include "face/detect.h"
#include "formats/facemodel.h"
#include "worker/image.h"
#include "worker/ort.h"

/* ---- networks ---- */

enum {
    FACE_WORDS = 2 + 2 * WORKER_NETWORKS, /* of the command line, behind --networks */
    FACE_THREADS = 2,
    FACE_THREADS_MAX = 8,
};

typedef struct face_options {
    const char *runtime; /* NULL: no networks are wanted */
    uint32_t threads;
    struct {
        const char *manifest, *file;
    } of[WORKER_NETWORKS];
} face_options;

/* Threads, library, and manifest and file of each network; how many words these are. */
int face_options_read(char *const *words, face_options *ret);

/* What a colour goes into a network as, for each of its planes. */
typedef struct face_values {
    float of[3][256];
} face_values;

typedef struct face_nets {
    atg_arena *arena; /* what follows */
    ort *o;
    uint32_t threads;
    facemodel model[WORKER_NETWORKS];
    atg_arena *files; /* bytes of the networks' files, until they are made */
    atg_str bytes[WORKER_NETWORKS];
    ort_net *net[WORKER_NETWORKS];
    face_values values[WORKER_NETWORKS];
} face_nets;

/* Before the sandbox closes: load the library, read the files and check their SHA-256.  NULL, with
 * the reason in `hold`, when there are no networks. */
face_nets *face_nets_load(const face_options *o, worker_hold *hold);
/* Behind it: make the networks of bytes that nobody trusts, and try them.  Says in `hold` whether
 * they work. */
void face_nets_start(face_nets *nets, worker_hold *hold);

/* Run the detector on an input of planes; `ret_tensors` points into `ret`. */
int face_nets_detect(const face_nets *nets, const float *planes, uint32_t width, uint32_t height,
                     ort_result *ret, face_tensors *ret_tensors, atg_err *err);
/* Run the embedder on the planes of an aligned face. */
int face_nets_embed(const face_nets *nets, const float *planes, float *ret, atg_err *err);

/* ---- the picture ---- */

/* A file's picture in memory: upright, RGB, made smaller while it is read where it may be. */
typedef struct face_source {
    atg_str bytes;
    image_facts facts;
    atg_arena *arena;       /* a bitmap's pixels */
    uint32_t width, height; /* of the whole picture, upright */
    uint32_t shrink;        /* whole pixels along a side of one of `picture` */
    VipsImage *memory;
    face_picture picture;
} face_source;

/* ATG_E... of image_look() and image_open().  Large enough for looking at it. */
int face_source_open(atg_str bytes, uint64_t pixels, atg_arena *arena, face_source *ret,
                     atg_err *err);
/* Read it again, so that eyes `distance` of its pixels apart are seen well enough to be aligned. */
int face_source_sharpen(face_source *s, double distance, atg_err *err);
void face_source_close(face_source *s);

/* ---- levels ---- */

/* A picture made smaller, in memory of its own. */
typedef struct face_level {
    uint32_t long_side;
    double scale; /* its pixels for one of the picture it was made of first */
    face_picture picture;
    uint8_t *room; /* NULL: it is that picture itself */
} face_level;

/* Each pixel is the mean over its place; `scale` is 1 or less.  ATG_ENOMEM. */
int face_level_make(const face_level *from, uint32_t long_side, double scale, face_level *ret,
                    atg_err *err);
void face_level_free(face_level *level);

/* What `to` shows of it, as planes of width x height `values`, blue first when `bgr`;
 * black around it.  `to` makes it smaller by little: nothing is averaged. */
void face_level_planes(const face_picture *level, const face_transform *to, uint32_t width,
                       uint32_t height, const face_values *values, bool bgr, float *ret);

/* ---- faces ---- */

/* Faces of a picture, best first, in its coordinates; at most list->room. */
int face_find(const face_nets *nets, const face_picture *picture, bool thorough, face_list *list,
              atg_err *err);

/* The template of an aligned face (RGB, FACE_SIDE x FACE_SIDE). */
int face_template_make(const face_nets *nets, const uint8_t *aligned, float *ret, atg_err *err);

#endif
