/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/elim_order.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { TRIES = 12, NOTICEABLE = 200000, FEW = 4 };

/* One order, complete or being made. */
typedef struct plan {
    uint32_t n;
    double total;
    elim_step *steps;
} plan;

struct elim_order {
    uint32_t n, words, cap;
    const uint32_t *dims;
    uint64_t *near; /* per variable: those it shares a table with, itself included */
    uint64_t *work; /* the same while variables go */
    double *cost;   /* per variable: cells to go through */
    double *bias;   /* per variable: factor on its cost when choosing */
    bool *gone;
    plan best, trial;
};

elim_order *elim_order_new(void) {
    return mem_zero(1, sizeof(elim_order));
}

void elim_order_free(elim_order *o) {
    if (!o)
        return;
    mem_free(o->near);
    mem_free(o->work);
    mem_free(o->cost);
    mem_free(o->bias);
    mem_free(o->gone);
    mem_free(o->best.steps);
    mem_free(o->trial.steps);
    mem_free(o);
}

static bool grow(void **p, size_t bytes) {
    void *more = mem_grow(*p, bytes);

    if (more)
        *p = more;
    return more != NULL;
}

static int reserve(elim_order *o, uint32_t n) {
    uint32_t cap = n + 64;
    size_t words = (cap + 63) / 64;

    if (n <= o->cap)
        return ATG_OK;
    o->cap = 0;
    if (!grow((void **)&o->near, cap * words * 8) || !grow((void **)&o->work, cap * words * 8) ||
        !grow((void **)&o->cost, cap * sizeof(double)) ||
        !grow((void **)&o->bias, cap * sizeof(double)) || !grow((void **)&o->gone, cap) ||
        !grow((void **)&o->best.steps, cap * sizeof(elim_step)) ||
        !grow((void **)&o->trial.steps, cap * sizeof(elim_step)))
        return ATG_ENOMEM;
    o->cap = cap;
    return ATG_OK;
}

int elim_order_start(elim_order *o, uint32_t n, const uint32_t *dims) {
    int rc = reserve(o, n ? n : 1);

    if (rc)
        return rc;
    o->n = n;
    o->words = (n + 63) / 64;
    o->dims = dims;
    memset(o->near, 0, (size_t)n * o->words * 8);
    return ATG_OK;
}

void elim_order_together(elim_order *o, uint32_t rank, const uint32_t *vars) {
    for (uint32_t i = 0; i < rank; i++)
        for (uint32_t j = 0; j < rank; j++)
            o->near[vars[i] * o->words + vars[j] / 64] |= 1ULL << (vars[j] % 64);
}

static double cost_of(const elim_order *o, uint32_t v) {
    double cost = 1;

    for (uint32_t w = 0; w < o->words; w++)
        for (uint64_t bits = o->work[v * o->words + w]; bits; bits &= bits - 1)
            cost *= o->dims[w * 64 + (uint32_t)__builtin_ctzll(bits)];
    return cost;
}

static void note_step(const elim_order *o, uint32_t v, elim_step *step) {
    step->var = v;
    step->cost = o->cost[v];
    step->rank = 0;
    for (uint32_t w = 0; w < o->words; w++)
        for (uint64_t bits = o->work[v * o->words + w]; bits; bits &= bits - 1) {
            uint32_t u = w * 64 + (uint32_t)__builtin_ctzll(bits);

            if (u == v)
                continue;
            if (step->rank < ELIM_RANK_MAX)
                step->near[step->rank] = u;
            step->rank++;
        }
}

/* v is gone: whoever was near it is now near all the others. */
static void reconnect(elim_order *o, uint32_t v) {
    const uint64_t *mine = o->work + (size_t)v * o->words;

    o->gone[v] = true;
    for (uint32_t w = 0; w < o->words; w++)
        for (uint64_t bits = mine[w]; bits; bits &= bits - 1) {
            uint32_t u = w * 64 + (uint32_t)__builtin_ctzll(bits);

            if (u == v)
                continue;
            for (uint32_t k = 0; k < o->words; k++)
                o->work[u * o->words + k] |= mine[k];
            o->work[u * o->words + v / 64] &= ~(1ULL << (v % 64));
            if (!o->gone[u])
                o->cost[u] = cost_of(o, u);
        }
}

/* A complete order by falling preference; given up when it costs more than `limit`. */
static void make(elim_order *o, uint32_t n_keep, const uint32_t *keep, double limit, plan *p) {
    memcpy(o->work, o->near, (size_t)o->n * o->words * 8);
    memset(o->gone, 0, o->n);
    for (uint32_t i = 0; i < n_keep; i++)
        o->gone[keep[i]] = true;
    for (uint32_t v = 0; v < o->n; v++)
        o->cost[v] = cost_of(o, v);
    p->n = 0;
    p->total = 0;
    while (p->total < limit) {
        uint32_t best = UINT32_MAX;
        double least = INFINITY;

        for (uint32_t v = 0; v < o->n; v++)
            if (!o->gone[v] && o->cost[v] * o->bias[v] < least) {
                least = o->cost[v] * o->bias[v];
                best = v;
            }
        if (best == UINT32_MAX)
            return;
        note_step(o, best, &p->steps[p->n]);
        p->total += p->steps[p->n++].cost;
        reconnect(o, best);
    }
}

/* How late a variable of few values is to go, which ties things together. */
static double late(uint32_t values, int attempt) {
    switch (attempt % 4) {
    case 1:
        return values == 2 ? 8 : 1;
    case 2:
        return values == 2 ? 200 : 1;
    case 3:
        return values > 2 && values <= FEW ? 1e6 : 1;
    default:
        return 1;
    }
}

/* The first other tries put the variables of few values off; the rest disturb the choice at random
 * besides. */
static void disturb(elim_order *o, int attempt, atg_rng *rng) {
    for (uint32_t v = 0; v < o->n; v++)
        o->bias[v] = late(o->dims[v], attempt) * (attempt < 4 ? 1 : exp(3 * atg_rng_unit(rng)));
}

int elim_order_find(elim_order *o, uint32_t n_keep, const uint32_t *keep) {
    atg_rng rng = atg_rng_seed(1); /* the same order for the same tables, always */

    for (uint32_t v = 0; v < o->n; v++)
        o->bias[v] = 1;
    make(o, n_keep, keep, INFINITY, &o->best);
    for (int k = 1; k < TRIES && o->best.total > NOTICEABLE; k++) {
        disturb(o, k, &rng);
        make(o, n_keep, keep, o->best.total, &o->trial);
        if (o->trial.total < o->best.total) {
            plan swap = o->best;

            o->best = o->trial;
            o->trial = swap;
        }
    }
    return ATG_OK;
}

uint32_t elim_order_steps(const elim_order *o) {
    return o->best.n;
}

const elim_step *elim_order_step(const elim_order *o, uint32_t i) {
    return &o->best.steps[i];
}
