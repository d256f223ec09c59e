/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/faces.h share. */
#ifndef ATG_APP_FACES_INTERNAL_H
#define ATG_APP_FACES_INTERNAL_H

#include "app/faces.h"

enum { FACES_SHARING_MAX = 256, FACES_OPERATIONS_MAX = 100000 };

struct faces_gallery {
    uuid operation;
    face_version version;
    uint32_t dim;
    bool retouched;
    face_gallery *all;
};

/* The template of a photograph; `*ret` is NULL when it has none, or its person was erased. */
int faces_template_of(db *d, keyring *keys, atg_arena *arena, const uuid *photograph, record **ret,
                      atg_err *err);
int faces_unread(atg_err *err); /* ATG_EINVAL: a photograph without a template */
/* Can it be compared by this network? */
bool faces_version_is(const record *template, const face_version *version);

/* What is recorded of a missing person that orders candidates and warns. */
int faces_person(db *d, keyring *keys, atg_arena *arena, const uuid *file, face_person *ret,
                 atg_err *err);

#endif
