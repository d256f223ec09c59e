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
    t->n = t->cap = t->cap_slots = t->next = 0;
}

static uint32_t hash_of(const audit_table *t, const void *key) {
    uint64_t hash;

    (void)crypto_shorthash((unsigned char *)&hash, key, t->key, t->seed);
    return (uint32_t)hash;
}

/* The slot that leads to the item, or the free one where it belongs. */
static audit_slot *slot_of(const audit_table *t, const void *key, uint32_t hash) {
    uint32_t mask = t->cap_slots - 1, at;

    for (at = hash & mask; t->slots[at].item; at = (at + 1) & mask)
        if (t->slots[at].hash == hash &&
            memcmp(audit_table_at(t, t->slots[at].item - 1), key, t->key) == 0)
            break;
    return &t->slots[at];
}

/* What is asked for is mostly what came behind the last. */
static void *find(audit_table *t, const void *key, uint32_t *ret_hash) {
    uint32_t i = t->next;

    if (i >= t->n || memcmp(audit_table_at(t, i), key, t->key) != 0) {
        *ret_hash = hash_of(t, key);
        i = t->cap_slots ? slot_of(t, key, *ret_hash)->item - 1 : UINT32_MAX;
    }
    if (i == UINT32_MAX)
        return NULL;
    t->next = i + 1;
    return audit_table_at(t, i);
}

void *audit_table_get(audit_table *t, const void *key) {
    uint32_t hash;

    return find(t, key, &hash);
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
    uint32_t cap = t->cap_slots ? 2 * t->cap_slots : 2 * FIRST, n = t->cap_slots;
    audit_slot *old = t->slots, *more = cap ? mem_zero(cap, sizeof(*more)) : NULL;

    if (!more)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = old[i].hash & (cap - 1);

        if (!old[i].item)
            continue;
        while (more[at].item)
            at = (at + 1) & (cap - 1);
        more[at] = old[i];
    }
    mem_free(old);
    t->slots = more;
    t->cap_slots = cap;
    return true;
}

void *audit_table_put(audit_table *t, const void *key) {
    uint32_t hash = 0;
    unsigned char *item = find(t, key, &hash);

    if (item)
        return item;
    if (t->n == t->cap && !grow_items(t))
        return NULL;
    if (2 * (uint64_t)t->n >= t->cap_slots && !grow_slots(t))
        return NULL;
    *slot_of(t, key, hash) = (audit_slot){hash, t->n + 1};
    item = audit_table_at(t, t->n++);
    memset(item, 0, t->size);
    memcpy(item, key, t->key);
    t->next = t->n;
    return item;
}
