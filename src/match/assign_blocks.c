/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_exact.h"

/* A family as a block. */
static int family_block(const exact_part *x, const family *f, block *b, exact_block *xb, pool *p) {
    uint32_t *listed = POOL_GET(p, uint32_t, f->n_bodies);

    if (!listed)
        return pool_rc(p);
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
        return pool_rc(p);
    for (uint32_t i = 0; i < q->n_families; i++)
        if (family_block(x, &x->problem->families[q->families[i]], &blocks[i], &x->blocks[i], p))
            return pool_rc(p);
    x->model = (model){.n_things = q->n_bodies,
                       .n_blocks = q->n_families,
                       .blocks = blocks,
                       .scale = x->problem->scale};
    return ATG_OK;
}

static bool is_single(const family *f) {
    return f->in->n_missing == 1;
}

/* A block of one body, being filled. */
typedef struct filling {
    int32_t *things;
    double *log_weight;
    uint32_t *listed, *pair_of;
    uint32_t n, most;
} filling;

static int filling_new(filling *f, uint32_t body, uint32_t most, pool *p) {
    *f = (filling){.things = POOL_GET(p, int32_t, 2 * (size_t)most),
                   .log_weight = POOL_GET(p, double, most),
                   .listed = POOL_GET(p, uint32_t, (size_t)most + 1),
                   .pair_of = POOL_GET(p, uint32_t, 2 * ((size_t)most + 1)),
                   .most = most};
    if (!f->things || !f->log_weight || !f->listed || !f->pair_of)
        return pool_rc(p);
    f->listed[0] = body;
    for (uint32_t i = 0; i <= most + 1; i++)
        f->pair_of[i] = ASSIGN_NONE; /* place 0, and the body in place 1 */
    return ATG_OK;
}

static void filled(const filling *f, block *b, exact_block *xb) {
    *b = (block){.n_places = 2,
                 .n_tuples = f->n,
                 .add_none = true,
                 .things = f->things,
                 .log_weight = f->log_weight,
                 .n_listed = f->n + 1,
                 .listed = f->listed};
    *xb = (exact_block){.pair_of = f->pair_of};
}

/* Add the tuples of a family of one, the person being thing `person`, to their bodies' blocks. */
static void spread_single(const exact_part *x, const family *f, uint32_t person,
                          const uint32_t *block_of, filling *fillings) {
    for (uint32_t t = 0; t < f->n_tuples; t++) {
        int32_t raw = f->in->bodies[t];
        uint32_t low = 0;

        if (raw < 0)
            continue;

        uint32_t body = x->problem->body_local[raw];
        filling *to = &fillings[block_of[body]];

        while (f->bodies[low] != (uint32_t)raw)
            low++;
        to->things[2 * (size_t)to->n] = (int32_t)body;
        to->things[2 * (size_t)to->n + 1] = (int32_t)person;
        to->log_weight[to->n++] = f->in->log_weight[t];
        to->listed[to->n] = person;
        to->pair_of[to->most + 1 + to->n] = f->pair_of[low];
    }
}

/* How many pairs of families of one each body has; `block_of` becomes its number among those that
 * have any. */
static int open_fillings(const exact_part *x, pool *p, uint32_t *block_of, filling **ret,
                         uint32_t *ret_n) {
    const part *q = x->part;
    uint32_t *edges = POOL_GET(p, uint32_t, q->n_bodies), n = 0;
    filling *fillings = POOL_GET(p, filling, q->n_bodies);

    if (!edges || !fillings)
        return pool_rc(p);
    for (uint32_t i = 0; i < q->n_families; i++) {
        const family *f = &x->problem->families[q->families[i]];

        for (uint32_t k = 0; is_single(f) && k < f->n_bodies; k++)
            edges[x->problem->body_local[f->bodies[k]]]++;
    }
    for (uint32_t i = 0; i < q->n_bodies; i++) {
        if (!edges[i])
            continue;
        block_of[i] = n;
        if (filling_new(&fillings[n++], i, edges[i], p))
            return pool_rc(p);
    }
    *ret = fillings;
    *ret_n = n;
    return ATG_OK;
}

static int by_bodies(exact_part *x, pool *p) {
    const part *q = x->part;
    const problem *pr = x->problem;
    uint32_t *block_of = POOL_GET(p, uint32_t, q->n_bodies), n = 0;
    uint32_t *singles = POOL_GET(p, uint32_t, q->n_families);
    filling *fillings = NULL;

    if (!block_of || !singles || open_fillings(x, p, block_of, &fillings, &n))
        return pool_rc(p);

    block *blocks = POOL_GET(p, block, (size_t)n + q->n_families);

    x->blocks = POOL_GET(p, exact_block, (size_t)n + q->n_families);
    if (!blocks || !x->blocks)
        return pool_rc(p);

    uint32_t n_blocks = n;

    for (uint32_t i = 0; i < q->n_families; i++) {
        const family *f = &pr->families[q->families[i]];

        if (is_single(f)) {
            spread_single(x, f, q->n_bodies + x->n_singles, block_of, fillings);
            singles[x->n_singles++] = f->in->missing[0];
        } else if (family_block(x, f, &blocks[n_blocks], &x->blocks[n_blocks], p)) {
            return pool_rc(p);
        } else {
            n_blocks++;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        filled(&fillings[i], &blocks[i], &x->blocks[i]);
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
        return pool_rc(p);
    *ret = x;
    return ATG_OK;
}

int exact_part_make(exact_part *ret, const problem *pr, uint32_t index, pool *p) {
    exact_part rows = {.problem = pr, .part = &pr->parts[index]}, columns = rows;
    double cost_rows, cost_columns;
    uint32_t n_singles = 0;

    if (by_families(&rows, p) || joint_cost(p, &rows.model, &cost_rows))
        return pool_rc(p);
    for (uint32_t i = 0; i < rows.part->n_families; i++)
        n_singles += is_single(&pr->families[rows.part->families[i]]);
    *ret = rows;
    if (n_singles < 2)
        return ATG_OK;
    if (by_bodies(&columns, p) || joint_cost(p, &columns.model, &cost_columns))
        return pool_rc(p);
    if (cost_columns < cost_rows)
        *ret = columns;
    return ATG_OK;
}
