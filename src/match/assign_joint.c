/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_joint.h"

#include <string.h>

#include "match/assign_order.h"

/* Which things each view lists. */
typedef struct lists {
    uint32_t *first; /* n_blocks + 1 */
    uint32_t *thing;
} lists;

static void list_picked(lists *l, const view *v, uint32_t *stamp, uint32_t mark) {
    uint32_t n = l->first[mark];

    for (uint32_t i = 0; i < v->n; i++) {
        for (uint32_t k = 0; k < v->block->n_places; k++) {
            int64_t t = block_thing(v->block, view_tuple(v, i), k);

            if (t < 0 || stamp[t] == mark)
                continue;
            stamp[t] = mark;
            l->thing[n++] = (uint32_t)t;
        }
    }
    l->first[mark + 1] = n;
}

static int list_things(lists *l, pool *p, const model *m, const view *views) {
    size_t most = 0;

    for (uint32_t b = 0; b < m->n_blocks; b++) {
        size_t cells = views && views[b].pick ? (size_t)views[b].n * m->blocks[b].n_places
                                              : m->blocks[b].n_listed;

        most += cells < m->n_things ? cells : m->n_things;
    }

    uint32_t *stamp = POOL_GET(p, uint32_t, m->n_things);

    l->first = POOL_GET(p, uint32_t, (size_t)m->n_blocks + 2);
    l->thing = POOL_GET(p, uint32_t, most);
    if (!stamp || !l->first || !l->thing)
        return pool_rc(p);
    memset(stamp, 0xff, m->n_things * sizeof(*stamp));
    for (uint32_t b = 0; b < m->n_blocks; b++) {
        const block *k = &m->blocks[b];

        if (views && views[b].pick) {
            list_picked(l, &views[b], stamp, b);
            continue;
        }
        memcpy(l->thing + l->first[b], k->listed, k->n_listed * sizeof(*l->thing));
        l->first[b + 1] = l->first[b] + k->n_listed;
    }
    pool_drop(p, stamp);
    return ATG_OK;
}

typedef struct choice {
    lists lists;    /* in the end only of things that at least two blocks list */
    uint32_t *uses; /* per thing: blocks that list it */
    uint32_t *order;
    uint32_t middle; /* so many come before it */
    double cost;
} choice;

static void keep_shared(choice *c, uint32_t n_blocks) {
    lists *l = &c->lists;
    uint32_t n = 0, begin = 0;

    for (uint32_t i = 0; i < l->first[n_blocks]; i++)
        c->uses[l->thing[i]]++;
    for (uint32_t b = 0; b < n_blocks; b++) {
        uint32_t end = l->first[b + 1];

        l->first[b] = n;
        for (uint32_t i = begin; i < end; i++)
            if (c->uses[l->thing[i]] > 1)
                l->thing[n++] = l->thing[i];
        begin = end;
    }
    l->first[n_blocks] = n;
}

static int choose(choice *c, pool *p, const model *m, const view *views, uint32_t starts) {
    double *log2_sets = POOL_GET(p, double, m->n_blocks);
    uint32_t *places = POOL_GET(p, uint32_t, m->n_blocks);

    c->order = POOL_GET(p, uint32_t, m->n_blocks);
    c->uses = POOL_GET(p, uint32_t, m->n_things);
    if (!log2_sets || !places || !c->order || !c->uses || list_things(&c->lists, p, m, views))
        return pool_rc(p);
    keep_shared(c, m->n_blocks);
    for (uint32_t b = 0; b < m->n_blocks; b++) {
        const block *k = &m->blocks[b];
        double tuples = views ? views[b].n : (double)k->n_tuples + k->add_none;
        uint32_t shared = c->lists.first[b + 1] - c->lists.first[b];

        places[b] = k->n_places;
        log2_sets[b] = fmin(log2(tuples), order_log2_sets(shared, k->n_places));
    }

    order_graph g = {.n = m->n_blocks,
                     .n_things = m->n_things,
                     .first = c->lists.first,
                     .thing = c->lists.thing,
                     .log2_sets = log2_sets,
                     .places = places};
    int rc = order_find(p, &g, starts, c->order, &c->middle, &c->cost);

    pool_drop(p, log2_sets);
    pool_drop(p, places);
    return rc;
}

static void choice_drop(choice *c, pool *p) {
    pool_drop(p, c->lists.first);
    pool_drop(p, c->lists.thing);
    pool_drop(p, c->order);
}

int joint_cost(pool *p, const model *m, double *ret) {
    choice c = {0};
    int rc = choose(&c, p, m, NULL, JOINT_STARTS_ALL);

    if (!rc)
        *ret = c.cost;
    choice_drop(&c, p);
    pool_drop(p, c.uses);
    return rc;
}

/* Give every shared thing of a side a bit for as long as it is wanted there. */
typedef struct seats {
    uint32_t *last;  /* per thing: its last step on this side */
    uint64_t *taken; /* of the bits */
    uint32_t n_bits, n_words;
} seats;

