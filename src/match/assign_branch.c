/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_branch.h"

#include <string.h>

/* The tuples of all blocks that are left under some decisions; shared by the nodes below. */
typedef struct state {
    uint32_t users;
    uint32_t *first; /* n_blocks + 1 */
    uint32_t *pick;
} state;

/* Assignments that agree with what was decided for bodies 0..n_decided-1.  The state is that of
 * the node above; the last decision is still to be applied. */
typedef struct node {
    state *above;
    int64_t bound;
    uint32_t *decided; /* n_bodies long; missing persons, UINT32_MAX for nobody */
    uint32_t n_decided;
} node;

typedef struct search {
    const branch *b;
    pool *p;
    uint32_t k;
    int64_t least; /* nothing below this is wanted: the best - slack, or the best k-th known */
    int64_t slack;
    node *open; /* best first, at most k - out.n */
    uint32_t n_open;
    ranked *out;
    uint32_t *out_missing; /* out->missing */
    model model;
    uint32_t *first_who; /* per body: who it is in the tuples left, and whether in one way only */
    unsigned char *seen; /* 0 never, 1 as one person, 2 as several */
    uint32_t *count;     /* per body: tuples that hold it */
    uint32_t *in_block;  /* per body: the last block that holds it */
} search;

enum { SEEN_NEVER = 0, SEEN_ONE, SEEN_SEVERAL };

static void release(search *s, state *st) {
    if (!st || --st->users)
        return;
    pool_drop(s->p, st->first);
    pool_drop(s->p, st->pick);
    pool_drop(s->p, st);
}

static void node_drop(search *s, node *n) {
    release(s, n->above);
    pool_drop(s->p, n->decided);
}

static bool node_before(const node *x, const node *y) {
    uint32_t n = x->n_decided < y->n_decided ? x->n_decided : y->n_decided;

    if (x->bound != y->bound)
        return x->bound > y->bound;
    return rank_lexicographic(x->decided, y->decided, n) < 0;
}

/* Take in a node unless k better ones are known: each node holds an assignment as good as its
 * bound.  The node is given up in any case. */
static void offer(search *s, node n) {
    uint32_t room = s->k - s->out->n, at = s->n_open;

    while (at && node_before(&n, &s->open[at - 1]))
        at--;
    if (at >= room) {
        node_drop(s, &n);
        return;
    }
    if (s->n_open == room)
        node_drop(s, &s->open[--s->n_open]);
    memmove(&s->open[at + 1], &s->open[at], (s->n_open - at) * sizeof(n));
    s->open[at] = n;
    s->n_open++;
    if (s->n_open == room && s->least < s->open[room - 1].bound)
        s->least = s->open[room - 1].bound;
}

/* Does the tuple hold the body, and as whom? */
static bool holds(const branch_block *bb, uint32_t tuple, uint32_t body, uint32_t *ret_who) {
    size_t at = (size_t)tuple * bb->block.n_places;

    for (uint32_t k = 0; k < bb->block.n_places; k++, at++) {
        if (bb->block.things[at] == (int32_t)body) {
            *ret_who = bb->missing[at];
            return true;
        }
    }
    return false;
}

static state *state_new(search *s, size_t n) {
    state *st = POOL_GET(s->p, state, 1);

    if (!st)
        return NULL;
    *st = (state){.users = 1,
                  .first = POOL_GET(s->p, uint32_t, (size_t)s->b->n_blocks + 1),
                  .pick = POOL_GET(s->p, uint32_t, n)};
    if (st->first && st->pick)
        return st;
    release(s, st);
    return NULL;
}

