/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Finds a family's tuple by its bodies. */
typedef struct tuple_index {
    const atg_assign_family *in;
    uint32_t *slot; /* tuple + 1, 0 free */
    uint32_t bits;
} tuple_index;

static size_t place_of(const tuple_index *x, const int32_t *bodies) {
    uint64_t h = 0;

    for (uint32_t k = 0; k < x->in->n_missing; k++)
        h = (h ^ (h >> 31) ^ (uint32_t)bodies[k]) * 0x9e3779b97f4a7c15U;
    return (size_t)((h ^ (h >> 29)) * 0xbf58476d1ce4e5b9U >> (64 - x->bits));
}

static bool same_bodies(const int32_t *a, const int32_t *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* The slot of a tuple with these bodies, or the free one where it would be. */
static uint32_t *find_slot(const tuple_index *x, const int32_t *bodies) {
    size_t last = ((size_t)1 << x->bits) - 1, width = x->in->n_missing;

    for (size_t h = place_of(x, bodies);; h = (h + 1) & last) {
        if (!x->slot[h])
            return &x->slot[h];

        const int32_t *other = x->in->bodies + (size_t)(x->slot[h] - 1) * width;

        if (same_bodies(other, bodies, width))
            return &x->slot[h];
    }
}

/* A family's tuples fill more memory than the caches hold: ask for a slot, then for the tuple in
 * it, well before they are needed. */
enum { AHEAD = 16, FAR_AHEAD = 32 };

static void prefetch_slot(const tuple_index *x, const int32_t *bodies) {
    __builtin_prefetch(&x->slot[place_of(x, bodies)]);
}

static void prefetch_tuple(const tuple_index *x, const int32_t *bodies) {
    uint32_t tuple = x->slot[place_of(x, bodies)];

    if (tuple)
        __builtin_prefetch(x->in->bodies + (size_t)(tuple - 1) * x->in->n_missing);
}

static int index_tuples(tuple_index *x, const family *f, uint32_t number, atg_err *err) {
    for (uint32_t t = 0; t < f->n_tuples; t++) {
        const int32_t *bodies = f->in->bodies + (size_t)t * f->in->n_missing;

        if (t + AHEAD < f->n_tuples)
            prefetch_slot(x, bodies + (size_t)AHEAD * f->in->n_missing);

        uint32_t *slot = find_slot(x, bodies);

        if (*slot)
            return atg_fail(err, ATG_EINVAL,
                            "Family %u lists the same bodies in tuples %u and %u; list each tuple "
                            "once",
                            number, *slot - 1, t);
        *slot = t + 1;
    }
    return ATG_OK;
}

static bool same_weight(double a, double b) {
    return fabs(a - b) <= ASSIGN_SAME + 1e-13 * fmax(fabs(a), fabs(b));
}

/* Tuple t with the persons in places i and j exchanged. */
static const int32_t *exchanged(const atg_assign_family *in, uint64_t t, uint32_t i, uint32_t j,
                                int32_t *room) {
    const int32_t *bodies = in->bodies + t * in->n_missing;

    for (uint32_t k = 0; k < in->n_missing; k++)
        room[k] = bodies[k];
    room[i] = bodies[j];
    room[j] = bodies[i];
    return room;
}

/* Does exchanging the persons in places i and j leave every weight as it is?  Tuples with the
 * larger body in place i are the partners of those with the smaller one there, if they are as many.
 */
static bool exchangeable(const tuple_index *x, uint32_t i, uint32_t j, int32_t *room) {
    const atg_assign_family *in = x->in;
    uint64_t smaller = 0, larger = 0;

    for (uint64_t t = 0; t < in->n_tuples; t++) {
        const int32_t *bodies = in->bodies + t * in->n_missing;

        smaller += bodies[i] < bodies[j];
        larger += bodies[i] > bodies[j];
    }
    for (uint64_t t = 0; smaller == larger && t < in->n_tuples; t++) {
        const int32_t *bodies = in->bodies + t * in->n_missing;

        if (t + FAR_AHEAD < in->n_tuples)
            prefetch_slot(x, exchanged(in, t + FAR_AHEAD, i, j, room));
        if (t + AHEAD < in->n_tuples)
            prefetch_tuple(x, exchanged(in, t + AHEAD, i, j, room));
        if (bodies[i] >= bodies[j])
            continue;

        uint32_t other = *find_slot(x, exchanged(in, t, i, j, room));

        if (!other || !same_weight(in->log_weight[t], in->log_weight[other - 1]))
            return false;
    }
    return smaller == larger;
}

static bool place_used(const atg_assign_family *in, uint32_t place) {
    for (uint64_t t = 0; t < in->n_tuples; t++)
        if (in->bodies[t * in->n_missing + place] >= 0)
            return true;
    return false;
}

/* Exchanges that change nothing form a group, so one member stands for its class. */
static void find_classes(const tuple_index *x, int32_t *room, uint32_t *class_of) {
    const atg_assign_family *in = x->in;

    for (uint32_t i = 0; i < in->n_missing; i++) {
        uint32_t *mine = &class_of[in->missing[i]];

        if (*mine != ASSIGN_NONE || !place_used(in, i))
            continue;
        for (uint32_t j = i + 1; j < in->n_missing; j++)
            if (class_of[in->missing[j]] == ASSIGN_NONE && exchangeable(x, i, j, room))
                *mine = class_of[in->missing[j]] = in->missing[i];
    }
}

int family_symmetries(const family *f, uint32_t number, uint32_t *class_of, atg_err *err) {
    tuple_index x = {.in = f->in, .bits = 4};
    pool p = pool_new(SIZE_MAX / 2);

    while ((size_t)1 << x.bits < 2 * (size_t)f->n_tuples)
        x.bits++;

    int32_t *room = POOL_GET(&p, int32_t, f->in->n_missing);
    int rc = ATG_ENOMEM;

    x.slot = POOL_GET(&p, uint32_t, (size_t)1 << x.bits);
    if (room && x.slot) {
        rc = index_tuples(&x, f, number, err);
        if (!rc)
            find_classes(&x, room, class_of);
    } else {
        assign_refused(&p, err);
    }
    pool_free(&p);
    return rc;
}

/* A family of one missing person, its tuples by body. */
typedef struct single {
    uint32_t family;
    uint32_t n;
    const uint32_t *bodies;
    double *log_weight;
} single;

static int by_bodies(const void *a, const void *b) {
    const single *x = a, *y = b;

    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    for (uint32_t i = 0; i < x->n; i++)
        if (x->bodies[i] != y->bodies[i])
            return x->bodies[i] < y->bodies[i] ? -1 : 1;
    return (x->family > y->family) - (x->family < y->family);
}

static bool single_alike(const single *x, const single *y) {
    for (uint32_t i = 0; i < x->n; i++)
        if (!same_weight(x->log_weight[i], y->log_weight[i]))
            return false;
    return true;
}

static int single_take(problem *pr, uint32_t index_of_family, uint32_t *local, single *ret) {
    const family *f = &pr->families[index_of_family];

    *ret = (single){.family = index_of_family,
                    .n = f->n_bodies,
                    .bodies = f->bodies,
                    .log_weight = POOL_GET(pr->pool, double, f->n_bodies)};
    if (!ret->log_weight)
        return pool_rc(pr->pool);
    for (uint32_t i = 0; i < f->n_bodies; i++)
        local[f->bodies[i]] = i;
    for (uint32_t t = 0; t < f->n_tuples; t++)
        if (f->in->bodies[t] >= 0)
            ret->log_weight[local[f->in->bodies[t]]] = f->in->log_weight[t];
    return ATG_OK;
}

static void join_singles(problem *pr, const single *all, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *mine = &pr->class_of[pr->families[all[i].family].in->missing[0]];

        if (*mine != ASSIGN_NONE)
            continue;
        for (uint32_t j = i + 1;
             j < n && all[j].n == all[i].n &&
             memcmp(all[j].bodies, all[i].bodies, all[i].n * sizeof(*all[i].bodies)) == 0;
             j++) {
            uint32_t *other = &pr->class_of[pr->families[all[j].family].in->missing[0]];

            if (*other != ASSIGN_NONE || !single_alike(&all[i], &all[j]))
                continue;
            *mine = *other = pr->families[all[i].family].in->missing[0];
        }
    }
}

