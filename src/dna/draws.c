/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/draws.h"

#include "base/mem.h"
#include "dna/scan.h"

static const double factorial[DRAWS_REST_MAX + 2] = {1,   1,    2,     6,      24,      120,
                                                     720, 5040, 40320, 362880, 3628800, 39916800};

int draws_open(draws *p, uint32_t n_classes, double mass, const double *base, uint32_t n_rest,
               atg_err *err) {
    size_t cells = ((size_t)1 << n_rest) * n_classes;

    p->n = n_classes;
    p->mass = mass;
    p->base = base;
    p->outer = scan_has_avx2() ? draws_outer_avx2 : draws_outer_portable;
    p->room = mem_alloc((2 * cells + 2 * (size_t)n_classes) * sizeof(double));
    if (!p->room)
        return atg_fail(err, ATG_ENOMEM, "Out of memory summing over theta");
    p->all = p->room;
    p->with = p->all + cells;
    p->left = p->with + cells;
    p->right = p->left + n_classes;
    return ATG_OK;
}

void draws_close(draws *p) {
    mem_free(p->room);
}

static uint32_t size_of(uint32_t set) {
    return (uint32_t)__builtin_popcount(set);
}

/* The products of all subsets, what each is as one block, and the sums over partitions. */
static void prepare(draws *p, const draws_term *t) {
    uint32_t n = p->n, end = 1U << t->n_rest;

    for (uint32_t a = 0; a < n; a++)
        p->all[a] = 1;
    p->z[0] = 1;
    for (uint32_t s = 1; s < end; s++) {
        uint32_t first = s & -s, others = s ^ first;
        const double *f = t->rest[__builtin_ctz(s)], *less = p->all + (size_t)others * n;
        double *all = p->all + (size_t)s * n, sum = 0;

        for (uint32_t a = 0; a < n; a++)
            all[a] = less[a] * f[a];
        for (uint32_t a = 0; a < n; a++)
            sum += p->base[a] * all[a];
        p->block[s] = p->mass * factorial[size_of(s) - 1] * sum;
        p->z[s] = 0;
        for (uint32_t b = others;; b = (b - 1) & others) {
            p->z[s] += p->block[b | first] * p->z[others ^ b];
            if (b == 0)
                break;
        }
    }
}

/* ret[a] += x * p[a]. */
static void add_times(uint32_t n, double x, const double *p, double *restrict ret) {
    for (uint32_t a = 0; a < n; a++)
        ret[a] += x * p[a];
}

/* By the class of a kept draw with vector f: the sum over which of the draws in `set` are in its
 * block. */
static void sum_with(const draws *p, uint32_t set, const double *f, double *restrict ret) {
    uint32_t n = p->n;

    for (uint32_t a = 0; a < n; a++)
        ret[a] = 0;
    for (uint32_t s = set;; s = (s - 1) & set) {
        add_times(n, factorial[size_of(s)] * p->z[set ^ s], p->all + (size_t)s * n, ret);
        if (s == 0)
            break;
    }
    for (uint32_t a = 0; a < n; a++)
        ret[a] *= p->mass * p->base[a] * f[a];
}

/* ret += scale * left right'. */
static void add_outer(uint32_t n, double scale, const double *left, const double *right,
                      double *ret) {
    for (uint32_t a = 0; a < n; a++)
        if (left[a] != 0)
            add_times(n, scale * left[a], right, ret + (size_t)a * n);
}

void draws_outer_portable(uint32_t n, uint32_t n_sets, const double *left, const double *right,
                          double *ret) {
    draws_outer_rows(n, n_sets, left, right, ret);
}

/* Two kept draws, in two blocks or in one. */
static void add_both(draws *p, const draws_term *t, double scale, double *ret) {
    uint32_t n = p->n, end = 1U << t->n_rest, set = end - 1;

    for (uint32_t s = 0; s < end; s++)
        sum_with(p, s, t->kept[1], p->with + (size_t)s * n);
    for (uint32_t s = 0; s < end; s++) {
        double *all = p->all + (size_t)s * n;
        double one = scale * factorial[size_of(s)] * p->mass;
        double both = scale * p->mass * factorial[size_of(s) + 1] * p->z[set ^ s];

        for (uint32_t a = 0; a < n; a++) {
            double x = p->base[a] * t->kept[0][a] * all[a];

            ret[(size_t)a * n + a] += both * x * t->kept[1][a];
            all[a] = one * x; /* the product itself is not needed any more */
        }
    }
    p->outer(n, end, p->all, p->with, ret);
}

void draws_add(draws *p, const draws_term *t, double *ret) {
    uint32_t n = p->n, set = (1U << t->n_rest) - 1, n_drawn = t->n_rest;
    double scale = t->weight;

    for (int k = 0; k < 2; k++)
        n_drawn += t->kept[k] && t->drawn[k];
    for (uint32_t d = 0; d < n_drawn; d++)
        scale /= p->mass + d;
    prepare(p, t);
    if (!t->kept[0]) {
        ret[0] += scale * p->z[set];
        return;
    }
    if (t->kept[1] && t->drawn[0] && t->drawn[1]) {
        add_both(p, t, scale, ret);
        return;
    }

    const double *of[2] = {t->kept[0], t->kept[1]};
    double *room[2] = {p->left, p->right};
    bool any = false;

    for (int k = 0; k < 2; k++)
        if (t->kept[k] && t->drawn[k]) {
            sum_with(p, set, t->kept[k], room[k]);
            of[k] = room[k];
            any = true;
        }
    scale *= any ? 1 : p->z[set];
    if (of[1])
        add_outer(n, scale, of[0], of[1], ret);
    else
        add_times(n, scale, of[0], ret);
}