/* The tuples of `from` in which `body` is `who` (in the block that can say so) or is not. */
static state *decide(search *s, const state *from, uint32_t body, uint32_t who) {
    const branch *b = s->b;
    state *st = state_new(s, from->first[b->n_blocks]);
    uint32_t n = 0, as;

    for (uint32_t k = 0; st && k < b->n_blocks; k++) {
        const branch_block *bb = &b->blocks[k];
        bool says = false;

        for (uint32_t i = from->first[k]; i < from->first[k + 1] && !says; i++)
            says = who != UINT32_MAX && holds(bb, from->pick[i], body, &as) && as == who;
        for (uint32_t i = from->first[k]; i < from->first[k + 1]; i++) {
            bool held = holds(bb, from->pick[i], body, &as);

            if (says ? held && as == who : !held)
                st->pick[n++] = from->pick[i];
        }
        st->first[k + 1] = n;
    }
    return st;
}

/* ---- one node ---- */

typedef struct solved {
    pool scratch; /* what follows lies here */
    joint joint;
    view *views;
    int64_t *bound; /* per pick */
} solved;

static int solve(search *s, const state *st, solved *ret) {
    uint32_t n_blocks = s->b->n_blocks;
    work w = {0};

    ret->scratch = pool_new(s->p->left);
    ret->views = POOL_GET(&ret->scratch, view, n_blocks);
    ret->bound = POOL_GET(&ret->scratch, int64_t, st->first[n_blocks]);
    if (!ret->views || !ret->bound)
        return pool_rc(&ret->scratch);
    for (uint32_t k = 0; k < n_blocks; k++)
        ret->views[k] = (view){.block = &s->model.blocks[k],
                               .pick = st->pick + st->first[k],
                               .n = st->first[k + 1] - st->first[k]};

    int rc = joint_make(&ret->joint, &ret->scratch, &s->model, ret->views, false, 1);

    if (!rc)
        rc = joint_solve(&ret->joint, s->b->threads, &w);
    for (int which = 0; !rc && which < 2; which++) {
        for (uint32_t i = 0; i < ret->joint.side[which].n_steps; i++) {
            const step *sp = &ret->joint.side[which].steps[i];
            const view *v = &ret->views[sp->block];
            uint32_t at = st->first[sp->block];

            for (uint32_t t = 0; t < v->n; t++)
                ret->bound[at + t] = v->block->value[v->pick[t]] + sp->sets.out[sp->set_of[t]].best;
        }
    }
    return rc;
}

/* Drop tuples that are in no wanted assignment. */
static void prune(const search *s, state *st, int64_t *bound) {
    uint32_t n = 0, begin = 0;

    for (uint32_t k = 0; k < s->b->n_blocks; k++) {
        uint32_t end = st->first[k + 1];

        for (uint32_t i = begin; i < end; i++) {
            if (bound[i] < s->least)
                continue;
            bound[n] = bound[i];
            st->pick[n++] = st->pick[i];
        }
        begin = end;
        st->first[k + 1] = n;
    }
}

static void survey(search *s, const state *st) {
    memset(s->seen, SEEN_NEVER, s->b->n_bodies);
    memset(s->count, 0, s->b->n_bodies * sizeof(*s->count));
    for (uint32_t k = 0; k < s->b->n_blocks; k++) {
        const branch_block *bb = &s->b->blocks[k];

        for (uint32_t i = st->first[k]; i < st->first[k + 1]; i++) {
            size_t at = (size_t)st->pick[i] * bb->block.n_places;

            for (uint32_t j = 0; j < bb->block.n_places; j++, at++) {
                uint32_t body = (uint32_t)bb->block.things[at];

                if (bb->block.things[at] < 0 || body >= s->b->n_bodies)
                    continue;
                if (s->seen[body] == SEEN_NEVER) {
                    s->seen[body] = SEEN_ONE;
                    s->first_who[body] = bb->missing[at];
                } else if (s->first_who[body] != bb->missing[at]) {
                    s->seen[body] = SEEN_SEVERAL;
                }
                s->count[body]++;
                s->in_block[body] = k;
            }
        }
    }
}

