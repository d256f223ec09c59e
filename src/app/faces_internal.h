/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/faces.h share. */
#ifndef ATG_APP_FACES_INTERNAL_H
#define ATG_APP_FACES_INTERNAL_H

#include "app/faces.h"

enum { FACES_SHARING_MAX = 256, FACES_OPERATIONS_MAX = 100000 };

struct faces_gallery {
    faces_wanted is;
    face_gallery *all; /* NULL: to be read */
    uuid operations[FACES_SHARING_MAX];
    uint32_t n_operations;
    int64_t last; /* the event up to which it is as the store */
};

/* The operations whose photographs are in it, as they are now. */
int faces_gallery_operations(db *d, const uuid *operation, uuid ret[FACES_SHARING_MAX],
                             uint32_t *ret_n, atg_err *err);
/* Put in what the template `r` says, if it belongs there now. */
typedef struct faces_taking {
    cases *c;
    faces_gallery *g;
    atg_arena *arena;
} faces_taking;
int faces_gallery_take(const faces_taking *w, db *d, const record *r, atg_err *err);
/* Bring it up to date with all that was committed before the call: what changed in files since is
 * looked at again, and it holds what one that is opened now would.  After a failure it is as good
 * as it was, and the next call goes on.  `progress` as for opening. */
int faces_gallery_update(faces_gallery *g, cases *c, const atg_progress *progress, atg_err *err);
/* One that the first update reads. */
int faces_gallery_new(const faces_wanted *wanted, faces_gallery **ret, atg_err *err);
/* Read it anew; what the tree of changes has already is in it (store_after()). */
int faces_gallery_read(faces_gallery *g, cases *c, const atg_progress *progress, atg_err *err);

/* Who looks among the templates that are wanted. */
typedef struct faces_asked {
    cases *c;
    const actor *who;
    atg_arena *arena;
    faces_wanted in;
    const face_wish *wish;
    int (*look)(void *user, const face_query *query, face_result *ret, uint32_t *ret_among,
                atg_err *err);
    void *user;
} faces_asked;
int faces_ask(const faces_asked *a, faces_found *ret, atg_err *err);
int faces_gallery_look(const faces_gallery *g, const face_query *query, face_result *ret,
                       uint32_t *ret_among, atg_err *err);

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
