/* SPDX-License-Identifier: Apache-2.0 */
/* Which tuples can be in one of the best k assignments, taken apart into what is independent;
 * assign_branch.c ranks each of these.
 *
 * joint_solve says for every tuple how good an assignment with it can be.  Tuples are taken in by
 * falling such bound until what they make up holds k assignments as good as the worst bound taken
 * in: every assignment at least as good consists of such tuples only. */
#include "match/assign_top.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "match/assign_branch.h"

typedef struct chosen {
    uint32_t **pick; /* per block */
    uint32_t *n;
    uint32_t all;
} chosen;

static int64_t bound(const joint *jt, const step *st, uint32_t i) {
    const view *v = &jt->views[st->block];

    return block_value(v->block, view_tuple(v, i), jt->model->scale) +
           st->sets.out[st->set_of[i]].best;
}

static uint64_t count_tuples(const joint *jt) {
    uint64_t n = 0;

    for (uint32_t b = 0; b < jt->model->n_blocks; b++)
        n += jt->views[b].n;
    return n;
}

/* Keep the n largest: a heap with the smallest on top. */
static void heap_offer(int64_t *heap, uint32_t n, uint32_t *held, int64_t value) {
    uint32_t at;

    if (*held < n) {
        for (at = (*held)++; at && heap[(at - 1) / 2] > value; at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = value;
        return;
    }
    if (value <= heap[0])
        return;
    for (at = 0;;) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < n && heap[child + 1] < heap[child])
            child++;
        if (child >= n || heap[child] >= value)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

/* The n-th largest bound. */
static int nth_bound(const joint *jt, uint32_t n, pool *p, int64_t *ret) {
    int64_t *heap = POOL_GET(p, int64_t, n);
    uint32_t held = 0;

    if (!heap)
        return p->rc;
    for (int which = 0; which < 2; which++) {
        for (uint32_t s = 0; s < jt->side[which].n_steps; s++) {
            const step *st = &jt->side[which].steps[s];

            for (uint32_t i = 0; i < jt->views[st->block].n; i++)
                heap_offer(heap, n, &held, bound(jt, st, i));
        }
    }
    *ret = heap[0];
    pool_drop(p, heap);
    return ATG_OK;
}

static int choose_tuples(const joint *jt, int64_t least, pool *p, chosen *c) {
    c->pick = POOL_GET(p, uint32_t *, jt->model->n_blocks);
    c->n = POOL_GET(p, uint32_t, jt->model->n_blocks);
    c->all = 0;
    if (!c->pick || !c->n)
        return p->rc;
    for (int which = 0; which < 2; which++) {
        for (uint32_t s = 0; s < jt->side[which].n_steps; s++) {
            const step *st = &jt->side[which].steps[s];
            uint32_t n = 0, b = st->block;

            for (uint32_t i = 0; i < jt->views[b].n; i++)
                n += bound(jt, st, i) >= least;
            c->pick[b] = POOL_GET(p, uint32_t, n);
            if (!c->pick[b])
                return p->rc;
            for (uint32_t i = 0; i < jt->views[b].n; i++)
                if (bound(jt, st, i) >= least)
                    c->pick[b][c->n[b]++] = view_tuple(&jt->views[b], i);
            c->all += n;
        }
    }
    return ATG_OK;
}

/* ---- independent groups of blocks ---- */

static uint32_t root(uint32_t *up, uint32_t i) {
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

/* Blocks whose chosen tuples share a thing get the same group[]; returns the number of groups. */
static int group_blocks(const joint *jt, const chosen *c, pool *p, uint32_t *group,
                        uint32_t *ret_n) {
    uint32_t n_blocks = jt->model->n_blocks, n_things = jt->model->n_things, n = 0;
    uint32_t *owner = POOL_GET(p, uint32_t, n_things), *up = POOL_GET(p, uint32_t, n_blocks);
    uint32_t *number = POOL_GET(p, uint32_t, n_blocks);

    if (!owner || !up || !number)
        return p->rc;
    memset(owner, 0xff, n_things * sizeof(*owner));
    memset(number, 0xff, n_blocks * sizeof(*number));
    for (uint32_t b = 0; b < n_blocks; b++)
        up[b] = b;
    for (uint32_t b = 0; b < n_blocks; b++) {
        const block *k = &jt->model->blocks[b];

        for (size_t i = 0; i < (size_t)c->n[b] * k->n_places; i++) {
            int64_t t = block_thing(k, c->pick[b][i / k->n_places], (uint32_t)(i % k->n_places));

            if (t >= 0 && owner[t] == ASSIGN_NONE)
                owner[t] = b;
            else if (t >= 0)
                up[root(up, b)] = root(up, owner[t]);
        }
    }
    for (uint32_t b = 0; b < n_blocks; b++) {
        if (number[root(up, b)] == ASSIGN_NONE)
            number[root(up, b)] = n++;
        group[b] = number[root(up, b)];
    }
    pool_drop(p, owner);
    pool_drop(p, up);
    pool_drop(p, number);
    *ret_n = n;
    return ATG_OK;
}

/* Log weights that differ by rounding only become one value, so that ties are ties. */
static int by_weight(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int settle_ties(const exact_part *x, const chosen *c, pool *p, double **ret,
                       uint32_t *ret_n) {
    double *w = POOL_GET(p, double, c->all);
    uint32_t n = 0, kept = 0;

    if (!w)
        return p->rc;
    for (uint32_t b = 0; b < x->model.n_blocks; b++)
        for (uint32_t i = 0; i < c->n[b]; i++)
            w[n++] = c->pick[b][i] < x->model.blocks[b].n_tuples
                         ? x->model.blocks[b].log_weight[c->pick[b][i]]
                         : 0;
    qsort(w, n, sizeof(*w), by_weight);
    for (uint32_t i = 0; i < n; i++)
        if (!kept || w[i] - w[kept - 1] > ASSIGN_TIE)
            w[kept++] = w[i];
    *ret = w;
    *ret_n = kept;
    return ATG_OK;
}

/* The largest of the ascending values that is not above w. */
static double settled(const double *values, uint32_t n, double w) {
    uint32_t low = 0, high = n;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (values[mid] <= w)
            low = mid;
        else
            high = mid;
    }
    return values[low];
}

static uint32_t missing_in(const exact_part *x, uint32_t b, uint32_t tuple, uint32_t place) {
    if (x->blocks[b].missing)
        return x->blocks[b].missing[place];
    if (place == 1)
        return ASSIGN_NONE; /* the person is the thing */
    return x->single_missing[block_thing(&x->model.blocks[b], tuple, 1) - x->part->n_bodies];
}

/* Room for the tuples of a group's blocks, with the group's own numbers of things. */
static int copy_block(const exact_part *x, const chosen *c, uint32_t b, const uint32_t *number,
                      branch_block *ret, pool *p) {
    const block *k = &x->model.blocks[b];
    size_t cells = (size_t)c->n[b] * k->n_places;
    int32_t *things = POOL_GET(p, int32_t, cells);
    int64_t *value = POOL_GET(p, int64_t, c->n[b]);
    double *log_weight = POOL_GET(p, double, c->n[b]);
    uint32_t *missing = POOL_GET(p, uint32_t, cells);

    if (!things || !value || !log_weight || !missing)
        return p->rc;
    for (uint32_t i = 0; i < c->n[b]; i++) {
        uint32_t tuple = c->pick[b][i];

        log_weight[i] = tuple < k->n_tuples ? k->log_weight[tuple] : 0;
        for (uint32_t j = 0; j < k->n_places; j++) {
            int64_t t = block_thing(k, tuple, j);
            size_t at = (size_t)i * k->n_places + j;

            things[at] = t < 0 ? -1 : (int32_t)number[t];
            missing[at] = t < 0 ? ASSIGN_NONE : missing_in(x, b, tuple, j);
        }
    }
    *ret = (branch_block){
        .block = {.n_places = k->n_places, .n_tuples = c->n[b], .things = things, .value = value},
        .log_weight = log_weight,
        .missing = missing};
    return ATG_OK;
}

typedef struct grouping {
    uint32_t *group;  /* per block */
    uint32_t *number; /* per thing: its number in its group */
    double *values;
    uint32_t n_values;
    uint32_t *count; /* per group: things */
} grouping;

/* Number the things of each group, bodies first and ascending. */
static int number_things(const exact_part *x, const chosen *c, grouping *g, uint32_t n_groups,
                         uint32_t *thing_group, pool *p) {
    g->number = POOL_GET(p, uint32_t, x->model.n_things);
    g->count = POOL_GET(p, uint32_t, n_groups);
    if (!g->number || !g->count)
        return p->rc;
    memset(thing_group, 0xff, x->model.n_things * sizeof(*thing_group));
    for (uint32_t b = 0; b < x->model.n_blocks; b++) {
        const block *k = &x->model.blocks[b];

        for (size_t i = 0; i < (size_t)c->n[b] * k->n_places; i++) {
            int64_t t = block_thing(k, c->pick[b][i / k->n_places], (uint32_t)(i % k->n_places));

            if (t >= 0)
                thing_group[t] = g->group[b];
        }
    }
    for (uint32_t t = 0; t < x->model.n_things; t++)
        if (thing_group[t] != ASSIGN_NONE)
            g->number[t] = g->count[thing_group[t]]++;
    return ATG_OK;
}

static int make_groups(const exact_part *x, const chosen *c, const grouping *g,
                       const uint32_t *thing_group, branch *groups, pool *p) {
    uint32_t n_bodies = x->part->n_bodies;

    for (uint32_t b = 0; b < x->model.n_blocks; b++)
        groups[g->group[b]].n_blocks++;
    for (uint32_t t = 0; t < x->model.n_things; t++) {
        branch *q = thing_group[t] == ASSIGN_NONE ? NULL : &groups[thing_group[t]];

        if (q && !q->bodies) {
            q->n_things = g->count[thing_group[t]];
            q->bodies = POOL_GET(p, uint32_t, q->n_things);
            if (!q->bodies)
                return p->rc;
        }
        if (q && t < n_bodies)
            q->bodies[q->n_bodies++] = x->part->bodies[t];
    }
    for (uint32_t b = 0; b < x->model.n_blocks; b++) {
        branch *q = &groups[g->group[b]];

        if (!q->blocks) {
            q->blocks = POOL_GET(p, branch_block, q->n_blocks);
            if (!q->blocks)
                return p->rc;
            q->n_blocks = 0;
        }

        branch_block *to = &q->blocks[q->n_blocks++];

        if (copy_block(x, c, b, g->number, to, p))
            return p->rc;
        for (uint32_t i = 0; i < c->n[b]; i++)
            ((int64_t *)(uintptr_t)to->block.value)[i] =
                llrint(settled(g->values, g->n_values, to->log_weight[i]) * x->model.scale);
    }
    return ATG_OK;
}

/* Rank what the chosen tuples make up; nothing more than `slack` below the best is wanted. */
static int rank_chosen(const exact_part *x, const joint *jt, const chosen *c, uint32_t k,
                       int64_t slack, pool *p, pool *keep, const ranked **ret) {
    grouping g = {.group = POOL_GET(p, uint32_t, x->model.n_blocks)};
    uint32_t *thing_group = POOL_GET(p, uint32_t, x->model.n_things), n = 0;

    if (!g.group || !thing_group || group_blocks(jt, c, p, g.group, &n) ||
        settle_ties(x, c, p, &g.values, &g.n_values) || number_things(x, c, &g, n, thing_group, p))
        return p->rc;

    branch *groups = POOL_GET(p, branch, n);
    const ranked **lists = POOL_GET(p, const ranked *, n);

    if (!groups || !lists || make_groups(x, c, &g, thing_group, groups, p))
        return p->rc;
    for (uint32_t i = 0; i < n; i++) {
        int rc = branch_rank(&groups[i], k, slack, p, keep, &lists[i]);

        if (rc) {
            p->rc = rc;
            return rc;
        }
    }
    if (rank_product(keep, lists, n, k, ret))
        p->rc = keep->rc;
    else
        return ATG_OK;
    return p->rc;
}

int top_part(const exact_part *x, const joint *jt, uint32_t k, pool *keep, const ranked **ret) {
    uint64_t all = count_tuples(jt), want = (uint64_t)jt->model->n_blocks + k;
    int64_t rounding = (int64_t)ceil(2 * ASSIGN_TIE * jt->model->scale * (jt->model->n_blocks + 1));

    for (;; want *= 2) {
        pool p = pool_new(jt->pool->left);
        chosen c;
        int64_t least = jt->best;
        const ranked *found = NULL;

        if (k > 1 && want >= all)
            least = TABLE_NEVER / 2;
        else if (k > 1 && nth_bound(jt, (uint32_t)want, &p, &least))
            return p.rc;

        int rc = choose_tuples(jt, least - rounding, &p, &c);

        if (!rc)
            rc = rank_chosen(x, jt, &c, k, jt->best - least + 2 * rounding, &p, keep, &found);
        pool_free(&p);
        if (rc)
            return rc;
        if (k == 1 || want >= all || (found->n == k && found->key[k - 1] >= least - rounding)) {
            *ret = found;
            return ATG_OK;
        }
    }
}
