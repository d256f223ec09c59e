/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "report/layout.h"

enum {
    SWEEPS = 12,       /* while orders are compared */
    SWEEPS_LAST = 100, /* for the picture: first drawn together, then settled */
    WORK = 60000,      /* evaluations * their price that one pedigree may take */
};

static const double STRANGERS = 0.25; /* more room between persons of different parents */
static const double PASSING = 0.55;   /* room that a passing line takes */
static const double CLOSE = 0.5;      /* pull of a couple towards each other, at first ... */
static const double SETTLED = 0.03;   /* ... and in the end, when parents matter more */
static const double GRAVITY = 0.06;   /* pull to the middle, and of children to their parents */

/* The unions that each node is a mate of, and room to work in. */
typedef struct search {
    layout *l;
    uint32_t *first_union; /* n_nodes + 1 */
    uint32_t *mate_of;
    double *key, *best_key, *wish, *weight;
    double *block_value, *block_weight; /* of pool_adjacent */
    uint32_t *block_size;
    bool *moved;
    uint32_t work, price; /* left for this pedigree, and of one evaluation */
    double gravity, middle, closeness;
} search;

double layout_couple_x(const layout *l, const layout_union *u) {
    double x = l->nodes[u->mates[0]].x;

    return u->mates[1] < 0 ? x : (x + l->nodes[u->mates[1]].x) / 2;
}

double layout_children_x(const layout *l, const layout_union *u) {
    double lo = INFINITY, hi = -INFINITY;

    for (uint32_t i = 0; i < u->n_children; i++) {
        double x = l->nodes[u->children[i]].x;

        lo = x < lo ? x : lo;
        hi = x > hi ? x : hi;
    }
    return (lo + hi) / 2;
}

static bool are_mates(const search *s, uint32_t a, uint32_t b) {
    for (uint32_t k = s->first_union[a]; k < s->first_union[a + 1]; k++) {
        const layout_union *u = &s->l->unions[s->mate_of[k]];

        if (u->mates[0] == (int32_t)b || u->mates[1] == (int32_t)b)
            return true;
    }
    return false;
}

/* The distance that two neighbours need at least. */
static double apart(const search *s, uint32_t a, uint32_t b) {
    const layout_node *x = &s->l->nodes[a], *y = &s->l->nodes[b];

    if ((x->person < 0 || y->person < 0) && !are_mates(s, a, b))
        return PASSING;
    if (x->parents >= 0 && x->parents == y->parents)
        return 1;
    return are_mates(s, a, b) ? 1 : 1 + STRANGERS;
}

/* Rows sorted by key.  They are nearly sorted already. */
static void sort_rows(search *s) {
    layout *l = s->l;

    for (uint32_t r = 0; r < l->n_rows; r++) {
        uint32_t *row = l->order + l->row_start[r], n = l->row_start[r + 1] - l->row_start[r];

        for (uint32_t i = 1; i < n; i++)
            for (uint32_t k = i; k > 0 && s->key[row[k]] < s->key[row[k - 1]]; k--) {
                uint32_t t = row[k];

                row[k] = row[k - 1];
                row[k - 1] = t;
            }
        for (uint32_t i = 0; i < n; i++)
            l->nodes[row[i]].column = i;
    }
}

/* Where a node would like to stand, given where everybody else does. */
static void wish_of(search *s, uint32_t node) {
    const layout *l = s->l;
    const layout_node *v = &l->nodes[node];
    double weight = 0.001 + s->gravity / 4, sum = 0.001 * v->x + s->gravity / 4 * s->middle;

    if (v->parents >= 0) {
        const layout_union *u = &l->unions[v->parents];

        double couple = layout_couple_x(l, u);

        sum += v->x + couple - layout_children_x(l, u) + s->gravity * couple;
        weight += 1 + s->gravity;
    }
    for (uint32_t k = s->first_union[node]; k < s->first_union[node + 1]; k++) {
        const layout_union *u = &l->unions[s->mate_of[k]];
        int32_t other = u->mates[0] == (int32_t)node ? u->mates[1] : u->mates[0];

        sum += v->x + layout_children_x(l, u) - layout_couple_x(l, u);
        weight += 1;
        if (other < 0)
            continue;

        const layout_node *o = &l->nodes[other];

        sum += s->closeness * (o->x + (v->column > o->column ? 1 : -1));
        weight += s->closeness;
    }
    s->wish[node] = sum / weight;
    s->weight[node] = weight;
}

