/* SPDX-License-Identifier: Apache-2.0 */
/* An arena for what nobody may find in memory afterwards. */
#ifndef ATG_BASE_ARENA_H
#define ATG_BASE_ARENA_H

#include <antigone/base.h>

/* Overwrite all that was made in it; it is still to be freed.  NULL is allowed. */
void arena_wipe(atg_arena *arena);

/* Wipe and free the arena that leaves scope: `ARENA_WIPED arena = atg_arena_new(limit)`. */
#define ARENA_WIPED __attribute__((cleanup(arena_wipe_freep))) atg_arena *
static inline void arena_wipe_freep(atg_arena **p) {
    arena_wipe(*p);
    atg_arena_free(*p);
}

#endif
