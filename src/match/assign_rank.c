/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_rank.h"

typedef struct difference {
    uint32_t body; /* the first on which two items differ; UINT32_MAX: none */
    int sign;
} difference;

/* Part of a walk through a tree of products, which is balanced. */
typedef struct visit {
    const ranked *r;
    uint32_t x, y; /* items of r */
} visit;

enum { DEPTH = 128 };

/* Replace the visit on top by visits to both factors. */
static void descend(visit *stack, uint32_t *n) {
    visit v = stack[--*n];

    for (int k = 0; k < 2; k++)
        stack[(*n)++] = (visit){k ? v.r->right : v.r->left, v.r->item[k][v.x], v.r->item[k][v.y]};
}

static difference differ_alone(const visit *v) {
    const uint32_t *a = v->r->missing + (size_t)v->x * v->r->n_bodies;
    const uint32_t *b = v->r->missing + (size_t)v->y * v->r->n_bodies;

    for (uint32_t i = 0; i < v->r->n_bodies; i++)
        if (a[i] != b[i])
            return (difference){v->r->bodies[i], a[i] < b[i] ? -1 : 1};
    return (difference){UINT32_MAX, 0};
}

static difference differ(const ranked *r, uint32_t x, uint32_t y) {
    visit stack[DEPTH] = {{r, x, y}};
    uint32_t n = 1;
    difference first = {UINT32_MAX, 0};

    while (n) {
        const visit *v = &stack[n - 1];

        if (v->x == v->y) {
            n--;
        } else if (v->r->left) {
            descend(stack, &n);
        } else {
            difference d = differ_alone(v);

            first = d.body < first.body ? d : first;
            n--;
        }
    }
    return first;
}

/* A product in the making: a heap of pairs (i, j), best on top. */
typedef struct front {
    const ranked *left, *right;
    uint32_t (*heap)[2];
    uint32_t n;
} front;

static bool before(const front *f, const uint32_t *x, const uint32_t *y) {
    int64_t a = f->left->key[x[0]] + f->right->key[x[1]];
    int64_t b = f->left->key[y[0]] + f->right->key[y[1]];

    if (a != b)
        return a > b;

    difference l = differ(f->left, x[0], y[0]), r = differ(f->right, x[1], y[1]);

    return (l.body < r.body ? l : r).sign < 0;
}

static void swap_at(front *f, uint32_t i, uint32_t j) {
    for (int k = 0; k < 2; k++) {
        uint32_t t = f->heap[i][k];

        f->heap[i][k] = f->heap[j][k];
        f->heap[j][k] = t;
    }
}

static void push(front *f, uint32_t i, uint32_t j) {
    uint32_t at = f->n++;

    f->heap[at][0] = i;
    f->heap[at][1] = j;
    while (at && before(f, f->heap[at], f->heap[(at - 1) / 2])) {
        swap_at(f, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static void pop(front *f, uint32_t *ret) {
    ret[0] = f->heap[0][0];
    ret[1] = f->heap[0][1];
    swap_at(f, 0, --f->n);
    for (uint32_t at = 0;;) {
        uint32_t best = at;

        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < f->n; child++)
            if (before(f, f->heap[child], f->heap[best]))
                best = child;
        if (best == at)
            return;
        swap_at(f, at, best);
        at = best;
    }
}

/* (i, j) comes after (i, j - 1), and (i, 0) after (i - 1, 0): each pair is pushed once. */
static int product(pool *p, const ranked *left, const ranked *right, uint32_t k,
                   const ranked **ret) {
    uint64_t all = (uint64_t)left->n * right->n;
    uint32_t n = all < k ? (uint32_t)all : k, pair[2];
    ranked *r = POOL_GET(p, ranked, 1);
    front f = {
        .left = left, .right = right, .heap = pool_get(p, 2 * (size_t)n + 2, sizeof(*f.heap))};

    if (!r || !f.heap)
        return pool_rc(p);
    *r = (ranked){.n = n,
                  .left = left,
                  .right = right,
                  .key = POOL_GET(p, int64_t, n),
                  .log_weight = POOL_GET(p, double, n),
                  .item = {POOL_GET(p, uint32_t, n), POOL_GET(p, uint32_t, n)}};
    if (!r->key || !r->log_weight || !r->item[0] || !r->item[1])
        return pool_rc(p);
    push(&f, 0, 0);
    for (uint32_t i = 0; i < n; i++) {
        pop(&f, pair);
        r->item[0][i] = pair[0];
        r->item[1][i] = pair[1];
        r->key[i] = left->key[pair[0]] + right->key[pair[1]];
        r->log_weight[i] = left->log_weight[pair[0]] + right->log_weight[pair[1]];
        if (pair[1] == 0 && pair[0] + 1 < left->n)
            push(&f, pair[0] + 1, 0);
        if (pair[1] + 1 < right->n)
            push(&f, pair[0], pair[1] + 1);
    }
    pool_drop(p, f.heap);
    *ret = r;
    return ATG_OK;
}

int rank_product(pool *p, const ranked **lists, uint32_t n, uint32_t k, const ranked **ret) {
    const ranked **level = POOL_GET(p, const ranked *, n);

    if (!level)
        return pool_rc(p);
    for (uint32_t i = 0; i < n; i++)
        level[i] = lists[i];
    while (n > 1) {
        uint32_t half = n / 2;

        for (uint32_t i = 0; i < half; i++) {
            const ranked *both = NULL;

            if (product(p, level[(size_t)2 * i], level[(size_t)2 * i + 1], k, &both))
                return pool_rc(p);
            level[i] = both;
        }
        if (n & 1)
            level[half] = level[n - 1];
        n -= half;
    }
    *ret = level[0];
    return ATG_OK;
}

static void write_alone(const ranked *r, uint32_t item, int32_t *missing_of) {
    for (uint32_t i = 0; i < r->n_bodies; i++) {
        uint32_t m = r->missing[(size_t)item * r->n_bodies + i];

        if (m != UINT32_MAX)
            missing_of[r->bodies[i]] = (int32_t)m;
    }
}

void rank_write(const ranked *r, uint32_t item, int32_t *missing_of) {
    visit stack[DEPTH] = {{r, item, item}};

    for (uint32_t n = 1; n;) {
        if (stack[n - 1].r->left) {
            descend(stack, &n);
        } else {
            n--;
            write_alone(stack[n].r, stack[n].x, missing_of);
        }
    }
}
