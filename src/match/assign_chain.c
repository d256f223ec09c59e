/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_chain.h"

#include <string.h>

/* A family of more sets than this is not looked through in every sweep. */
enum { SETS_PER_SWEEP = 4096, STRIDE_MAX = 64, PAIR_COST = 4096, TRIPLE_COST = 1000 };

enum { BLOCK_EVERY = 8, FAMILIES_PER_BLOCK = 32, BLOCK_WORK = 100000, BLOCK_MEMORY = 256 << 20 };

/* ---- the model ---- */

static int gather(chain_family *cf, uint32_t *local, pool *p) {
    const family *f = cf->family;
    uint32_t n = f->n_tuples + f->add_none;
    uint64_t *key = POOL_GET(p, uint64_t, cf->words);

    cf->set_of = POOL_GET(p, uint32_t, n);
    cf->share = POOL_GET(p, double, n);
    if (!key || !cf->set_of || !cf->share || table_init(&cf->sets, p, cf->words, 64 * cf->words))
        return pool_rc(p);
    for (uint32_t i = 0; i < f->n_bodies; i++)
        local[f->bodies[i]] = i;
    for (uint32_t t = 0; t < n; t++) {
        bool listed = t < f->n_tuples;
        double w = listed ? f->in->log_weight[t] : 0;

        memset(key, 0, cf->words * sizeof(*key));
        for (uint32_t k = 0; listed && k < f->in->n_missing; k++) {
            int32_t b = f->in->bodies[(size_t)t * f->in->n_missing + k];

            if (b >= 0)
                key[local[b] >> 6] |= (uint64_t)1 << (local[b] & 63);
        }

        int64_t s = table_add(&cf->sets, p, key);

        if (s == TABLE_NONE)
            return pool_rc(p);
        cf->set_of[t] = (uint32_t)s;
        cell_put(&cf->sets.in[s], xnum_exp(w), 1, 0, true);
    }
    pool_drop(p, key);
    return ATG_OK;
}

static int finish(chain_family *cf, pool *p) {
    const family *f = cf->family;
    uint32_t *moved = POOL_GET(p, uint32_t, cf->sets.n);

    cf->skip = POOL_GET(p, uint32_t, cf->sets.n);
    cf->log_sum = POOL_GET(p, double, cf->sets.n);
    if (!moved || !cf->skip || !cf->log_sum || table_sort(&cf->sets, p, moved))
        return pool_rc(p);
    table_skips(&cf->sets, cf->skip);
    for (uint32_t s = 0; s < cf->sets.n; s++)
        cf->log_sum[s] = xnum_log(cf->sets.in[s].sum);
    for (uint32_t t = 0; t < f->n_tuples + f->add_none; t++) {
        uint32_t s = cf->set_of[t] = moved[cf->set_of[t]];
        xnum w = xnum_exp(t < f->n_tuples ? f->in->log_weight[t] : 0);

        cf->share[t] = xnum_double(xnum_mul(w, xnum_inverse(cf->sets.in[s].sum)));
    }
    cf->stride = cf->sets.n / SETS_PER_SWEEP + 1;
    if (cf->stride > STRIDE_MAX)
        cf->stride = STRIDE_MAX;
    pool_drop(p, moved);
    return ATG_OK;
}

/* The sets as tuples, for drawing blocks. */
static int sets_as_block(chain_family *cf, const uint32_t *local, pool *p) {
    const family *f = cf->family;
    uint32_t places = f->in->n_missing;
    int32_t *things = POOL_GET(p, int32_t, (size_t)cf->sets.n * places);
    uint32_t *listed = POOL_GET(p, uint32_t, f->n_bodies);

    if (!things || !listed)
        return pool_rc(p);
    for (uint32_t i = 0; i < f->n_bodies; i++)
        listed[i] = local[f->bodies[i]];
    for (uint32_t s = 0; s < cf->sets.n; s++) {
        int32_t *to = things + (size_t)s * places;
        uint32_t n = 0;

        for (uint32_t i = 0; i < f->n_bodies; i++)
            if (cf->sets.key[(size_t)s * cf->words + (i >> 6)] >> (i & 63) & 1)
                to[n++] = (int32_t)listed[i];
        while (n < places)
            to[n++] = -1;
    }
    cf->block = (block){.n_places = places,
                        .n_tuples = cf->sets.n,
                        .things = things,
                        .log_weight = cf->log_sum,
                        .n_listed = f->n_bodies,
                        .listed = listed};
    return ATG_OK;
}

