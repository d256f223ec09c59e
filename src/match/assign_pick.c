/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_pick.h"

#include <math.h>
#include <string.h>

static int64_t bound(const joint *jt, const step *st, uint32_t i) {
    const view *v = &jt->views[st->block];

    return block_value(v->block, view_tuple(v, i), jt->model->scale) +
           st->sets.out[st->set_of[i]].best;
}

uint64_t pick_count(const joint *jt) {
    uint64_t n = 0;

    for (uint32_t b = 0; b < jt->model->n_blocks; b++)
        n += jt->views[b].n;
    return n;
}

/* Keep the n largest: a heap with the smallest on top. */
static void heap_offer(int64_t *heap, uint32_t n, uint32_t *held, int64_t value) {
    uint32_t at;

    if (*held < n) {
        for (at = (*held)++; at && heap[(at - 1) / 2] > value; at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = value;
        return;
    }
    if (value <= heap[0])
        return;
    for (at = 0;;) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < n && heap[child + 1] < heap[child])
            child++;
        if (child >= n || heap[child] >= value)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

int pick_nth_bound(const joint *jt, uint32_t n, pool *p, int64_t *ret) {
    int64_t *heap = POOL_GET(p, int64_t, n);
    uint32_t held = 0;

    if (!heap)
        return pool_rc(p);
    for (int which = 0; which < 2; which++) {
        for (uint32_t s = 0; s < jt->side[which].n_steps; s++) {
            const step *st = &jt->side[which].steps[s];

            for (uint32_t i = 0; i < jt->views[st->block].n; i++)
                heap_offer(heap, n, &held, bound(jt, st, i));
        }
    }
    *ret = heap[0];
    pool_drop(p, heap);
    return ATG_OK;
}

/* ---- of the tuples of one set, those that can matter ---- */

uint32_t pick_missing(const exact_part *x, uint32_t b, uint32_t tuple, uint32_t place) {
    if (x->blocks[b].missing)
        return x->blocks[b].missing[place];
    if (place == 1)
        return ASSIGN_NONE; /* the person is the thing */
    return x->single_missing[block_thing(&x->model.blocks[b], tuple, 1) - x->part->n_bodies];
}

/* Who a body is in a tuple; ASSIGN_NONE: nobody. */
static uint32_t who_is(const exact_part *x, uint32_t b, uint32_t tuple, int64_t body) {
    const block *k = &x->model.blocks[b];

    for (uint32_t i = 0; i < k->n_places; i++)
        if (block_thing(k, tuple, i) == body)
            return pick_missing(x, b, tuple, i);
    return ASSIGN_NONE;
}

/* The first body on which two tuples differ, and how, seen from the bodies of the first. */
static int64_t first_difference(const exact_part *x, uint32_t b, uint32_t s, uint32_t t,
                                int *ret_sign) {
    const block *k = &x->model.blocks[b];
    int64_t first = INT64_MAX;

    for (uint32_t i = 0; i < k->n_places; i++) {
        int64_t body = block_thing(k, s, i);

        if (body < 0 || body >= x->part->n_bodies || body >= first)
            continue;

        uint32_t mine = pick_missing(x, b, s, i), other = who_is(x, b, t, body);

        if (mine != other) {
            first = body;
            *ret_sign = mine < other ? -1 : 1;
        }
    }
    return first;
}

/* Is tuple s before t in every list: heavier, or tied and lexicographically before?  `alike`: both
 * hold the same bodies. */
static bool comes_before(const exact_part *x, uint32_t b, uint32_t s, uint32_t t, bool alike) {
    const block *k = &x->model.blocks[b];
    double scale = x->model.scale;
    int64_t off = block_value(k, s, scale) - block_value(k, t, scale);
    int sign = 0, back = 0;

    if (fabs((double)off) > ASSIGN_TIE * scale)
        return off > 0;

    int64_t ours = first_difference(x, b, s, t, &sign),
            theirs = alike ? ours : first_difference(x, b, t, s, &back);

    return ours <= theirs ? sign < 0 : back > 0;
}

/* Put a tuple among the best `most` of its set. */
static void keep_best(const exact_part *x, uint32_t b, uint32_t tuple, bool alike, uint32_t most,
                      uint32_t *kept, uint32_t *n) {
    uint32_t at = *n;

    while (at && comes_before(x, b, tuple, kept[at - 1], alike))
        at--;
    if (at == most)
        return;
    if (*n < most)
        ++*n;
    memmove(kept + at + 1, kept + at, (*n - at - 1) * sizeof(*kept));
    kept[at] = tuple;
}

/* Does a set of shared things say which things a tuple holds? */
static bool all_shared(const joint *jt, const block *b) {
    for (uint32_t i = 0; i < b->n_listed; i++)
        if (jt->uses[b->listed[i]] <= 1)
            return false;
    return true;
}

/* No list of k needs more than the best k tuples of one set: what other families can do beside them
 * is the same. */
static int pick_step(const exact_part *x, const joint *jt, const step *st, int64_t least,
                     uint32_t k, picked *ret) {
    const view *v = &jt->views[st->block];
    pool *p = ret->pool;
    uint32_t n_sets = st->sets.n, b = st->block;
    bool alike = all_shared(jt, v->block);
    uint32_t *first = POOL_GET(p, uint32_t, (size_t)n_sets + 1), *n = POOL_GET(p, uint32_t, n_sets);

    if (!first || !n)
        return pool_rc(p);
    for (uint32_t i = 0; i < v->n; i++)
        if (bound(jt, st, i) >= least && first[st->set_of[i] + 1] < k)
            first[st->set_of[i] + 1]++;
    for (uint32_t s = 0; s < n_sets; s++)
        first[s + 1] += first[s];

    uint32_t *kept = POOL_GET(p, uint32_t, first[n_sets]);

    if (!kept)
        return pool_rc(p);
    for (uint32_t i = 0; i < v->n; i++) {
        uint32_t s = st->set_of[i];

        if (bound(jt, st, i) >= least)
            keep_best(x, b, view_tuple(v, i), alike, first[s + 1] - first[s], kept + first[s],
                      &n[s]);
    }
    ret->tuple[b] = kept;
    ret->n[b] = first[n_sets];
    ret->all += first[n_sets];
    pool_drop(p, first);
    pool_drop(p, n);
    return ATG_OK;
}

int pick_tuples(const exact_part *x, const joint *jt, int64_t least, uint32_t k, picked *ret) {
    ret->tuple = POOL_GET(ret->pool, uint32_t *, jt->model->n_blocks);
    ret->n = POOL_GET(ret->pool, uint32_t, jt->model->n_blocks);
    ret->all = 0;
    if (!ret->tuple || !ret->n)
        return pool_rc(ret->pool);
    for (int which = 0; which < 2; which++)
        for (uint32_t s = 0; s < jt->side[which].n_steps; s++)
            if (pick_step(x, jt, &jt->side[which].steps[s], least, k, ret))
                return pool_rc(ret->pool);
    return ATG_OK;
}
