/* SPDX-License-Identifier: Apache-2.0 */
/* The way to put the tables of a pedigree that costs least, and its sum. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dna/peel_parts.h"

enum { NOTICEABLE = 50000, HEAVY = 4000000, SET_MAX = 3, VARS_MAX = 2 * PEEL_KEEP_MAX + 2 };

/* Build the cheapest way; returns the cells that it takes. */
static double build_well(elim *e, const peel_input *in, uint32_t *vars, uint32_t *n_kept) {
    /* tried where the ways before cost more */
    static const double from[PEEL_MANNERS] = {[PEEL_PLAIN] = NOTICEABLE, [PEEL_BY_KIND] = HEAVY};
    double least = INFINITY;
    uint32_t best = 0, w = 0;

    do {
        double cost;

        *n_kept = peel_build(e, in, (peel_manner)w, vars);
        cost = elim_cost(e, *n_kept, vars);
        if (cost < least) {
            least = cost;
            best = w;
        }
    } while (++w < PEEL_MANNERS && least > from[w]);
    if (best + 1 != w)
        peel_build(e, in, (peel_manner)best, vars);
    return least;
}

/* The number of `tie` that most draws have and that is not set; -1: there is none. */
static int most_tied(const peel_input *in, uint32_t n_draws, const int16_t *set) {
    uint32_t most = 0;
    int ret = -1;

    for (uint32_t d = 0; d < n_draws; d++) {
        uint32_t n = 0;

        for (uint32_t k = 0; k < n_draws; k++)
            n += in->tie[k] == in->tie[d];
        if (set[in->tie[d]] < 0 && peel_watched(in, in->tie[d]) < 0 && n > most) {
            most = n;
            ret = in->tie[d];
        }
    }
    return ret;
}

/* Tied draws to go through class by class, so that no table has to join all that they touch. */
typedef struct chosen {
    uint32_t n;
    int at[SET_MAX];        /* their numbers */
    int16_t set[DRAWS_MAX]; /* as peel_input wants it */
} chosen;

/* As many as it takes, if it is less work than without; `cost` is what that would be. */
static void choose_set(elim *e, const peel_input *in, double cost, chosen *ret) {
    peel_input less = *in;
    uint32_t n_draws = peel_degree(in), vars[VARS_MAX], n_kept;
    double times = 1, now = cost;

    ret->n = 0;
    for (uint32_t i = 0; i < DRAWS_MAX; i++)
        ret->set[i] = -1;
    less.set = ret->set;
    while (ret->n < SET_MAX && now > HEAVY) {
        int next = most_tied(in, n_draws, ret->set);

        if (next < 0)
            break;
        ret->set[next] = 0;
        ret->at[ret->n++] = next;
        times *= in->view->n;
        now = times * build_well(e, &less, vars, &n_kept);
    }
    if (now >= cost && cost < ELIM_TABLE_MAX)
        ret->n = 0;
}

static void add_part(const double *part, size_t cells, double scale, double *ret, bool *any) {
    for (size_t i = 0; i < cells; i++) {
        *any |= part[i] > 0;
        ret[i] += part[i] > 0 ? part[i] * scale : 0;
    }
}

/* The next classes for the chosen draws, or false. */
static bool next_set(chosen *c, uint32_t n_classes) {
    for (uint32_t k = c->n; k-- > 0;) {
        if (++c->set[c->at[k]] < (int16_t)n_classes)
            return true;
        c->set[c->at[k]] = 0;
    }
    return false;
}

/* The sum over all classes of the chosen draws. */
static int run_set(elim *e, const peel_input *in, chosen *c, double *ret, double *ret_log,
                   atg_err *err) {
    size_t cells = peel_cells(in);
    MEM_AUTO double *part = mem_alloc(cells * sizeof(*part));
    peel_input one = *in;
    bool any = false;

    if (!part)
        return atg_fail(err, ATG_ENOMEM, "Out of memory computing a likelihood");
    one.set = c->set;
    memset(ret, 0, cells * sizeof(*ret));
    do {
        uint32_t vars[VARS_MAX], n_kept;
        double log;
        int rc;

        build_well(e, &one, vars, &n_kept);
        rc = elim_run(e, n_kept, vars, part, &log, err);
        if (rc)
            return rc;
        *ret_log = any ? *ret_log : log;
        add_part(part, cells, exp(log - *ret_log), ret, &any);
    } while (next_set(c, in->view->n));
    return ATG_OK;
}

int peel_run(elim *e, const peel_input *in, double *ret, double *ret_log, atg_err *err) {
    uint32_t vars[VARS_MAX], n_kept;
    double cost = build_well(e, in, vars, &n_kept);
    chosen c;

    if (!in->tie || cost <= HEAVY)
        return elim_run(e, n_kept, vars, ret, ret_log, err);
    choose_set(e, in, cost, &c);
    if (c.n)
        return run_set(e, in, &c, ret, ret_log, err);
    build_well(e, in, vars, &n_kept);
    return elim_run(e, n_kept, vars, ret, ret_log, err);
}