static int list_users(chain_model *m, pool *p) {
    size_t n = 0;

    m->first_user = POOL_GET(p, uint32_t, (size_t)m->n_bodies + 2);
    if (!m->first_user)
        return pool_rc(p);
    for (uint32_t i = 0; i < m->n_families; i++) {
        const family *f = m->families[i].family;

        for (uint32_t k = 0; k < f->n_bodies; k++, n++)
            m->first_user[m->local[f->bodies[k]] + 2]++;
    }
    for (uint32_t b = 0; b < m->n_bodies; b++)
        m->first_user[b + 2] += m->first_user[b + 1];
    m->users = POOL_GET(p, chain_user, n);
    if (!m->users)
        return pool_rc(p);
    for (uint32_t i = 0; i < m->n_families; i++) {
        const family *f = m->families[i].family;

        for (uint32_t k = 0; k < f->n_bodies; k++)
            m->users[m->first_user[m->local[f->bodies[k]] + 1]++] = (chain_user){i, k};
    }
    return ATG_OK;
}

int chain_model_make(chain_model *ret, const problem *pr, uint32_t index, pool *p) {
    const part *q = &pr->parts[index];
    chain_model m = {.n_families = q->n_families,
                     .n_bodies = q->n_bodies,
                     .local = pr->body_local,
                     .families = POOL_GET(p, chain_family, q->n_families)};
    uint32_t *local = POOL_GET(p, uint32_t, pr->in->n_bodies);

    if (!m.families || !local)
        return pool_rc(p);
    for (uint32_t i = 0; i < m.n_families; i++) {
        chain_family *cf = &m.families[i];

        cf->family = &pr->families[q->families[i]];
        cf->words = (cf->family->n_bodies + 63) / 64;
        if (gather(cf, local, p) || finish(cf, p) || sets_as_block(cf, m.local, p))
            return pool_rc(p);
        cf->occupied = m.n_words;
        cf->first_set = m.n_sets;
        m.n_words += cf->words;
        m.n_sets += cf->sets.n;
        if (cf->sets.n > m.most_sets)
            m.most_sets = cf->sets.n;
    }
    pool_drop(p, local);
    if (list_users(&m, p))
        return pool_rc(p);
    *ret = m;
    return ATG_OK;
}

/* ---- the chain ---- */

int chain_new(chain *ret, const chain_model *m, uint64_t seed, pool *p) {
    *ret = (chain){.model = m,
                   .rng = atg_rng_seed(seed),
                   .heat = 1,
                   .block_most = m->n_families < CHAIN_BLOCK ? m->n_families : CHAIN_BLOCK,
                   .set = POOL_GET(p, uint32_t, m->n_families),
                   .occupied = POOL_GET(p, uint64_t, m->n_words),
                   .mass = POOL_GET(p, double, m->n_sets),
                   .updates = POOL_GET(p, double, m->n_families)};
    if (!ret->set || !ret->occupied || !ret->mass || !ret->updates)
        return pool_rc(p);
    for (int d = 0; d < CHAIN_DEPTH; d++) {
        ret->list[d].set = POOL_GET(p, uint32_t, m->most_sets);
        ret->list[d].weight = POOL_GET(p, xnum, m->most_sets);
        if (!ret->list[d].set || !ret->list[d].weight)
            return pool_rc(p);
    }
    return ATG_OK; /* set 0 is the empty one: nobody is identified */
}

/* The family takes, or gives back, the bodies of a set. */
static void toggle(chain *c, uint32_t f, uint32_t set) {
    const chain_model *m = c->model;
    const chain_family *cf = &m->families[f];
    const uint64_t *key = cf->sets.key + (size_t)set * cf->words;

    for (uint32_t w = 0; w < cf->words; w++) {
        for (uint64_t rest = key[w]; rest; rest &= rest - 1) {
            uint32_t bit = 64 * w + (uint32_t)__builtin_ctzll(rest);
            uint32_t b = m->local[cf->family->bodies[bit]];

            for (uint32_t u = m->first_user[b]; u < m->first_user[b + 1]; u++)
                c->occupied[m->families[m->users[u].family].occupied + (m->users[u].bit >> 6)] ^=
                    (uint64_t)1 << (m->users[u].bit & 63);
        }
    }
}

static xnum set_weight(const chain *c, const chain_family *cf, uint32_t set) {
    return c->heat == 1 ? cf->sets.in[set].sum : xnum_exp(c->heat * cf->log_sum[set]);
}

/* The sets of family f that fit beside what is occupied. */
static void list_fitting(chain *c, uint32_t f, chain_list *l) {
    const chain_family *cf = &c->model->families[f];
    const uint64_t *used = c->occupied + cf->occupied;

    l->n = 0;
    l->total = XNUM_ZERO;
    for (uint32_t s = 0; s < cf->sets.n;) {
        const uint64_t *key = cf->sets.key + (size_t)s * cf->words;
        uint64_t meet = 0;

        for (uint32_t w = 0; w < cf->words; w++)
            meet |= key[w] & used[w];
        if (meet) {
            s = cf->skip[s];
            continue;
        }
        l->set[l->n] = s;
        l->weight[l->n] = set_weight(c, cf, s);
        l->total = xnum_add(l->total, l->weight[l->n]);
        l->n++;
        s++;
    }
}

