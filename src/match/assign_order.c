/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_order.h"

#include <math.h>
#include <string.h>

#include "match/assign_table.h"

enum { IMPROVE_BLOCKS = 32, IMPROVE_PASSES = 4 };

double order_log2_sets(uint32_t n, uint32_t k) {
    double term = 1, sum = 1;

    if (k >= n)
        return n;
    for (uint32_t i = 0; i < k && sum < 1e300; i++) {
        term *= (double)(n - i) / (i + 1);
        sum += term;
    }
    return fmin(log2(sum), n);
}

typedef struct search {
    const order_graph *g;
    uint32_t *first, *user; /* thing -> blocks */
    uint32_t *left;         /* per thing: blocks not yet taken */
    uint32_t *total;        /* per thing: blocks */
    unsigned char *taken;   /* per block */
    uint32_t *fringe;       /* blocks that share a thing with those taken */
    unsigned char *in_fringe;
    uint32_t n_fringe;
    uint32_t *order;
    uint32_t *width; /* n + 1: things alive at each cut */
    double *cost;    /* n + 1: log2 of the states carried over each cut, from the left */
} search;

static int search_new(search *s, pool *p, const order_graph *g) {
    uint32_t n_uses = g->first[g->n];

    *s = (search){.g = g,
                  .first = POOL_GET(p, uint32_t, (size_t)g->n_things + 1),
                  .user = POOL_GET(p, uint32_t, n_uses),
                  .left = POOL_GET(p, uint32_t, g->n_things),
                  .total = POOL_GET(p, uint32_t, g->n_things),
                  .taken = POOL_GET(p, unsigned char, g->n),
                  .fringe = POOL_GET(p, uint32_t, g->n),
                  .in_fringe = POOL_GET(p, unsigned char, g->n),
                  .order = POOL_GET(p, uint32_t, g->n),
                  .width = POOL_GET(p, uint32_t, (size_t)g->n + 1),
                  .cost = POOL_GET(p, double, (size_t)g->n + 1)};
    if (!s->first || !s->user || !s->left || !s->total || !s->taken || !s->fringe ||
        !s->in_fringe || !s->order || !s->width || !s->cost)
        return pool_rc(p);
    for (uint32_t i = 0; i < n_uses; i++)
        s->total[g->thing[i]]++;
    for (uint32_t t = 0; t < g->n_things; t++)
        s->first[t + 1] = s->first[t] + s->total[t];
    for (uint32_t b = 0; b < g->n; b++)
        for (uint32_t i = g->first[b]; i < g->first[b + 1]; i++)
            s->user[s->first[g->thing[i]] + s->left[g->thing[i]]++] = b;
    return ATG_OK;
}

static void search_drop(search *s, pool *p) {
    void *all[] = {s->first,  s->user,      s->left,  s->total, s->taken,
                   s->fringe, s->in_fringe, s->order, s->width, s->cost};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        pool_drop(p, all[i]);
}

/* How the number of things alive changes when `b` is taken. */
static int widening(const search *s, uint32_t b) {
    const order_graph *g = s->g;
    int change = 0;

    for (uint32_t i = g->first[b]; i < g->first[b + 1]; i++) {
        uint32_t t = g->thing[i];

        if (s->left[t] == s->total[t])
            change += s->left[t] > 1;
        else
            change -= s->left[t] == 1;
    }
    return change;
}

static void take(search *s, uint32_t b) {
    const order_graph *g = s->g;

    s->taken[b] = 1;
    for (uint32_t i = g->first[b]; i < g->first[b + 1]; i++) {
        uint32_t t = g->thing[i];

        for (uint32_t u = s->first[t]; s->left[t] == s->total[t] && u < s->first[t + 1]; u++) {
            if (!s->in_fringe[s->user[u]]) {
                s->in_fringe[s->user[u]] = 1;
                s->fringe[s->n_fringe++] = s->user[u];
            }
        }
        s->left[t]--;
    }
}

/* The block of the fringe that widens least, the first such; outside the fringe when it is empty
 * (blocks that share nothing). */
static uint32_t next_block(search *s) {
    uint32_t best = UINT32_MAX, n = 0;
    int best_change = 0;

    for (uint32_t i = 0; i < s->n_fringe; i++) {
        uint32_t b = s->fringe[i];

        if (s->taken[b])
            continue;
        s->fringe[n++] = b;

        int change = widening(s, b);

        if (best == UINT32_MAX || change < best_change || (change == best_change && b < best)) {
            best = b;
            best_change = change;
        }
    }
    s->n_fringe = n;
    for (uint32_t b = 0; best == UINT32_MAX; b++)
        if (!s->taken[b])
            best = b;
    return best;
}

