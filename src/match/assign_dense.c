/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_dense.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))

/* "Nobody" is always possible and has weight 1, and what completes a set completes each of its
 * subsets: next to that, what is below 2^SMALLEST is nothing in any sum over sets.  Doubles go from
 * 2^-1022 to 2^1023. */
enum {
    SMALLEST = -100,
    MOST_OF_TWO = 1900,  /* of a product */
    MOST_OF_ONE = 900,   /* of a factor beside one that is at most 1 */
    MOST_OF_REST = 1990, /* of what completes a state, which is at least 1 */
    TOP = 490,           /* where the largest factor of a product is put */
    UNIT = 512,          /* powers of two in one of an xnum's exponent */
};

static int64_t power_of(xnum x) {
    return x.m == 0 ? INT64_MIN : ilogb(x.m) + UNIT * x.e;
}

/* The power of two of the largest sum; 0 at least. */
static int64_t most_of(const cell *cells, uint32_t n) {
    int64_t most = 0;

    for (uint32_t i = 0; i < n; i++) {
        int64_t at = power_of(cells[i].sum);

        most = at > most ? at : most;
    }
    return most;
}

/* Sums as they are, or (plain) divided by 2^shift and with e = 0, where that fits. */
typedef struct scale {
    bool plain;
    int64_t shift;
} scale;

static xnum lowered(xnum x, scale s) {
    if (!s.plain)
        return x;
    return (xnum){power_of(x) < SMALLEST ? 0 : ldexp(x.m, (int)(UNIT * x.e - s.shift)), 0};
}

static xnum lifted(xnum x, int64_t shift) {
    int64_t e = shift >= 0 ? shift / UNIT : -((UNIT - 1 - shift) / UNIT);

    return xnum_mul(xnum_settle(xnum_settle(x)),
                    xnum_settle((xnum){ldexp(1, (int)(shift - UNIT * e)), e}));
}

static cell cell_lowered(const cell *c, scale s) {
    return (cell){lowered(c->sum, s), c->count, c->best};
}

INLINE xnum times(xnum a, xnum b, bool plain) {
    return plain ? (xnum){a.m * b.m, 0} : xnum_mul(a, b);
}

INLINE xnum plus(xnum a, xnum b, bool plain) {
    return plain ? (xnum){a.m + b.m, 0} : xnum_add(a, b);
}

static cell nothing(bool plain) {
    return (cell){plain ? (xnum){0, 0} : XNUM_ZERO, 0, TABLE_NEVER};
}

/* A set that does not meet what was asked for. */
typedef struct clear {
    uint32_t key, index;
} clear;

typedef struct lists {
    uint32_t high; /* bits of a state that `some` is made for */
    uint32_t made_for;
    uint32_t n_some, n_clear;
    clear *some;   /* of sets that do not meet those bits */
    clear *clear;  /* of those, sets that do not meet the rest of it either */
    cell *weights; /* per set */
} lists;

static int lists_make(lists *l, const dense_step *s, scale of_sets) {
    const table *sets = &s->step->sets;

    *l = (lists){.high = ~(((uint32_t)1 << s->bits / 3) - 1),
                 .made_for = UINT32_MAX,
                 .some = POOL_GET(s->pool, clear, sets->n),
                 .clear = POOL_GET(s->pool, clear, sets->n),
                 .weights = POOL_GET(s->pool, cell, sets->n)};
    if (!l->some || !l->clear || !l->weights)
        return pool_rc(s->pool);
    for (uint32_t k = 0; k < sets->n; k++)
        l->weights[k] = cell_lowered(&sets->in[k], of_sets);
    return ATG_OK;
}

static void lists_drop(lists *l, pool *p) {
    pool_drop(p, l->some);
    pool_drop(p, l->clear);
    pool_drop(p, l->weights);
}

/* The sets that do not meet a state; states with the same high bits come one after the other. */
static void find_clear(lists *l, const table *sets, uint32_t state) {
    uint32_t n = 0;

    if (l->made_for != (state & l->high)) {
        l->made_for = state & l->high;
        for (uint32_t k = 0; k < sets->n; k++) {
            l->some[n] = (clear){(uint32_t)sets->key[k], k};
            n += (l->some[n].key & l->made_for) == 0;
        }
        l->n_some = n;
    }
    n = 0;
    for (uint32_t i = 0; i < l->n_some; i++) {
        l->clear[n] = l->some[i];
        n += (l->some[i].key & state) == 0;
    }
    l->n_clear = n;
}

INLINE void lead(const lists *l, uint32_t state, uint32_t keep, cell in, cell *room, bool plain) {
    for (uint32_t i = 0; i < l->n_clear; i++) {
        const cell *w = &l->weights[l->clear[i].index];
        cell *c = &room[(l->clear[i].key | state) & keep];
        int64_t best = in.best + w->best;

        c->sum = plus(c->sum, times(in.sum, w->sum, plain), plain);
        c->count += in.count * w->count;
        c->best = c->best < best ? best : c->best;
    }
}

