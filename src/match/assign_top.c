/* SPDX-License-Identifier: Apache-2.0 */
/* The best k assignments of a part.
 *
 * The elimination says for every tuple how good an assignment with it can be.  Tuples are taken in
 * by falling such bound until what they make up holds k assignments as good as the worst bound
 * taken in: every assignment at least as good consists of such tuples only.  They are taken apart
 * into groups that share nothing; assign_branch.c ranks each, and the products of their lists are
 * ranked in the end. */
#include "match/assign_top.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "match/assign_branch.h"
#include "match/assign_pick.h"

typedef struct ranking {
    const exact_part *x;
    const joint *jt;
    pool *pool, *keep;
    uint32_t k, threads;
    int64_t slack; /* nothing more than this below the best is wanted */
    picked picked;
    double *values; /* log weights that are told apart, ascending */
    uint32_t n_values;
    uint32_t n_groups;
    uint32_t *group;       /* per block */
    uint32_t *thing_group; /* per thing, or ASSIGN_NONE */
    uint32_t *number;      /* per thing: its number in its group */
    uint32_t *count;       /* per group: things */
    branch *groups;
} ranking;

static const block *block_of(const ranking *r, uint32_t b) {
    return &r->x->model.blocks[b];
}

static double log_weight_of(const ranking *r, uint32_t b, uint32_t tuple) {
    return tuple < block_of(r, b)->n_tuples ? block_of(r, b)->log_weight[tuple] : 0;
}

/* ---- ties ---- */

static int by_weight(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Log weights that differ by rounding only become one value, so that ties are ties. */
static int find_values(ranking *r) {
    double *w = POOL_GET(r->pool, double, r->picked.all);
    uint32_t n = 0, kept = 0;

    if (!w)
        return pool_rc(r->pool);
    for (uint32_t b = 0; b < r->x->model.n_blocks; b++)
        for (uint32_t i = 0; i < r->picked.n[b]; i++)
            w[n++] = log_weight_of(r, b, r->picked.tuple[b][i]);
    qsort(w, n, sizeof(*w), by_weight);
    for (uint32_t i = 0; i < n; i++)
        if (!kept || w[i] - w[kept - 1] > ASSIGN_TIE)
            w[kept++] = w[i];
    r->values = w;
    r->n_values = kept;
    return ATG_OK;
}

/* The largest value that is not above w, as an integer. */
static int64_t settled(const ranking *r, double w) {
    uint32_t low = 0, high = r->n_values;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (r->values[mid] <= w)
            low = mid;
        else
            high = mid;
    }
    return llrint(r->values[low] * r->x->model.scale);
}

/* ---- groups ---- */

static uint32_t root(uint32_t *up, uint32_t i) {
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

/* Join blocks whose picked tuples share a thing; thing_group[] becomes one of its blocks. */
static void join_blocks(ranking *r, uint32_t b, uint32_t *up) {
    const block *k = block_of(r, b);

    for (size_t i = 0; i < (size_t)r->picked.n[b] * k->n_places; i++) {
        uint32_t tuple = r->picked.tuple[b][i / k->n_places];
        int64_t t = block_thing(k, tuple, (uint32_t)(i % k->n_places));

        if (t < 0)
            continue;
        if (r->thing_group[t] == ASSIGN_NONE)
            r->thing_group[t] = b;
        up[root(up, b)] = root(up, r->thing_group[t]);
    }
}

static int find_groups(ranking *r) {
    uint32_t n_blocks = r->x->model.n_blocks, n_things = r->x->model.n_things;
    uint32_t *up = POOL_GET(r->pool, uint32_t, n_blocks);
    uint32_t *number = POOL_GET(r->pool, uint32_t, n_blocks);

    r->group = POOL_GET(r->pool, uint32_t, n_blocks);
    r->thing_group = POOL_GET(r->pool, uint32_t, n_things);
    r->number = POOL_GET(r->pool, uint32_t, n_things);
    r->count = POOL_GET(r->pool, uint32_t, n_blocks);
    if (!up || !number || !r->group || !r->thing_group || !r->number || !r->count)
        return pool_rc(r->pool);
    memset(r->thing_group, 0xff, n_things * sizeof(*r->thing_group));
    memset(number, 0xff, n_blocks * sizeof(*number));
    for (uint32_t b = 0; b < n_blocks; b++)
        up[b] = b;
    for (uint32_t b = 0; b < n_blocks; b++)
        join_blocks(r, b, up);
    for (uint32_t b = 0; b < n_blocks; b++) {
        if (number[root(up, b)] == ASSIGN_NONE)
            number[root(up, b)] = r->n_groups++;
        r->group[b] = number[root(up, b)];
    }
    for (uint32_t t = 0; t < n_things; t++) {
        if (r->thing_group[t] == ASSIGN_NONE)
            continue;
        r->thing_group[t] = r->group[r->thing_group[t]];
        r->number[t] = r->count[r->thing_group[t]]++;
    }
    return ATG_OK;
}

/* The picked tuples of a block, with the group's own numbers of things. */
static int copy_block(const ranking *r, uint32_t b, branch_block *ret) {
    const block *k = block_of(r, b);
    uint32_t n = r->picked.n[b];
    size_t cells = (size_t)n * k->n_places;
    int32_t *things = POOL_GET(r->pool, int32_t, cells);
    int64_t *value = POOL_GET(r->pool, int64_t, n);
    double *log_weight = POOL_GET(r->pool, double, n);
    uint32_t *missing = POOL_GET(r->pool, uint32_t, cells);

    if (!things || !value || !log_weight || !missing)
        return pool_rc(r->pool);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t tuple = r->picked.tuple[b][i];

        log_weight[i] = log_weight_of(r, b, tuple);
        value[i] = settled(r, log_weight[i]);
        for (uint32_t j = 0; j < k->n_places; j++) {
            int64_t t = block_thing(k, tuple, j);
            size_t at = (size_t)i * k->n_places + j;

            things[at] = t < 0 ? -1 : (int32_t)r->number[t];
            missing[at] = t < 0 ? ASSIGN_NONE : pick_missing(r->x, b, tuple, j);
        }
    }
    *ret = (branch_block){
        .block = {.n_places = k->n_places, .n_tuples = n, .things = things, .value = value},
        .log_weight = log_weight,
        .missing = missing};
    return ATG_OK;
}

