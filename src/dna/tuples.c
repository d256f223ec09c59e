/* SPDX-License-Identifier: Apache-2.0 */
/* The joint likelihood of a family with several missing persons, tuple by tuple: a search through
 * the places in order, each scored given who is in those before it (tuple_sites.h). */
#include <antigone/dna.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dna/tuple_sites.h"

typedef struct search {
    sites at;
    uint32_t k, n_samples;
    bool *allowed;                    /* k * n_samples, narrowed to pairs that are possible */
    uint32_t place[TUPLE_PLACES_MAX]; /* of the family, in the order of the search */
    bool *used;                       /* per sample */
    double *sums;                     /* per depth: n_samples + 1 values, nobody last */
    int32_t *samples;                 /* result */
    double *log10_lr;
    uint64_t n, cap;
} search;

static int out_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
}

static int make_room(search *s, atg_err *err) {
    uint64_t cap = s->cap ? s->cap * 2 : 256;
    int32_t *samples = mem_grow(s->samples, cap * s->k * sizeof(*samples));

    if (!samples)
        return out_of_memory(err);
    s->samples = samples;

    double *values = mem_grow(s->log10_lr, cap * sizeof(*values));

    if (!values)
        return out_of_memory(err);
    s->log10_lr = values;
    s->cap = cap;
    return ATG_OK;
}

static int emit(search *s, double log10_lr, atg_err *err) {
    if (s->n == ATG_TUPLES_MAX)
        return atg_fail(err, ATG_ELIMIT,
                        "Family %.*s has more than %d possible assignments; enter more relatives "
                        "or raise what is known of sex to narrow them down",
                        ATG_FMT(s->at.family->id), ATG_TUPLES_MAX);

    int rc = s->n == s->cap ? make_room(s, err) : ATG_OK;

    if (rc)
        return rc;
    for (uint32_t d = 0; d < s->k; d++)
        s->samples[s->n * s->k + s->place[d]] = s->at.chosen[d];
    s->log10_lr[s->n++] = log10_lr;
    return ATG_OK;
}

/* May sample i be in this place, or with i = n_samples nobody? */
static bool possible(const search *s, uint32_t depth, const double *sums, uint32_t i) {
    if (!(sums[i] > -INFINITY))
        return false;
    return i == s->n_samples || (!s->used[i] && s->allowed[(size_t)depth * s->n_samples + i]);
}

static bool anybody_left(const search *s, uint32_t depth, const double *sums) {
    for (uint32_t i = 0; i < s->n_samples; i++)
        if (possible(s, depth, sums, i))
            return true;
    return false;
}

/* LR of every sample in place `depth`, given the places before it, and of nobody (last), which is
 * that of the places before alone.  Once no sample is possible the markers left are skipped. */
static int score_place(search *s, uint32_t depth, double before, double *sums, atg_err *err) {
    uint32_t n = s->n_samples;

    for (uint32_t i = 0; i <= n; i++)
        sums[i] = before;
    for (uint32_t t = 0; t < s->at.n && anybody_left(s, depth, sums); t++) {
        site *here = &s->at.list[s->at.order[t]];
        const double *row = NULL;
        int rc = here->silent ? ATG_OK : sites_row(&s->at, here, depth, &row, err);

        if (rc)
            return rc;
        for (uint32_t i = 0; row && i < n; i++)
            sums[i] += row[here->obs_of[i]];
    }
    return ATG_OK;
}

/* A pair that is impossible with everybody else untyped stays so whoever else is put in place. */
static int narrow(search *s, atg_err *err) {
    uint32_t n = s->n_samples;

    for (uint32_t p = 0; p < s->k; p++) {
        int rc = score_place(s, p, 0, s->sums, err);

        if (rc)
            return rc;
        for (uint32_t i = 0; i < n; i++)
            s->allowed[(size_t)p * n + i] &= s->sums[i] > -INFINITY;
    }
    return ATG_OK;
}

static uint32_t n_allowed(const search *s, uint32_t depth) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_samples; i++)
        n += s->allowed[(size_t)depth * s->n_samples + i];
    return n;
}

/* Exchange a place with the next. */
static void swap_places(search *s, uint32_t depth) {
    bool *a = s->allowed + (size_t)depth * s->n_samples, *b = a + s->n_samples;
    uint32_t place = s->place[depth];

    s->place[depth] = s->place[depth + 1];
    s->place[depth + 1] = place;
    for (uint32_t i = 0; i < s->n_samples; i++) {
        bool t = a[i];

        a[i] = b[i];
        b[i] = t;
    }
    sites_swap(&s->at, depth);
}

/* The places with the fewest possible samples first: the search stays narrow for longer.  So far
 * rows are known for empty places only, and those hold in any order. */
static void reorder(search *s) {
    for (uint32_t d = 0; d < s->k; d++) {
        uint32_t best = d;

        for (uint32_t e = d + 1; e < s->k; e++)
            if (n_allowed(s, e) < n_allowed(s, best))
                best = e;
        for (; best > d; best--)
            swap_places(s, best - 1);
    }
    sites_settle(&s->at);
}