/* Least squares under the least distances: pool adjacent violators on what is left when the
 * distances are taken off. */
static void pool_adjacent(search *s, const uint32_t *row, uint32_t n) {
    double offset = 0;
    uint32_t blocks = 0, at = 0;

    for (uint32_t i = 0; i < n; i++) {
        offset += i ? apart(s, row[i - 1], row[i]) : 0;
        s->block_value[blocks] = s->wish[row[i]] - offset;
        s->block_weight[blocks] = s->weight[row[i]];
        s->block_size[blocks++] = 1;
        while (blocks > 1 && s->block_value[blocks - 2] > s->block_value[blocks - 1]) {
            uint32_t a = blocks - 2, b = blocks - 1;
            double w = s->block_weight[a] + s->block_weight[b];

            s->block_value[a] =
                (s->block_value[a] * s->block_weight[a] + s->block_value[b] * s->block_weight[b]) /
                w;
            s->block_weight[a] = w;
            s->block_size[a] += s->block_size[b];
            blocks--;
        }
    }
    offset = 0;
    for (uint32_t k = 0; k < blocks; k++)
        for (uint32_t i = 0; i < s->block_size[k]; i++, at++) {
            offset += at ? apart(s, row[at - 1], row[at]) : 0;
            s->l->nodes[row[at]].x = s->block_value[k] + offset;
        }
}

static void relax_row(search *s, uint32_t r) {
    const uint32_t *row = s->l->order + s->l->row_start[r];
    uint32_t n = s->l->row_start[r + 1] - s->l->row_start[r];

    for (uint32_t i = 0; i < n; i++)
        wish_of(s, row[i]);
    pool_adjacent(s, row, n);
}

static void relax(search *s, int sweeps, double gravity) {
    s->gravity = gravity;
    s->closeness = gravity > 0 ? CLOSE : SETTLED;
    s->middle = 0;
    for (uint32_t i = 0; i < s->l->n_nodes; i++)
        s->middle += s->l->nodes[i].x / s->l->n_nodes;
    for (int i = 0; i < sweeps; i++) {
        for (uint32_t r = 0; r < s->l->n_rows; r++)
            relax_row(s, r);
        for (uint32_t r = s->l->n_rows; r-- > 0;)
            relax_row(s, r);
    }
}

/* Lines of descent that cross, between two unions of one row. */
static uint32_t crossings(const layout *l, const layout_union *u, const layout_union *v) {
    double ux = layout_couple_x(l, u), vx = layout_couple_x(l, v);
    uint32_t n = 0;

    if (l->nodes[u->mates[0]].row != l->nodes[v->mates[0]].row)
        return 0;
    for (uint32_t i = 0; i < u->n_children; i++)
        for (uint32_t k = 0; k < v->n_children; k++)
            n += (ux - vx) * (l->nodes[u->children[i]].x - l->nodes[v->children[k]].x) <= 0;
    return n;
}

/* Nodes among the children of `u` that are neither theirs nor their mates'. */
static uint32_t strangers_among(const search *s, const layout_union *u) {
    const layout *l = s->l;
    uint32_t from = UINT32_MAX, to = 0, n = 0, row = l->nodes[u->children[0]].row;

    for (uint32_t i = 0; i < u->n_children; i++) {
        uint32_t at = l->nodes[u->children[i]].column;

        from = at < from ? at : from;
        to = at > to ? at : to;
    }
    for (uint32_t at = from; at <= to; at++) {
        uint32_t node = l->order[l->row_start[row] + at];
        bool ours = false;

        for (uint32_t i = 0; i < u->n_children && !ours; i++)
            ours = u->children[i] == node || are_mates(s, node, u->children[i]);
        n += !ours;
    }
    return n;
}

/* What the eye minds: crossings, couples apart, strangers among brothers and sisters. */
static double disorder(const search *s) {
    const layout *l = s->l;
    double sum = 0;

    for (uint32_t i = 0; i < l->n_unions; i++) {
        const layout_union *u = &l->unions[i];

        for (uint32_t k = 0; k < i; k++)
            sum += 8 * crossings(l, u, &l->unions[k]);
        sum += 4 * strangers_among(s, u);
        if (u->mates[1] >= 0)
            sum +=
                6 *
                (fabs((double)l->nodes[u->mates[0]].column - (double)l->nodes[u->mates[1]].column) -
                 1);
    }
    return sum;
}

