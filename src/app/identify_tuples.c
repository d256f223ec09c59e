/* SPDX-License-Identifier: Apache-2.0 */
#include "app/identify_joint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/own_samples.h"
#include "base/mem.h"

/* The bodies listed for a family, numbered among themselves. */
typedef struct few {
    uint32_t n;
    uint32_t *body; /* rising */
    atg_sample *samples;
    bool *allowed; /* n_missing * n */
} few;

/* A family's tuples over those bodies, with natural logarithms. */
typedef struct tuples {
    uint32_t n_places;
    uint64_t n;
    const int32_t *samples;
    double *log_lr;
} tuples;

static int short_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory solving jointly");
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
static uint64_t without(const tuples *t, uint64_t i, uint32_t p, bool *ret_empty) {
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
static void find_singles(const tuples *t, uint32_t p, uint32_t n_bodies, double *ret) {
    for (uint32_t i = 0; i < n_bodies; i++)
        ret[i] = -INFINITY;
    for (uint64_t i = 0; i < t->n; i++) {
        const int32_t *tuple = t->samples + i * t->n_places;
        bool single = tuple[p] >= 0;

        for (uint32_t q = 0; q < t->n_places; q++)
            single &= q == p || tuple[q] < 0;
        if (single)
            ret[tuple[p]] = t->log_lr[i];
    }
}

/* Process error for a whole tuple: each sample is with probability e not what its label says, and
 * then says nothing (the numerator), and might come from any of N sources (the denominator). */
static int process_errors(const identify *run, const few *b, tuples *t, atg_err *err) {
    double e = run->op->params.process_error, share = e / run->op->n_samples;
    MEM_AUTO double *single = mem_alloc((b->n + 1) * sizeof(*single));

    if (!single)
        return short_of_memory(err);
    for (uint32_t p = 0; p < t->n_places; p++) {
        find_singles(t, p, b->n, single);
        for (uint64_t i = 0; i < t->n; i++) {
            int32_t body = t->samples[i * t->n_places + p];
            bool empty;

            if (body < 0)
                continue;

            uint64_t rest = without(t, i, p, &empty);
            double swapped = empty ? 0 : rest == UINT64_MAX ? -INFINITY : t->log_lr[rest];

            t->log_lr[i] = log_sum(log1p(-e) + t->log_lr[i], log(e) + swapped) -
                           log_sum(log1p(-share), log(share) + single[body]);
        }
    }
    return ATG_OK;
}

/* Process error, prior odds, and what else each body may be; then the numbers of the bodies in the
 * operation. */
static int put_weights(const joint *g, const atg_family *f, const few *b, tuples *t,
                       atg_arena *arena, atg_assign_family *ret, atg_err *err) {
    const identify *run = g->run;
    uint64_t n = t->n * t->n_places;
    int32_t *bodies = ATG_GET(arena, int32_t, n + 1);
    int rc = bodies ? ATG_OK : short_of_memory(err);

    if (!rc && !run->options.raw && run->op->params.process_error > 0)
        rc = process_errors(run, b, t, err);
    if (rc)
        return rc;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t body = t->samples[i] < 0 ? 0 : b->body[t->samples[i]];

        bodies[i] = t->samples[i] < 0 ? -1 : (int32_t)body;
        if (bodies[i] >= 0)
            t->log_lr[i / t->n_places] += log(
                atg_prior_odds(run->op, body, f->missing[i % t->n_places]) / g->body_else[body]);
    }
    *ret = (atg_assign_family){.n_missing = f->n_missing,
                               .missing = f->missing,
                               .n_tuples = t->n,
                               .bodies = bodies,
                               .log_weight = t->log_lr};
    return ATG_OK;
}

static int by_number(const void *x, const void *y) {
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

    return (a > b) - (a < b);
}

static uint32_t place_of(const few *b, uint32_t body) {
    const uint32_t *at = bsearch(&body, b->body, b->n, sizeof(body), by_number);

    return at ? (uint32_t)(at - b->body) : b->n;
}

static int few_room(const joint *g, const atg_family *f, atg_arena *arena, few *b) {
    const identify *run = g->run;
    uint64_t n = 0;

    for (uint32_t p = 0; p < f->n_missing; p++)
        for (uint64_t c = run->of_missing[f->missing[p]]; c < run->of_missing[f->missing[p] + 1];
             c++)
            n += g->listed[c];
    b->body = ATG_GET(arena, uint32_t, n + 1);
    b->samples = ATG_GET(arena, atg_sample, n + 1);
    b->allowed = ATG_GET(arena, bool, n * f->n_missing + 1);
    return b->body && b->samples && b->allowed ? ATG_OK : ATG_ENOMEM;
}