static bool below(xnum a, xnum b) {
    return a.e != b.e ? a.e < b.e : a.m < b.m;
}

static uint32_t draw(chain *c, const chain_list *l) {
    xnum until = xnum_mul(l->total, xnum_settle((xnum){atg_rng_unit(&c->rng), 0}));
    xnum sum = XNUM_ZERO;

    for (uint32_t i = 0; i + 1 < l->n; i++) {
        sum = xnum_add(sum, l->weight[i]);
        if (below(until, sum))
            return l->set[i];
    }
    return l->set[l->n - 1];
}

static void take(chain *c, uint32_t f, uint32_t set) {
    c->set[f] = set;
    toggle(c, f, set);
}

static void update_one(chain *c, uint32_t f, double weight) {
    const chain_family *cf = &c->model->families[f];
    chain_list *l = &c->list[0];

    toggle(c, f, c->set[f]);
    list_fitting(c, f, l);
    if (c->counting) {
        xnum scale = xnum_mul(xnum_settle((xnum){weight, 0}), xnum_inverse(l->total));

        for (uint32_t i = 0; i < l->n; i++)
            c->mass[cf->first_set + l->set[i]] += xnum_double(xnum_mul(l->weight[i], scale));
        c->updates[f] += weight;
    }
    take(c, f, draw(c, l));
}

/* Weight each set of `f` that fits by what `next` families can do beside it: the total over the
 * block is in list[depth]. */
static void weigh_pair(chain *c, uint32_t f, uint32_t g, uint32_t depth) {
    chain_list *l = &c->list[depth];

    list_fitting(c, f, l);
    l->total = XNUM_ZERO;
    for (uint32_t i = 0; i < l->n; i++) {
        toggle(c, f, l->set[i]);
        list_fitting(c, g, &c->list[depth + 1]);
        toggle(c, f, l->set[i]);
        l->weight[i] = xnum_mul(l->weight[i], c->list[depth + 1].total);
        l->total = xnum_add(l->total, l->weight[i]);
    }
}

/* Draw the sets of two families together, given all others. */
static void update_pair(chain *c, uint32_t f, uint32_t g) {
    toggle(c, f, c->set[f]);
    toggle(c, g, c->set[g]);
    weigh_pair(c, f, g, 0);
    take(c, f, draw(c, &c->list[0]));
    list_fitting(c, g, &c->list[0]);
    take(c, g, draw(c, &c->list[0]));
}

static void update_triple(chain *c, uint32_t f, uint32_t g, uint32_t h) {
    chain_list *l = &c->list[0];

    toggle(c, f, c->set[f]);
    toggle(c, g, c->set[g]);
    toggle(c, h, c->set[h]);
    list_fitting(c, f, l);
    l->total = XNUM_ZERO;
    for (uint32_t i = 0; i < l->n; i++) {
        toggle(c, f, l->set[i]);
        weigh_pair(c, g, h, 1);
        toggle(c, f, l->set[i]);
        l->weight[i] = xnum_mul(l->weight[i], c->list[1].total);
        l->total = xnum_add(l->total, l->weight[i]);
    }
    take(c, f, draw(c, l));
    weigh_pair(c, g, h, 0);
    take(c, g, draw(c, &c->list[0]));
    list_fitting(c, h, &c->list[0]);
    take(c, h, draw(c, &c->list[0]));
}

/* A family that shares a body with `f`, chosen whatever the state; or f itself. */
static uint32_t neighbour(chain *c, uint32_t f) {
    const chain_model *m = c->model;
    const family *fam = m->families[f].family;
    uint32_t b = m->local[fam->bodies[atg_rng_below(&c->rng, fam->n_bodies)]];
    uint32_t n = m->first_user[b + 1] - m->first_user[b];

    return m->users[m->first_user[b] + atg_rng_below(&c->rng, n)].family;
}

static double cost_of(const chain *c, uint32_t f) {
    return c->model->families[f].sets.n;
}

/* Large blocks are drawn rarely, so that they cost no more than small ones. */
static bool affordable(chain *c, double cost, double most) {
    return cost <= most || atg_rng_unit(&c->rng) * cost < most;
}

static void update_blocks(chain *c) {
    uint32_t n = c->model->n_families;

    for (uint32_t i = 0; i < n; i += 2) {
        uint32_t f = (uint32_t)atg_rng_below(&c->rng, n), g = neighbour(c, f);

        if (f == g)
            continue;

        double cost = cost_of(c, f) * cost_of(c, g);

        if (affordable(c, cost, PAIR_COST))
            update_pair(c, f, g);

        uint32_t h = neighbour(c, g);

        if (h != f && h != g && affordable(c, cost * cost_of(c, h), TRIPLE_COST))
            update_triple(c, f, g, h);
    }
}

