/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_pool.h"

#include "base/mem.h"

struct pool_piece {
    struct pool_piece *prev, *next;
    size_t size;
    _Alignas(16) unsigned char bytes[];
};

static struct pool_piece *piece_of(void *bytes) {
    return (struct pool_piece *)(void *)((unsigned char *)bytes -
                                         offsetof(struct pool_piece, bytes));
}

pool pool_new(size_t budget) {
    return (pool){.left = budget};
}

void pool_free(pool *p) {
    while (p->head) {
        struct pool_piece *next = p->head->next;

        mem_free(p->head);
        p->head = next;
    }
}

static void *refuse(pool *p, int rc) {
    p->rc = rc;
    return NULL;
}

static void link_in(pool *p, struct pool_piece *piece) {
    piece->prev = NULL;
    piece->next = p->head;
    if (p->head)
        p->head->prev = piece;
    p->head = piece;
}

static void link_out(pool *p, struct pool_piece *piece) {
    if (piece->next)
        piece->next->prev = piece->prev;
    if (piece->prev)
        piece->prev->next = piece->next;
    else
        p->head = piece->next;
}

void *pool_get(pool *p, size_t count, size_t size) {
    size_t need;

    if (__builtin_mul_overflow(count, size, &need) ||
        __builtin_add_overflow(need, sizeof(struct pool_piece), &need) || need > p->left)
        return refuse(p, ATG_ELIMIT);

    struct pool_piece *piece = mem_zero(1, need);

    if (!piece)
        return refuse(p, ATG_ENOMEM);
    piece->size = need;
    p->left -= need;
    link_in(p, piece);
    return piece->bytes;
}

void *pool_grow(pool *p, void *old, size_t count, size_t size) {
    size_t need;

    if (!old)
        return pool_get(p, count, size);
    if (__builtin_mul_overflow(count, size, &need) ||
        __builtin_add_overflow(need, sizeof(struct pool_piece), &need))
        return refuse(p, ATG_ELIMIT);

    struct pool_piece *piece = piece_of(old);
    size_t had = piece->size;

    if (need > had && need - had > p->left)
        return refuse(p, ATG_ELIMIT);
    link_out(p, piece);

    struct pool_piece *grown = mem_grow(piece, need);

    if (!grown) {
        link_in(p, piece);
        return refuse(p, ATG_ENOMEM);
    }
    grown->size = need;
    p->left = p->left + had - need;
    link_in(p, grown);
    return grown->bytes;
}

void pool_drop(pool *p, void *bytes) {
    if (!bytes)
        return;

    struct pool_piece *piece = piece_of(bytes);

    p->left += piece->size;
    link_out(p, piece);
    mem_free(piece);
}