/* What it likes besides: short lines, fathers left, the order in which children were written. */
static double discomfort(const search *s) {
    const layout *l = s->l;
    double sum = 0;

    for (uint32_t i = 0; i < l->n_unions; i++) {
        const layout_union *u = &l->unions[i];

        sum += 2 * fabs(layout_couple_x(l, u) - layout_children_x(l, u));
        for (uint32_t k = 1; k < u->n_children; k++)
            sum += 0.1 * (l->nodes[u->children[k]].column < l->nodes[u->children[k - 1]].column);
        if (u->mates[1] < 0)
            continue;
        sum += fabs(l->nodes[u->mates[0]].x - l->nodes[u->mates[1]].x) - 1;
        sum += 0.05 * (l->nodes[u->mates[0]].column > l->nodes[u->mates[1]].column);
    }
    return sum;
}

static double evaluate(search *s) {
    sort_rows(s);
    for (uint32_t i = 0; i < s->l->n_nodes; i++)
        s->l->nodes[i].x = s->key[i];
    relax(s, SWEEPS, GRAVITY);
    return disorder(s) + discomfort(s);
}

static void keep_positions(search *s) {
    for (uint32_t i = 0; i < s->l->n_nodes; i++)
        s->best_key[i] = s->l->nodes[i].x;
}

/* Mark a node's mates that have no parents of their own in the picture. */
static bool take_mates(search *s, uint32_t node) {
    bool any = false;

    for (uint32_t k = s->first_union[node]; k < s->first_union[node + 1]; k++) {
        const layout_union *u = &s->l->unions[s->mate_of[k]];

        for (int side = 0; side < 2; side++)
            if (u->mates[side] >= 0 && !s->moved[u->mates[side]] &&
                s->l->nodes[u->mates[side]].parents < 0)
                any = s->moved[u->mates[side]] = true;
    }
    return any;
}

/* What moves together: 0 one node, 1 with mates, 2 with all descendants and their mates. */
static void mark_block(search *s, uint32_t node, int kind) {
    const layout *l = s->l;

    memset(s->moved, 0, l->n_nodes * sizeof(*s->moved));
    s->moved[node] = true;
    if (kind >= 1)
        (void)take_mates(s, node);
    for (bool more = kind == 2; more;) {
        more = false;
        for (uint32_t i = 0; i < l->n_nodes; i++) {
            int32_t p = l->nodes[i].parents;
            bool below = p >= 0 && s->moved[l->unions[p].mates[0]] &&
                         (l->unions[p].mates[1] < 0 || s->moved[l->unions[p].mates[1]]);

            if (below && !s->moved[i])
                more = s->moved[i] = true;
            if (s->moved[i] && i != node)
                more = take_mates(s, i) || more;
        }
    }
}

/* Move the marked nodes so that `node` stands right before (or after) `target`. */
static void shift_block(search *s, uint32_t node, uint32_t target, bool after) {
    double by = s->best_key[target] + (after ? 0.01 : -0.01) - s->best_key[node];

    for (uint32_t i = 0; i < s->l->n_nodes; i++)
        s->key[i] = s->best_key[i] + (s->moved[i] ? by : 0);
}

static void restore(search *s) {
    memcpy(s->key, s->best_key, s->l->n_nodes * sizeof(*s->key));
    sort_rows(s);
}

/* Try every other place in the row for a node; true when one was better. */
static bool improve(search *s, uint32_t node, int kind, double *best) {
    uint32_t row = s->l->nodes[node].row;
    uint32_t from = s->l->row_start[row], to = s->l->row_start[row + 1];
    bool better = false;

    for (uint32_t i = from; i < to && s->work > s->price; i++) {
        uint32_t target;

        restore(s);
        target = s->l->order[i];
        mark_block(s, node, kind);
        if (s->moved[target])
            continue;
        shift_block(s, node, target, s->best_key[target] > s->best_key[node]);
        s->work -= s->price;

        double cost = evaluate(s);

        if (cost < *best - 1e-6) {
            *best = cost;
            keep_positions(s);
            better = true;
        }
    }
    return better;
}

