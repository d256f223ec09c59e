/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int32_t *bodies_of(const atg_assign_family *in, uint64_t tuple) {
    return in->bodies + tuple * in->n_missing;
}

/* Nobody is the largest. */
static int compare(const int32_t *a, const int32_t *b, uint32_t n) {
    for (uint32_t k = 0; k < n; k++)
        if (a[k] != b[k])
            return (uint32_t)a[k] < (uint32_t)b[k] ? -1 : 1;
    return 0;
}

static bool listed_in_order(const atg_assign_family *in) {
    for (uint64_t t = 1; t < in->n_tuples; t++)
        if (compare(bodies_of(in, t - 1), bodies_of(in, t), in->n_missing) >= 0)
            return false;
    return true;
}

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS };

/* Counting sort by one digit of the body in one place; tuples that agree there stay in order. */
static void sort_by_digit(const atg_assign_family *in, uint32_t place, uint32_t shift,
                          const uint32_t *from, uint32_t *to) {
    uint64_t first[DIGITS + 1] = {0};

    for (uint64_t t = 0; t < in->n_tuples; t++)
        first[((uint32_t)bodies_of(in, t)[place] >> shift) % DIGITS + 1]++;
    for (uint32_t d = 0; d < DIGITS; d++)
        first[d + 1] += first[d];
    for (uint64_t i = 0; i < in->n_tuples; i++)
        to[first[((uint32_t)bodies_of(in, from[i])[place] >> shift) % DIGITS]++] = from[i];
}

/* The numbers of the tuples in order: bodies rising place by place, nobody last.  Digit by digit,
 * the last place first. */
static int sort_tuples(const family *f, pool *p, uint32_t **ret) {
    const atg_assign_family *in = f->in;
    uint32_t *from = POOL_GET(p, uint32_t, in->n_tuples), *to = POOL_GET(p, uint32_t, in->n_tuples);
    uint32_t largest = f->n_bodies ? f->bodies[f->n_bodies - 1] : 0;

    if (!from || !to)
        return pool_rc(p);
    for (uint32_t t = 0; t < in->n_tuples; t++)
        from[t] = t;
    for (uint32_t place = in->n_missing; place-- > 0;)
        for (uint32_t shift = 0; shift < 32 && (shift == 0 || (largest + 1) >> shift);
             shift += DIGIT_BITS) {
            uint32_t *sorted = to;

            sort_by_digit(in, place, shift, from, sorted);
            to = from;
            from = sorted;
        }
    pool_drop(p, to);
    *ret = from;
    return ATG_OK;
}

/* A copy of the tuples in that order. */
static int copy_sorted(const atg_assign_family *in, pool *p, const uint32_t *order,
                       atg_assign_family *ret) {
    int32_t *bodies = POOL_GET(p, int32_t, in->n_tuples * in->n_missing);
    double *log_weight = POOL_GET(p, double, in->n_tuples);

    if (!bodies || !log_weight)
        return pool_rc(p);
    for (uint64_t i = 0; i < in->n_tuples; i++) {
        for (uint32_t k = 0; k < in->n_missing; k++)
            bodies[i * in->n_missing + k] = bodies_of(in, order[i])[k];
        log_weight[i] = in->log_weight[order[i]];
    }
    *ret = *in;
    ret->bodies = bodies;
    ret->log_weight = log_weight;
    return ATG_OK;
}

/* `sorted` holds the tuples in the order of these numbers. */
static int refuse_twice(const atg_assign_family *sorted, const uint32_t *order, uint32_t number,
                        atg_err *err) {
    for (uint64_t i = 1; i < sorted->n_tuples; i++)
        if (compare(bodies_of(sorted, i - 1), bodies_of(sorted, i), sorted->n_missing) == 0)
            return atg_fail(err, ATG_EINVAL,
                            "Family %u lists the same bodies in tuples %u and %u; list each tuple "
                            "once",
                            number, order[i - 1], order[i]);
    return ATG_OK;
}

/* Where these bodies are among the tuples from `low` up to `high`, or n_tuples. */
static uint64_t find_between(const atg_assign_family *in, const int32_t *bodies, uint64_t low,
                             uint64_t high) {
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        int c = compare(bodies_of(in, mid), bodies, in->n_missing);

        if (c == 0)
            return mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return in->n_tuples;
}