/* The groups with room for what is in them, or NULL. */
static branch *open_groups(ranking *r) {
    branch *groups = POOL_GET(r->pool, branch, r->n_groups);

    if (!groups)
        return NULL;
    for (uint32_t b = 0; b < r->x->model.n_blocks; b++)
        groups[r->group[b]].n_blocks++;
    for (uint32_t g = 0; g < r->n_groups; g++) {
        branch *q = &groups[g];

        q->n_things = r->count[g];
        q->threads = r->threads;
        q->bodies = POOL_GET(r->pool, uint32_t, q->n_things);
        q->blocks = POOL_GET(r->pool, branch_block, q->n_blocks);
        if (!q->bodies || !q->blocks)
            return NULL;
        q->n_blocks = 0;
    }
    return groups;
}

static int fill_groups(ranking *r) {
    const part *q = r->x->part;

    for (uint32_t t = 0; t < q->n_bodies; t++) {
        branch *to = r->thing_group[t] == ASSIGN_NONE ? NULL : &r->groups[r->thing_group[t]];

        if (to)
            to->bodies[to->n_bodies++] = q->bodies[t];
    }
    for (uint32_t b = 0; b < r->x->model.n_blocks; b++) {
        branch *to = &r->groups[r->group[b]];

        if (copy_block(r, b, &to->blocks[to->n_blocks++]))
            return pool_rc(r->pool);
    }
    return ATG_OK;
}

/* ---- ranks ---- */

/* Rank what the picked tuples make up. */
static int rank_picked(ranking *r, const ranked **ret) {
    if (find_values(r) || find_groups(r))
        return pool_rc(r->pool);
    r->groups = open_groups(r);
    if (!r->groups || fill_groups(r))
        return pool_rc(r->pool);

    const ranked **lists = POOL_GET(r->pool, const ranked *, r->n_groups);

    if (!lists)
        return pool_rc(r->pool);
    for (uint32_t i = 0; i < r->n_groups; i++) {
        int rc = branch_rank(&r->groups[i], r->k, r->slack, r->pool, r->keep, &lists[i]);

        if (rc)
            return rc;
    }
    return rank_product(r->keep, lists, r->n_groups, r->k, ret);
}

/* The best k, if the tuples that can be as good as `least` hold so many that are; or NULL. */
static int try_least(ranking *r, int64_t least, bool is_all, const ranked **ret) {
    int64_t rounding =
        (int64_t)ceil(2 * ASSIGN_TIE * r->jt->model->scale * (r->jt->model->n_blocks + 1));
    const ranked *found = NULL;

    r->picked.pool = r->pool;
    r->slack = r->jt->best - least + 2 * rounding;

    int rc = pick_tuples(r->x, r->jt, least - rounding, r->k, &r->picked);

    if (!rc)
        rc = rank_picked(r, &found);
    if (rc)
        return rc;
    *ret = is_all || r->k == 1 || (found->n == r->k && found->key[r->k - 1] >= least - rounding)
               ? found
               : NULL;
    return ATG_OK;
}

int top_part(const exact_part *x, const joint *jt, uint32_t k, uint32_t threads, pool *keep,
             const ranked **ret) {
    uint64_t all = pick_count(jt), want = (uint64_t)jt->model->n_blocks + k;
    const ranked *found = NULL;
    int rc = ATG_OK;

    for (; !rc && !found; want *= 2) {
        pool p = pool_new(jt->pool->left);
        ranking r = {.x = x, .jt = jt, .pool = &p, .keep = keep, .k = k, .threads = threads};
        int64_t least = jt->best;

        if (k > 1 && want >= all)
            least = TABLE_NEVER / 2;
        else if (k > 1)
            rc = pick_nth_bound(jt, (uint32_t)want, &p, &least);
        if (!rc)
            rc = try_least(&r, least, want >= all, &found);
        pool_free(&p);
    }
    if (!rc)
        *ret = found;
    return rc;
}