/* The bodies that may be in a place of this family. */
static int gather(const joint *g, const atg_family *f, atg_arena *arena, few *b) {
    const identify *run = g->run;
    uint32_t n = 0;

    if (few_room(g, f, arena, b))
        return ATG_ENOMEM;
    for (uint32_t p = 0; p < f->n_missing; p++)
        for (uint64_t c = run->of_missing[f->missing[p]]; c < run->of_missing[f->missing[p] + 1];
             c++)
            if (g->listed[c])
                b->body[n++] = run->candidates[c].body;
    if (n)
        qsort(b->body, n, sizeof(*b->body), by_number);
    for (uint32_t i = 0; i < n; i++)
        if (b->n == 0 || b->body[b->n - 1] != b->body[i])
            b->body[b->n++] = b->body[i];
    for (uint32_t i = 0; i < b->n; i++)
        b->samples[i] = run->op->samples[b->body[i]];
    for (uint32_t p = 0; p < f->n_missing; p++)
        for (uint64_t c = run->of_missing[f->missing[p]]; c < run->of_missing[f->missing[p] + 1];
             c++)
            if (g->listed[c])
                b->allowed[(size_t)p * b->n + place_of(b, run->candidates[c].body)] = true;
    return ATG_OK;
}

static int list_tuples(const joint *g, const atg_family *family, const few *b, atg_arena *arena,
                       tuples *ret, atg_err *err) {
    atg_operation op = *g->run->op;
    atg_tuples t;

    op.families = family;
    op.n_families = 1;
    op.samples = b->samples;
    op.n_samples = b->n;

    int rc = atg_family_tuples(arena, &op, 0, b->allowed, true, &t, err);
    double *log_lr = rc ? NULL : ATG_GET(arena, double, t.n + 1);

    if (rc)
        return rc;
    if (!log_lr)
        return short_of_memory(err);
    for (uint64_t i = 0; i < t.n; i++)
        log_lr[i] = t.log10_lr[i] * M_LN10;
    *ret = (tuples){t.n_places, t.n, t.samples, log_lr};
    return ATG_OK;
}

/* The tuples of both, each with the sum of the two LRs. */
static int add_tuples(const tuples *x, const tuples *y, atg_arena *arena, tuples *ret,
                      atg_err *err) {
    uint32_t k = x->n_places;
    int32_t *samples = ATG_GET(arena, int32_t, (x->n + y->n) * k + 1);
    double *log_lr = ATG_GET(arena, double, x->n + y->n + 1);
    uint64_t n = 0;

    if (!samples || !log_lr)
        return short_of_memory(err);
    for (uint64_t i = 0, j = 0; i < x->n || j < y->n; n++) {
        int c = i == x->n   ? 1
                : j == y->n ? -1
                            : compare_tuples(x->samples + i * k, y->samples + j * k, k);

        memcpy(samples + n * k, c <= 0 ? x->samples + i * k : y->samples + j * k,
               k * sizeof(*samples));
        log_lr[n] = c < 0   ? x->log_lr[i]
                    : c > 0 ? y->log_lr[j]
                            : log_sum(x->log_lr[i], y->log_lr[j]);
        i += c <= 0;
        j += c >= 0;
    }
    *ret = (tuples){k, n, samples, log_lr};
    return ATG_OK;
}

/* A family with several ways: each, and the mean of the LRs of all. */
static int all_ways(joint *g, uint32_t family, const few *b, atg_arena *arena, tuples *ret,
                    atg_err *err) {
    const ways *w = &g->run->ways[family];
    tuples sum = {.n_places = g->run->op->families[family].n_missing}, t;

    g->in_way[family].tuples = ATG_GET(arena, atg_assign_family, w->n);
    if (!g->in_way[family].tuples)
        return short_of_memory(err);
    for (uint32_t k = 0; k < w->n; k++) {
        int rc = list_tuples(g, &w->family[k], b, arena, &t, err);

        if (!rc)
            rc = add_tuples(&sum, &t, arena, &sum, err);
        if (!rc)
            rc = put_weights(g, &w->family[k], b, &t, arena, &g->in_way[family].tuples[k], err);
        if (rc)
            return rc;
    }
    for (uint64_t i = 0; i < sum.n; i++)
        sum.log_lr[i] -= log(w->n);
    *ret = sum;
    return ATG_OK;
}

int joint_family(joint *g, uint32_t family, atg_arena *arena, atg_err *err) {
    const atg_family *f = &g->run->op->families[family];
    few b = {0};
    tuples t;
    int rc = gather(g, f, arena, &b) ? short_of_memory(err) : ATG_OK;

    if (!rc)
        rc = g->run->ways[family].n ? all_ways(g, family, &b, arena, &t, err)
                                    : list_tuples(g, f, &b, arena, &t, err);
    if (!rc)
        rc = put_weights(g, f, &b, &t, arena, &g->families[family], err);
    return rc ? own_blame(f->id, err, rc) : ATG_OK;
}