int single_symmetries(problem *pr) {
    single *all = POOL_GET(pr->pool, single, pr->in->n_families);
    uint32_t *local = POOL_GET(pr->pool, uint32_t, pr->in->n_bodies), n = 0;

    if (!all || !local)
        return pool_rc(pr->pool);
    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        if (pr->families[i].in->n_missing != 1 || !pr->families[i].n_bodies)
            continue;
        if (single_take(pr, i, local, &all[n++]))
            return pool_rc(pr->pool);
    }
    qsort(all, n, sizeof(*all), by_bodies);
    join_singles(pr, all, n);
    for (uint32_t i = 0; i < n; i++)
        pool_drop(pr->pool, all[i].log_weight);
    pool_drop(pr->pool, all);
    pool_drop(pr->pool, local);
    return ATG_OK;
}

/* The classes were named by one of their members. */
int number_symmetries(problem *pr) {
    uint32_t *number = POOL_GET(pr->pool, uint32_t, pr->in->n_missing);

    if (!number)
        return pool_rc(pr->pool);
    memset(number, 0xff, pr->in->n_missing * sizeof(*number));
    for (uint32_t m = 0; m < pr->in->n_missing; m++) {
        if (pr->class_of[m] == ASSIGN_NONE)
            continue;
        if (number[pr->class_of[m]] == ASSIGN_NONE)
            number[pr->class_of[m]] = pr->n_classes++;
        pr->class_of[m] = number[pr->class_of[m]];
    }
    pool_drop(pr->pool, number);
    return ATG_OK;
}
