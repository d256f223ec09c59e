/* SPDX-License-Identifier: Apache-2.0 */
/* From pairs to one joint answer (docs/joint.md).
 *
 * Nearly all pairs of a large operation matter to nobody: a body that fits one family a million
 * times better than another is not held back by the other.  Such pairs are not listed as
 * possibilities of their own; their weight goes, together, into "somebody else or nobody", so that
 * nothing is lost from a posterior.  What remains falls into small parts that are solved exactly.
 */
#include "app/identify_joint.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { EXACT_BODIES = 20, PLACE_BEST = 10, FAMILY_ARENA_MIB = 1024 };

static const double SMALLEST_SHARE = 1e-9, LARGEST_SHARE = 0.02;

static void joint_close(joint *g) {
    mem_free(g->weight);
    mem_free(g->listed);
    mem_free(g->body_total);
    mem_free(g->missing_total);
    mem_free(g->body_else);
    mem_free(g->families);
    mem_free(g->in_way);
    for (uint32_t w = 0; w < PARALLEL_MAX; w++)
        atg_arena_free(g->arenas[w]);
}

static int joint_open(joint *g, identify *run, atg_err *err) {
    const atg_operation *op = run->op;

    *g = (joint){.run = run};
    g->weight = mem_alloc((run->n_candidates + 1) * sizeof(*g->weight));
    g->listed = mem_zero(run->n_candidates + 1, sizeof(*g->listed));
    g->body_total = mem_alloc((op->n_samples + 1) * sizeof(double));
    g->body_else = mem_alloc((op->n_samples + 1) * sizeof(double));
    g->missing_total = mem_alloc((op->n_missing + 1) * sizeof(double));
    g->families = mem_zero(op->n_families + 1, sizeof(*g->families));
    g->in_way = mem_zero(op->n_families + 1, sizeof(*g->in_way));
    if (!g->weight || !g->listed || !g->body_total || !g->body_else || !g->missing_total ||
        !g->families || !g->in_way)
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
    return ATG_OK;
}

static void weigh(joint *g) {
    identify *run = g->run;

    for (uint32_t i = 0; i < run->op->n_samples; i++)
        g->body_total[i] = 1;
    for (uint32_t j = 0; j < run->op->n_missing; j++)
        g->missing_total[j] = 1;
    for (uint64_t c = 0; c < run->n_candidates; c++) {
        const candidate *p = &run->candidates[c];

        g->weight[c] = p->log10_lr > -INFINITY ? pow(10, identify_used(run, p->log10_lr)) *
                                                     atg_prior_odds(run->op, p->body, p->missing)
                                               : 0;
        g->body_total[p->body] += g->weight[c];
        g->missing_total[p->missing] += g->weight[c];
    }
}

/* A pair that is weak alone may be strong together with the family's other missing: there the best
 * of each place stay, by their strength with a relative's body in place. */
static bool among_best(const identify *run, uint64_t c) {
    const candidate *p = &run->candidates[c];
    uint32_t better = 0;

    for (uint64_t k = run->of_missing[p->missing]; k < run->of_missing[p->missing + 1]; k++)
        better += run->candidates[k].strongest > p->strongest ||
                  (k < c && run->candidates[k].strongest == p->strongest);
    return better < PLACE_BEST;
}

static bool matters(const joint *g, uint64_t c, double share) {
    const identify *run = g->run;
    const candidate *p = &run->candidates[c];
    bool alone = run->op->families[run->op->missing[p->missing].family].n_missing == 1;

    if (!(atg_prior_odds(run->op, p->body, p->missing) > 0)) /* ruled out by the prior */
        return false;
    if (run->options.raw || (share == 0 && run->op->n_samples <= EXACT_BODIES))
        return p->strongest > -INFINITY;
    if (!alone)
        return p->strongest > 0 && among_best(run, c);
    return g->weight[c] > 0 && g->weight[c] >= share * g->body_total[p->body] &&
           g->weight[c] >= share * g->missing_total[p->missing];
}

