/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/rows.h"

#include <antigone/base.h>

#include "base/mem.h"

enum { FIRST_SLOTS = 64 };

void rows_free(rows *r) {
    mem_free(r->keys);
    mem_free(r->at);
    mem_free(r->values);
}

uint64_t rows_mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x7fb5d329728ea185U;
    x ^= x >> 27;
    x *= 0x81dadef4bc2dd44dU;
    return x ^ (x >> 33);
}

static int rows_grow(rows *r) {
    uint32_t cap = r->cap ? r->cap * 2 : FIRST_SLOTS;
    uint64_t *keys = mem_zero(cap, sizeof(*keys));
    uint32_t *at = mem_alloc(cap * sizeof(*at));

    if (!keys || !at) {
        mem_free(keys);
        mem_free(at);
        return ATG_ENOMEM;
    }
    for (uint32_t i = 0; i < r->cap; i++) {
        if (!r->keys[i])
            continue;

        uint64_t slot = rows_mix(r->keys[i]) & (cap - 1);

        while (keys[slot])
            slot = (slot + 1) & (cap - 1);
        keys[slot] = r->keys[i];
        at[slot] = r->at[i];
    }
    mem_free(r->keys);
    mem_free(r->at);
    r->keys = keys;
    r->at = at;
    r->cap = cap;
    return ATG_OK;
}

double *rows_get(rows *r, uint64_t key, bool *ret_new) {
    if (r->n * 2 >= r->cap && rows_grow(r))
        return NULL;

    uint64_t slot = rows_mix(key + 1) & (r->cap - 1);

    while (r->keys[slot] && r->keys[slot] != key + 1)
        slot = (slot + 1) & (r->cap - 1);
    *ret_new = r->keys[slot] == 0;
    if (*ret_new) {
        if (r->n == r->room) {
            uint32_t room = r->room ? r->room * 2 : 16;
            double *values = mem_grow(r->values, (size_t)room * r->width * sizeof(*values));

            if (!values)
                return NULL;
            r->values = values;
            r->room = room;
        }
        r->keys[slot] = key + 1;
        r->at[slot] = r->n++;
    }
    return r->values + (size_t)r->at[slot] * r->width;
}