/* The same, beginning at a guess that is seldom far off. */
static uint64_t find_near(const atg_assign_family *in, const int32_t *bodies, uint64_t guess) {
    uint64_t n = in->n_tuples, far = 1;
    uint32_t width = in->n_missing;
    int c = guess < n ? compare(bodies_of(in, guess), bodies, width) : 1;

    if (c == 0)
        return guess;
    if (c < 0) {
        while (guess + far < n && compare(bodies_of(in, guess + far), bodies, width) < 0)
            far *= 2;
        return find_between(in, bodies, guess + far / 2, guess + far < n ? guess + far + 1 : n);
    }
    while (far <= guess && compare(bodies_of(in, guess - far), bodies, width) > 0)
        far *= 2;
    return find_between(in, bodies, far <= guess ? guess - far : 0, guess - far / 2);
}

static bool same_weight(double a, double b) {
    return fabs(a - b) <= ASSIGN_SAME + 1e-13 * fmax(fabs(a), fabs(b));
}

/* Tuples with the larger body in place i are the partners of those with the smaller one there, if
 * they are as many. */
static bool as_many(const atg_assign_family *in, uint32_t i, uint32_t j) {
    uint64_t smaller = 0, larger = 0;

    for (uint64_t t = 0; t < in->n_tuples; t++) {
        const int32_t *bodies = bodies_of(in, t);

        smaller += bodies[i] < bodies[j];
        larger += bodies[i] > bodies[j];
    }
    return smaller == larger;
}

enum { GUESSES = 256 };

/* Does exchanging the persons in places i and j leave every weight as it is?  Going through the
 * tuples in order, the partners of those with one body in place j come in order too. */
static bool exchangeable(const atg_assign_family *in, uint32_t i, uint32_t j, int32_t *room) {
    uint64_t guess[GUESSES] = {0};

    if (!as_many(in, i, j))
        return false;
    for (uint64_t t = 0; t < in->n_tuples; t++) {
        const int32_t *bodies = bodies_of(in, t);
        uint64_t *near = &guess[(uint32_t)bodies[j] % GUESSES];

        if (bodies[i] >= bodies[j])
            continue;
        for (uint32_t k = 0; k < in->n_missing; k++)
            room[k] = bodies[k];
        room[i] = bodies[j];
        room[j] = bodies[i];

        uint64_t at = find_near(in, room, *near);

        if (at == in->n_tuples || !same_weight(in->log_weight[t], in->log_weight[at]))
            return false;
        *near = at + 1;
    }
    return true;
}

static bool place_used(const atg_assign_family *in, uint32_t place) {
    for (uint64_t t = 0; t < in->n_tuples; t++)
        if (in->bodies[t * in->n_missing + place] >= 0)
            return true;
    return false;
}

/* Exchanges that change nothing form a group, so one member stands for its class: the last, whose
 * place is nearest. */
static void find_classes(const atg_assign_family *in, int32_t *room, uint32_t *class_of) {
    for (uint32_t i = 0; i < in->n_missing; i++) {
        uint32_t *mine = &class_of[in->missing[i]], last = i;

        if (*mine != ASSIGN_NONE || !place_used(in, i))
            continue;
        for (uint32_t j = i + 1; j < in->n_missing; j++)
            if (class_of[in->missing[j]] == ASSIGN_NONE && exchangeable(in, last, j, room)) {
                *mine = class_of[in->missing[j]] = in->missing[i];
                last = j;
            }
    }
}

int family_symmetries(const family *f, uint32_t number, uint32_t *class_of, atg_err *err) {
    atg_assign_family sorted = *f->in;
    pool p = pool_new(SIZE_MAX / 2);
    int32_t *room = POOL_GET(&p, int32_t, f->in->n_missing);
    uint32_t *order = NULL;
    int rc = room ? ATG_OK : pool_rc(&p);

    if (!rc && !listed_in_order(f->in)) {
        rc = sort_tuples(f, &p, &order);
        if (!rc)
            rc = copy_sorted(f->in, &p, order, &sorted);
    }
    if (rc)
        rc = assign_refused(&p, err);
    else if (order)
        rc = refuse_twice(&sorted, order, number, err);
    if (!rc)
        find_classes(&sorted, room, class_of);
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
