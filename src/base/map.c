/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <string.h>

#include "base/mem.h"

enum { MAP_MIN = 64 };

struct slot {
    atg_str key; /* p is NULL in a free slot */
    uint64_t hash;
    uint32_t value;
};

struct map {
    struct slot *slots;
    size_t cap, n; /* cap is a power of two and at least twice n */
    uint64_t seed;
};

static uint64_t mix(uint64_t h, uint64_t word) {
    h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
    return h ^ (h >> 32);
}

static uint64_t hash_of(const map *m, atg_str key) {
    uint64_t h = mix(m->seed, key.n), word;

    for (; key.n >= sizeof(word); key.p += sizeof(word), key.n -= sizeof(word)) {
        memcpy(&word, key.p, sizeof(word));
        h = mix(h, word);
    }
    word = 0;
    if (key.n)
        memcpy(&word, key.p, key.n);
    return mix(mix(h, word), UINT64_C(0xd6e8feb86659fd93));
}

/* The slot that holds the key, or the free one where it belongs. */
static struct slot *find(const map *m, atg_str key, uint64_t hash) {
    for (size_t i = (size_t)hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct slot *s = &m->slots[i];

        if (!s->key.p || (s->hash == hash && atg_str_eq(s->key, key)))
            return s;
    }
}

map *map_new(void) {
    map *m = mem_alloc(sizeof(*m));

    if (!m)
        return NULL;
    /* An address that differs from run to run keeps a crafted file from knowing the hashes. */
    *m = (map){.slots = mem_zero(MAP_MIN, sizeof(*m->slots)), .cap = MAP_MIN, .seed = (uintptr_t)m};
    if (!m->slots) {
        mem_free(m);
        return NULL;
    }
    return m;
}

void map_free(map *m) {
    if (!m)
        return;
    mem_free(m->slots);
    mem_free(m);
}

int64_t map_get(const map *m, atg_str key) {
    const struct slot *s = find(m, key, hash_of(m, key));

    return s->key.p ? (int64_t)s->value : -1;
}

static int grow(map *m) {
    map wider = *m;

    wider.cap = m->cap * 2;
    wider.slots = mem_zero(wider.cap, sizeof(*wider.slots));
    if (!wider.slots)
        return ATG_ENOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key.p)
            *find(&wider, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    mem_free(m->slots);
    *m = wider;
    return ATG_OK;
}

int map_add(map *m, atg_str key, uint32_t value) {
    uint64_t hash = hash_of(m, key);
    struct slot *s = find(m, key, hash);

    if (s->key.p)
        return ATG_ECONFLICT;
    if (m->n + 1 > m->cap / 2) {
        if (grow(m))
            return ATG_ENOMEM;
        s = find(m, key, hash);
    }
    *s = (struct slot){.key = {key.p ? key.p : "", key.n}, .hash = hash, .value = value};
    m->n++;
    return ATG_OK;
}

void map_clear(map *m) {
    if (m->n)
        memset(m->slots, 0, m->cap * sizeof(*m->slots));
    m->n = 0;
}
