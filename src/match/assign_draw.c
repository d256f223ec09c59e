/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing one assignment with its probability: inwards as for sums, then back from the middle. */
#include "match/assign_joint.h"

/* One thing of several, each with its probability, seen one after the other. */
typedef struct lot {
    xnum total;
    uint32_t a, b;
} lot;

static void lot_offer(lot *l, xnum weight, uint32_t a, uint32_t b, atg_rng *rng) {
    if (weight.m == 0)
        return;
    l->total = xnum_add(l->total, weight);
    if (atg_rng_unit(rng) < xnum_double(xnum_mul(weight, xnum_inverse(l->total)))) {
        l->a = a;
        l->b = b;
    }
}

static bool leads_to(const step *st, const uint64_t *used, const uint64_t *set, const uint64_t *to,
                     uint32_t words) {
    uint64_t wrong = 0;

    for (uint32_t w = 0; w < words; w++)
        wrong |= (used[w] & set[w]) | (((used[w] | set[w]) & st->keep[w]) ^ to[w]);
    return wrong == 0;
}

/* The state before a step and the set it takes, given the state after it. */
static lot draw_step(const side *sd, uint32_t i, uint32_t after, work *w, atg_rng *rng) {
    const step *st = &sd->steps[i];
    const table *from = i ? &sd->steps[i - 1].states : &sd->start, *sets = &st->sets;
    const uint64_t *to = st->states.key + (size_t)after * sd->words;
    lot l = {XNUM_ZERO, 0, 0};

    for (uint32_t u = 0; u < from->n; u++) {
        const uint64_t *used = from->key + (size_t)u * sd->words;

        for (uint32_t k = 0; k < sets->n; k++)
            if (leads_to(st, used, sets->key + (size_t)k * sd->words, to, sd->words))
                lot_offer(&l, xnum_mul(from->in[u].sum, sets->in[k].sum), u, k, rng);
    }
    w->done += (uint64_t)from->n * sets->n;
    return l;
}

/* Of the tuples of a set, one. */
static uint32_t draw_tuple(const joint *jt, const step *st, uint32_t set, atg_rng *rng) {
    const view *v = &jt->views[st->block];
    lot l = {XNUM_ZERO, 0, 0};

    for (uint32_t i = 0; i < v->n; i++)
        if (st->set_of[i] == set)
            lot_offer(&l, xnum_exp(v->block->log_weight[view_tuple(v, i)]), i, 0, rng);
    return view_tuple(v, l.a);
}

static void draw_side(const joint *jt, uint32_t which, uint32_t end, work *w, atg_rng *rng,
                      uint32_t *tuples) {
    const side *sd = &jt->side[which];

    for (uint32_t i = sd->n_steps; i-- > 0;) {
        lot l = draw_step(sd, i, end, w, rng);

        tuples[sd->steps[i].block] = draw_tuple(jt, &sd->steps[i], l.b, rng);
        end = l.a;
    }
}

int joint_draw(joint *jt, work *w, atg_rng *rng, uint32_t *tuples) {
    uint32_t *number[2] = {NULL, NULL};
    lot left = {XNUM_ZERO, 0, 0}, right = {XNUM_ZERO, 0, 0};

    for (uint32_t which = 0; which < 2; which++) {
        const table *t = joint_end(jt, which);

        number[which] = POOL_GET(jt->pool, uint32_t, t->n);
        if (!number[which])
            return pool_rc(jt->pool);
        joint_middle_numbers(jt, which, t, number[which]);
    }

    const table *a = joint_end(jt, 0), *b = joint_end(jt, 1);

    for (uint32_t u = 0; u < a->n; u++)
        lot_offer(&left, xnum_mul(a->in[u].sum, a->out[u].sum), u, 0, rng);
    for (uint32_t v = 0; v < b->n; v++)
        if (!(number[0][left.a] & number[1][v]))
            lot_offer(&right, b->in[v].sum, v, 0, rng);
    draw_side(jt, 0, left.a, w, rng, tuples);
    draw_side(jt, 1, right.a, w, rng, tuples);
    return ATG_OK;
}