static int take_bit(seats *s, pool *p, uint32_t *ret) {
    uint32_t w = 0;

    while (w < s->n_words && !~s->taken[w])
        w++;
    if (w == s->n_words) {
        p->rc = ATG_ELIMIT;
        return pool_rc(p);
    }
    *ret = 64 * w + (uint32_t)__builtin_ctzll(~s->taken[w]);
    s->taken[w] |= (uint64_t)1 << (*ret & 63);
    if (*ret >= s->n_bits)
        s->n_bits = *ret + 1;
    return ATG_OK;
}

#define UNSEATED UINT32_MAX
#define NEVER_LAST UINT32_MAX

static int seat_step(joint *jt, uint32_t which, uint32_t i, const lists *l, seats *s) {
    step *st = &jt->side[which].steps[i];
    uint32_t begin = l->first[st->block], end = l->first[st->block + 1];

    st->keep = POOL_GET(jt->pool, uint64_t, TABLE_WORDS_MAX);
    st->drops = POOL_GET(jt->pool, drop, end - begin);
    if (!st->keep || !st->drops)
        return pool_rc(jt->pool);
    for (uint32_t k = begin; k < end; k++) {
        uint32_t t = l->thing[k];

        if (jt->bit[which][t] == UNSEATED && take_bit(s, jt->pool, &jt->bit[which][t]))
            return pool_rc(jt->pool);
        if (s->last[t] == i)
            st->drops[st->n_drops++] = (drop){t, jt->bit[which][t]};
    }
    for (uint32_t k = 0; k < st->n_drops; k++)
        s->taken[st->drops[k].bit >> 6] &= ~((uint64_t)1 << (st->drops[k].bit & 63));
    memcpy(st->keep, s->taken, TABLE_WORDS_MAX * sizeof(*s->taken));
    return ATG_OK;
}

static int seat_side(joint *jt, uint32_t which, const lists *l) {
    side *sd = &jt->side[which];
    uint64_t taken[TABLE_WORDS_MAX] = {0};
    seats s = {.taken = taken, .n_words = TABLE_WORDS_MAX};

    s.last = POOL_GET(jt->pool, uint32_t, jt->model->n_things);
    if (!s.last)
        return pool_rc(jt->pool);
    for (uint32_t i = 0; i < sd->n_steps; i++)
        for (uint32_t k = l->first[sd->steps[i].block]; k < l->first[sd->steps[i].block + 1]; k++)
            s.last[l->thing[k]] = i;
    for (uint32_t i = 0; i < jt->n_middle; i++)
        s.last[jt->middle[i]] = NEVER_LAST;
    for (uint32_t i = 0; i < sd->n_steps; i++)
        if (seat_step(jt, which, i, l, &s))
            return pool_rc(jt->pool);
    sd->bits = s.n_bits;
    sd->words = s.n_bits > 64 ? (s.n_bits + 63) / 64 : 1;
    pool_drop(jt->pool, s.last);
    return ATG_OK;
}

/* Things wanted on both sides of the cut. */
static int find_middle(joint *jt, const lists *l) {
    const side *left = &jt->side[0], *right = &jt->side[1];
    uint32_t n_things = jt->model->n_things;
    unsigned char *seen = POOL_GET(jt->pool, unsigned char, n_things);

    jt->middle = POOL_GET(jt->pool, uint32_t, n_things);
    if (!seen || !jt->middle)
        return pool_rc(jt->pool);
    for (uint32_t i = 0; i < left->n_steps; i++)
        for (uint32_t k = l->first[left->steps[i].block]; k < l->first[left->steps[i].block + 1];
             k++)
            seen[l->thing[k]] = 1;
    for (uint32_t i = 0; i < right->n_steps; i++) {
        uint32_t b = right->steps[i].block;

        for (uint32_t k = l->first[b]; k < l->first[b + 1]; k++) {
            if (seen[l->thing[k]] == 1)
                jt->middle[jt->n_middle++] = l->thing[k];
            seen[l->thing[k]] = 2;
        }
    }
    pool_drop(jt->pool, seen);
    return ATG_OK;
}

static void tuple_set(const joint *jt, uint32_t which, const block *b, uint32_t tuple,
                      uint64_t *ret) {
    memset(ret, 0, jt->side[which].words * sizeof(*ret));
    for (uint32_t k = 0; k < b->n_places; k++) {
        int64_t t = block_thing(b, tuple, k);

        if (t >= 0 && jt->uses[t] > 1)
            ret[jt->bit[which][t] >> 6] |= (uint64_t)1 << (jt->bit[which][t] & 63);
    }
}

