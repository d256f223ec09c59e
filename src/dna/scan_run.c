/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/scan.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum { MAX_KEPT = 100000000, WAITING = 64 };

typedef struct pair {
    uint32_t body, lane;
} pair;

/* One worker's room. */
typedef struct work {
    scan_block block;
    scan_tile tile;
    scan_keep *keep;
    double *rows[ATG_MARKERS_MAX]; /* a table that was asked for ... */
    float *tables;                 /* ... and those of the block */
    pair waiting[WAITING];         /* passed the bound, to be scored */
    uint32_t n_waiting;
    uint64_t n_rescored, n_floor;
} work;

typedef struct run {
    const atg_scan *scan;
    const atg_scan_bodies *bodies;
    atg_scan_options options;
    float floor; /* smallest fp32 value to keep */
    scan_kernel *kernel;
    scan_order order;
    uint32_t place[ATG_MARKERS_MAX]; /* of a marker in the order */
    uint32_t *lines;                 /* [body][place in order] */
    uint32_t *missing;               /* in the order of lanes */
    uint32_t *fitting; /* three lists: the bodies that fit a missing person of each sex */
    uint32_t n_fitting[3];
    work *works;
    scan_keep *keeps; /* of each worker */
    uint32_t n_works;
    atomic_uint_fast64_t n_floor; /* pairs at or above the floor so far */
} run;

static void run_clear(run *r) {
    for (uint32_t w = 0; w < r->n_works; w++) {
        scan_keep_clear(&r->keeps[w]);
        mem_free(r->works[w].block.lines);
        mem_free(r->works[w].tables);
        mem_free(r->works[w].rows[0]);
    }
    mem_free(r->works);
    mem_free(r->keeps);
    mem_free(r->lines);
    mem_free(r->missing);
    mem_free(r->fitting);
}

static atg_sex body_sex(const run *r, uint32_t body) {
    return r->bodies->sex ? (atg_sex)r->bodies->sex[body] : ATG_SEX_UNKNOWN;
}

/* fp32, in the order of the markers; the line of an untyped one is 0. */
static float score_pair(const run *r, const work *w, pair p) {
    const float *table = w->block.tables[p.lane];
    const uint32_t *lines = r->lines + (size_t)p.body * r->order.n;
    float sum = 0;

    for (uint32_t m = 0; m < r->order.n; m++)
        sum += table[lines[r->place[m]] / ATG_SCAN_LANES];
    return sum;
}

static int keep_pair(const run *r, work *w, uint32_t body, uint32_t lane, float score,
                     atg_err *err) {
    uint32_t missing = w->block.missing[lane], k = r->options.best;
    scan_keep *keep = w->keep;

    if (!(score > -INFINITY))
        return ATG_OK;
    if (k) {
        scan_best *heap = keep->bodies + (size_t)body * k;

        scan_best_add(heap, &keep->n_bodies[body], k, (scan_best){score, missing});
        if (keep->n_bodies[body] == k)
            keep->body_worst[body] = heap[0];
        scan_best_add(keep->lanes + (size_t)lane * k, &keep->n_lanes[lane], k,
                      (scan_best){score, body});
    }
    if (score < r->floor)
        return ATG_OK;
    w->n_floor++;
    return scan_hits_add(&keep->hits, (atg_scan_hit){body, missing, score}, err);
}

/* Scores first, so that the processor waits for many tables at a time. */
static int keep_pairs(const run *r, work *w, atg_err *err) {
    float scores[WAITING] = {0};
    int rc = ATG_OK;

    for (uint32_t i = 0; i < w->n_waiting; i++)
        scores[i] = score_pair(r, w, w->waiting[i]);
    for (uint32_t i = 0; i < w->n_waiting && !rc; i++)
        rc = keep_pair(r, w, w->waiting[i].body, w->waiting[i].lane, scores[i], err);
    w->n_rescored += w->n_waiting;
    w->n_waiting = 0;
    return rc;
}