static uint32_t root_of(uint32_t *up, uint32_t i) {
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

/* Bodies in the largest part; families hang together. */
static int largest_part(const joint *g, uint32_t *ret, atg_err *err) {
    const identify *run = g->run;
    const atg_operation *op = run->op;
    uint32_t n = op->n_samples + op->n_families;
    MEM_AUTO uint32_t *up = mem_alloc((n + 1) * sizeof(*up));
    MEM_AUTO uint32_t *size = mem_zero(n + 1, sizeof(*size));

    if (!up || !size)
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
    for (uint32_t i = 0; i < n; i++)
        up[i] = i;
    for (uint64_t c = 0; c < run->n_candidates; c++)
        if (g->listed[c])
            up[root_of(up, run->candidates[c].body)] =
                root_of(up, op->n_samples + op->missing[run->candidates[c].missing].family);
    *ret = 0;
    for (uint32_t i = 0; i < op->n_samples; i++) {
        uint32_t now = ++size[root_of(up, i)];

        *ret = now > *ret ? now : *ret;
    }
    return ATG_OK;
}

/* List as many pairs as an exact solution allows. */
static int choose(joint *g, atg_err *err) {
    identify *run = g->run;
    uint32_t largest = 0;
    double share = 0;

    for (;;) {
        int rc;

        for (uint64_t c = 0; c < run->n_candidates; c++)
            g->listed[c] = matters(g, c, share);
        rc = largest_part(g, &largest, err);
        if (rc)
            return rc;
        if (largest <= EXACT_BODIES || run->options.raw || share >= LARGEST_SHARE)
            break;
        share = share == 0 ? SMALLEST_SHARE : fmin(share * 10, LARGEST_SHARE);
    }
    run->least_share = share;
    for (uint32_t i = 0; i < run->op->n_samples; i++)
        g->body_else[i] = 1;
    for (uint64_t c = 0; c < run->n_candidates; c++)
        if (!g->listed[c]) /* as far as the missing person is not taken otherwise */
            g->body_else[run->candidates[c].body] +=
                g->weight[c] / g->missing_total[run->candidates[c].missing];
    return ATG_OK;
}

static int solve_family(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    joint *g = user;

    if (g->run->op->families[piece].n_missing == 0)
        return ATG_OK;
    if (!g->arenas[worker])
        g->arenas[worker] = atg_arena_new((size_t)FAMILY_ARENA_MIB << 20);
    if (!g->arenas[worker])
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");

    return joint_family(g, (uint32_t)piece, g->arenas[worker], err);
}

/* The part of the problem that this family is in: other families with a possible pair there. */
static uint32_t part_around(const joint *g, uint32_t family, atg_assign_family *ret) {
    const identify *run = g->run;
    const uint32_t *part = run->assign.missing_part;
    const atg_family *own = &run->op->families[family];
    uint32_t at = UINT32_MAX, n = 0;

    for (uint32_t p = 0; p < own->n_missing; p++)
        at = part[own->missing[p]] < at ? part[own->missing[p]] : at;
    for (uint32_t f = 0; f < run->op->n_families && at != UINT32_MAX; f++) {
        const atg_assign_family *x = &g->families[f];
        bool inside = false;

        for (uint32_t p = 0; p < x->n_missing; p++)
            inside |= part[x->missing[p]] == at;
        if (inside && f != family)
            ret[n++] = *x;
    }
    return n;
}

/* The least of what one more way gives. */
static int take_least(ways *w, bool first, const atg_assign_result *r, atg_err *err) {
    if (first) {
        w->least = mem_alloc((r->n_pairs + 1) * sizeof(*w->least));
        if (!w->least)
            return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
        memcpy(w->least, r->pairs, r->n_pairs * sizeof(*w->least));
        w->n_least = r->n_pairs;
    }
    for (uint32_t i = 0; i < w->n_least; i++) {
        atg_assign_pair *x = &w->least[i];
        const atg_assign_pair *y = identify_joint_pair(r->n_pairs, r->pairs, x->body, x->missing);

        if (!y || y->posterior < x->posterior) {
            x->posterior = y ? y->posterior : 0;
            x->std_error = y ? y->std_error : 0;
        }
    }
    return ATG_OK;
}

/* The part around a family with several ways is solved in each of them. */
static int solve_ways(joint *g, uint32_t family, atg_assign_family *room, atg_err *err) {
    const atg_operation *op = g->run->op;
    ways *w = &g->run->ways[family];
    uint32_t n = part_around(g, family, room);
    int rc = ATG_OK;

    for (uint32_t k = 0; k < w->n && !rc; k++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)FAMILY_ARENA_MIB << 20);
        atg_assign_problem problem = {op->n_samples, op->n_missing, n + 1, room};
        atg_assign_options options = {.seed = g->run->options.seed,
                                      .threads = parallel_threads(g->run->options.threads)};
        atg_assign_result r;

        if (!arena)
            return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
        room[n] = g->in_way[family].tuples[k];
        rc = atg_assign_solve(arena, &problem, &options, g->run->progress, &r, err);
        if (!rc)
            rc = take_least(w, k == 0, &r, err);
    }
    return rc;
}

static int solve_all_ways(joint *g, atg_err *err) {
    uint32_t n = g->run->op->n_families;
    MEM_AUTO atg_assign_family *room = mem_alloc((n + 1) * sizeof(*room));
    int rc = room ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");

    for (uint32_t f = 0; f < n && !rc; f++)
        if (g->in_way[f].tuples)
            rc = solve_ways(g, f, room, err);
    return rc;
}

int identify_jointly(identify *run, atg_err *err) {
    const atg_operation *op = run->op;
    joint *g = mem_zero(1, sizeof(*g));
    int rc;

    if (!g)
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
    rc = joint_open(g, run, err);
    if (!rc) {
        weigh(g);
        rc = choose(g, err);
    }
    if (!rc)
        rc = parallel_run(run->options.threads, op->n_families, solve_family, g,
                          "comparing families jointly", run->progress, err);
    if (!rc)
        rc = atg_assign_solve(
            run->arena,
            &(atg_assign_problem){op->n_samples, op->n_missing, op->n_families, g->families},
            &(atg_assign_options){.seed = run->options.seed,
                                  .n_top = run->options.n_top,
                                  .threads = parallel_threads(run->options.threads)},
            run->progress, &run->assign, err);
    if (!rc)
        rc = solve_all_ways(g, err);
    joint_close(g);
    mem_free(g);
    return rc;
}
