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

/* States that agree in all but their low bits are taken together, and with them one group of sets
 * after the other that agree so: what they lead to then lies close together too.  Both are in the
 * order of their keys, so that sums do not depend on it. */
enum { LOW_BITS = 12, BAND = 1 << LOW_BITS, FEW = 256 };

typedef struct group {
    uint32_t high, first, end; /* with these bits above the low ones */
} group;

/* A set that does not meet a state. */
typedef struct clear {
    uint32_t key, index;
} clear;

typedef struct lists {
    uint32_t n_groups, n_clear;
    group *groups;
    clear *clear;  /* of one group */
    cell *weights; /* per set */
    cell *in;      /* per state of the band */
} lists;

static uint32_t high_of(const table *t, uint32_t index) {
    return (uint32_t)(t->key[index] >> LOW_BITS);
}

/* The first behind `begin` with other high bits. */
static uint32_t band_end(const table *t, uint32_t begin) {
    uint32_t end = begin + 1;

    while (end < t->n && high_of(t, end) == high_of(t, begin))
        end++;
    return end;
}

static int lists_make(lists *l, const dense_step *s, scale of_sets) {
    const table *sets = &s->step->sets;
    uint32_t n = 0;

    for (uint32_t k = 0; k < sets->n; k = band_end(sets, k))
        n++;
    *l = (lists){.groups = POOL_GET(s->pool, group, n + 1),
                 .clear = POOL_GET(s->pool, clear, BAND),
                 .weights = POOL_GET(s->pool, cell, sets->n),
                 .in = POOL_GET(s->pool, cell, BAND)};
    if (!l->groups || !l->clear || !l->weights || !l->in)
        return pool_rc(s->pool);
    for (uint32_t k = 0; k < sets->n && sets->n > FEW; k = l->groups[l->n_groups++].end)
        l->groups[l->n_groups] = (group){high_of(sets, k), k, band_end(sets, k)};
    if (sets->n <= FEW) /* not worth taking apart: no bits in common */
        l->groups[l->n_groups++] = (group){0, 0, sets->n};
    for (uint32_t k = 0; k < sets->n; k++)
        l->weights[k] = cell_lowered(&sets->in[k], of_sets);
    return ATG_OK;
}

static void lists_drop(lists *l, pool *p) {
    pool_drop(p, l->groups);
    pool_drop(p, l->clear);
    pool_drop(p, l->weights);
    pool_drop(p, l->in);
}

static void lower_band(lists *l, const dense_step *s, const group *states, scale of_from) {
    for (uint32_t u = states->first; u < states->end; u++)
        l->in[u - states->first] = cell_lowered(&s->from->in[u], of_from);
}

