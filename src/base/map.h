/* SPDX-License-Identifier: Apache-2.0 */
/* From texts to numbers, by hashing: the identifiers of a large file, each looked up in constant
 * time.  Keys are views and must outlive the map. */
#ifndef ATG_BASE_MAP_H
#define ATG_BASE_MAP_H

#include <antigone/base.h>

typedef struct map map;

/* NULL when memory is short. */
map *map_new(void);
void map_free(map *m);

/* The number under `key`, or -1. */
int64_t map_get(const map *m, atg_str key);

/* Put `value` under `key` unless something is there.  ATG_OK: it was free; ATG_ECONFLICT: it was
 * not, and nothing changed; ATG_ENOMEM. */
ATG_MUST_USE int map_add(map *m, atg_str key, uint32_t value);

/* Forget every key and keep the memory. */
void map_clear(map *m);

static inline void map_freep(map **p) {
    map_free(*p);
}

#endif