static void set_bars(const run *r, work *w) {
    scan_tile *tile = &w->tile;
    const scan_block *block = &w->block;
    uint32_t k = r->options.best;
    int16_t floor = scan_block_bar(block, r->floor, true);

    for (uint32_t l = 0; l < ATG_SCAN_LANES; l++) {
        /* bodies come in rising order: a later one that scores the same is not better */
        float worst = k == 0                     ? INFINITY
                      : w->keep->n_lanes[l] == k ? w->keep->lanes[(size_t)l * k].score
                                                 : -INFINITY;
        int16_t bar = scan_block_bar(block, worst, false);

        tile->lane_bar[l] = (int16_t)(l >= block->n_lanes ? SCAN_TOP : bar < floor ? bar : floor);
    }
    for (uint32_t i = 0; i < tile->n; i++) {
        scan_best worst = w->keep->body_worst[tile->bodies[i]];

        tile->body_bar[i] = scan_block_bar(block, worst.score, worst.id > block->first);
    }
}

static int run_tile(const run *r, work *w, atg_err *err) {
    scan_tile *tile = &w->tile;
    int rc = ATG_OK;

    set_bars(r, w);

    uint32_t n = r->kernel(tile);

    for (uint32_t k = 0; k < n; k++) {
        uint32_t body = tile->bodies[tile->found[k]];
        uint64_t lanes = tile->found_lanes[k] & w->block.fits[body_sex(r, body)];

        for (; lanes && !rc; lanes &= lanes - 1) {
            w->waiting[w->n_waiting++] = (pair){body, (uint32_t)__builtin_ctzll(lanes)};
            if (w->n_waiting == WAITING)
                rc = keep_pairs(r, w, err);
        }
    }
    return rc ? rc : keep_pairs(r, w, err);
}

/* The tables of a block and what holds for all of them. */
static int get_tables(const run *r, uint32_t worker, atg_err *err) {
    const atg_scan *scan = r->scan;
    work *w = &r->works[worker];
    scan_range *all = &w->block.range;

    *all = (scan_range){0};
    for (uint32_t l = 0; l < w->block.n_lanes; l++) {
        uint32_t missing = w->block.missing[l];
        scan_range range;

        if (scan->fn) {
            float *table = w->tables + l * scan->stride;
            int rc = scan->fn(scan->user, worker, missing, w->rows, err);

            if (rc)
                return rc;
            range = scan_set_table(scan, (const double *const *)w->rows, table);
            w->block.tables[l] = table;
        } else {
            range = scan->ranges[missing];
            w->block.tables[l] = scan->tables + missing * scan->stride;
        }
        all->high = fmax(all->high, range.high);
        all->low = fmin(all->low, range.low);
        all->span = fmax(all->span, range.span);
        all->out |= range.out;
    }
    return ATG_OK;
}

/* Lanes are sorted by sex, so most blocks have one and meet the bodies that fit it only. */
static atg_sex block_sex(const run *r, scan_block *block) {
    atg_sex sex = (atg_sex)r->scan->sex[block->missing[0]];

    block->first = UINT32_MAX;
    memset(block->fits, 0, sizeof(block->fits));
    for (uint32_t l = 0; l < block->n_lanes; l++) {
        uint32_t missing = block->missing[l];
        atg_sex own = (atg_sex)r->scan->sex[missing];

        block->first = missing < block->first ? missing : block->first;
        for (atg_sex s = ATG_SEX_UNKNOWN; s <= ATG_SEX_FEMALE; s++)
            block->fits[s] |= (uint64_t)atg_sex_fits(s, own) << l;
        sex = own == sex ? sex : ATG_SEX_UNKNOWN;
    }
    return sex;
}

static int check_limit(run *r, work *w, atg_err *err) {
    uint64_t limit = r->options.max_kept ? r->options.max_kept : MAX_KEPT;
    uint64_t n = atomic_fetch_add(&r->n_floor, w->n_floor) + w->n_floor;

    w->n_floor = 0;
    if (n <= limit)
        return ATG_OK;
    return atg_fail(err, ATG_ELIMIT,
                    "More than %llu pairs have a log10 LR of %g or more; raise the floor",
                    (unsigned long long)limit, r->options.floor);
}

