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

/* The slot of a tuple with these bodies, or the free one where it would be. */
static uint32_t *find_slot(const tuple_index *x, const int32_t *bodies) {
    size_t last = ((size_t)1 << x->bits) - 1, width = x->in->n_missing;

    for (size_t h = place_of(x, bodies);; h = (h + 1) & last) {
        if (!x->slot[h])
            return &x->slot[h];

        const int32_t *other = x->in->bodies + (size_t)(x->slot[h] - 1) * width;

        if (memcmp(other, bodies, width * sizeof(*bodies)) == 0)
            return &x->slot[h];
    }
}

static int index_tuples(tuple_index *x, const family *f, uint32_t number, pool *p, atg_err *err) {
    x->in = f->in;
    for (x->bits = 4; (size_t)1 << x->bits < 2 * (size_t)f->n_tuples;)
        x->bits++;
    x->slot = POOL_GET(p, uint32_t, (size_t)1 << x->bits);
    if (!x->slot)
        return assign_refused(p, err);
    for (uint32_t t = 0; t < f->n_tuples; t++) {
        uint32_t *slot = find_slot(x, f->in->bodies + (size_t)t * f->in->n_missing);

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

/* Does exchanging the persons in places i and j leave every weight as it is? */
static bool exchangeable(const tuple_index *x, uint32_t i, uint32_t j, int32_t *room) {
    const atg_assign_family *in = x->in;
    uint32_t width = in->n_missing;

    for (uint64_t t = 0; t < in->n_tuples; t++) {
        const int32_t *bodies = in->bodies + t * width;

        if (bodies[i] == bodies[j])
            continue;
        memcpy(room, bodies, width * sizeof(*room));
        room[i] = bodies[j];
        room[j] = bodies[i];

        uint32_t other = *find_slot(x, room);

        if (!other || !same_weight(in->log_weight[t], in->log_weight[other - 1]))
            return false;
    }
    return true;
}

static bool place_used(const atg_assign_family *in, uint32_t place) {
    for (uint64_t t = 0; t < in->n_tuples; t++)
        if (in->bodies[t * in->n_missing + place] >= 0)
            return true;
    return false;
}

/* Exchanges that change nothing form a group, so one member stands for its class. */
static void find_classes(const tuple_index *x, int32_t *room, uint32_t *class_of,
                         uint32_t *n_classes) {
    const atg_assign_family *in = x->in;

    for (uint32_t i = 0; i < in->n_missing; i++) {
        uint32_t *mine = &class_of[in->missing[i]];

        if (*mine != ASSIGN_NONE || !place_used(in, i))
            continue;
        for (uint32_t j = i + 1; j < in->n_missing; j++) {
            if (class_of[in->missing[j]] != ASSIGN_NONE || !exchangeable(x, i, j, room))
                continue;
            if (*mine == ASSIGN_NONE)
                *mine = (*n_classes)++;
            class_of[in->missing[j]] = *mine;
        }
    }
}

int family_symmetries(const family *f, uint32_t number, pool *p, uint32_t *class_of,
                      uint32_t *n_classes, atg_err *err) {
    tuple_index x = {0};
    int32_t *room = POOL_GET(p, int32_t, f->in->n_missing);
    int rc = room ? index_tuples(&x, f, number, p, err) : assign_refused(p, err);

    if (!rc)
        find_classes(&x, room, class_of, n_classes);
    pool_drop(p, x.slot);
    pool_drop(p, room);
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
        return pr->pool->rc;
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
            if (*mine == ASSIGN_NONE)
                *mine = pr->n_classes++;
            *other = *mine;
        }
    }
}

int single_symmetries(problem *pr) {
    single *all = POOL_GET(pr->pool, single, pr->in->n_families);
    uint32_t *local = POOL_GET(pr->pool, uint32_t, pr->in->n_bodies), n = 0;

    if (!all || !local)
        return pr->pool->rc;
    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        if (pr->families[i].in->n_missing != 1 || !pr->families[i].n_bodies)
            continue;
        if (single_take(pr, i, local, &all[n++]))
            return pr->pool->rc;
    }
    qsort(all, n, sizeof(*all), by_bodies);
    join_singles(pr, all, n);
    for (uint32_t i = 0; i < n; i++)
        pool_drop(pr->pool, all[i].log_weight);
    pool_drop(pr->pool, all);
    pool_drop(pr->pool, local);
    return ATG_OK;
}
