/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "face/rank.h"

enum { WAITING = 32, LATER = 4096 };

/* A template that the H do not rule out: one that looks good waits until its L have come from
 * memory, any other until the end, when the cut has risen. */
typedef struct waiting {
    uint32_t slot;
    int32_t sum; /* of H */
    float upper; /* limit of its score by H */
    float scale, fine;
} waiting;

typedef struct later {
    waiting *p; /* LATER of them */
    size_t n;
} later;

/* What a worker needs of its own. */
typedef struct worker {
    face_probe probes[FACE_TOGETHER];
    face_rank ranks[FACE_TOGETHER];
    uint32_t masks[FACE_TOGETHER];
    int32_t sums[FACE_TOGETHER][FACE_GROUP];
    waiting waiting[FACE_TOGETHER][WAITING];
    uint32_t n_waiting[FACE_TOGETHER];
    later later[FACE_TOGETHER];
    uint64_t n_scanned;
} worker;

/* Queries that pass over the gallery together. */
typedef struct batch {
    const face_gallery *g;
    const face_query *queries;
    uint32_t n, best;
    face_kernels kernels;
    float *units;  /* [query][dim] */
    int8_t *codes; /* of each query, see face_encode_probe() */
    uint64_t scopes;
    worker *workers;
} batch;

static int take_low(const batch *b, worker *w, uint32_t q, const waiting *t, atg_err *err) {
    const face_probe *probe = &w->probes[q];
    int32_t low = b->kernels.low(face_row_of(b->g, t->slot), b->g->dim, probe);

    return face_rank_take(b->g, &w->ranks[q], t->slot,
                          face_approximate(probe, t->scale, t->sum, low),
                          face_bound(probe, t->fine), err);
}

static int take_waiting(const batch *b, worker *w, uint32_t q, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < w->n_waiting[q] && !rc; i++)
        rc = take_low(b, w, q, &w->waiting[q][i], err);
    w->n_waiting[q] = 0;
    w->probes[q].cut = w->ranks[q].cut;
    return rc;
}

static void forget_hopeless(later *l, float cut) {
    size_t kept = 0;

    for (size_t i = 0; i < l->n; i++)
        if (l->p[i].upper >= cut)
            l->p[kept++] = l->p[i];
    l->n = kept;
}

/* What was put off and still has a chance. */
static int take_later(const batch *b, worker *w, uint32_t q, atg_err *err) {
    later *l = &w->later[q];
    int rc = ATG_OK;

    forget_hopeless(l, w->ranks[q].cut);
    for (size_t i = 0; i < l->n && !rc; i++) {
        size_t ahead = i + WAITING < l->n ? i + WAITING : l->n - 1;

        __builtin_prefetch(face_row_of(b->g, l->p[ahead].slot));
        rc = take_low(b, w, q, &l->p[i], err);
    }
    l->n = 0;
    return rc;
}

/* So many only that they stay in the cache: when there are more, those left are taken at once. */
static int put_off(const batch *b, worker *w, uint32_t q, waiting t, atg_err *err) {
    later *l = &w->later[q];
    int rc = ATG_OK;

    if (!l->p)
        l->p = mem_alloc(LATER * sizeof(*l->p));
    if (!l->p)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the search of a face");
    if (l->n == LATER) {
        forget_hopeless(l, w->ranks[q].cut);
        if (l->n > LATER / 2)
            rc = take_later(b, w, q, err);
    }
    l->p[l->n++] = t;
    return rc;
}

/* The H of this group do not rule all templates out. */
static int take_group(const batch *b, worker *w, uint32_t q, uint32_t first, const face_tail *tail,
                      atg_err *err) {
    const face_probe *probe = &w->probes[q];
    float bound = face_bound(probe, tail->coarse);
    int rc = ATG_OK;

    for (uint32_t mask = w->masks[q]; mask && !rc; mask &= mask - 1) {
        uint32_t t = (uint32_t)__builtin_ctz(mask);
        waiting next = {first + t, w->sums[q][t], 0, tail->scale[t], tail->fine};
        float score = face_coarse(probe, tail->scale[t], next.sum);

        if (next.slot >= b->g->n)
            break;
        next.upper = score + bound;
        if (score < probe->cut) {
            rc = put_off(b, w, q, next, err);
            continue;
        }
        if (w->n_waiting[q] == WAITING)
            rc = take_waiting(b, w, q, err);
        __builtin_prefetch(face_row_of(b->g, next.slot));
        w->waiting[q][w->n_waiting[q]++] = next;
    }
    return rc;
}

static int scan_chunk(void *user, uint32_t index, uint64_t piece, atg_err *err) {
    const batch *b = user;
    worker *w = &b->workers[index];
    uint32_t first = (uint32_t)piece * CHUNK;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < CHUNK_GROUPS && first < b->g->n && !rc; i++, first += FACE_GROUP) {
        const uint8_t *highs = face_highs_of(b->g, first);
        const face_tail *tail = face_tail_at(highs, b->g->dim);
        uint32_t left = b->g->n - first;

        if (!(tail->scopes & b->scopes))
            continue;
        b->kernels.high(highs, b->g->dim, b->n, w->probes, w->masks, w->sums);
        for (uint32_t q = 0; q < b->n && !rc; q++)
            if (w->masks[q])
                rc = take_group(b, w, q, first, tail, err);
        w->n_scanned += (uint64_t)b->n * (left < FACE_GROUP ? left : FACE_GROUP);
    }
    for (uint32_t q = 0; q < b->n && !rc; q++)
        rc = take_waiting(b, w, q, err);
    return rc;
}

