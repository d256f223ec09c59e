/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/scan.h
 * All against all: every body's profile against every compiled missing person.
 *
 * Layout: tables of a block of missing persons lie as [marker][row][lane], so one profile adds up
 * one contiguous line per marker.  Lines are int16 log10 LRs rounded up, hence an upper bound;
 * whatever passes the bound is scored again in fp32, and the kept set equals the one that a scan
 * in fp32 alone would keep.
 */
#ifndef ATG_SCAN_H
#define ATG_SCAN_H

#include <antigone/base.h>

enum { ATG_SCAN_LANES = 64 }; /**< Missing persons of one block. */

typedef struct atg_scan_options {
    double floor;       /**< Keep every pair with log10 LR at or above it. */
    uint32_t best;      /**< Keep the best K of each body and of each missing person (0..1000). */
    uint32_t threads;   /**< 0: all. */
    bool no_drop;       /**< Add up every marker of every pair (for measuring). */
    bool portable;      /**< Do not use AVX2 although the machine has it. */
    uint64_t max_kept;  /**< Pairs above the floor to keep; more is ATG_ELIMIT.  0: 100 million. */
} atg_scan_options;

typedef struct atg_scan atg_scan;

/** @param n_rows  One per marker: distinct observations; row n_rows[m] means "not typed". */
ATG_API ATG_MUST_USE int atg_scan_new(uint32_t n_markers, const uint32_t *n_rows,
                                      uint32_t n_missing, atg_scan **ret, atg_err *err);
ATG_API void atg_scan_free(atg_scan *scan);
static inline void atg_scan_freep(atg_scan **p) {
    atg_scan_free(*p);
}

/** Put the table of one missing person in place: table[m][row] log10 LR, -INFINITY allowed.
 *  May be called from several threads for different missing persons, each once. */
ATG_API void atg_scan_set(atg_scan *scan, uint32_t missing, const double *const *table);

/** Sex of the missing persons and of the bodies: pairs that do not fit are left out.
 *  Arrays of enum atg_sex values as bytes. */
ATG_API void atg_scan_sexes(atg_scan *scan, const uint8_t *missing_sex);

typedef struct atg_scan_hit {
    uint32_t body, missing;
    float log10_lr; /**< Sum over the markers typed in the body, in fp32 in marker order. */
} atg_scan_hit;

typedef struct atg_scan_stats {
    uint64_t n_pairs, n_rescored, n_kept;
    uint64_t table_bytes;
} atg_scan_stats;

/**
 * Run.  @param rows  n_bodies * n_markers row numbers (uint16), body by body.
 * @param body_sex  n_bodies, or NULL.
 * @param ret_hits  Sorted by body, then falling LR, then missing; give back to atg_scan_hits_free.
 */
ATG_API ATG_MUST_USE int atg_scan_run(const atg_scan *scan, uint32_t n_bodies, const uint16_t *rows,
                                      const uint8_t *body_sex, const atg_scan_options *options,
                                      const atg_progress *progress, atg_scan_hit **ret_hits,
                                      uint64_t *ret_n, atg_scan_stats *ret_stats, atg_err *err);
ATG_API void atg_scan_hits_free(atg_scan_hit *hits);

#endif
