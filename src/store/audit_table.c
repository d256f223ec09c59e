/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit_table.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST = 1024 };

_Static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "SipHash-2-4");

audit_table audit_table_of(size_t size, size_t key, const unsigned char seed[16]) {
    audit_table t = {.size = size, .key = key};

    memcpy(t.seed, seed, sizeof(t.seed));
    return t;
}

void audit_table_clear(audit_table *t) {
    mem_free(t->items);
    mem_free(t->slots);
    t->items = NULL;
    t->slots = NULL;
    t->n = t->cap = t->cap_slots = 0;
}

/* The slot that leads to the item, or the free one where it belongs. */
static uint32_t *slot_of(const audit_table *t, const void *key) {
    uint32_t mask = t->cap_slots - 1, at;
    uint64_t hash;

    (void)crypto_shorthash((unsigned char *)&hash, key, t->key, t->seed);
    for (at = (uint32_t)hash & mask; t->slots[at]; at = (at + 1) & mask)
        if (memcmp(audit_table_at(t, t->slots[at] - 1), key, t->key) == 0)
            break;
    return &t->slots[at];
}

void *audit_table_get(const audit_table *t, const void *key) {
    uint32_t i = t->cap_slots ? *slot_of(t, key) : 0;

    return i ? audit_table_at(t, i - 1) : NULL;
}

static bool grow_items(audit_table *t) {
    uint32_t cap = t->cap ? t->cap + t->cap / 2 : FIRST;
    unsigned char *more = cap > t->cap ? mem_grow(t->items, cap * t->size) : NULL;

    if (!more)
        return false;
    t->items = more;
    t->cap = cap;
    return true;
}

static bool grow_slots(audit_table *t) {
    uint32_t cap = t->cap_slots ? 2 * t->cap_slots : 2 * FIRST;
    uint32_t *more = cap ? mem_zero(cap, sizeof(*more)) : NULL;

    if (!more)
        return false;
    mem_free(t->slots);
    t->slots = more;
    t->cap_slots = cap;
    for (uint32_t i = 0; i < t->n; i++)
        *slot_of(t, audit_table_at(t, i)) = i + 1;
    return true;
}

void *audit_table_put(audit_table *t, const void *key) {
    unsigned char *item = audit_table_get(t, key);

    if (item)
        return item;
    if (t->n == t->cap && !grow_items(t))
        return NULL;
    if (2 * (uint64_t)t->n >= t->cap_slots && !grow_slots(t))
        return NULL;
    *slot_of(t, key) = t->n + 1;
    item = audit_table_at(t, t->n++);
    memset(item, 0, t->size);
    memcpy(item, key, t->key);
    return item;
}