static int prepare(batch *b, uint32_t threads, atg_err *err) {
    uint32_t dim = b->g->dim;
    size_t codes = dim + 2 * face_row_size(dim);
    int rc = ATG_OK;

    for (uint32_t q = 0; q < b->n && !rc; q++) {
        rc = face_normalise(dim, b->queries[q].embedding, b->units + (size_t)q * dim, err);
        if (rc)
            break;
        for (uint32_t t = 0; t < threads; t++) {
            face_rank *rank = &b->workers[t].ranks[q];

            face_encode_probe(dim, b->units + (size_t)q * dim, b->codes + q * codes,
                              &b->workers[t].probes[q]);
            b->workers[t].probes[q].cut = -INFINITY;
            rank->best = b->best;
            rank->scopes = b->queries[q].scopes;
            rank->n_least = 0;
            rank->cut = -INFINITY;
            rank->n = 0; /* the room stays */
            b->workers[t].n_waiting[q] = 0;
            b->workers[t].later[q].n = 0;
        }
        b->scopes |= b->queries[q].scopes;
    }
    return rc;
}

static int finish(const batch *b, uint32_t threads, face_result *ret, face_search_stats *stats,
                  atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t q = 0; q < b->n && !rc; q++) {
        face_rank *rank = &b->workers[0].ranks[q];

        for (uint32_t t = 0; t < threads && !rc; t++)
            rc = take_later(b, &b->workers[t], q, err);
        for (uint32_t t = 1; t < threads && !rc; t++)
            rc = face_rank_join(rank, &b->workers[t].ranks[q], err);
        if (!rc)
            ret[q].n =
                face_rank_finish(b->g, rank, &b->queries[q], b->units + (size_t)q * b->g->dim,
                                 ret[q].hits, &stats->n_rescored);
    }
    for (uint32_t t = 0; t < threads; t++) {
        stats->n_scanned += b->workers[t].n_scanned;
        b->workers[t].n_scanned = 0;
    }
    return rc;
}

static int run(batch *b, uint32_t n, const face_query *queries, uint32_t threads, face_result *ret,
               face_search_stats *stats, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t from = 0; from < n && !rc; from += FACE_TOGETHER) {
        b->queries = queries + from;
        b->n = n - from < FACE_TOGETHER ? n - from : FACE_TOGETHER;
        b->scopes = 0;
        rc = prepare(b, threads, err);
        if (!rc)
            rc = parallel_run(threads, (b->g->n + CHUNK - 1) / CHUNK, scan_chunk, b, "faces", NULL,
                              err);
        if (!rc)
            rc = finish(b, threads, ret + from, stats, err);
    }
    return rc;
}

static int check(const face_gallery *g, const face_version *version, uint32_t n,
                 const face_search_options *options, atg_err *err) {
    if (!face_version_same(&g->version, version))
        return atg_fail(err, ATG_EINVAL,
                        "Templates of another model or pipeline cannot be searched in this "
                        "gallery; compute them again from the photographs");
    if (options->best && (options->best < FACE_BEST_MIN || options->best > FACE_BEST_MAX))
        return atg_fail(err, ATG_EINVAL, "%u persons cannot be listed: %d to %d can", options->best,
                        FACE_BEST_MIN, FACE_BEST_MAX);
    if (n > FACE_QUERIES_MAX)
        return atg_fail(err, ATG_ELIMIT, "At most %d faces are searched at once", FACE_QUERIES_MAX);
    return ATG_OK;
}

int face_gallery_search(const face_gallery *g, const face_version *version, uint32_t n,
                        const face_query *queries, const face_search_options *options,
                        face_result *ret, atg_err *err) {
    uint32_t threads = parallel_threads(options->threads);
    size_t size = (size_t)FACE_TOGETHER * g->dim;
    size_t coded = size + (size_t)FACE_TOGETHER * 2 * face_row_size(g->dim);
    MEM_AUTO float *units = mem_alloc(size * sizeof(*units));
    MEM_AUTO int8_t *codes = mem_aligned(coded);
    MEM_AUTO worker *workers = mem_zero(threads, sizeof(*workers));
    face_search_stats stats = {0, 0};
    batch b = {.g = g,
               .best = options->best ? options->best : FACE_BEST_DEFAULT,
               .kernels = face_kernels_choose(options->portable),
               .units = units,
               .codes = codes,
               .workers = workers};
    int rc = check(g, version, n, options, err);

    if (!rc && (!units || !codes || !workers))
        rc = atg_fail(err, ATG_ENOMEM, "Memory is short for the search of a face");
    if (!rc)
        rc = run(&b, n, queries, threads, ret, &stats, err);
    if (units)
        bytes_wipe(units, size * sizeof(*units));
    if (codes)
        bytes_wipe(codes, coded);
    for (uint32_t t = 0; workers && t < threads; t++)
        for (uint32_t q = 0; q < FACE_TOGETHER; q++) {
            face_rank_clear(&workers[t].ranks[q]);
            mem_free(workers[t].later[q].p);
        }
    if (!rc && options->stats)
        *options->stats = stats;
    return rc;
}

const char *face_flag_sentence(uint32_t flag) {
    switch (flag) {
    case FACE_SEX_DIFFERS:
        return "The sex recorded of the missing person is not the one estimated of the dead; the "
               "person stays on the list, because either record can be wrong.";
    case FACE_AGE_DIFFERS:
        return "The age recorded of the missing person lies outside the estimate for the dead; the "
               "person stays on the list, because either record can be wrong.";
    case FACE_WARN_RELATIVES:
        return "Another member of the same family is missing too: relatives look alike, and a face "
               "does not tell siblings or parent and child apart.";
    case FACE_WARN_CHILD:
        return "A child's face changes fast, and networks know few children: a low score says "
               "nothing here, a high one little.";
    default:
        return "";
    }
}
