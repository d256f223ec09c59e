/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_exact.h"

#include "match/assign_top.h"

/* What the tuples of one block add up to. */
typedef struct tally {
    long double *sum; /* n_places * n_listed: P(thing in this place) */
    int64_t *best;
    long double *none; /* n_places: P(nothing in this place) */
    uint32_t n_own;    /* things that no other block lists: */
    uint32_t *own;
    long double *own_sum; /* P(unused) */
    int64_t *own_best;
    uint32_t *listed_at;    /* per thing of the part: place among block.listed */
    uint32_t *own_at;       /* per thing of the part: place in own, or ASSIGN_NONE */
    long double *saved_sum; /* n_places */
    int64_t *saved_best;
} tally;

static int tally_make(tally *t, const joint *jt, const block *b, pool *p) {
    size_t n = (size_t)b->n_places * b->n_listed;

    *t = (tally){.sum = POOL_GET(p, long double, n),
                 .best = POOL_GET(p, int64_t, n),
                 .none = POOL_GET(p, long double, b->n_places),
                 .own = POOL_GET(p, uint32_t, b->n_listed),
                 .own_sum = POOL_GET(p, long double, b->n_listed),
                 .own_best = POOL_GET(p, int64_t, b->n_listed),
                 .listed_at = POOL_GET(p, uint32_t, jt->model->n_things),
                 .own_at = POOL_GET(p, uint32_t, jt->model->n_things),
                 .saved_sum = POOL_GET(p, long double, b->n_places),
                 .saved_best = POOL_GET(p, int64_t, b->n_places)};
    if (!t->sum || !t->best || !t->none || !t->own || !t->own_sum || !t->own_best ||
        !t->listed_at || !t->own_at || !t->saved_sum || !t->saved_best)
        return pool_rc(p);
    for (size_t i = 0; i < n; i++)
        t->best[i] = TABLE_NEVER;
    for (uint32_t i = 0; i < b->n_listed; i++) {
        uint32_t thing = b->listed[i];

        t->listed_at[thing] = i;
        t->own_at[thing] = ASSIGN_NONE;
        t->own_best[i] = TABLE_NEVER;
        if (jt->uses[thing] == 1) {
            t->own_at[thing] = t->n_own;
            t->own[t->n_own++] = thing;
        }
    }
    return ATG_OK;
}

static void tally_drop(tally *t, pool *p) {
    void *all[] = {t->sum,      t->best,      t->none,   t->own,       t->own_sum,
                   t->own_best, t->listed_at, t->own_at, t->saved_sum, t->saved_best};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        pool_drop(p, all[i]);
}

/* Everything of the block's own stays unused, but for what is in the tuple. */
static void tally_own(tally *t, const block *b, uint32_t tuple, double share, int64_t best) {
    for (uint32_t k = 0; k < b->n_places; k++) {
        int64_t thing = block_thing(b, tuple, k);

        if (thing >= 0 && t->own_at[thing] != ASSIGN_NONE) {
            t->saved_sum[k] = t->own_sum[t->own_at[thing]];
            t->saved_best[k] = t->own_best[t->own_at[thing]];
        }
    }
    for (uint32_t i = 0; i < t->n_own; i++) {
        t->own_sum[i] += share;
        t->own_best[i] = t->own_best[i] < best ? best : t->own_best[i];
    }
    for (uint32_t k = 0; k < b->n_places; k++) {
        int64_t thing = block_thing(b, tuple, k);

        if (thing >= 0 && t->own_at[thing] != ASSIGN_NONE) {
            t->own_sum[t->own_at[thing]] = t->saved_sum[k];
            t->own_best[t->own_at[thing]] = t->saved_best[k];
        }
    }
}

static void tally_tuples(tally *t, const joint *jt, const step *st, const xnum *rest) {
    const view *v = &jt->views[st->block];
    const block *b = v->block;

    for (uint32_t i = 0; i < v->n; i++) {
        uint32_t tuple = view_tuple(v, i), s = st->set_of[i];
        bool listed = tuple < b->n_tuples;
        xnum w = listed ? xnum_mul(xnum_exp(b->log_weight[tuple]), rest[s]) : rest[s];
        double share = xnum_double(w);
        int64_t best = block_value(b, tuple, jt->model->scale) + st->sets.out[s].best;

        for (uint32_t k = 0; k < b->n_places; k++) {
            int64_t thing = block_thing(b, tuple, k);

            if (thing < 0) {
                t->none[k] += share;
                continue;
            }

            size_t at = (size_t)k * b->n_listed + t->listed_at[thing];

            t->sum[at] += share;
            t->best[at] = t->best[at] < best ? best : t->best[at];
        }
        if (t->n_own)
            tally_own(t, b, tuple, share, best);
    }
}

