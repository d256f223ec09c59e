/* SPDX-License-Identifier: Apache-2.0 */
/* What one query keeps while it passes over a gallery, and the exact list in the end. */
#ifndef ATG_FACE_RANK_H
#define ATG_FACE_RANK_H

#include "face/gallery_parts.h"

/* A photograph whose score may be up to `upper`. */
typedef struct face_candidate {
    uint32_t slot;
    float upper;
} face_candidate;

typedef struct face_rank {
    uint32_t best; /* persons wanted */
    uint64_t scopes;
    uint32_t n_least;
    struct face_least {
        uint32_t person;
        float score;
    } least[FACE_BEST_MAX]; /* different persons, and what they score at least */
    float cut;              /* the lowest of `least`, or -INFINITY while there are too few */
    face_candidate *candidates;
    size_t n, room;
} face_rank;

void face_rank_clear(face_rank *rank);

/* Somebody scores `score`, up or down `bound`. */
int face_rank_take(const face_gallery *g, face_rank *rank, uint32_t slot, float score, float bound,
                   atg_err *err);

/* Take in what another worker kept of the same query. */
int face_rank_join(face_rank *rank, const face_rank *other, atg_err *err);

/* The exact list; `unit` is the query's template.  Returns how many hits. */
uint32_t face_rank_finish(const face_gallery *g, face_rank *rank, const face_query *query,
                          const float *unit, face_hit *ret, uint64_t *n_rescored);

#endif