static void greedy(search *s, uint32_t start) {
    const order_graph *g = s->g;
    uint32_t b = start;

    memcpy(s->left, s->total, g->n_things * sizeof(*s->left));
    memset(s->taken, 0, g->n);
    memset(s->in_fringe, 0, g->n);
    s->n_fringe = 0;
    s->width[0] = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        if (i)
            b = next_block(s);
        s->order[i] = b;
        s->width[i + 1] = (uint32_t)((int)s->width[i] + widening(s, b));
        take(s, b);
    }
}

/* The number of things alive at each cut of s->order. */
static void measure(search *s) {
    memcpy(s->left, s->total, s->g->n_things * sizeof(*s->left));
    memset(s->taken, 0, s->g->n);
    memset(s->in_fringe, 0, s->g->n);
    s->n_fringe = 0;
    for (uint32_t i = 0; i < s->g->n; i++) {
        s->width[i + 1] = (uint32_t)((int)s->width[i] + widening(s, s->order[i]));
        take(s, s->order[i]);
    }
}

/* Work up to each cut when coming from one end: a bound on the states before each block times its
 * sets. */
static void carry(const search *s, bool backward, double *work) {
    const order_graph *g = s->g;
    double states = 0, product = 0;
    uint32_t places = 0;

    work[backward ? g->n : 0] = 0;
    for (uint32_t k = 0; k < g->n; k++) {
        uint32_t i = backward ? g->n - 1 - k : k;
        uint32_t b = s->order[i];
        uint32_t before = backward ? i + 1 : i, after = backward ? i : i + 1;

        work[after] = work[before] + exp2(fmin(states + g->log2_sets[b], 900));
        product += g->log2_sets[b];
        places += places > UINT32_MAX / 2 ? 0 : g->places[b];
        states = fmin(product, order_log2_sets(s->width[after], places));
    }
}

/* The cut where both ends meet with the least work. */
static double best_cut(search *s, double *right, uint32_t *ret) {
    double best = HUGE_VAL;

    carry(s, false, s->cost);
    carry(s, true, right);
    for (uint32_t i = 0; i <= s->g->n; i++) {
        double cost = s->cost[i] + right[i] + s->width[i] * exp2(s->width[i]);

        if (s->width[i] <= TABLE_DIRECT_BITS && cost < best) {
            best = cost;
            *ret = i;
        }
    }
    return best;
}

typedef struct found {
    uint32_t *order;
    uint32_t middle;
    double cost;
} found;

static bool keep_if_better(search *s, double *right, found *best) {
    uint32_t middle = 0;
    double cost = best_cut(s, right, &middle);

    if (cost >= best->cost)
        return false;
    best->cost = cost;
    best->middle = middle;
    memcpy(best->order, s->order, s->g->n * sizeof(*s->order));
    return true;
}

/* Exchange two blocks as long as that helps: the large ones end up at both ends, where few states
 * meet them. */
static void improve(search *s, double *right, found *best) {
    uint32_t n = s->g->n;
    bool better = true;

    for (uint32_t pass = 0; better && pass < IMPROVE_PASSES; pass++) {
        better = false;
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t j = i + 1; j < n; j++) {
                memcpy(s->order, best->order, n * sizeof(*s->order));
                s->order[i] = best->order[j];
                s->order[j] = best->order[i];
                measure(s);
                better |= keep_if_better(s, right, best);
            }
        }
    }
}

int order_find(pool *p, const order_graph *g, uint32_t starts, uint32_t *order,
               uint32_t *ret_middle, double *ret_cost) {
    search s;
    double *right = NULL;
    found best = {.cost = HUGE_VAL};
    int rc = search_new(&s, p, g);

    if (!rc && !(right = POOL_GET(p, double, (size_t)g->n + 1)))
        rc = p->rc;
    best.order = order;
    if (!rc) {
        uint32_t tries = starts < g->n ? starts : g->n;

        for (uint32_t i = 0; i < tries; i++) {
            greedy(&s, (uint32_t)((uint64_t)i * g->n / tries));
            keep_if_better(&s, right, &best);
        }
        if (starts > 1 && g->n > 2 && g->n <= IMPROVE_BLOCKS)
            improve(&s, right, &best);
        *ret_middle = best.middle;
        *ret_cost = log2(best.cost);
    }
    search_drop(&s, p);
    pool_drop(p, right);
    return rc;
}
