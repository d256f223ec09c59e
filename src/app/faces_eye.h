/* SPDX-License-Identifier: Apache-2.0 */
/* The eye of app/faces.h: the sandboxed worker with the networks that are installed. */
#ifndef ATG_APP_FACES_EYE_H
#define ATG_APP_FACES_EYE_H

#include "app/faces.h"

typedef struct faces_eye faces_eye;

typedef struct faces_eye_options {
    const char *folder;  /* of the store; NULL: none */
    const char *program; /* of the worker, and ... */
    uint64_t memory;     /* ... bytes of its address space: NULL and 0 as ipc/worker.h says */
} faces_eye_options;

/* Choose the networks (app/networks.h), start a worker and see that it loads them.  ATG_ENOTFOUND
 * or ATG_EINVAL, with what to do: no faces are read here. */
int faces_eye_open(const faces_eye_options *o, faces_eye **ret, atg_err *err);
void faces_eye_close(faces_eye *e);
static inline void faces_eye_freep(faces_eye **p) {
    faces_eye_close(*p);
}

/* It lives as long as the eye does. */
const face_eye *faces_eye_of(const faces_eye *e);

#endif