static int gather_tuples(joint *jt, uint32_t which, step *st) {
    const view *v = &jt->views[st->block];
    const block *b = v->block;
    uint64_t key[TABLE_WORDS_MAX] = {0};

    for (uint32_t i = 0; i < v->n; i++) {
        uint32_t tuple = view_tuple(v, i);

        tuple_set(jt, which, b, tuple, key);

        int64_t s = table_add(&st->sets, jt->pool, key);

        if (s == TABLE_NONE)
            return pool_rc(jt->pool);
        st->set_of[i] = (uint32_t)s;
        cell_put(&st->sets.in[s], XNUM_ONE, 1, block_value(b, tuple, jt->model->scale), false);
    }
    return ATG_OK;
}

static int sum_tuples(joint *jt, step *st) {
    const view *v = &jt->views[st->block];
    xsum *sums = POOL_GET(jt->pool, xsum, st->sets.n);

    if (!sums)
        return pool_rc(jt->pool);
    for (uint32_t s = 0; s < st->sets.n; s++)
        sums[s] = XSUM_ZERO;
    for (uint32_t i = 0; i < v->n; i++) {
        uint32_t tuple = view_tuple(v, i);
        bool listed = tuple < v->block->n_tuples;

        xsum_add(&sums[st->set_of[i]], listed ? xnum_exp(v->block->log_weight[tuple]) : XNUM_ONE);
    }
    for (uint32_t s = 0; s < st->sets.n; s++)
        st->sets.in[s].sum = xsum_total(sums[s]);
    pool_drop(jt->pool, sums);
    return ATG_OK;
}

static int make_step(joint *jt, uint32_t which, step *st) {
    const view *v = &jt->views[st->block];
    const side *sd = &jt->side[which];

    st->set_of = POOL_GET(jt->pool, uint32_t, v->n);
    if (!st->set_of || table_init(&st->sets, jt->pool, sd->words, sd->bits) ||
        gather_tuples(jt, which, st))
        return pool_rc(jt->pool);

    uint32_t *moved = POOL_GET(jt->pool, uint32_t, st->sets.n);

    st->skip = POOL_GET(jt->pool, uint32_t, st->sets.n);
    if (!moved || !st->skip || table_sort(&st->sets, jt->pool, moved))
        return pool_rc(jt->pool);
    for (uint32_t i = 0; i < v->n; i++)
        st->set_of[i] = moved[st->set_of[i]];
    table_skips(&st->sets, st->skip);
    if (jt->sums && sum_tuples(jt, st))
        return pool_rc(jt->pool);
    pool_drop(jt->pool, moved);
    return ATG_OK;
}

static int make_sides(joint *jt, const choice *c) {
    uint32_t n = jt->model->n_blocks;

    for (uint32_t which = 0; which < 2; which++) {
        side *sd = &jt->side[which];

        sd->n_steps = which ? n - c->middle : c->middle;
        sd->steps = POOL_GET(jt->pool, step, sd->n_steps);
        if (!sd->steps)
            return pool_rc(jt->pool);
        for (uint32_t i = 0; i < sd->n_steps; i++)
            sd->steps[i].block = which ? c->order[n - 1 - i] : c->order[i];
    }
    if (find_middle(jt, &c->lists))
        return pool_rc(jt->pool);
    for (uint32_t which = 0; which < 2; which++) {
        if (seat_side(jt, which, &c->lists))
            return pool_rc(jt->pool);
        for (uint32_t i = 0; i < jt->side[which].n_steps; i++)
            if (make_step(jt, which, &jt->side[which].steps[i]))
                return pool_rc(jt->pool);
    }
    return ATG_OK;
}

static int make(joint *jt, uint32_t starts) {
    const model *m = jt->model;
    pool *p = jt->pool;
    choice c = {0};
    int rc;

    jt->bit[0] = POOL_GET(p, uint32_t, m->n_things);
    jt->bit[1] = POOL_GET(p, uint32_t, m->n_things);
    jt->none_sum = POOL_GET(p, double, m->n_things);
    jt->none_best = POOL_GET(p, int64_t, m->n_things);
    if (!jt->bit[0] || !jt->bit[1] || !jt->none_sum || !jt->none_best)
        return pool_rc(p);
    memset(jt->bit[0], 0xff, m->n_things * sizeof(*jt->bit[0]));
    memset(jt->bit[1], 0xff, m->n_things * sizeof(*jt->bit[1]));
    for (uint32_t t = 0; t < m->n_things; t++)
        jt->none_best[t] = TABLE_NEVER;
    rc = choose(&c, p, m, jt->views, starts);
    jt->uses = c.uses;
    if (!rc)
        rc = make_sides(jt, &c);
    choice_drop(&c, p);
    return rc;
}

int joint_make(joint *ret, pool *p, const model *m, const view *views, bool sums, uint32_t starts) {
    *ret = (joint){.model = m, .views = views, .sums = sums, .pool = p};

    int rc = make(ret, starts);
    size_t share = p->left / 8 * 3;

    ret->lent = 2 * share;
    ret->pools[0] = pool_new(share);
    ret->pools[1] = pool_new(share);
    p->left -= ret->lent;
    return rc;
}
