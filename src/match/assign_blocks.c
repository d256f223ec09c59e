/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_exact.h"

/* A family as a block. */
static int family_block(const exact_part *x, const family *f, block *b, exact_block *xb, pool *p) {
    uint32_t *listed = POOL_GET(p, uint32_t, f->n_bodies);

    if (!listed)
        return p->rc;
    for (uint32_t i = 0; i < f->n_bodies; i++)
        listed[i] = x->problem->body_local[f->bodies[i]];
    *b = (block){.n_places = f->in->n_missing,
                 .n_tuples = f->n_tuples,
                 .add_none = f->add_none,
                 .things = f->in->bodies,
                 .thing_of = x->problem->body_local,
                 .log_weight = f->in->log_weight,
                 .n_listed = f->n_bodies,
                 .listed = listed};
    *xb = (exact_block){.pair_of = f->pair_of, .missing = f->in->missing};
    return ATG_OK;
}

static int by_families(exact_part *x, pool *p) {
    const part *q = x->part;
    block *blocks = POOL_GET(p, block, q->n_families);

    x->blocks = POOL_GET(p, exact_block, q->n_families);
    if (!blocks || !x->blocks)
        return p->rc;
    for (uint32_t i = 0; i < q->n_families; i++)
        if (family_block(x, &x->problem->families[q->families[i]], &blocks[i], &x->blocks[i], p))
            return p->rc;
    x->model = (model){.n_things = q->n_bodies,
                       .n_blocks = q->n_families,
                       .blocks = blocks,
                       .scale = x->problem->scale};
    return ATG_OK;
}

static bool is_single(const family *f) {
    return f->in->n_missing == 1;
}

/* Room for a block of each body that singles list, from their number in block.n_tuples. */
static int body_block(const part *q, uint32_t body, block *b, exact_block *xb, pool *p) {
    uint32_t n = b->n_tuples;
    int32_t *things = POOL_GET(p, int32_t, 2 * (size_t)n);
    double *log_weight = POOL_GET(p, double, n);
    uint32_t *listed = POOL_GET(p, uint32_t, (size_t)n + 1);
    uint32_t *pair_of = POOL_GET(p, uint32_t, 2 * ((size_t)n + 1));

    if (!things || !log_weight || !listed || !pair_of)
        return p->rc;
    (void)q;
    listed[0] = body;
    for (uint32_t i = 0; i <= n; i++)
        pair_of[i] = ASSIGN_NONE;
    pair_of[n + 1] = ASSIGN_NONE;
    *b = (block){.n_places = 2,
                 .add_none = true,
                 .things = things,
                 .log_weight = log_weight,
                 .n_listed = 1,
                 .listed = listed};
    *xb = (exact_block){.pair_of = pair_of};
    return ATG_OK;
}

/* Add the tuples of the family of single `s` to the blocks of their bodies. */
static void spread_single(exact_part *x, const family *f, uint32_t s, const uint32_t *block_of,
                          block *blocks, const uint32_t *width) {
    for (uint32_t t = 0; t < f->n_tuples; t++) {
        int32_t raw = f->in->bodies[t];

        if (raw < 0)
            continue;

        uint32_t body = x->problem->body_local[raw], k = block_of[body];
        block *b = &blocks[k];
        int32_t *things = (int32_t *)(uintptr_t)b->things + 2 * (size_t)b->n_tuples;
        uint32_t at = b->n_listed++, low = 0;

        things[0] = (int32_t)body;
        things[1] = (int32_t)(x->part->n_bodies + s);
        ((double *)(uintptr_t)b->log_weight)[b->n_tuples++] = f->in->log_weight[t];
        ((uint32_t *)(uintptr_t)b->listed)[at] = x->part->n_bodies + s;
        while (f->bodies[low] != (uint32_t)raw)
            low++;
        ((uint32_t *)(uintptr_t)x->blocks[k].pair_of)[width[k] + at] = f->pair_of[low];
    }
}

static int by_bodies(exact_part *x, pool *p) {
    const part *q = x->part;
    const problem *pr = x->problem;
    uint32_t n_blocks = 0, *edges = POOL_GET(p, uint32_t, q->n_bodies);
    uint32_t *singles = POOL_GET(p, uint32_t, q->n_families);

    if (!edges || !singles)
        return p->rc;
    for (uint32_t i = 0; i < q->n_families; i++) {
        const family *f = &pr->families[q->families[i]];

        if (!is_single(f))
            n_blocks++;
        for (uint32_t k = 0; is_single(f) && k < f->n_bodies; k++)
            n_blocks += edges[pr->body_local[f->bodies[k]]]++ == 0;
    }

    block *blocks = POOL_GET(p, block, n_blocks);
    uint32_t *width = POOL_GET(p, uint32_t, n_blocks);

    x->blocks = POOL_GET(p, exact_block, n_blocks);
    if (!blocks || !width || !x->blocks)
        return p->rc;
    n_blocks = 0;
    for (uint32_t i = 0; i < q->n_bodies; i++) {
        if (!edges[i])
            continue;
        blocks[n_blocks].n_tuples = edges[i];
        width[n_blocks] = edges[i] + 1;
        if (body_block(q, i, &blocks[n_blocks], &x->blocks[n_blocks], p))
            return p->rc;
        edges[i] = n_blocks++; /* from here on: the block of the body */
    }
    for (uint32_t i = 0; i < q->n_families; i++) {
        const family *f = &pr->families[q->families[i]];

        if (is_single(f)) {
            spread_single(x, f, x->n_singles, edges, blocks, width);
            singles[x->n_singles++] = f->in->missing[0];
        } else if (family_block(x, f, &blocks[n_blocks], &x->blocks[n_blocks], p)) {
            return p->rc;
        } else {
            n_blocks++;
        }
    }
    x->single_missing = singles;
    x->model = (model){.n_things = q->n_bodies + x->n_singles,
                       .n_blocks = n_blocks,
                       .blocks = blocks,
                       .scale = pr->scale};
    return ATG_OK;
}

int exact_part_families(exact_part *ret, const problem *pr, uint32_t index, pool *p) {
    exact_part x = {.problem = pr, .part = &pr->parts[index]};

    if (by_families(&x, p))
        return p->rc;
    *ret = x;
    return ATG_OK;
}

int exact_part_make(exact_part *ret, const problem *pr, uint32_t index, pool *p) {
    exact_part rows = {.problem = pr, .part = &pr->parts[index]}, columns = rows;
    double cost_rows, cost_columns;
    uint32_t n_singles = 0;

    if (by_families(&rows, p) || joint_cost(p, &rows.model, &cost_rows))
        return p->rc;
    for (uint32_t i = 0; i < rows.part->n_families; i++)
        n_singles += is_single(&pr->families[rows.part->families[i]]);
    *ret = rows;
    if (n_singles < 2)
        return ATG_OK;
    if (by_bodies(&columns, p) || joint_cost(p, &columns.model, &cost_columns))
        return p->rc;
    if (cost_columns < cost_rows)
        *ret = columns;
    return ATG_OK;
}
