/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/scan.h
 * All against all: every body's profile against every compiled missing person.
 *
 * Layout: a missing person's table is kept in fp32.  While scanning, ATG_SCAN_LANES of them at a
 * time become a block laid out [marker][row][lane], so that one profile adds up one contiguous
 * line per marker.  Lines are int16 log10 LRs rounded up, hence an upper bound; whatever passes
 * the bound is scored again in fp32, and the kept set equals the one that a scan in fp32 alone
 * would keep (docs/scan.md has the proof).
 */
#ifndef ATG_SCAN_H
#define ATG_SCAN_H

#include <antigone/base.h>

enum {
    ATG_SCAN_LANES = 64,       /**< Missing persons of one block. */
    ATG_SCAN_BEST_MAX = 1000,  /**< Largest `best`. */
    ATG_SCAN_ROWS_MAX = 65535, /**< Rows of one marker. */
};

/**
 * What to keep.  A pair is kept when its log10 LR reaches the floor, or is among the best K of its
 * body, or among the best K of its missing person; among equal ones the smaller missing person's
 * or body's index comes first.  Pairs whose sexes do not fit, and excluded ones (-INFINITY), are
 * never kept.  The kept set depends on nothing else: not on threads, nor on the machine.
 */
typedef struct atg_scan_options {
    double floor;      /**< Keep every pair with log10 LR at or above it; INFINITY: none. */
    uint32_t best;     /**< K, 0..ATG_SCAN_BEST_MAX. */
    uint32_t threads;  /**< 0: all. */
    bool no_drop;      /**< Add up every marker of every pair (for measuring). */
    bool portable;     /**< Do not use AVX2 although the machine has it. */
    uint64_t max_kept; /**< Pairs at or above the floor to keep; more is ATG_ELIMIT.
                            0: 100 million. */
} atg_scan_options;

typedef struct atg_scan atg_scan;

/**
 * Room for `n_missing` tables, all 0.
 *
 * @param n_markers  0..ATG_MARKERS_MAX.
 * @param n_rows  One per marker: distinct observations, 0..ATG_SCAN_ROWS_MAX; row n_rows[m] means
 *                "not typed".
 */
ATG_API ATG_MUST_USE int atg_scan_new(uint32_t n_markers, const uint32_t *n_rows,
                                      uint32_t n_missing, atg_scan **ret, atg_err *err);

/**
 * Fill ret[m], room for n_rows[m] log10 LRs, with the table of one missing person.
 * @param worker  0 .. threads - 1: calls with the same number never overlap.
 */
typedef int atg_scan_table_fn(void *user, uint32_t worker, uint32_t missing, double **ret,
                              atg_err *err);

/** The same without room for the tables: each is asked for once in every run, when its turn
 *  comes, and forgotten after it.  For operations whose tables would not fit in memory. */
ATG_API ATG_MUST_USE int atg_scan_stream(uint32_t n_markers, const uint32_t *n_rows,
                                         uint32_t n_missing, atg_scan_table_fn *fn, void *user,
                                         atg_scan **ret, atg_err *err);

ATG_API void atg_scan_free(atg_scan *scan);
static inline void atg_scan_freep(atg_scan **p) {
    atg_scan_free(*p);
}

/** Put the table of one missing person in place: table[m][row] log10 LR.  What is above 1e30 counts
 *  as 1e30, what is below -1e30 (or is not a number) as -INFINITY, an exclusion, and what is nearer
 *  to 0 than 1e-12 as 0: it is what rounding leaves of an LR of 1.
 *  May be called from several threads for different missing persons, each once.
 *  Not for a scan made by atg_scan_stream(). */
ATG_API void atg_scan_set(atg_scan *scan, uint32_t missing, const double *const *table);

/** Sexes of the missing persons: n_missing values of enum atg_sex as bytes, copied.  Without this
 *  call all are unknown. */
ATG_API void atg_scan_sexes(atg_scan *scan, const uint8_t *missing_sex);

/** The profiles of the bodies. */
typedef struct atg_scan_bodies {
    uint32_t n;
    const uint16_t *rows; /**< n * n_markers row numbers, body by body. */
    const uint8_t *sex;   /**< n values of enum atg_sex as bytes, or NULL: all unknown. */
} atg_scan_bodies;

typedef struct atg_scan_hit {
    uint32_t body, missing;
    float log10_lr; /**< Sum over the markers typed in the body, in fp32 in marker order. */
} atg_scan_hit;

typedef struct atg_scan_stats {
    uint64_t n_pairs;     /**< Pairs whose sexes fit. */
    uint64_t n_rescored;  /**< Pairs that passed the bound (varies with threads). */
    uint64_t table_bytes; /**< Of the tables kept. */
} atg_scan_stats;

typedef struct atg_scan_result {
    atg_scan_hit *hits; /**< Sorted by body, then falling LR, then missing. */
    uint64_t n;
    atg_scan_stats stats;
} atg_scan_result;

/** Run; give the hits back to atg_scan_hits_free(). */
ATG_API ATG_MUST_USE int atg_scan_run(const atg_scan *scan, const atg_scan_bodies *bodies,
                                      const atg_scan_options *options, const atg_progress *progress,
                                      atg_scan_result *ret, atg_err *err);
ATG_API void atg_scan_hits_free(atg_scan_hit *hits);

#endif
