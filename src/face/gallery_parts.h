/* SPDX-License-Identifier: Apache-2.0 */
/* How a gallery lies in memory. */
#ifndef ATG_FACE_GALLERY_PARTS_H
#define ATG_FACE_GALLERY_PARTS_H

#include "face/codes.h"
#include "face/gallery.h"
#include "face/index.h"

enum {
    CHUNK_GROUPS = 128,
    CHUNK = CHUNK_GROUPS * FACE_GROUP, /* templates in one piece of memory */
};
#define NOBODY UINT32_MAX

/* A photograph.  Those of a person are chained. */
typedef struct face_photo {
    uuid id;
    uint32_t person, before, after; /* photographs by number, or NOBODY */
    float coarse, fine;             /* see face_tail */
} face_photo;

typedef struct face_chunk {
    uint8_t *highs; /* [group], each with its face_tail */
    uint8_t *rows;  /* [template], of L */
    float *masters; /* [template][dim], of unit length */
    face_photo *photos;
} face_chunk;

/* A person; those of a family are chained.  A place whose person is gone waits for another. */
typedef struct face_someone {
    face_person is;
    uint32_t first;         /* photograph, or NOBODY: the place is free ... */
    uint32_t before, after; /* ... and `after` is the next free one */
} face_someone;

struct face_gallery {
    face_version version;
    uint32_t dim;
    uint32_t n; /* photographs: without gaps, the last takes the place of one that goes */
    face_chunk *chunks;
    uint32_t n_chunks;
    face_someone *people;
    uint32_t n_people, people_room, free_people, n_persons;
    face_index by_photo, by_person, by_family; /* a family leads to the first of its persons */
};

static inline size_t face_high_size(uint32_t dim) {
    return face_half_size(dim) + sizeof(face_tail);
}

static inline uint8_t *face_highs_of(const face_gallery *g, uint32_t slot) {
    return g->chunks[slot / CHUNK].highs + slot % CHUNK / FACE_GROUP * face_high_size(g->dim);
}

static inline uint8_t *face_row_of(const face_gallery *g, uint32_t slot) {
    return g->chunks[slot / CHUNK].rows + slot % CHUNK * face_row_size(g->dim);
}

static inline float *face_master_of(const face_gallery *g, uint32_t slot) {
    return g->chunks[slot / CHUNK].masters + (size_t)(slot % CHUNK) * g->dim;
}

static inline face_photo *face_photo_of(const face_gallery *g, uint32_t slot) {
    return &g->chunks[slot / CHUNK].photos[slot % CHUNK];
}

/* People (people.c).  Find or make one, with what is known of them; there must be room.  The new
 * one has no photograph yet and must be given one. */
int face_people_reserve(face_gallery *g, atg_err *err);
uint32_t face_people_put(face_gallery *g, const face_person *person);
/* Take out one who has no photograph left. */
void face_people_remove(face_gallery *g, uint32_t person);
/* Is there another of the family whom `scopes` may see? */
bool face_people_related(const face_gallery *g, uint32_t person, uint64_t scopes);

const uuid *face_key_of_photo(const void *gallery, uint32_t slot);
const uuid *face_key_of_person(const void *gallery, uint32_t person);
const uuid *face_key_of_family(const void *gallery, uint32_t person);

#endif
