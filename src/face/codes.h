/* SPDX-License-Identifier: Apache-2.0 */
/* Templates in int8, and the kernels that multiply queries with them (docs/face.md).
 *
 * A code of a template, with 128 added, is a byte 16 H + L.  The H lie together: the scan reads
 * them, which halves the memory that passes, and the L of a template only where its H do not rule
 * it out. */
#ifndef ATG_FACE_CODES_H
#define ATG_FACE_CODES_H

#include <antigone/base.h>

enum {
    FACE_GROUP = 32,     /* templates that lie together */
    FACE_CODE_MAX = 127, /* largest code, of templates and of queries */
    FACE_TOGETHER = 64,  /* queries that pass over the gallery together */
};

/* The H of a group are dim / 2 x 32 bytes, then comes this.  The H of number d of template t is in
 * byte d / 8 * 128 + t * 4 + d % 4, in its lower half when d % 8 < 4: a vector of 32 bytes holds 8
 * numbers of 8 templates.  The L of a template are a row of its own: number d in byte
 * d / 8 * 4 + d % 4, halves as before, the row filled up to 32 bytes with 0. */
typedef struct face_tail {
    float scale[FACE_GROUP]; /* number = scale * code; 0 where there is no template */
    uint64_t scopes;         /* of any of their persons */
    float coarse, fine;      /* upper limits of the length of template less H, less H and L */
    uint8_t spare[48];
} face_tail;

static inline size_t face_half_size(uint32_t dim) {
    return (size_t)dim / 2 * FACE_GROUP;
}

static inline size_t face_row_size(uint32_t dim) {
    return ((size_t)dim + 63) / 64 * 32;
}

static inline face_tail *face_tail_of(uint8_t *highs, uint32_t dim) {
    return (face_tail *)(void *)(highs + face_half_size(dim));
}

static inline const face_tail *face_tail_at(const uint8_t *highs, uint32_t dim) {
    return (const face_tail *)(const void *)(highs + face_half_size(dim));
}

/* A query in int8. */
typedef struct face_probe {
    const int8_t *codes;  /* [dim] */
    const int8_t *paired; /* the same as rows of L have them: of each 32 bytes the codes that meet
                             lower halves, then those that meet upper ones */
    int32_t sum;          /* of them */
    float scale;
    float residual; /* upper limit of the length of query less codes */
    float cut;      /* scores below it are of no use */
} face_probe;

/* Largest distance of the score in fp32 from what the codes say, `residual` being lost of the
 * template. */
static inline float face_bound(const face_probe *probe, float residual) {
    return probe->residual * (1.00001F + residual) + 1.00001F * residual + 2e-5F;
}

typedef struct face_encoded {
    float scale, coarse, fine;
} face_encoded;

/* Bring a template of unit length to codes, lane `lane` of a group, and its row of L. */
face_encoded face_encode(uint32_t dim, const float *unit, uint8_t *highs, uint32_t lane,
                         uint8_t *row);

/* The same of a query: `codes` has room for dim + 2 face_row_size(dim); `cut` is left alone. */
void face_encode_probe(uint32_t dim, const float *unit, int8_t *codes, face_probe *ret);

/* Of n queries and the templates of one group: bit t of masks[q] is set where the H allow a score
 * of probes[q].cut; then sums[q] are their products with the query. */
typedef void face_kernel_high(const uint8_t *highs, uint32_t dim, uint32_t n,
                              const face_probe *probes, uint32_t *masks,
                              int32_t (*sums)[FACE_GROUP]);

/* The product of a query and a row of L. */
typedef int32_t face_kernel_low(const uint8_t *row, uint32_t dim, const face_probe *probe);

/* The approximate score by H alone: an L that is not read counts as 7.5, and 16 H + L - 128 is
 * 16 H - 120.5. */
static inline float face_coarse(const face_probe *probe, float scale, int32_t high) {
    return (float)(high * 32 - probe->sum * 241) * (probe->scale * 0.5F) * scale;
}

/* The approximate score from both. */
static inline float face_approximate(const face_probe *probe, float scale, int32_t high,
                                     int32_t low) {
    return (float)(high * 16 + low - probe->sum * 128) * probe->scale * scale;
}

face_kernel_high face_high_portable, face_high_avx2, face_high_vnni;
face_kernel_low face_low_portable, face_low_avx2;

typedef struct face_kernels {
    face_kernel_high *high;
    face_kernel_low *low;
} face_kernels;

/* The best for this processor. */
face_kernels face_kernels_choose(bool portable);

#endif