int dense_inwards(dense_step *s, cell *room) {
    const table *from = s->from, *sets = &s->step->sets;
    uint32_t keep = (uint32_t)s->step->keep[0];
    int64_t a = most_of(from->in, from->n), b = most_of(sets->in, sets->n);
    bool plain = a + b <= MOST_OF_TWO;
    scale of_from = {plain, a - TOP}, of_sets = {plain, b - TOP};
    lists l;

    if (lists_make(&l, s, of_sets))
        return pool_rc(s->pool);
    for (size_t key = 0; key >> s->bits == 0; key++)
        room[key] = nothing(plain);
    for (uint32_t u = 0; u < from->n; u++) {
        uint32_t state = (uint32_t)from->key[u];
        cell in = cell_lowered(&from->in[u], of_from);

        find_clear(&l, sets, state);
        s->pairs += l.n_clear;
        if (plain)
            lead(&l, state, keep, in, room, true);
        else
            lead(&l, state, keep, in, room, false);
    }
    for (size_t key = 0; plain && key >> s->bits == 0; key++)
        room[key].sum = lifted(room[key].sum, of_from.shift + of_sets.shift);
    lists_drop(&l, s->pool);
    return ATG_OK;
}

/* What completes a state after the step, by its set. */
typedef struct rest {
    xnum sum;
    int64_t best;
} rest;

static rest *rests_of(const dense_step *s, scale of_rests) {
    const table *to = &s->step->states;
    rest *rests = POOL_GET(s->pool, rest, (size_t)1 << s->bits);

    for (uint32_t t = 0; rests && t < to->n; t++)
        rests[to->key[t]] = (rest){lowered(to->out[t].sum, of_rests), to->out[t].best};
    return rests;
}

typedef struct completion {
    lists lists;
    rest *rests; /* by set */
    uint32_t keep;
    bool plain;
    cell *most;   /* per set: what goes with it */
    double *unit; /* per set: 1 / what completes it alone, as a power of two; plain only */
} completion;

static double unit_of(const completion *x, uint32_t state) {
    return x->plain ? ldexp(1, -ilogb(x->rests[state & x->keep].sum.m)) : 1;
}

INLINE xnum shrunk(xnum x, double unit, bool plain) {
    return plain ? (xnum){x.m * unit, 0} : x;
}

/* All clear sets of one state; what completes it is returned, in that state's unit. */
INLINE cell complete(const completion *x, uint32_t state, cell in, bool plain) {
    const lists *l = &x->lists;
    cell out = nothing(plain);
    double unit = unit_of(x, state);

    for (uint32_t i = 0; i < l->n_clear; i++) {
        uint32_t k = l->clear[i].index;
        const rest *r = &x->rests[(l->clear[i].key | state) & x->keep];
        const cell *w = &l->weights[k];
        cell *most = &x->most[k];
        int64_t here = w->best + r->best, best = in.best + r->best;

        out.sum = plus(out.sum, times(w->sum, shrunk(r->sum, unit, plain), plain), plain);
        most->sum = plus(most->sum, times(in.sum, shrunk(r->sum, x->unit[k], plain), plain), plain);
        out.best = out.best < here ? here : out.best;
        most->best = most->best < best ? best : most->best;
    }
    return out;
}

static int completion_make(completion *x, const dense_step *s, scale of_rests) {
    const table *sets = &s->step->sets;

    x->plain = of_rests.plain;
    x->keep = (uint32_t)s->step->keep[0];
    x->rests = rests_of(s, of_rests);
    x->unit = POOL_GET(s->pool, double, sets->n);
    if (!x->rests || !x->unit || lists_make(&x->lists, s, (scale){x->plain, 0}))
        return pool_rc(s->pool);
    for (uint32_t k = 0; k < sets->n; k++) {
        x->most[k] = nothing(x->plain);
        x->unit[k] = unit_of(x, (uint32_t)sets->key[k]);
    }
    return ATG_OK;
}

static void back_to_one(xnum *sum, double unit, scale of_rests) {
    if (of_rests.plain)
        *sum = lifted(*sum, of_rests.shift - ilogb(unit));
}

int dense_outwards(dense_step *s, cell *from_out, cell *sets_out) {
    const table *from = s->from, *sets = &s->step->sets, *to = &s->step->states;
    int64_t most = most_of(to->out, to->n);
    scale of_rests = {.plain = most_of(from->in, from->n) <= MOST_OF_ONE &&
                               most_of(sets->in, sets->n) <= MOST_OF_ONE && most <= MOST_OF_REST,
                      .shift = most / 2};
    completion x = {.most = sets_out};

    if (completion_make(&x, s, of_rests))
        return pool_rc(s->pool);
    for (uint32_t u = 0; u < from->n; u++) {
        uint32_t state = (uint32_t)from->key[u];
        cell in = cell_lowered(&from->in[u], (scale){x.plain, 0});

        find_clear(&x.lists, sets, state);
        s->pairs += x.lists.n_clear;
        from_out[u] = x.plain ? complete(&x, state, in, true) : complete(&x, state, in, false);
        back_to_one(&from_out[u].sum, unit_of(&x, state), of_rests);
    }
    for (uint32_t k = 0; k < sets->n; k++)
        back_to_one(&sets_out[k].sum, x.unit[k], of_rests);
    lists_drop(&x.lists, s->pool);
    pool_drop(s->pool, x.unit);
    pool_drop(s->pool, x.rests);
    return ATG_OK;
}