/* Families that hang together, chosen whatever the state. */
static uint32_t choose_block(chain *c, uint32_t *members) {
    uint32_t n = 1, most = 2 + (uint32_t)atg_rng_below(&c->rng, c->block_most - 1);

    members[0] = (uint32_t)atg_rng_below(&c->rng, c->model->n_families);
    for (uint32_t tries = 0; n < most && tries < 8 * most; tries++) {
        uint32_t f = neighbour(c, members[atg_rng_below(&c->rng, n)]), i = 0;

        while (i < n && members[i] != f)
            i++;
        if (i == n)
            members[n++] = f;
    }
    return n;
}

/* The block's posterior given the rest is a better estimate than where the chain went: it counts
 * as `weight` updates. */
static void count_block(chain *c, const uint32_t *members, const joint *jt, double weight) {
    xnum inverse = xnum_mul(xnum_settle((xnum){weight, 0}), xnum_inverse(jt->z));

    for (int which = 0; which < 2; which++) {
        for (uint32_t i = 0; i < jt->side[which].n_steps; i++) {
            const step *st = &jt->side[which].steps[i];
            const chain_family *cf = &c->model->families[members[st->block]];
            const view *v = &jt->views[st->block];

            for (uint32_t k = 0; k < v->n; k++) {
                uint32_t set = view_tuple(v, k);
                xnum w = xnum_mul(cf->sets.in[set].sum, st->sets.out[st->set_of[k]].sum);

                c->mass[cf->first_set + set] += xnum_double(xnum_mul(w, inverse));
            }
            c->updates[members[st->block]] += weight;
        }
    }
}

/* Draw the block exactly, given the rest.  What that costs depends on the rest only, so that giving
 * up where it is too much leaves the posterior as it is. */
static int draw_block(chain *c, const uint32_t *members, uint32_t n, pool *p, uint32_t *sets) {
    block blocks[CHAIN_BLOCK];
    view views[CHAIN_BLOCK];
    model m = {.n_things = c->model->n_bodies, .n_blocks = n, .blocks = blocks, .scale = 1};
    work w = {.most = BLOCK_WORK};
    joint jt;
    double cost = 1;

    for (uint32_t i = 0; i < n; i++) {
        const chain_family *cf = &c->model->families[members[i]];
        uint32_t *pick;

        list_fitting(c, members[i], &c->list[0]);
        pick = POOL_GET(p, uint32_t, c->list[0].n);
        if (!pick)
            return pool_rc(p);
        memcpy(pick, c->list[0].set, c->list[0].n * sizeof(*pick));
        blocks[i] = cf->block;
        views[i] = (view){.block = &blocks[i], .pick = pick, .n = c->list[0].n};
        cost += views[i].n;
    }
    if (cost > BLOCK_WORK)
        return ATG_ELIMIT;

    int rc = joint_make(&jt, p, &m, views, true, 1);

    if (!rc)
        rc = joint_inwards(&jt, 1, &w);
    if (!rc)
        rc = joint_draw(&jt, &w, &c->rng, sets);
    if (!rc && c->counting)
        rc = joint_outwards(&jt, 1, &w);
    if (!rc && c->counting)
        count_block(c, members, &jt, n * n);
    joint_free(&jt);
    return rc;
}

static int update_block(chain *c) {
    uint32_t members[CHAIN_BLOCK], sets[CHAIN_BLOCK] = {0};
    uint32_t n = choose_block(c, members);
    pool p = pool_new(BLOCK_MEMORY);

    for (uint32_t i = 0; i < n; i++)
        toggle(c, members[i], c->set[members[i]]);

    int rc = draw_block(c, members, n, &p, sets);

    for (uint32_t i = 0; i < n; i++)
        take(c, members[i], rc ? c->set[members[i]] : sets[i]);
    pool_free(&p);
    if (rc != ATG_ELIMIT)
        return rc;
    /* where blocks are too large must weigh as much as where they are not */
    for (uint32_t i = 0; i < n; i++)
        update_one(c, members[i], n * n);
    if (!c->counting && c->block_most > 3)
        c->block_most--;
    return ATG_OK;
}

int chain_sweep(chain *c) {
    for (uint32_t f = 0; f < c->model->n_families; f++)
        if (c->sweeps % c->model->families[f].stride == 0)
            update_one(c, f, 1);
    update_blocks(c);
    if (c->sweeps++ % BLOCK_EVERY || c->heat < 1 || c->block_most < 2)
        return ATG_OK;
    for (uint32_t i = 0; i <= c->model->n_families / FAMILIES_PER_BLOCK; i++) {
        int rc = update_block(c);

        if (rc)
            return rc;
    }
    return ATG_OK;
}
