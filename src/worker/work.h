/* SPDX-License-Identifier: Apache-2.0 */
/* Requests inside the worker. */
#ifndef ATG_WORKER_WORK_H
#define ATG_WORKER_WORK_H

#include "ipc/channel.h"

/* A request with its files, as bytes, and the way back. */
typedef struct work {
    int pipe;
    uint64_t request;
    uint64_t memory; /* bytes of address space there are; 0: no limit */
    atg_str body;
    uint32_t n;
    atg_str files[WORKER_INPUTS_MAX];
    const struct face_nets *nets; /* NULL: none, and why is told in HELLO */
    bool piped;                   /* none of them is a file: */
    int pipes[WORKER_INPUTS_MAX]; /* read once, to the end */
} work;

/* Send bytes of the answer, in as many frames as they need.  ATG_EIO: the parent is gone. */
ATG_MUST_USE int work_part(const work *w, frame_part what, atg_str bytes, atg_err *err);
/* Send a sentence. */
ATG_MUST_USE int work_note(const work *w, atg_str note, atg_err *err);

/* One file a kind of work.  Parts of the answer are sent; `ret` is sent by the caller. */
int work_picture(const work *w, frame_done *ret, atg_err *err);
int work_faces(const work *w, frame_done *ret, atg_err *err);
int work_parse(const work *w, frame_done *ret, atg_err *err);
int work_selftest(const work *w, frame_done *ret, atg_err *err);

/* Before the sandbox closes: load what decodes pictures, and block what must not.  Bits of
 * worker_format, and names with versions. */
int decode_open(uint32_t *ret_formats, char *ret_libraries, size_t size, atg_err *err);
/* After a request: give back what a library keeps. */
void decode_tidy(void);

#endif
