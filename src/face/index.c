/* SPDX-License-Identifier: Apache-2.0 */
#include "face/index.h"

#include <string.h>

#include "base/mem.h"

enum { SLOTS_MIN = 64 };

/* The bytes of a UUID of version 7 are mostly random; a product spreads what is not. */
static uint64_t home_of(const face_index *index, const uuid *key) {
    uint64_t parts[2];

    memcpy(parts, key->bytes, sizeof(parts));
    parts[0] = (parts[0] ^ (parts[1] >> 29) ^ parts[1]) * UINT64_C(0x9fb21c651e98df25);
    return (parts[0] ^ (parts[0] >> 32)) & (index->cap - 1);
}

static const uuid *key_at(const face_index *index, uint64_t slot) {
    return index->key(index->user, index->slots[slot] - 1);
}

/* The slot that holds the key, or the free one where it belongs. */
static uint64_t find(const face_index *index, const uuid *key) {
    uint64_t i = home_of(index, key);

    while (index->slots[i] && uuid_cmp(key_at(index, i), key) != 0)
        i = (i + 1) & (index->cap - 1);
    return i;
}

void face_index_clear(face_index *index) {
    mem_free(index->slots);
    index->slots = NULL;
    index->cap = index->n = 0;
}

int64_t face_index_get(const face_index *index, const uuid *key) {
    return index->cap ? (int64_t)index->slots[find(index, key)] - 1 : -1;
}

int face_index_reserve(face_index *index, atg_err *err) {
    face_index wider = *index;

    if (((uint64_t)index->n + 1) * 2 <= index->cap)
        return ATG_OK;
    wider.cap = index->cap ? index->cap * 2 : SLOTS_MIN;
    wider.slots = mem_zero(wider.cap, sizeof(*wider.slots));
    if (!wider.slots)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the gallery of faces");
    for (uint64_t i = 0; i < index->cap; i++)
        if (index->slots[i])
            wider.slots[find(&wider, key_at(index, i))] = index->slots[i];
    mem_free(index->slots);
    *index = wider;
    return ATG_OK;
}

void face_index_put(face_index *index, uint32_t number) {
    uint64_t i = find(index, index->key(index->user, number));

    index->n += index->slots[i] == 0;
    index->slots[i] = number + 1;
}

/* Those behind the gap that may not stand there for want of it move up (Knuth 6.4, algorithm R). */
void face_index_remove(face_index *index, const uuid *key) {
    uint64_t gap, i, mask = index->cap - 1;

    if (face_index_get(index, key) < 0)
        return;
    gap = find(index, key);
    for (i = (gap + 1) & mask; index->slots[i]; i = (i + 1) & mask)
        if (((i - home_of(index, key_at(index, i))) & mask) >= ((i - gap) & mask)) {
            index->slots[gap] = index->slots[i];
            gap = i;
        }
    index->slots[gap] = 0;
    index->n--;
}