static int run_block(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    run *r = user;
    work *w = &r->works[worker];
    scan_block *block = &w->block;
    uint32_t from = (uint32_t)piece * ATG_SCAN_LANES, left = r->scan->n_missing - from;
    int rc;

    block->missing = r->missing + from;
    block->n_lanes = left < ATG_SCAN_LANES ? left : ATG_SCAN_LANES;
    rc = get_tables(r, worker, err);
    if (rc)
        return rc;
    scan_block_fill(r->scan, &r->order, block);
    memset(w->keep->n_lanes, 0, sizeof(w->keep->n_lanes));

    atg_sex sex = block_sex(r, block);
    const uint32_t *bodies = r->fitting + (size_t)sex * r->bodies->n;

    for (uint32_t at = 0, n = r->n_fitting[sex]; at < n && !rc; at += w->tile.n) {
        uint32_t size = at / 4 > SCAN_TILE_MIN ? at / 4 : SCAN_TILE_MIN;

        size = size < SCAN_TILE ? size : SCAN_TILE;
        w->tile.bodies = bodies + at;
        w->tile.n = size < n - at ? size : n - at;
        rc = run_tile(r, w, err);
        if (!rc)
            rc = check_limit(r, w, err);
    }
    for (uint32_t l = 0; l < block->n_lanes; l++)
        for (uint32_t i = 0; i < w->keep->n_lanes[l] && !rc; i++) {
            scan_best x = w->keep->lanes[(size_t)l * r->options.best + i];

            rc = scan_hits_add(&w->keep->hits, (atg_scan_hit){x.id, block->missing[l], x.score},
                               err);
        }
    return rc;
}

static int check_input(const run *r, atg_err *err) {
    const atg_scan *scan = r->scan;
    const uint16_t *rows = r->bodies->rows;

    if (isnan(r->options.floor))
        return atg_fail(err, ATG_EINVAL, "The floor is not a number");
    if (r->options.best > ATG_SCAN_BEST_MAX)
        return atg_fail(err, ATG_EINVAL, "The best %u were asked for; at most %d can be kept",
                        r->options.best, ATG_SCAN_BEST_MAX);
    for (uint32_t b = 0; b < r->bodies->n; b++) {
        if (body_sex(r, b) > ATG_SEX_FEMALE)
            return atg_fail(err, ATG_EINVAL, "Body %u has no valid sex", b);
        for (uint32_t m = 0; m < scan->n_markers; m++)
            if (*rows++ > scan->offset[m + 1] - scan->offset[m])
                return atg_fail(err, ATG_EINVAL,
                                "Body %u has a row at marker %u that its table "
                                "lacks",
                                b, m);
    }
    return ATG_OK;
}

static uint64_t count_blocks(const atg_scan *scan) {
    return ((uint64_t)scan->n_missing + ATG_SCAN_LANES - 1) / ATG_SCAN_LANES;
}

/* Room for the tables of a block, which are not kept. */
static int prepare_stream(const atg_scan *scan, work *w, atg_err *err) {
    w->tables = mem_zero(ATG_SCAN_LANES * scan->stride + SCAN_BEHIND, sizeof(*w->tables));
    w->rows[0] = mem_alloc((scan_n_rows(scan) + 1) * sizeof(*w->rows[0]));
    if (!w->tables || !w->rows[0])
        return atg_fail(err, ATG_ENOMEM, "Not enough memory for a block of tables");
    for (uint32_t m = 1; m < scan->n_markers; m++)
        w->rows[m] = w->rows[0] + scan->offset[m];
    return ATG_OK;
}

