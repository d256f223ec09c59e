/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/mem.h"

enum { BLOCK = 16 * 1024, BLOCK_MAX = 1024 * 1024, ALIGN = 16 };

struct block {
    struct block *next;
    size_t used, cap;
    _Alignas(ALIGN) unsigned char bytes[];
};

struct atg_arena {
    struct block *head;
    size_t total, limit, block;
};

atg_arena *atg_arena_new(size_t limit) {
    atg_arena *arena = mem_alloc(sizeof(*arena));

    if (arena)
        *arena = (atg_arena){.limit = limit, .block = BLOCK};
    return arena;
}

void atg_arena_free(atg_arena *arena) {
    if (!arena)
        return;
    for (struct block *b = arena->head, *next; b; b = next) {
        next = b->next;
        mem_free(b);
    }
    mem_free(arena);
}

void arena_wipe(atg_arena *arena) {
    for (struct block *b = arena ? arena->head : NULL; b; b = b->next)
        bytes_wipe(b->bytes, b->used);
}

/* A large request gets a block of its own behind the head, so that the head is not wasted. */
static struct block *add_block(atg_arena *arena, size_t need) {
    bool own = need > arena->block / 2;
    size_t cap = own ? need : arena->block;
    struct block *b = mem_alloc(sizeof(*b) + cap);

    if (!b)
        return NULL;
    *b = (struct block){.cap = cap};
    if (own && arena->head) {
        b->next = arena->head->next;
        arena->head->next = b;
    } else {
        b->next = arena->head;
        arena->head = b;
        if (arena->block < BLOCK_MAX)
            arena->block *= 2;
    }
    return b;
}

void *atg_arena_get(atg_arena *arena, size_t count, size_t size) {
    struct block *b = arena->head;
    size_t need;

    if (__builtin_mul_overflow(count, size, &need) || need > SIZE_MAX - sizeof(*b) - ALIGN)
        return NULL;
    need = (need + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (need > arena->limit - arena->total)
        return NULL;
    if (!b || need > b->cap - b->used)
        b = add_block(arena, need);
    if (!b)
        return NULL;

    void *p = b->bytes + b->used;

    b->used += need;
    arena->total += need;
    return memset(p, 0, need);
}

atg_str atg_arena_str(atg_arena *arena, atg_str s) {
    char *p = ATG_GET(arena, char, s.n + 1);

    if (!p)
        return (atg_str){NULL, 0};
    if (s.n)
        memcpy(p, s.p, s.n);
    return (atg_str){p, s.n};
}

atg_str atg_arena_printf(atg_arena *arena, const char *fmt, ...) {
    va_list ap, again;
    atg_str ret = {NULL, 0};

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *p = n < 0 ? NULL : ATG_GET(arena, char, (size_t)n + 1);

    if (p) {
        vsnprintf(p, (size_t)n + 1, fmt, again);
        ret = (atg_str){p, (size_t)n};
    }
    va_end(again);
    va_end(ap);
    return ret;
}
