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

/* What is asked for: the best only; or sums too, as they are, or divided by 2^shift and with e = 0,
 * where that fits. */
typedef enum sum_kind { BEST, WIDE, PLAIN } sum_kind;

typedef struct scale {
    sum_kind kind;
    int64_t shift;
} scale;

static xnum lowered(xnum x, scale s) {
    if (s.kind != PLAIN)
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

/* sum += a * b */
INLINE void add_product(xnum *sum, xnum a, xnum b, sum_kind kind) {
    if (kind == PLAIN)
        sum->m += a.m * b.m;
    else if (kind == WIDE)
        *sum = xnum_add(*sum, xnum_mul(a, b));
}

static cell nothing(sum_kind kind) {
    return (cell){kind == PLAIN ? (xnum){0, 0} : XNUM_ZERO, 0, TABLE_NEVER};
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

INLINE void lead(const lists *l, uint32_t state, uint32_t keep, cell in, cell *room,
                 sum_kind kind) {
    for (uint32_t i = 0; i < l->n_clear; i++) {
        const cell *w = &l->weights[l->clear[i].index];
        cell *c = &room[(l->clear[i].key | state) & keep];
        int64_t best = in.best + w->best;

        add_product(&c->sum, in.sum, w->sum, kind);
        c->count += in.count * w->count;
        c->best = c->best < best ? best : c->best;
    }
}

int dense_inwards(dense_step *s, bool sums, cell *room) {
    const table *from = s->from, *sets = &s->step->sets;
    uint32_t keep = (uint32_t)s->step->keep[0];
    int64_t a = sums ? most_of(from->in, from->n) : 0, b = sums ? most_of(sets->in, sets->n) : 0;
    sum_kind kind = !sums ? BEST : a + b <= MOST_OF_TWO ? PLAIN : WIDE;
    scale of_from = {kind, a - TOP}, of_sets = {kind, b - TOP};
    lists l;

    if (lists_make(&l, s, of_sets))
        return pool_rc(s->pool);
    for (size_t key = 0; key >> s->bits == 0; key++)
        room[key] = nothing(kind);
    for (uint32_t u = 0; u < from->n; u++) {
        uint32_t state = (uint32_t)from->key[u];
        cell in = cell_lowered(&from->in[u], of_from);

        find_clear(&l, sets, state);
        s->pairs += l.n_clear;
        if (kind == PLAIN)
            lead(&l, state, keep, in, room, PLAIN);
        else if (kind == WIDE)
            lead(&l, state, keep, in, room, WIDE);
        else
            lead(&l, state, keep, in, room, BEST);
    }
    for (size_t key = 0; kind == PLAIN && key >> s->bits == 0; key++)
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
    sum_kind kind;
    cell *most;   /* per set: what goes with it */
    double *unit; /* per set: 1 / what completes it alone, as a power of two; plain only */
} completion;

static double unit_of(const completion *x, uint32_t state) {
    return x->kind == PLAIN ? ldexp(1, -ilogb(x->rests[state & x->keep].sum.m)) : 1;
}

INLINE xnum shrunk(xnum x, double unit, sum_kind kind) {
    return kind == PLAIN ? (xnum){x.m * unit, 0} : x;
}

/* All clear sets of one state; what completes it is returned, in that state's unit. */
INLINE cell complete(const completion *x, uint32_t state, cell in, sum_kind kind) {
    const lists *l = &x->lists;
    cell out = nothing(kind);
    double unit = unit_of(x, state);

    for (uint32_t i = 0; i < l->n_clear; i++) {
        uint32_t k = l->clear[i].index;
        const rest *r = &x->rests[(l->clear[i].key | state) & x->keep];
        const cell *w = &l->weights[k];
        cell *most = &x->most[k];
        int64_t here = w->best + r->best, best = in.best + r->best;

        add_product(&out.sum, w->sum, shrunk(r->sum, unit, kind), kind);
        add_product(&most->sum, in.sum, shrunk(r->sum, x->unit[k], kind), kind);
        out.best = out.best < here ? here : out.best;
        most->best = most->best < best ? best : most->best;
    }
    return out;
}

static int completion_make(completion *x, const dense_step *s, scale of_rests) {
    const table *sets = &s->step->sets;

    x->kind = of_rests.kind;
    x->keep = (uint32_t)s->step->keep[0];
    x->rests = rests_of(s, of_rests);
    x->unit = POOL_GET(s->pool, double, sets->n);
    if (!x->rests || !x->unit || lists_make(&x->lists, s, (scale){x->kind, 0}))
        return pool_rc(s->pool);
    for (uint32_t k = 0; k < sets->n; k++) {
        x->most[k] = nothing(x->kind);
        x->unit[k] = unit_of(x, (uint32_t)sets->key[k]);
    }
    return ATG_OK;
}

static void back_to_one(xnum *sum, double unit, scale of_rests) {
    if (of_rests.kind == PLAIN)
        *sum = lifted(*sum, of_rests.shift - ilogb(unit));
}

static scale scale_of_rests(const dense_step *s, bool sums) {
    int64_t most = sums ? most_of(s->step->states.out, s->step->states.n) : 0;
    bool fits = sums && most_of(s->from->in, s->from->n) <= MOST_OF_ONE &&
                most_of(s->step->sets.in, s->step->sets.n) <= MOST_OF_ONE && most <= MOST_OF_REST;

    return (scale){!sums ? BEST : fits ? PLAIN : WIDE, most / 2};
}

int dense_outwards(dense_step *s, bool sums, cell *from_out, cell *sets_out) {
    const table *from = s->from, *sets = &s->step->sets;
    scale of_rests = scale_of_rests(s, sums);
    completion x = {.most = sets_out};

    if (completion_make(&x, s, of_rests))
        return pool_rc(s->pool);
    for (uint32_t u = 0; u < from->n; u++) {
        uint32_t state = (uint32_t)from->key[u];
        cell in = cell_lowered(&from->in[u], (scale){x.kind, 0});

        find_clear(&x.lists, sets, state);
        s->pairs += x.lists.n_clear;
        from_out[u] = x.kind == PLAIN  ? complete(&x, state, in, PLAIN)
                      : x.kind == WIDE ? complete(&x, state, in, WIDE)
                                       : complete(&x, state, in, BEST);
        back_to_one(&from_out[u].sum, unit_of(&x, state), of_rests);
    }
    for (uint32_t k = 0; k < sets->n; k++)
        back_to_one(&sets_out[k].sum, x.unit[k], of_rests);
    lists_drop(&x.lists, s->pool);
    pool_drop(s->pool, x.unit);
    pool_drop(s->pool, x.rests);
    return ATG_OK;
}
