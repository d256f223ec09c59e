/* SPDX-License-Identifier: Apache-2.0 */
/* From a photograph of the dead to missing persons whose photographs look alike, as a lead for
 * people who compare (docs/face.md).
 *
 * Only registered photographs go in, and only those that the rules let in (app/rules.h, rule 1):
 * no function here takes a picture or a template.  Templates are made of the sealed pictures where
 * they are kept, sealed like them, and read by nobody. */
#ifndef ATG_APP_FACES_H
#define ATG_APP_FACES_H

#include "app/cases.h"
#include "face/align.h"
#include "face/gallery.h"
#include "face/quality.h"

/* What is to be seen in a picture. */
typedef struct face_seen {
    face_landmarks marks;
    double score;
} face_seen;

typedef struct face_reading {
    uint32_t n_faces;
    face_seen *faces;           /* the best first */
    int32_t chosen;             /* of them; -1: none, or an operator has to say which */
    uint32_t refused, cautions; /* of the chosen one, as in face_quality */
    float *embedding;           /* of the chosen one, unless refused: dim numbers */
} face_reading;

/* Who looks at pictures: the sandboxed worker with its networks.  `read` may be called by one
 * thread at a time; `placed` (may be NULL) are landmarks that a person placed.  ATG_EPARSE,
 * ATG_EINVAL, ATG_ELIMIT: of this picture nothing can be made; anything else: try again later. */
typedef struct face_eye {
    face_version version;
    uint32_t dim;
    int (*read)(void *user, atg_str picture, const face_landmarks *placed, atg_arena *arena,
                face_reading *ret, atg_err *err);
    void *user;
} face_eye;

/* ---- templates ---- */

typedef struct faces_done {
    uint64_t made, poor,
        unchanged;      /* photographs: read; of them not to be compared; as they were */
    uint64_t taken_out; /* templates of whom nobody searches for any more */
} faces_done;

/* Bring the templates of an operation up to date: photographs that are new or changed, or were read
 * by another network, are read; those that may be searched no more lose theirs.  Each is a change
 * of its own, so that it goes on where it stopped.  Repeating it changes nothing.  The matcher acts
 * as itself. */
int faces_enrol(cases *c, const uuid *operation, const face_eye *eye, const atg_progress *progress,
                faces_done *ret, atg_err *err);
/* The same for the photographs of one file. */
int faces_enrol_file(cases *c, const uuid *file, const face_eye *eye, faces_done *ret,
                     atg_err *err);

/* ---- searching ---- */

/* The templates of an operation that may be searched among, in memory, as they were when it was
 * opened: who was found alive meanwhile is left out of every answer anyway.  app/faces_standby.h
 * keeps some ready. */
typedef struct faces_gallery faces_gallery;

/* What a photograph's template was made by, for faces_gallery_open(): searching needs no network.
 * ATG_EINVAL: it was not read yet. */
int faces_made_by(cases *c, const uuid *photograph, face_version *ret, uint32_t *ret_dim,
                  atg_err *err);

/* `retouched`: restored and retouched photographs alone, else originals alone; they never mix. */
typedef struct faces_wanted {
    uuid operation;
    face_version version;
    uint32_t dim;
    bool retouched;
} faces_wanted;

/* What a search with this photograph is among, `retouched` as it was; the operation is that of the
 * photograph.  Before a gallery is read for it: fails as faces_search() does for who may not. */
int faces_may_search(cases *c, const actor *who, atg_arena *arena, const uuid *photograph,
                     faces_wanted *ret, atg_err *err);

int faces_gallery_open(cases *c, const faces_wanted *wanted, const atg_progress *progress,
                       faces_gallery **ret, atg_err *err);
void faces_gallery_close(faces_gallery *g);
static inline void faces_gallery_freep(faces_gallery **p) {
    faces_gallery_close(*p);
}

typedef struct face_wish {
    uuid photograph; /* of the dead */
    uint32_t best;   /* 2 to 50; 0: as many as the list of this photograph has, or 20 */
} face_wish;

typedef struct faces_asking {
    face_wish wish;
    bool retouched; /* as in faces_wanted */
} faces_asking;

typedef struct faces_found {
    uint32_t candidates;
    uint32_t among; /* persons */
} faces_found;

/* A candidate as this account may see it: score and rank are hidden from who has still to
 * conclude. */
typedef struct face_lead {
    file_row remains, missing;
    seen record; /* face_candidate */
    seen *said;  /* face_comparison, each as it may be seen */
    uint32_t n_said;
    bool disagree; /* examiners concluded differently, and this account may know */
} face_lead;

/* Search and keep the candidates in the file of the remains.  The search stands in its history.
 * ATG_EDENIED: the right, a written reason or a rule is missing; ATG_EINVAL: the photograph has no
 * template to search with, and why. */
int faces_search(cases *c, const actor *who, atg_arena *arena, faces_gallery *g,
                 const face_wish *wish, faces_found *ret, atg_err *err);

/* What is to be heeded with a candidate, as its "warnings" name it; the first is of the photograph
 * of the dead. */
typedef struct faces_warning {
    uint32_t flag; /* of face_hit */
    const char *name;
} faces_warning;
extern const faces_warning faces_warnings[];
extern const uint32_t faces_warnings_n;
const char *faces_warning_sentence(const faces_warning *w);

/* The candidates of a remains file: for who is blind in the order of codes, else by rank. */
int faces_leads(cases *c, const actor *who, atg_arena *arena, const uuid *remains, face_lead **ret,
                uint32_t *ret_n, atg_err *err);

#endif