/* Put sample i, or nobody, in a place, or take whoever is there away; returns whether that is
 * somebody. */
static bool fill(search *s, uint32_t depth, uint32_t i) {
    s->at.chosen[depth] = i < s->n_samples ? (int32_t)i : -1;
    if (i < s->n_samples)
        s->used[i] = true;
    return i < s->n_samples;
}

static bool clear(search *s, uint32_t depth) {
    int32_t i = s->at.chosen[depth];

    if (i >= 0)
        s->used[i] = false;
    return i >= 0;
}

/* Not recursive: at each depth `next` walks through the samples, then nobody. */
static int run(search *s, atg_err *err) {
    uint32_t next[TUPLE_PLACES_MAX] = {0}, depth = 0, n = s->n_samples, filled = 0;
    int rc = score_place(s, 0, 0, s->sums, err);

    while (!rc) {
        double *sums = s->sums + (size_t)depth * (n + 1);
        uint32_t i = next[depth];

        while (i <= n && !possible(s, depth, sums, i))
            i++;
        next[depth] = i + 1;
        if (i > n) {
            if (depth == 0)
                break;
            filled -= clear(s, --depth);
        } else if (depth + 1 < s->k) {
            filled += fill(s, depth, i);
            next[++depth] = 0;
            rc = score_place(s, depth, sums[i], sums + n + 1, err);
        } else if (filled || i < n) {
            s->at.chosen[depth] = i < n ? (int32_t)i : -1;
            rc = emit(s, sums[i], err);
        }
    }
    return rc;
}

/* Samples rising place by place, nobody last. */
static int compare(const int32_t *a, const int32_t *b, uint32_t k) {
    for (uint32_t p = 0; p < k; p++)
        if (a[p] != b[p])
            return (uint32_t)a[p] < (uint32_t)b[p] ? -1 : 1;
    return 0;
}

static int in_order(const void *x, const void *y, void *user) {
    const search *s = user;

    return compare(s->samples + *(const uint64_t *)x * s->k,
                   s->samples + *(const uint64_t *)y * s->k, s->k);
}

/* The search goes through the samples in order, so its tuples are unless places were exchanged. */
static bool is_sorted(const search *s) {
    for (uint32_t d = 0; d < s->k; d++)
        if (s->place[d] != d)
            return false;
    return true;
}

static int hand_over(search *s, atg_arena *arena, atg_tuples *ret, atg_err *err) {
    int32_t *samples = ATG_GET(arena, int32_t, s->n * s->k + 1);
    double *values = ATG_GET(arena, double, s->n + 1);
    bool sorted = is_sorted(s) || s->n == 0;
    MEM_AUTO uint64_t *order = sorted ? NULL : mem_alloc(s->n * sizeof(*order));

    if (!samples || !values || (!order && !sorted))
        return atg_fail(err, ATG_ENOMEM, "Out of memory keeping the assignments of a family");
    for (uint64_t i = 0; i < s->n && order; i++)
        order[i] = i;
    if (order)
        qsort_r(order, s->n, sizeof(*order), in_order, s);
    for (uint64_t i = 0; i < s->n; i++) {
        uint64_t from = order ? order[i] : i;

        memcpy(samples + i * s->k, s->samples + from * s->k, s->k * sizeof(*samples));
        values[i] = s->log10_lr[from];
    }
    *ret = (atg_tuples){s->k, s->n, samples, values};
    return ATG_OK;
}

static int search_open(search *s, const atg_operation *op, const atg_family *family,
                       const bool *allowed, atg_err *err) {
    size_t cells = (size_t)family->n_missing * op->n_samples;

    *s = (search){.k = family->n_missing, .n_samples = op->n_samples};
    s->allowed = mem_alloc(cells + 1);
    s->used = mem_zero(op->n_samples + 1, sizeof(bool));
    s->sums = mem_alloc((size_t)(s->k + 1) * (op->n_samples + 1) * sizeof(double));
    if (!s->allowed || !s->used || !s->sums)
        return out_of_memory(err);
    if (allowed)
        memcpy(s->allowed, allowed, cells);
    else
        memset(s->allowed, 1, cells);
    for (uint32_t p = 0; p < s->k && p < TUPLE_PLACES_MAX; p++)
        s->place[p] = p;
    return ATG_OK;
}

static void search_close(search *s) {
    sites_close(&s->at);
    mem_free(s->allowed);
    mem_free(s->used);
    mem_free(s->sums);
    mem_free(s->samples);
    mem_free(s->log10_lr);
}

int atg_family_tuples(atg_arena *arena, const atg_operation *op, uint32_t family,
                      const bool *allowed, bool mutation, atg_tuples *ret, atg_err *err) {
    const atg_family *f = &op->families[family];
    search s;
    int rc = search_open(&s, op, f, allowed, err);

    if (!rc)
        rc = sites_open(&s.at, op, f, s.allowed, mutation, err);
    if (!rc && s.k) {
        rc = narrow(&s, err);
        if (!rc) {
            reorder(&s);
            rc = run(&s, err);
        }
    }
    if (!rc)
        rc = hand_over(&s, arena, ret, err);
    search_close(&s);
    return rc;
}
