/* SPDX-License-Identifier: Apache-2.0 */
/* From pairs to one joint answer (docs/joint.md).
 *
 * Nearly all pairs of a large operation matter to nobody: a body that fits one family a million
 * times better than another is not held back by the other.  Such pairs are not listed as
 * possibilities of their own; their weight goes, together, into "somebody else or nobody", so that
 * nothing is lost from a posterior.  What remains falls into small parts that are solved exactly.
 */
#include "app/identify.h"

#include <antigone/dna.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum { EXACT_BODIES = 20, PLACE_BEST = 10, FAMILY_ARENA_MIB = 1024 };

static const double SMALLEST_SHARE = 1e-9, LARGEST_SHARE = 0.02;

typedef struct joint {
    identify *run;
    double *weight;                     /* per candidate: prior odds times LR used */
    bool *listed;                       /* per candidate */
    double *body_total, *missing_total; /* 1 + sum of weights */
    double *body_else; /* per body: weight of "somebody else or nobody", at least 1 */
    atg_assign_family *families;
    atg_arena *arenas[PARALLEL_MAX];
} joint;

static void joint_close(joint *g) {
    mem_free(g->weight);
    mem_free(g->listed);
    mem_free(g->body_total);
    mem_free(g->missing_total);
    mem_free(g->body_else);
    mem_free(g->families);
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
    if (!g->weight || !g->listed || !g->body_total || !g->body_else || !g->missing_total ||
        !g->families)
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
                  (run->candidates[k].strongest == p->strongest && k < c);
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

/* Tuples come in the order of the search: samples rising, nobody last. */
static int compare_tuples(const int32_t *a, const int32_t *b, uint32_t k) {
    for (uint32_t p = 0; p < k; p++) {
        uint32_t x = (uint32_t)a[p], y = (uint32_t)b[p]; /* nobody is the largest */

        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

/* Position of the tuple with nobody in place p, or UINT64_MAX; *ret_empty when nobody is left. */
static uint64_t without(const atg_tuples *t, uint64_t i, uint32_t p, bool *ret_empty) {
    int32_t key[ATG_PEDIGREE_MAX];
    uint64_t low = 0, high = t->n;

    memcpy(key, t->samples + i * t->n_places, t->n_places * sizeof(*key));
    key[p] = -1;
    *ret_empty = true;
    for (uint32_t q = 0; q < t->n_places; q++)
        *ret_empty &= key[q] < 0;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        int c = compare_tuples(t->samples + mid * t->n_places, key, t->n_places);

        if (c == 0)
            return mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return UINT64_MAX;
}

static double log_sum(double a, double b) {
    return a > b ? a + log1p(exp(b - a)) : b > -INFINITY ? b + log1p(exp(a - b)) : b;
}

/* The tuples of one body in place p and nobody else: their log LR by body. */
static void find_singles(const atg_tuples *t, uint32_t p, const double *log_lr, uint32_t n_samples,
                         double *ret) {
    for (uint32_t i = 0; i < n_samples; i++)
        ret[i] = -INFINITY;
    for (uint64_t i = 0; i < t->n; i++) {
        const int32_t *tuple = t->samples + i * t->n_places;
        bool single = tuple[p] >= 0;

        for (uint32_t q = 0; q < t->n_places; q++)
            single &= q == p || tuple[q] < 0;
        if (single)
            ret[tuple[p]] = log_lr[i];
    }
}

/* Process error for a whole tuple: each sample is with probability e not what its label says, and
 * then says nothing (the numerator), and might come from any of N sources (the denominator). */
static int process_errors(const identify *run, const atg_tuples *t, double *log_lr, atg_err *err) {
    uint32_t n = run->op->n_samples;
    double e = run->op->params.process_error, share = e / n;
    MEM_AUTO double *single = mem_alloc((n + 1) * sizeof(*single));

    if (!single)
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
    for (uint32_t p = 0; p < t->n_places; p++) {
        find_singles(t, p, log_lr, n, single);
        for (uint64_t i = 0; i < t->n; i++) {
            int32_t body = t->samples[i * t->n_places + p];
            bool empty;

            if (body < 0)
                continue;

            uint64_t rest = without(t, i, p, &empty);
            double swapped = empty ? 0 : rest == UINT64_MAX ? -INFINITY : log_lr[rest];

            log_lr[i] = log_sum(log1p(-e) + log_lr[i], log(e) + swapped) -
                        log_sum(log1p(-share), log(share) + single[body]);
        }
    }
    return ATG_OK;
}

static int put_weights(const joint *g, uint32_t family, const atg_tuples *t, atg_arena *arena,
                       atg_err *err) {
    const identify *run = g->run;
    const atg_family *f = &run->op->families[family];
    double *w = ATG_GET(arena, double, t->n + 1);

    if (!w)
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
    for (uint64_t i = 0; i < t->n; i++)
        w[i] = t->log10_lr[i] * M_LN10;
    if (!run->options.raw && run->op->params.process_error > 0) {
        int rc = process_errors(run, t, w, err);

        if (rc)
            return rc;
    }
    for (uint64_t i = 0; i < t->n; i++)
        for (uint32_t p = 0; p < t->n_places; p++) {
            int32_t body = t->samples[i * t->n_places + p];

            if (body >= 0)
                w[i] += log(atg_prior_odds(run->op, (uint32_t)body, f->missing[p]) /
                            g->body_else[body]);
        }
    g->families[family] = (atg_assign_family){.n_missing = f->n_missing,
                                              .missing = f->missing,
                                              .n_tuples = t->n,
                                              .bodies = t->samples,
                                              .log_weight = w};
    return ATG_OK;
}

/* The bodies that may be in a place of this family, as a small operation of their own. */
static int family_tuples(joint *g, uint32_t family, atg_arena *arena, atg_tuples *ret,
                         atg_err *err) {
    const identify *run = g->run;
    const atg_operation *op = run->op;
    const atg_family *f = &op->families[family];
    MEM_AUTO int32_t *local = mem_alloc((op->n_samples + 1) * sizeof(*local));
    uint32_t n = 0;

    if (!local)
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
    memset(local, -1, (op->n_samples + 1) * sizeof(*local));
    for (uint32_t p = 0; p < f->n_missing; p++)
        for (uint64_t c = run->of_missing[f->missing[p]]; c < run->of_missing[f->missing[p] + 1];
             c++)
            if (g->listed[c] && local[run->candidates[c].body] < 0)
                local[run->candidates[c].body] = 0;
    for (uint32_t i = 0; i < op->n_samples; i++)
        if (local[i] >= 0)
            local[i] = (int32_t)n++;

    atg_sample *samples = ATG_GET(arena, atg_sample, n + 1);
    uint32_t *global = ATG_GET(arena, uint32_t, n + 1);
    bool *allowed = ATG_GET(arena, bool, (size_t)n * f->n_missing + 1);
    atg_operation few = *op;

    if (!samples || !global || !allowed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
    for (uint32_t i = 0; i < op->n_samples; i++)
        if (local[i] >= 0) {
            samples[local[i]] = op->samples[i];
            global[local[i]] = i;
        }
    for (uint32_t p = 0; p < f->n_missing; p++)
        for (uint64_t c = run->of_missing[f->missing[p]]; c < run->of_missing[f->missing[p] + 1];
             c++)
            if (g->listed[c])
                allowed[(size_t)p * n + (uint32_t)local[run->candidates[c].body]] = true;
    few.samples = samples;
    few.n_samples = n;

    int rc = atg_family_tuples(arena, &few, family, allowed, true, ret, err);
    int32_t *bodies = rc ? NULL : (int32_t *)(uintptr_t)ret->samples;

    for (uint64_t i = 0; !rc && i < ret->n * ret->n_places; i++)
        bodies[i] = bodies[i] < 0 ? -1 : (int32_t)global[bodies[i]];
    return rc;
}

static int solve_family(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    joint *g = user;
    atg_tuples tuples;

    if (g->run->op->families[piece].n_missing == 0)
        return ATG_OK;
    if (!g->arenas[worker])
        g->arenas[worker] = atg_arena_new((size_t)FAMILY_ARENA_MIB << 20);
    if (!g->arenas[worker])
        return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");

    int rc = family_tuples(g, (uint32_t)piece, g->arenas[worker], &tuples, err);

    return rc ? rc : put_weights(g, (uint32_t)piece, &tuples, g->arenas[worker], err);
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
                                  .threads = run->options.threads},
            run->progress, &run->assign, err);
    joint_close(g);
    mem_free(g);
    return rc;
}