/* The sets of a group that do not meet a state. */
static void find_clear(lists *l, dense_step *s, const group *g, uint32_t state) {
    const uint64_t *key = s->step->sets.key;
    uint32_t n = 0;

    for (uint32_t k = g->first; k < g->end; k++) {
        l->clear[n] = (clear){(uint32_t)key[k], k};
        n += (l->clear[n].key & state) == 0;
    }
    l->n_clear = n;
    s->pairs += n;
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

static void lead_band(lists *l, dense_step *s, const group *states, const group *sets, cell *room,
                      sum_kind kind) {
    uint32_t keep = (uint32_t)s->step->keep[0];

    for (uint32_t u = states->first; u < states->end; u++) {
        uint32_t state = (uint32_t)s->from->key[u];
        cell in = l->in[u - states->first];

        find_clear(l, s, sets, state);
        if (kind == PLAIN)
            lead(l, state, keep, in, room, PLAIN);
        else if (kind == WIDE)
            lead(l, state, keep, in, room, WIDE);
        else
            lead(l, state, keep, in, room, BEST);
    }
}

int dense_inwards(dense_step *s, bool sums, cell *room) {
    const table *from = s->from, *sets = &s->step->sets;
    int64_t a = sums ? most_of(from->in, from->n) : 0, b = sums ? most_of(sets->in, sets->n) : 0;
    sum_kind kind = !sums ? BEST : a + b <= MOST_OF_TWO ? PLAIN : WIDE;
    scale of_from = {kind, a - TOP}, of_sets = {kind, b - TOP};
    lists l;

    if (lists_make(&l, s, of_sets))
        return pool_rc(s->pool);
    for (size_t key = 0; key >> s->bits == 0; key++)
        room[key] = nothing(kind);
    for (group states = {0}; states.first < from->n; states.first = states.end) {
        states.high = high_of(from, states.first);
        states.end = band_end(from, states.first);
        lower_band(&l, s, &states, of_from);
        for (uint32_t g = 0; g < l.n_groups; g++)
            if (!(l.groups[g].high & states.high))
                lead_band(&l, s, &states, &l.groups[g], room, kind);
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
    cell *out;          /* per state: what completes it */
    cell *most;         /* per set: what goes with it */
    double *unit;       /* per set: 1 / what completes it alone, as a power of two; plain only */
    double *state_unit; /* the same per state of the band */
} completion;

static double unit_of(const completion *x, uint32_t state) {
    return x->kind == PLAIN ? ldexp(1, -ilogb(x->rests[state & x->keep].sum.m)) : 1;
}

INLINE xnum shrunk(xnum x, double unit, sum_kind kind) {
    return kind == PLAIN ? (xnum){x.m * unit, 0} : x;
}

/* The clear sets of one group, for one state of the band; what completes it is in its unit. */
INLINE void complete(const completion *x, uint32_t state, uint32_t at, cell *out, sum_kind kind) {
    const lists *l = &x->lists;
    cell in = l->in[at], sum = *out;
    double unit = x->state_unit[at];

    for (uint32_t i = 0; i < l->n_clear; i++) {
        uint32_t k = l->clear[i].index;
        const rest *r = &x->rests[(l->clear[i].key | state) & x->keep];
        const cell *w = &l->weights[k];
        cell *most = &x->most[k];
        int64_t here = w->best + r->best, best = in.best + r->best;

        add_product(&sum.sum, w->sum, shrunk(r->sum, unit, kind), kind);
        add_product(&most->sum, in.sum, shrunk(r->sum, x->unit[k], kind), kind);
        sum.best = sum.best < here ? here : sum.best;
        most->best = most->best < best ? best : most->best;
    }
    *out = sum;
}

static int completion_make(completion *x, const dense_step *s, scale of_rests) {
    const table *sets = &s->step->sets;

    x->kind = of_rests.kind;
    x->keep = (uint32_t)s->step->keep[0];
    x->rests = rests_of(s, of_rests);
    x->unit = POOL_GET(s->pool, double, sets->n);
    x->state_unit = POOL_GET(s->pool, double, BAND);
    if (!x->rests || !x->unit || !x->state_unit || lists_make(&x->lists, s, (scale){x->kind, 0}))
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

static void complete_band(completion *x, dense_step *s, const group *states, const group *sets) {
    for (uint32_t u = states->first; u < states->end; u++) {
        uint32_t state = (uint32_t)s->from->key[u], at = u - states->first;

        find_clear(&x->lists, s, sets, state);
        if (x->kind == PLAIN)
            complete(x, state, at, &x->out[u], PLAIN);
        else if (x->kind == WIDE)
            complete(x, state, at, &x->out[u], WIDE);
        else
            complete(x, state, at, &x->out[u], BEST);
    }
}

static void complete_states(completion *x, dense_step *s, const group *states, scale of_rests) {
    lower_band(&x->lists, s, states, (scale){x->kind, 0});
    for (uint32_t u = states->first; u < states->end; u++) {
        x->out[u] = nothing(x->kind);
        x->state_unit[u - states->first] = unit_of(x, (uint32_t)s->from->key[u]);
    }
    for (uint32_t g = 0; g < x->lists.n_groups; g++)
        if (!(x->lists.groups[g].high & states->high))
            complete_band(x, s, states, &x->lists.groups[g]);
    for (uint32_t u = states->first; u < states->end; u++)
        back_to_one(&x->out[u].sum, x->state_unit[u - states->first], of_rests);
}

int dense_outwards(dense_step *s, bool sums, cell *from_out, cell *sets_out) {
    const table *from = s->from, *sets = &s->step->sets;
    scale of_rests = scale_of_rests(s, sums);
    completion x = {.out = from_out, .most = sets_out};

    if (completion_make(&x, s, of_rests))
        return pool_rc(s->pool);
    for (group states = {0}; states.first < from->n; states.first = states.end) {
        states.high = high_of(from, states.first);
        states.end = band_end(from, states.first);
        complete_states(&x, s, &states, of_rests);
    }
    for (uint32_t k = 0; k < sets->n; k++)
        back_to_one(&sets_out[k].sum, x.unit[k], of_rests);
    lists_drop(&x.lists, s->pool);
    pool_drop(s->pool, x.unit);
    pool_drop(s->pool, x.state_unit);
    pool_drop(s->pool, x.rests);
    return ATG_OK;
}
