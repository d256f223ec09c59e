/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of face networks (docs/models.md): what an ONNX file is, where it came from, and how
 * pictures are prepared for it.  The file's bytes are named by their SHA-256: what is not exactly
 * that file is never loaded. */
#ifndef ATG_FORMATS_FACEMODEL_H
#define ATG_FORMATS_FACEMODEL_H

#include <antigone/base.h>

enum {
    FACEMODEL_MANIFEST = 64 << 10, /* bytes of a manifest, at most */
    FACEMODEL_FILE = 256 << 20,    /* bytes of a network, at most */
    FACEMODEL_DIMENSION = 512,     /* of an embedding, at most, ... */
    FACEMODEL_DIMENSION_STEP = 16, /* ... and a multiple of it */
    FACEMODEL_SHA = 32,
    FACEMODEL_SHA_TEXT = 2 * FACEMODEL_SHA + 1,
    FACEMODEL_ALIGNED = 112, /* pixels along a side of an aligned face */
};

typedef enum facemodel_kind { FACEMODEL_DETECTOR, FACEMODEL_EMBEDDER } facemodel_kind;

/* A colour x of 0 to 255 goes in as (x / divisor - mean) / std, planes first (NCHW). */
typedef struct facemodel_input {
    bool bgr;         /* else RGB */
    uint32_t step;    /* detectors: width and height are multiples of it */
    uint32_t aligned; /* embedders: width and height */
    double divisor;   /* > 0 */
    double mean[3];   /* in the order of the planes */
    double std[3];    /* > 0 */
} facemodel_input;

typedef struct facemodel {
    facemodel_kind kind;
    atg_str name, version;
    atg_str file; /* a name without a folder */
    uint64_t bytes;
    unsigned char sha256[FACEMODEL_SHA];
    atg_str licence, trained_on;
    atg_str origin; /* who made it, and where that is told */
    atg_str url;    /* https://, or empty: `antigone model install` needs the file then */
    facemodel_input input;
    uint32_t dimension;  /* embedders: numbers of an embedding */
    bool flip_add;       /* embedders: the mirrored face's embedding is added */
    atg_str calibration; /* JSON of what its makers measured, or empty: never used as evidence */
} facemodel;

/* Texts are in the arena.  ATG_EPARSE, ATG_EINVAL with line and column; an unknown key is refused,
 * since it may say how pictures are to be prepared. */
int facemodel_read(atg_arena *arena, atg_str json, facemodel *ret, atg_err *err);

/* Are these the network's bytes?  ATG_EINVAL when they are not. */
int facemodel_check(const facemodel *m, atg_str bytes, atg_err *err);

#endif
