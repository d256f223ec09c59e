/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 16, FIRST_SLOT_BITS = 5 };

static int grow_values(table *t, pool *p, uint32_t cap) {
    uint64_t *key = pool_grow(p, t->key, cap, t->words * sizeof(*key));

    if (!key)
        return pool_rc(p);
    t->key = key;

    cell *in = pool_grow(p, t->in, cap, sizeof(*in));

    if (!in)
        return pool_rc(p);
    t->in = in;
    t->cap = cap;
    return ATG_OK;
}

static void put_in_slot(table *t, uint32_t index) {
    const uint64_t *key = t->key + (size_t)index * t->words;

    if (table_direct(t)) {
        t->slot[key[0]] = index + 1;
        return;
    }

    size_t last = ((size_t)1 << t->slot_bits) - 1;
    size_t h = table_hash(t, key, t->words);

    while (t->slot[h])
        h = (h + 1) & last;
    t->slot[h] = index + 1;
}

/* Direct addressing takes over where it costs no more than eight times what hashing would. */
static int grow_slots(table *t, pool *p, uint32_t slot_bits) {
    if (t->bits <= TABLE_DIRECT_BITS && slot_bits + 2 >= t->bits)
        slot_bits = t->bits;
    pool_drop(p, t->slot);
    t->slot = POOL_GET(p, uint32_t, (size_t)1 << slot_bits);
    if (!t->slot)
        return pool_rc(p);
    t->slot_bits = slot_bits;
    for (uint32_t i = 0; i < t->n; i++)
        put_in_slot(t, i);
    return ATG_OK;
}

int table_init(table *t, pool *p, uint32_t words, uint32_t bits) {
    *t = (table){.words = words, .bits = bits};

    int rc = grow_values(t, p, FIRST_CAP);

    return rc ? rc : grow_slots(t, p, FIRST_SLOT_BITS);
}

int table_of(table *t, pool *p, uint32_t bits, const cell *room) {
    *t = (table){.words = 1, .bits = bits};

    uint32_t n = 0;

    for (size_t key = 0; key >> bits == 0; key++)
        n += room[key].count > 0;
    if (grow_values(t, p, n) || grow_slots(t, p, bits))
        return pool_rc(p);
    for (size_t key = 0; key >> bits == 0; key++) {
        if (room[key].count == 0)
            continue;
        t->key[t->n] = key;
        t->in[t->n] = room[key];
        t->slot[key] = ++t->n;
    }
    return ATG_OK;
}

void table_drop(table *t, pool *p) {
    pool_drop(p, t->key);
    pool_drop(p, t->in);
    pool_drop(p, t->out);
    pool_drop(p, t->slot);
    *t = (table){0};
}

static int make_room(table *t, pool *p) {
    if (t->n == UINT32_MAX - 1) {
        p->rc = ATG_ELIMIT;
        return pool_rc(p);
    }
    if (t->n == t->cap) {
        int rc = grow_values(t, p, t->cap < UINT32_MAX / 2 ? 2 * t->cap : UINT32_MAX);

        if (rc)
            return rc;
    }
    if (!table_direct(t) && t->n >= (size_t)1 << (t->slot_bits - 1))
        return grow_slots(t, p, t->slot_bits + 1);
    return ATG_OK;
}

int64_t table_add(table *t, pool *p, const uint64_t *key) {
    int64_t found = table_find(t, key, t->words);

    if (found != TABLE_NONE)
        return found;
    if (make_room(t, p))
        return TABLE_NONE;

    uint32_t index = t->n++;

    memcpy(t->key + (size_t)index * t->words, key, t->words * sizeof(*key));
    t->in[index] = (cell){.count = 0};
    put_in_slot(t, index);
    return index;
}

static int by_key(const void *a, const void *b, void *user) {
    const table *t = user;
    const uint64_t *x = t->key + (size_t) * (const uint32_t *)a * t->words;
    const uint64_t *y = t->key + (size_t) * (const uint32_t *)b * t->words;

    for (uint32_t i = t->words; i-- > 0;)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* The numbers in the order of their keys. */
static void sorted_numbers(table *t, uint32_t *order) {
    if (table_direct(t)) {
        size_t n = 0;

        for (size_t key = 0; key >> t->bits == 0; key++)
            if (t->slot[key])
                order[n++] = t->slot[key] - 1;
        return;
    }
    for (uint32_t i = 0; i < t->n; i++)
        order[i] = i;
    qsort_r(order, t->n, sizeof(*order), by_key, t);
}

/* `data` in the new order, by way of `room`. */
static void reorder(void *data, size_t size, const uint32_t *order, uint32_t n, void *room) {
    unsigned char *to = room;

    for (uint32_t i = 0; i < n; i++)
        memcpy(to + i * size, (unsigned char *)data + order[i] * size, size);
    memcpy(data, room, n * size);
}

int table_sort(table *t, pool *p, uint32_t *moved) {
    size_t key_size = t->words * sizeof(*t->key);
    uint32_t *order = POOL_GET(p, uint32_t, t->n);
    void *room = pool_get(p, t->n, key_size > sizeof(cell) ? key_size : sizeof(cell));

    if (!order || !room)
        return pool_rc(p);
    sorted_numbers(t, order);
    reorder(t->key, key_size, order, t->n, room);
    reorder(t->in, sizeof(*t->in), order, t->n, room);
    for (uint32_t i = 0; i < t->n; i++)
        moved[order[i]] = i;
    memset(t->slot, 0, sizeof(*t->slot) << t->slot_bits);
    for (uint32_t i = 0; i < t->n; i++)
        put_in_slot(t, i);
    pool_drop(p, order);
    pool_drop(p, room);
    return ATG_OK;
}

void table_skips(const table *t, uint32_t *skip) {
    for (uint32_t i = t->n; i-- > 0;) {
        const uint64_t *a = t->key + (size_t)i * t->words;
        uint32_t low = 0, k = i + 1;

        while (low < t->words && !a[low])
            low++;
        while (low < t->words && k < t->n) {
            const uint64_t *b = t->key + (size_t)k * t->words;
            uint64_t above = ~((a[low] & -a[low]) - 1);

            if ((b[low] & above) != a[low] ||
                !table_same(a + low + 1, b + low + 1, t->words - low - 1))
                break;
            k = skip[k];
        }
        skip[i] = k;
    }
}
