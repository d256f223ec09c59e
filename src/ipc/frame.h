/* SPDX-License-Identifier: Apache-2.0 */
/* What goes through the pipe between a parent and its worker (docs/worker.md, section 3).
 *
 *     frame    "ATGW" | version (1 byte, 1) | kind (1) | what (2) | request (8) | length (4) | 0
 * (4) | body
 *
 * Numbers are big-endian.  Either side refuses what is not exactly such a frame. */
#ifndef ATG_IPC_FRAME_H
#define ATG_IPC_FRAME_H

#include <antigone/base.h>

#include "ipc/worker.h"

enum {
    FRAME_VERSION = 1,
    FRAME_HEAD = 24,
    FRAME_BODY = 256 << 10, /* longest body */
    FRAME_FIXED = 4096,     /* longest body of a kind other than FRAME_PART */
};

typedef enum frame_kind {
    FRAME_HELLO = 1, /* worker: ready; what holds */
    FRAME_ASK,       /* parent: a request; what: frame_work; files go with it as descriptors */
    FRAME_PART,      /* worker: bytes of an answer; what: frame_part */
    FRAME_DONE,      /* worker: the answer is whole */
    FRAME_REFUSED,   /* worker: the reason */
} frame_kind;

typedef enum frame_work {
    FRAME_PICTURE = 1,
    FRAME_PARSE,
    FRAME_FACES,
    FRAME_SELFTEST,
} frame_work;

typedef enum frame_part {
    FRAME_RESULT = 1, /* JSON, or the clean picture */
    FRAME_THUMBNAIL,
    FRAME_SEAL,
    FRAME_FACE,    /* each a whole face: frame_put_face() */
    FRAME_ALIGNED, /* its aligned face, behind it */
    FRAME_NOTE,    /* each a whole sentence */
} frame_part;

typedef struct frame {
    frame_kind kind;
    uint16_t what;
    uint64_t request; /* 0 for HELLO; else counted by the parent */
    uint32_t length;  /* of the body */
} frame;

void frame_head(const frame *f, unsigned char ret[FRAME_HEAD]);
/* ATG_EPARSE: no such head; the length fits the kind. */
int frame_read(const unsigned char head[FRAME_HEAD], frame *ret, atg_err *err);

/* ---- bodies ---- */

/* Values one behind the other.  Too many for the room are remembered as a failure. */
typedef struct frame_body {
    size_t n;
    bool full;
    unsigned char p[FRAME_FIXED];
} frame_body;

typedef struct frame_hello {
    uint32_t limit_files;
    worker_hold hold;
} frame_hello;

typedef struct frame_picture {
    uint64_t pixels, clean_max;
    uint32_t milliseconds, clean, quality, thumbnail, seal;
} frame_picture;

typedef struct frame_faces {
    uint64_t pixels;
    uint32_t milliseconds, pick;
    bool aligned;
    double marks[WORKER_MARKS];
} frame_faces;

/* Without `aligned`, which follows in parts of its own. */
typedef worker_face frame_face;

/* One file that goes with the request. */
typedef struct frame_file {
    uint64_t size;
    char name[64]; /* the end of it */
} frame_file;

typedef struct frame_parse {
    uint64_t out_max;
    uint32_t milliseconds, kind, n;
    frame_file files[WORKER_INPUTS_MAX];
    char population[256];
    double theta, min_frequency;
    worker_mutation female, male;
} frame_parse;

typedef enum frame_test {
    FRAME_TEST_TRY = 1, /* what the sandbox forbids; the answer has a line "name errno" for each */
    FRAME_TEST_ECHO,
    FRAME_TEST_LOOP,   /* never ends */
    FRAME_TEST_MEMORY, /* takes memory until there is no more */
    FRAME_TEST_ABORT,
    FRAME_TEST_NONSENSE, /* answers with what is no frame */
    FRAME_TEST_FLOOD,    /* answers without end */
} frame_test;

typedef struct frame_selftest {
    uint32_t milliseconds, test;
} frame_selftest;

typedef struct frame_done_image {
    uint32_t format, width, height;
} frame_done_image;

typedef struct frame_done {
    uint32_t format, width, height, orientation, frames;
    uint32_t chosen;            /* number of the face that is meant, from 1; 0: none */
    frame_done_image images[3]; /* clean, thumbnail, seal */
} frame_done;

typedef struct frame_refused {
    uint32_t code, line, col; /* -code is ATG_E... */
    char msg[400];
} frame_refused;

/* Writing never fails; reading says ATG_EPARSE unless the body is exactly one such value, with
 * every number in its range and every text ended. */
void frame_put_hello(frame_body *b, const frame_hello *v);
void frame_put_picture(frame_body *b, const frame_picture *v);
void frame_put_faces(frame_body *b, const frame_faces *v);
void frame_put_face(frame_body *b, const frame_face *v);
void frame_put_parse(frame_body *b, const frame_parse *v);
void frame_put_selftest(frame_body *b, const frame_selftest *v);
void frame_put_done(frame_body *b, const frame_done *v);
void frame_put_refused(frame_body *b, const frame_refused *v);
int frame_get_hello(atg_str body, frame_hello *ret, atg_err *err);
int frame_get_picture(atg_str body, frame_picture *ret, atg_err *err);
int frame_get_faces(atg_str body, frame_faces *ret, atg_err *err);
int frame_get_face(atg_str body, frame_face *ret, atg_err *err);
int frame_get_parse(atg_str body, frame_parse *ret, atg_err *err);
int frame_get_selftest(atg_str body, frame_selftest *ret, atg_err *err);
int frame_get_done(atg_str body, frame_done *ret, atg_err *err);
int frame_get_refused(atg_str body, frame_refused *ret, atg_err *err);

#endif