static int prepare_works(run *r, atg_err *err) {
    uint32_t n = parallel_threads(r->options.threads);
    uint64_t n_blocks = count_blocks(r->scan);
    size_t line = sizeof(int16_t) * ATG_SCAN_LANES;

    n = n_blocks < n ? (uint32_t)n_blocks : n;
    r->works = mem_aligned(n * sizeof(*r->works));
    r->keeps = mem_zero(n, sizeof(*r->keeps));
    if (!r->works || !r->keeps)
        return atg_fail(err, ATG_ENOMEM, "Not enough memory for the scan");
    memset(r->works, 0, n * sizeof(*r->works));
    r->n_works = n;
    for (uint32_t i = 0; i < n; i++) {
        work *w = &r->works[i];

        w->keep = &r->keeps[i];
        w->block.lines = mem_aligned(r->scan->stride * line);
        w->tile = (scan_tile){.block = &w->block, .order = &r->order, .lines = r->lines};
        if (!w->block.lines)
            return atg_fail(err, ATG_ENOMEM, "Not enough memory for %u threads; ask for fewer", n);

        int rc = r->scan->fn ? prepare_stream(r->scan, w, err) : ATG_OK;

        if (!rc)
            rc = scan_keep_init(w->keep, r->bodies->n, r->options.best, err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}

static void list_fitting(run *r) {
    for (uint32_t b = 0; b < r->bodies->n; b++)
        for (atg_sex s = ATG_SEX_UNKNOWN; s <= ATG_SEX_FEMALE; s++)
            if (atg_sex_fits(body_sex(r, b), s))
                r->fitting[(size_t)s * r->bodies->n + r->n_fitting[s]++] = b;
}

static void list_lines(run *r) {
    const atg_scan *scan = r->scan;
    uint32_t *line = r->lines, n_rows = (uint32_t)scan_n_rows(scan);

    for (uint32_t b = 0; b < r->bodies->n; b++) {
        const uint16_t *rows = r->bodies->rows + (size_t)b * scan->n_markers;

        for (uint32_t j = 0; j < scan->n_markers; j++) {
            uint32_t m = r->order.marker[j], row = scan->offset[m] + rows[m];

            *line++ = (row < scan->offset[m + 1] ? row : n_rows) * ATG_SCAN_LANES;
        }
    }
}

static int prepare(run *r, atg_err *err) {
    uint32_t n = r->bodies->n;
    double floor = r->options.floor;

    r->floor = floor > FLT_MAX ? INFINITY : floor < -FLT_MAX ? -INFINITY : (float)floor;
    if ((double)r->floor < floor)
        r->floor = nextafterf(r->floor, INFINITY);
    r->kernel = scan_has_avx2() && !r->options.portable ? scan_kernel_avx2 : scan_kernel_portable;
    r->lines = mem_alloc((size_t)n * r->scan->n_markers * sizeof(*r->lines));
    r->missing = mem_alloc(r->scan->n_missing * sizeof(*r->missing));
    r->fitting = mem_alloc(3 * (size_t)n * sizeof(*r->fitting));
    if (!r->lines || !r->missing || !r->fitting)
        return atg_fail(err, ATG_ENOMEM, "Not enough memory for the profiles of %u bodies", n);

    int rc = scan_order_lanes(r->scan, r->missing, err);

    if (!rc)
        rc = scan_order_markers(r->scan, r->bodies, !r->options.no_drop, &r->order, err);
    if (rc)
        return rc;
    for (uint32_t j = 0; j < r->scan->n_markers; j++)
        r->place[r->order.marker[j]] = j;
    list_fitting(r);
    list_lines(r);
    return prepare_works(r, err);
}

static atg_scan_stats statistics(const run *r) {
    atg_scan_stats stats = {.table_bytes =
                                r->scan->n_missing * r->scan->stride * sizeof(*r->scan->tables)};

    for (uint32_t i = 0; i < r->scan->n_missing; i++)
        stats.n_pairs += r->n_fitting[r->scan->sex[i]];
    for (uint32_t w = 0; w < r->n_works; w++)
        stats.n_rescored += r->works[w].n_rescored;
    return stats;
}

int atg_scan_run(const atg_scan *scan, const atg_scan_bodies *bodies,
                 const atg_scan_options *options, const atg_progress *progress,
                 atg_scan_result *ret, atg_err *err) {
    run r = {.scan = scan, .bodies = bodies, .options = *options};
    atg_scan_result result = {0};
    int rc = check_input(&r, err);

    if (!rc)
        rc = prepare(&r, err);
    if (!rc)
        rc = parallel_run(r.n_works, count_blocks(scan), run_block, &r, "compare", progress, err);
    if (!rc)
        rc = scan_keep_join(r.keeps, r.n_works, bodies->n, options, &result, err);
    if (!rc)
        result.stats = statistics(&r);
    run_clear(&r);
    if (!rc)
        *ret = result;
    return rc;
}
