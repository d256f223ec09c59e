/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the scan (docs/scan.md): the tables, a block of them in int16, the kernels that add
 * up a block's lines for many bodies, and what is kept. */
#ifndef ATG_DNA_SCAN_H
#define ATG_DNA_SCAN_H

#include <antigone/operation.h>
#include <antigone/scan.h>

enum {
    SCAN_TILE = 256,    /* most bodies of one kernel call */
    SCAN_TILE_MIN = 16, /* fewest, while the bars still move fast */
    SCAN_STRIP = 32,    /* rows that are turned into lines at a time; tables are padded to it */
    SCAN_AHEAD = 4 * SCAN_STRIP, /* rows from which memory is fetched early ... */
    SCAN_BEHIND = SCAN_AHEAD,    /* ... and that lie behind the last table */
    SCAN_TOP = 32766,            /* largest sum in a block */
};

/* What is known of one missing person's table.  Sums run over the markers and take the value 0,
 * that of an untyped marker, along. */
typedef struct scan_range {
    double high, low; /* largest and smallest sum of finite values */
    double span;      /* sum of largest finite absolute values */
    double mean;      /* sum of means over rows, exclusions counted as -4: orders the lanes */
    bool out;         /* there is a -INFINITY */
} scan_range;

struct atg_scan {
    uint32_t n_markers, n_missing;
    uint32_t *offset;   /* n_markers + 1: where each marker's rows begin among all rows */
    float *tables;      /* [missing][stride]; NULL when they are asked for */
    size_t stride;      /* rows of all markers and one of 0, rounded up to SCAN_STRIP */
    scan_range *ranges; /* of each missing; NULL with the tables */
    uint8_t *sex;
    atg_scan_table_fn *fn; /* gives the tables that are not kept */
    void *user;
};

static inline size_t scan_n_rows(const atg_scan *scan) {
    return scan->offset[scan->n_markers];
}

/* Turn one table into fp32 and measure it. */
scan_range scan_set_table(const atg_scan *scan, const double *const *table, float *ret);

/* The markers in the order in which they are added up.  After `check` of them a body is dropped
 * when no lane can pass any more; check == n: never. */
typedef struct scan_order {
    uint32_t n, check;
    uint32_t marker[ATG_MARKERS_MAX];
} scan_order;

/* All missing persons in the order in which they become lanes: by sex, then alike ones together. */
int scan_order_lanes(const atg_scan *scan, uint32_t *ret, atg_err *err);

/* Markers that tell most persons apart come first; `drop` asks for a check. */
int scan_order_markers(const atg_scan *scan, const atg_scan_bodies *bodies, bool drop,
                       scan_order *ret, atg_err *err);

/* Up to ATG_SCAN_LANES missing persons in int16 units of 1 / scale.  A sum begins with `start`.  No
 * sum is above SCAN_TOP, and bars are not below `floor`.  Where there are exclusions, a sum is
 * below `floor` exactly when it has one in it; else `floor` is INT16_MIN, which every sum reaches.
 */
typedef struct scan_block {
    _Alignas(64) int16_t rest[ATG_SCAN_LANES]; /* the most that can be added after the check */
    const uint32_t *missing;
    const float *tables[ATG_SCAN_LANES];
    int16_t *lines;   /* [row, as in tables][lane], 64-byte aligned */
    uint64_t fits[3]; /* by sex of the body: the lanes that fit */
    uint32_t n_lanes;
    uint32_t first;   /* smallest of `missing` */
    scan_range range; /* of all lanes */
    float scale;      /* a power of two */
    int16_t start, floor;
} scan_block;

/* Fill the lines of a block whose lanes and range are set. */
void scan_block_fill(const atg_scan *scan, const scan_order *order, scan_block *block);

/* Smallest sum of a pair that may score above `score`, or with `ties` at it. */
static inline int16_t scan_block_bar(const scan_block *block, float score, bool ties) {
    double x = (double)score * (double)block->scale + block->start, least = block->floor;

    x = x > least ? x : least - 1;
    x = x < SCAN_TOP ? x : SCAN_TOP;

    int32_t down = (int32_t)x;

    down -= down > x;

    int32_t bar = ties && down == x ? down : down + 1;

    return (int16_t)(bar > block->floor ? bar : block->floor);
}

/* One kernel call: some bodies over one block. */
typedef struct scan_tile {
    const scan_block *block;
    const scan_order *order;
    const uint32_t *lines;  /* [body][place in order]: where its line begins in block->lines */
    const uint32_t *bodies; /* n <= SCAN_TILE indices in `lines` */
    uint32_t n;
    _Alignas(64) int16_t lane_bar[ATG_SCAN_LANES]; /* a pair passes from here on ... */
    int16_t body_bar[SCAN_TILE];                   /* ... or from here on */
    uint32_t found[SCAN_TILE];       /* out: places in `bodies` with lanes that pass, rising */
    uint64_t found_lanes[SCAN_TILE]; /* out: those lanes */
} scan_tile;

/* Fill `found` and return how many there are. */
typedef uint32_t scan_kernel(scan_tile *tile);

uint32_t scan_kernel_portable(scan_tile *tile);
uint32_t scan_kernel_avx2(scan_tile *tile);
bool scan_has_avx2(void);

/* The best K of one body or one missing person: a heap with the worst at its root. */
typedef struct scan_best {
    float score;
    uint32_t id; /* the smaller is the better among equal scores */
} scan_best;

static inline bool scan_better(scan_best a, scan_best b) {
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

/* Take `x` in if it is among the best `k`. */
void scan_best_add(scan_best *heap, uint32_t *n, uint32_t k, scan_best x);

/* A growing list of hits. */
typedef struct scan_hits {
    atg_scan_hit *p;
    uint64_t n, room;
} scan_hits;

int scan_hits_add(scan_hits *hits, atg_scan_hit hit, atg_err *err);

/* What one worker keeps. */
typedef struct scan_keep {
    scan_best *bodies;     /* [body][K] */
    uint32_t *n_bodies;    /* entries of each */
    scan_best *body_worst; /* of each full heap its root, else -INFINITY */
    scan_best *lanes;      /* [lane][K] of the block at hand */
    uint32_t n_lanes[ATG_SCAN_LANES];
    scan_hits hits; /* at or above the floor, and the best of each missing person */
} scan_keep;

int scan_keep_init(scan_keep *keep, uint32_t n_bodies, uint32_t best, atg_err *err);
void scan_keep_clear(scan_keep *keep);

/* Join what the workers kept: sorted, each pair once. */
int scan_keep_join(scan_keep *keeps, uint32_t n_keeps, uint32_t n_bodies,
                   const atg_scan_options *options, atg_scan_result *ret, atg_err *err);

#endif