/* How good an assignment with the body unidentified can be. */
static int64_t bound_unused(const search *s, const state *st, const solved *sv, uint32_t body) {
    uint32_t k = s->in_block[body], as;
    int64_t best = TABLE_NEVER;

    if (s->seen[body] == SEEN_NEVER)
        return sv->joint.best;
    if (sv->joint.uses[body] > 1)
        return sv->joint.none_best[body];
    if (s->count[body] == st->first[k + 1] - st->first[k])
        return TABLE_NEVER;
    for (uint32_t i = st->first[k]; i < st->first[k + 1]; i++)
        if (best < sv->bound[i] && !holds(&s->b->blocks[k], st->pick[i], body, &as))
            best = sv->bound[i];
    return best;
}

static int offer_child(search *s, state *st, const node *n, uint32_t body, uint32_t who,
                       int64_t bound) {
    node child = {.above = st,
                  .bound = bound,
                  .n_decided = body + 1,
                  .decided = POOL_GET(s->p, uint32_t, s->b->n_bodies)};

    if (!child.decided)
        return pool_rc(s->p);
    memcpy(child.decided, n->decided, body * sizeof(*n->decided));
    child.decided[body] = who;
    st->users++;
    offer(s, child);
    return ATG_OK;
}

/* The ways a body can be decided, each with its bound. */
typedef struct ways {
    uint32_t n;
    uint32_t *who;
    int64_t *bound;
} ways;

static void add_way(ways *w, uint32_t who, int64_t bound) {
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->who[i] == who) {
            w->bound[i] = w->bound[i] < bound ? bound : w->bound[i];
            return;
        }
    }
    w->who[w->n] = who;
    w->bound[w->n++] = bound;
}

/* One node per way the body can be decided. */
static int split(search *s, state *st, const solved *sv, const node *n, uint32_t body,
                 int64_t unused) {
    ways w = {.who = POOL_GET(s->p, uint32_t, (size_t)s->count[body] + 1),
              .bound = POOL_GET(s->p, int64_t, (size_t)s->count[body] + 1)};
    int rc = w.who && w.bound ? ATG_OK : pool_rc(s->p);
    uint32_t as;

    for (uint32_t k = 0; !rc && k < s->b->n_blocks; k++)
        for (uint32_t i = st->first[k]; i < st->first[k + 1]; i++)
            if (holds(&s->b->blocks[k], st->pick[i], body, &as))
                add_way(&w, as, sv->bound[i]);
    if (!rc && unused >= s->least)
        add_way(&w, UINT32_MAX, unused);
    for (uint32_t i = 0; !rc && i < w.n; i++)
        rc = offer_child(s, st, n, body, w.who[i], w.bound[i]);
    pool_drop(s->p, w.who);
    pool_drop(s->p, w.bound);
    return rc;
}

static void put_out(search *s, const state *st, const node *n) {
    uint32_t at = s->out->n++;
    double sum = 0;

    for (uint32_t k = 0; k < s->b->n_blocks; k++)
        sum += s->b->blocks[k].log_weight[st->pick[st->first[k]]];
    s->out->key[at] = n->bound;
    s->out->log_weight[at] = sum;
    memcpy(s->out_missing + (size_t)at * s->b->n_bodies, n->decided,
           s->b->n_bodies * sizeof(*n->decided));
}

/* Decide bodies that can be decided in one way only; split at the first that can in several. */
static int go_on(search *s, state *st, const solved *sv, node *n) {
    survey(s, st);
    for (uint32_t body = n->n_decided; body < s->b->n_bodies; body++) {
        int64_t unused = bound_unused(s, st, sv, body);

        if (s->seen[body] == SEEN_SEVERAL || (s->seen[body] == SEEN_ONE && unused >= s->least))
            return split(s, st, sv, n, body, unused);
        n->decided[body] = s->seen[body] == SEEN_ONE ? s->first_who[body] : UINT32_MAX;
    }
    put_out(s, st, n);
    return ATG_OK;
}

