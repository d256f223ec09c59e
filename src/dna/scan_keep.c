/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

static void sink(scan_best *heap, uint32_t n, scan_best x) {
    uint32_t i = 0;

    for (uint32_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && scan_better(heap[child], heap[child + 1]))
            child++;
        if (!scan_better(x, heap[child]))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = x;
}

void scan_best_add(scan_best *heap, uint32_t *n, uint32_t k, scan_best x) {
    if (*n == k) {
        if (k && scan_better(x, heap[0]))
            sink(heap, k, x);
        return;
    }

    uint32_t i = (*n)++;

    for (; i && scan_better(heap[(i - 1) / 2], x); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = x;
}

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM,
                    "Not enough memory for the pairs to keep; raise the floor or "
                    "keep fewer of the best");
}

int scan_hits_add(scan_hits *hits, atg_scan_hit hit, atg_err *err) {
    if (hits->n == hits->room) {
        uint64_t room = hits->room ? 2 * hits->room : 1024;
        atg_scan_hit *p = mem_grow(hits->p, room * sizeof(*p));

        if (!p)
            return no_memory(err);
        hits->p = p;
        hits->room = room;
    }
    hits->p[hits->n++] = hit;
    return ATG_OK;
}

int scan_keep_init(scan_keep *keep, uint32_t n_bodies, uint32_t best, atg_err *err) {
    *keep = (scan_keep){
        .bodies = mem_alloc((size_t)n_bodies * best * sizeof(scan_best)),
        .n_bodies = mem_zero(n_bodies, sizeof(uint32_t)),
        .body_worst = mem_alloc(n_bodies * sizeof(scan_best)),
        .lanes = mem_alloc((size_t)ATG_SCAN_LANES * best * sizeof(scan_best)),
    };
    if (!keep->bodies || !keep->n_bodies || !keep->body_worst || !keep->lanes)
        return no_memory(err);
    for (uint32_t b = 0; b < n_bodies; b++)
        keep->body_worst[b] = (scan_best){best ? -INFINITY : INFINITY, UINT32_MAX};
    return ATG_OK;
}

void scan_keep_clear(scan_keep *keep) {
    mem_free(keep->bodies);
    mem_free(keep->n_bodies);
    mem_free(keep->body_worst);
    mem_free(keep->lanes);
    mem_free(keep->hits.p);
    *keep = (scan_keep){0};
}

/* The heaps of one body, joined in that of the first worker. */
static void join_bests(scan_keep *keeps, uint32_t n_keeps, uint32_t body, uint32_t k) {
    scan_best *heap = keeps[0].bodies + (size_t)body * k;

    for (uint32_t w = 1; w < n_keeps; w++) {
        const scan_best *other = keeps[w].bodies + (size_t)body * k;

        for (uint32_t i = 0; i < keeps[w].n_bodies[body]; i++)
            scan_best_add(heap, &keeps[0].n_bodies[body], k, other[i]);
    }
}

static int compare_hits(const void *a, const void *b) {
    const atg_scan_hit *x = a, *y = b;

    if (x->log10_lr != y->log10_lr)
        return x->log10_lr > y->log10_lr ? -1 : 1;
    return (x->missing > y->missing) - (x->missing < y->missing);
}

typedef struct sort_job {
    atg_scan_hit *hits;
    const uint64_t *begin; /* n_bodies + 1 */
    uint64_t *n_left;      /* of each body, after duplicates went */
} sort_job;

static int sort_body(void *user, uint32_t worker, uint64_t body, atg_err *err) {
    sort_job *job = user;
    atg_scan_hit *hits = job->hits + job->begin[body];
    uint64_t n = job->begin[body + 1] - job->begin[body], left = 0;

    (void)worker;
    (void)err;
    if (n)
        qsort(hits, n, sizeof(*hits), compare_hits);
    for (uint64_t i = 0; i < n; i++)
        if (!left || hits[i].missing != hits[left - 1].missing)
            hits[left++] = hits[i];
    job->n_left[body] = left;
    return ATG_OK;
}

/* Hits of the workers' lists and of the bodies' heaps, put where their body's begin. */
static void deal(const scan_keep *keeps, uint32_t n_keeps, uint32_t n_bodies, uint32_t k,
                 uint64_t *next, atg_scan_hit *hits) {
    for (uint32_t w = 0; w < n_keeps; w++)
        for (uint64_t i = 0; i < keeps[w].hits.n; i++) {
            atg_scan_hit hit = keeps[w].hits.p[i];

            hits[next[hit.body]++] = hit;
        }
    for (uint32_t b = 0; b < n_bodies && n_keeps; b++)
        for (uint32_t i = 0; i < keeps[0].n_bodies[b]; i++) {
            scan_best x = keeps[0].bodies[(size_t)b * k + i];

            hits[next[b]++] = (atg_scan_hit){b, x.id, x.score};
        }
}

int scan_keep_join(scan_keep *keeps, uint32_t n_keeps, uint32_t n_bodies,
                   const atg_scan_options *options, atg_scan_result *ret, atg_err *err) {
    MEM_AUTO uint64_t *begin = mem_zero((size_t)n_bodies + 2, sizeof(*begin));
    MEM_AUTO uint64_t *n_left = mem_zero(n_bodies, sizeof(*n_left));

    if (!begin || !n_left)
        return no_memory(err);
    /* begin[b + 2] counts, then begin[b + 1] is where body b's begin, and its end once dealt */
    for (uint32_t w = 0; w < n_keeps; w++)
        for (uint64_t i = 0; i < keeps[w].hits.n; i++)
            begin[keeps[w].hits.p[i].body + 2]++;
    for (uint32_t b = 0; b < n_bodies && n_keeps; b++) {
        join_bests(keeps, n_keeps, b, options->best);
        begin[b + 2] += keeps[0].n_bodies[b];
    }
    for (uint32_t b = 0; b < n_bodies; b++)
        begin[b + 2] += begin[b + 1];

    atg_scan_hit *hits = mem_alloc(begin[n_bodies + 1] * sizeof(*hits));

    if (!hits)
        return no_memory(err);
    deal(keeps, n_keeps, n_bodies, options->best, begin + 1, hits);

    sort_job job = {.hits = hits, .begin = begin, .n_left = n_left};
    int rc = parallel_run(options->threads, n_bodies, sort_body, &job, "sort", NULL, err);

    if (rc) {
        mem_free(hits);
        return rc;
    }

    uint64_t n = 0;

    for (uint32_t b = 0; b < n_bodies; b++) {
        memmove(hits + n, hits + begin[b], n_left[b] * sizeof(*hits));
        n += n_left[b];
    }
    ret->hits = hits;
    ret->n = n;
    return ATG_OK;
}