/* A thing unused: for bodies of the part, or for missing persons who are things. */
static void put_unused(const exact_part *x, uint32_t thing, double sum, int64_t best, answer *ret) {
    if (thing < x->part->n_bodies) {
        uint32_t body = x->part->bodies[thing];

        ret->body_nobody[body] = sum;
        ret->body_none_best[body] = best;
    } else {
        ret->missing_nobody[x->single_missing[thing - x->part->n_bodies]] = sum;
    }
}

static void put_tally(const exact_part *x, const tally *t, uint32_t index, answer *ret) {
    const block *b = &x->model.blocks[index];
    const exact_block *xb = &x->blocks[index];

    for (size_t i = 0; i < (size_t)b->n_places * b->n_listed; i++) {
        if (xb->pair_of[i] == ASSIGN_NONE)
            continue;
        /* of a sum that is 1 rounding may leave more */
        x->problem->pairs[xb->pair_of[i]].posterior = fmin((double)t->sum[i], 1);
        ret->pair_best[xb->pair_of[i]] = t->best[i];
    }
    for (uint32_t k = 0; xb->missing && k < b->n_places; k++)
        ret->missing_nobody[xb->missing[k]] = (double)t->none[k];
    for (uint32_t i = 0; i < t->n_own; i++)
        put_unused(x, t->own[i], (double)t->own_sum[i], t->own_best[i], ret);
}

static int put_block(const exact_part *x, const joint *jt, const step *st, answer *ret, pool *p) {
    const block *b = jt->views[st->block].block;
    xnum inverse = xnum_inverse(jt->z);
    xnum *rest = POOL_GET(p, xnum, st->sets.n);
    tally t;

    if (!rest || tally_make(&t, jt, b, p))
        return pool_rc(p);
    for (uint32_t s = 0; s < st->sets.n; s++)
        rest[s] = xnum_mul(st->sets.out[s].sum, inverse);
    tally_tuples(&t, jt, st, rest);
    put_tally(x, &t, st->block, ret);
    tally_drop(&t, p);
    pool_drop(p, rest);
    return ATG_OK;
}

static int put_posteriors(const exact_part *x, const joint *jt, answer *ret, pool *p) {
    for (int which = 0; which < 2; which++)
        for (uint32_t i = 0; i < jt->side[which].n_steps; i++)
            if (put_block(x, jt, &jt->side[which].steps[i], ret, p))
                return pool_rc(p);
    for (uint32_t t = 0; t < x->model.n_things; t++)
        if (jt->uses[t] > 1)
            put_unused(x, t, jt->none_sum[t], jt->none_best[t], ret);
    return ATG_OK;
}

/* Against the best assignment without the pair: the body as somebody else, or nobody. */
static void put_ratios(const exact_part *x, const answer *ret) {
    const problem *pr = x->problem;

    for (uint32_t i = 0; i < x->part->n_bodies; i++) {
        uint32_t body = x->part->bodies[i];
        int64_t first = ret->body_none_best[body], second = TABLE_NEVER;

        for (uint32_t k = pr->pair_first[body]; k < pr->pair_first[body + 1]; k++) {
            int64_t best = ret->pair_best[k];

            if (best > first) {
                second = first;
                first = best;
            } else if (best > second) {
                second = best;
            }
        }
        for (uint32_t k = pr->pair_first[body]; k < pr->pair_first[body + 1]; k++) {
            int64_t best = ret->pair_best[k], other = best == first ? second : first;

            pr->pairs[k].log_glr = (double)(best - other) / pr->scale;
        }
    }
}

static view *all_tuples(const model *m, pool *p) {
    view *views = POOL_GET(p, view, m->n_blocks);

    for (uint32_t i = 0; views && i < m->n_blocks; i++)
        views[i] =
            (view){.block = &m->blocks[i], .n = m->blocks[i].n_tuples + m->blocks[i].add_none};
    return views;
}

int exact_solve(const problem *pr, uint32_t index, pool *p, uint32_t threads, work *w,
                answer *ret) {
    exact_part x;
    joint jt;

    if (exact_part_make(&x, pr, index, p))
        return pool_rc(p);

    view *views = all_tuples(&x.model, p);

    if (!views)
        return pool_rc(p);

    int rc = joint_make(&jt, p, &x.model, views, true, JOINT_STARTS_ALL);

    if (!rc)
        rc = joint_solve(&jt, threads, w);
    if (!rc)
        rc = put_posteriors(&x, &jt, ret, p);
    if (!rc) {
        put_ratios(&x, ret);
        ret->parts[index].exact = true;
        ret->parts[index].max_rhat = 1;
        ret->parts[index].log_z = xnum_log(jt.z);
        ret->count[index] = jt.count;
        rc = top_part(&x, &jt, ret->n_top, threads, &ret->keep[index], &ret->ranked[index]);
    }
    joint_free(&jt);
    return rc;
}
