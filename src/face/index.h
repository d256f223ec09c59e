/* SPDX-License-Identifier: Apache-2.0 */
/* From the UUIDs of records that stand in an array elsewhere to their numbers there, by hashing,
 * with removal. */
#ifndef ATG_FACE_INDEX_H
#define ATG_FACE_INDEX_H

#include <antigone/base.h>

#include "base/uuid.h"

/* The key of record `number` of `user`. */
typedef const uuid *face_key_fn(const void *user, uint32_t number);

typedef struct face_index {
    uint32_t *slots; /* number + 1, or 0 where free */
    uint32_t n;
    uint64_t cap; /* a power of two, at least twice n; or 0 */
    face_key_fn *key;
    const void *user;
} face_index;

void face_index_clear(face_index *index);

/* The number under `key`, or -1. */
int64_t face_index_get(const face_index *index, const uuid *key);

/* Make room for one more, so that the next face_index_put() cannot fail.  ATG_ENOMEM. */
int face_index_reserve(face_index *index, atg_err *err);

/* Point the key of record `number` to it; the key may be there with another number. */
void face_index_put(face_index *index, uint32_t number);

/* Forget a key, if it is there. */
void face_index_remove(face_index *index, const uuid *key);

#endif
