/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of one model, and exact search among them.
 *
 * A photograph's template is its embedding at unit length, in fp32.  The score of two templates is
 * their dot product by face_score(); the score of a person is the best of their photographs.  The
 * search reads int8 copies and scores in fp32 whatever their proven error bound cannot rule out, so
 * it finds exactly what scoring every template would (docs/face.md).
 *
 * Who may be put in here and who may search is decided by the layers above; no public header
 * leads here. */
#ifndef ATG_FACE_GALLERY_H
#define ATG_FACE_GALLERY_H

#include <antigone/base.h>

#include "base/uuid.h"

enum {
    FACE_DIM_STEP = 16, /* an embedding's length is a multiple of it ... */
    FACE_DIM_MAX = 1024,
    FACE_BEST_MIN = 2, /* persons listed */
    FACE_BEST_DEFAULT = 20,
    FACE_BEST_MAX = 50,
    FACE_QUERIES_MAX = 4096, /* in one search */
};

/* What made a template.  Those of different versions are never compared. */
typedef struct face_version {
    uint8_t model[32]; /* of both networks, the detector's and the embedder's */
    uint32_t pipeline; /* of detection, alignment and preprocessing */
} face_version;

bool face_version_same(const face_version *a, const face_version *b);

typedef enum face_sex { FACE_SEX_UNKNOWN, FACE_SEX_MALE, FACE_SEX_FEMALE } face_sex;

/* What is known of a person; it orders and warns, and hides nobody. */
typedef struct face_person {
    uuid id;
    uint64_t scopes; /* those of the operations and sharing scopes that may see them; 0: nobody */
    face_sex sex;
    int16_t age_low, age_high; /* years; -1 unknown */
    uuid family;               /* all 0: none */
} face_person;

typedef struct face_gallery face_gallery;

/* An empty gallery.  ATG_EINVAL: `dim` is not a multiple of 16 up to 1024.  ATG_ENOMEM. */
int face_gallery_new(const face_version *version, uint32_t dim, face_gallery **ret, atg_err *err);
void face_gallery_free(face_gallery *gallery);

static inline void face_gallery_freep(face_gallery **p) {
    face_gallery_free(*p);
}

/* Bring `embedding` (dim numbers) to unit length.  ATG_EINVAL: not finite, or all but 0. */
int face_normalise(uint32_t dim, const float *embedding, float *ret, atg_err *err);

/* Add a photograph of a person, or replace it (also by another person's).  The person is made or
 * changed with it.  ATG_EINVAL: another version, or as face_normalise(); ATG_ELIMIT; ATG_ENOMEM;
 * nothing is changed then. */
int face_gallery_put(face_gallery *gallery, const face_version *version, const face_person *person,
                     const uuid *photo, const float *embedding, atg_err *err);

/* Change what is known of a person, their scopes too.  ATG_ENOTFOUND. */
int face_gallery_set_person(face_gallery *gallery, const face_person *person, atg_err *err);

/* Take out a photograph, or a person with all of theirs.  ATG_ENOTFOUND. */
int face_gallery_remove(face_gallery *gallery, const uuid *photo, atg_err *err);
int face_gallery_remove_person(face_gallery *gallery, const uuid *person, atg_err *err);

uint32_t face_gallery_photos(const face_gallery *gallery);
uint32_t face_gallery_persons(const face_gallery *gallery);
/* Bytes that it holds. */
uint64_t face_gallery_memory(const face_gallery *gallery);

/* The dot product of two templates, added up in one documented order: the same bits everywhere. */
float face_score(uint32_t dim, const float *a, const float *b);

enum {
    FACE_SEX_DIFFERS = 1,    /* recorded otherwise on both sides */
    FACE_AGE_DIFFERS = 2,    /* the ranges do not meet */
    FACE_WARN_RELATIVES = 4, /* another of the same family is in the gallery */
    FACE_WARN_CHILD = 8,     /* under 18, or may be */
};

typedef struct face_query {
    const float *embedding; /* dim numbers, any length */
    uint64_t scopes;        /* persons with any of these are searched */
    face_sex sex;           /* of the dead, as estimated */
    int16_t age_low, age_high;
} face_query;

typedef struct face_hit {
    uuid person, photo; /* the person and the best photograph of theirs */
    float score;        /* -1..1 */
    uint32_t rank;      /* 1..: by score alone */
    uint32_t flags;
} face_hit;

typedef struct face_result {
    uint32_t n;
    face_hit hits[FACE_BEST_MAX];
} face_result;

typedef struct face_search_stats {
    uint64_t n_scanned, n_rescored; /* templates, over all queries */
} face_search_stats;

typedef struct face_search_options {
    uint32_t best;            /* FACE_BEST_MIN..MAX; 0: the default */
    uint32_t threads;         /* 0: all */
    bool portable;            /* without the processor's wide instructions: for tests */
    face_search_stats *stats; /* written on success; may be NULL */
} face_search_options;

/* For each of n queries the best persons, in ret[query].  Chosen by score alone (the smaller id
 * first among equals); in the list those whose sex and age do not contradict come first, each part
 * by score.  ATG_EINVAL: another version, as face_normalise(), or an option out of range;
 * ATG_ELIMIT; ATG_ENOMEM.  After a failure `ret` may hold anything.  Several threads may search
 * one gallery while nobody changes it. */
int face_gallery_search(const face_gallery *gallery, const face_version *version, uint32_t n,
                        const face_query *queries, const face_search_options *options,
                        face_result *ret, atg_err *err);

/* A sentence for people on one of the flags. */
const char *face_flag_sentence(uint32_t flag);

#endif