static int expand(search *s, node *n, bool first) {
    state *st = n->above;
    solved sv = {0};

    if (first)
        st->users++;
    else
        st = decide(s, n->above, n->n_decided - 1, n->decided[n->n_decided - 1]);
    if (!st)
        return pool_rc(s->p);

    int rc = solve(s, st, &sv);

    if (!rc) {
        if (first)
            s->least = sv.joint.best - s->slack;
        prune(s, st, sv.bound);
        rc = go_on(s, st, &sv, n);
    }
    if (sv.joint.pool)
        joint_free(&sv.joint);
    pool_free(&sv.scratch);
    release(s, st);
    return rc;
}

static int start(search *s, pool *keep) {
    const branch *b = s->b;
    size_t n = 0;
    block *blocks = POOL_GET(s->p, block, b->n_blocks);
    uint32_t *bodies = POOL_GET(keep, uint32_t, b->n_bodies);
    node root = {.decided = POOL_GET(s->p, uint32_t, b->n_bodies)};

    for (uint32_t k = 0; k < b->n_blocks; k++)
        n += b->blocks[k].block.n_tuples;
    root.above = state_new(s, n);
    s->open = POOL_GET(s->p, node, (size_t)s->k + 1);
    s->first_who = POOL_GET(s->p, uint32_t, b->n_bodies);
    s->seen = POOL_GET(s->p, unsigned char, b->n_bodies);
    s->count = POOL_GET(s->p, uint32_t, b->n_bodies);
    s->in_block = POOL_GET(s->p, uint32_t, b->n_bodies);
    if (!blocks || !root.decided || !root.above || !s->open || !s->first_who || !s->seen ||
        !s->count || !s->in_block)
        return pool_rc(s->p);
    if (!bodies)
        return pool_rc(keep);
    if (b->n_bodies)
        memcpy(bodies, b->bodies, b->n_bodies * sizeof(*bodies));
    s->out->bodies = bodies;
    s->out->n_bodies = b->n_bodies;
    for (uint32_t k = 0; k < b->n_blocks; k++) {
        state *st = root.above;

        blocks[k] = b->blocks[k].block;
        st->first[k + 1] = st->first[k] + blocks[k].n_tuples;
        for (uint32_t i = 0; i < blocks[k].n_tuples; i++)
            st->pick[st->first[k] + i] = i;
    }
    s->model =
        (model){.n_things = b->n_things, .n_blocks = b->n_blocks, .blocks = blocks, .scale = 1};
    s->open[s->n_open++] = root;
    return ATG_OK;
}

/* No more than k, and no more than there can be. */
static uint32_t most_wanted(const branch *b, uint32_t k) {
    uint64_t n = 1;

    for (uint32_t i = 0; i < b->n_blocks && n < k; i++)
        n *= b->blocks[i].block.n_tuples;
    return n < k ? (uint32_t)n : k;
}

static int room_for_list(search *s, pool *keep) {
    ranked *r = s->out = POOL_GET(keep, ranked, 1);

    if (!r)
        return pool_rc(keep);
    r->key = POOL_GET(keep, int64_t, s->k);
    r->log_weight = POOL_GET(keep, double, s->k);
    r->missing = s->out_missing = POOL_GET(keep, uint32_t, (size_t)s->k * s->b->n_bodies);
    return r->key && r->log_weight && r->missing ? ATG_OK : pool_rc(keep);
}

int branch_rank(const branch *b, uint32_t k, int64_t slack, pool *p, pool *keep,
                const ranked **ret) {
    search s = {.b = b, .p = p, .k = most_wanted(b, k), .slack = slack};
    bool first = true;

    if (room_for_list(&s, keep))
        return pool_rc(keep);

    int rc = start(&s, keep);

    while (!rc && s.n_open && s.out->n < s.k) {
        node n = s.open[0];

        memmove(&s.open[0], &s.open[1], --s.n_open * sizeof(n));
        rc = expand(&s, &n, first);
        node_drop(&s, &n);
        first = false;
    }
    while (s.n_open)
        node_drop(&s, &s.open[--s.n_open]);
    *ret = s.out;
    return rc;
}