static void find_order(search *s) {
    s->work = WORK;
    s->price = s->l->n_nodes + s->l->n_unions * s->l->n_unions / 4;

    double best = evaluate(s);
    bool more = disorder(s) > 0;

    keep_positions(s);
    while (more) {
        more = false;
        for (uint32_t node = 0; node < s->l->n_nodes; node++)
            for (int kind = 2; kind >= 0; kind--)
                more = improve(s, node, kind, &best) || more;
        more = more && s->work > s->price;
    }
    restore(s);
    for (uint32_t i = 0; i < s->l->n_nodes; i++)
        s->l->nodes[i].x = s->key[i];
    relax(s, SWEEPS_LAST, GRAVITY);
    relax(s, SWEEPS_LAST, 0);
}

/* First keys: row by row, children in the order of their parents, mates beside. */
static void first_keys(search *s) {
    layout *l = s->l;
    double at = 0;

    for (uint32_t i = 0; i < l->n_nodes; i++)
        s->key[i] = -1;
    for (uint32_t i = 0; i < l->n_unions; i++) {
        const layout_union *u = &l->unions[i];

        for (int side = 0; side < 2; side++)
            if (u->mates[side] >= 0 && s->key[u->mates[side]] < 0)
                s->key[u->mates[side]] = at++;
        for (uint32_t k = 0; k < u->n_children; k++)
            if (s->key[u->children[k]] < 0)
                s->key[u->children[k]] = at++;
    }
    for (uint32_t i = 0; i < l->n_nodes; i++)
        if (s->key[i] < 0)
            s->key[i] = at++;
}

static bool room(atg_arena *arena, search *s) {
    size_t n = (size_t)s->l->n_nodes + 1;

    s->first_union = ATG_GET(arena, uint32_t, n + 1);
    s->mate_of = ATG_GET(arena, uint32_t, 2 * (size_t)s->l->n_unions + 1);
    s->key = ATG_GET(arena, double, n);
    s->best_key = ATG_GET(arena, double, n);
    s->wish = ATG_GET(arena, double, n);
    s->weight = ATG_GET(arena, double, n);
    s->block_value = ATG_GET(arena, double, n);
    s->block_weight = ATG_GET(arena, double, n);
    s->block_size = ATG_GET(arena, uint32_t, n);
    s->moved = ATG_GET(arena, bool, n);
    s->l->order = ATG_GET(arena, uint32_t, n);
    s->l->row_start = ATG_GET(arena, uint32_t, (size_t)s->l->n_rows + 1);
    return s->first_union && s->mate_of && s->key && s->best_key && s->wish && s->weight &&
           s->block_value && s->block_weight && s->block_size && s->moved && s->l->order &&
           s->l->row_start;
}

static void index_nodes(search *s) {
    layout *l = s->l;
    uint32_t n = 0;

    for (uint32_t i = 0; i < l->n_nodes; i++) {
        s->first_union[i] = n;
        for (uint32_t u = 0; u < l->n_unions; u++)
            if (l->unions[u].mates[0] == (int32_t)i || l->unions[u].mates[1] == (int32_t)i)
                s->mate_of[n++] = u;
    }
    s->first_union[l->n_nodes] = n;
    n = 0;
    for (uint32_t r = 0; r < l->n_rows; r++) {
        l->row_start[r] = n;
        for (uint32_t i = 0; i < l->n_nodes; i++)
            if (l->nodes[i].row == r)
                l->order[n++] = i;
    }
    l->row_start[l->n_rows] = n;
}

int layout_order(atg_arena *arena, layout *l, atg_err *err) {
    search s = {.l = l};
    double left = INFINITY, right = 0;

    if (!room(arena, &s))
        return atg_fail(err, ATG_ENOMEM, "Out of memory drawing a pedigree");
    index_nodes(&s);
    first_keys(&s);
    find_order(&s);
    for (uint32_t i = 0; i < l->n_nodes; i++)
        left = l->nodes[i].x < left ? l->nodes[i].x : left;
    for (uint32_t i = 0; i < l->n_nodes; i++) {
        l->nodes[i].x += 0.5 - left;
        right = l->nodes[i].x > right ? l->nodes[i].x : right;
    }
    l->width = l->n_nodes ? right + 0.5 : 1;
    return ATG_OK;
}
