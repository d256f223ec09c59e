/* SPDX-License-Identifier: Apache-2.0 */
/* Autosomal and X-chromosomal STRs by pedigree likelihood. */
#include <antigone/direct.h>

#include <math.h>
#include <stdio.h>

#include "match/lines.h"

/* Within ten times either way the DNA says little; ten times itself does not, rounded or not. */
static const double says_little = 1 - 1e-8;

static int compile_nothing(atg_arena *arena, const atg_operation *op, uint32_t missing, void **ret,
                           atg_err *err) {
    (void)arena;
    if (missing >= op->n_missing)
        return atg_fail(err, ATG_EINVAL, "There is no missing person %u", missing);
    *ret = NULL; /* atg_pair_lr makes what it needs; the fast way is the scan */
    return ATG_OK;
}

/* Markers of one kind only. */
static uint32_t keep_kind(const atg_operation *op, atg_chrom chrom, double *per_marker) {
    uint32_t n = 0;

    for (uint32_t m = 0; m < op->n_markers; m++) {
        if (op->markers[m].chrom != chrom)
            per_marker[m] = (double)NAN;
        n += !isnan(per_marker[m]);
    }
    return n;
}

/* "D3S1358, FGA" of the markers at which the value is minus infinity; {NULL, 0}: out of memory. */
static atg_str impossible_at(atg_arena *arena, const atg_operation *op, const double *per_marker) {
    atg_str ret = ATG_STR("");

    for (uint32_t m = 0; m < op->n_markers && ret.p; m++)
        if (!isnan(per_marker[m]) && isinf(per_marker[m]))
            ret = atg_arena_printf(arena, "%.*s%s%.*s", ATG_FMT(ret), ret.n ? ", " : "",
                                   ATG_FMT(op->markers[m].name));
    return ret;
}

/* "12.3" or "10^7.8". */
static void write_times(double log10_lr, char ret[32]) {
    double size = fabs(log10_lr);

    if (size < 4)
        (void)snprintf(ret, 32, "%.3g", pow(10, size));
    else
        (void)snprintf(ret, 32, "10^%.1f", size);
}

/* ", 14 directly with an own sample" where there is one. */
static atg_str directly(atg_arena *arena, uint32_t n_own) {
    return n_own ? atg_arena_printf(arena, ", %u directly with an own sample", n_own) : ATG_STR("");
}

/* Markers that were compared, in all and with an own sample. */
typedef struct numbers {
    uint32_t n, own;
} numbers;

static atg_str reason_of(atg_arena *arena, const atg_operation *op, double log10_lr, numbers n,
                         const double *with, const double *without) {
    atg_str never = impossible_at(arena, op, with), needed = impossible_at(arena, op, without);
    atg_str own = directly(arena, n.own);
    char times[32];

    if (!never.p || !needed.p || !own.p)
        return (atg_str){NULL, 0};
    if (never.n)
        return atg_arena_printf(arena,
                                "Impossible at %.*s even with mutation, of %u compared%.*s, if "
                                "the family is as recorded.",
                                ATG_FMT(never), n.n, ATG_FMT(own));
    write_times(log10_lr, times);
    return atg_arena_printf(arena,
                            "The DNA is %s times %s probable if this is the missing person than if "
                            "unrelated (%u marker%s compared%.*s%s%.*s).",
                            times, log10_lr < 0 ? "less" : "more", n.n, n.n == 1 ? "" : "s",
                            ATG_FMT(own), needed.n ? "; a mutation is needed at " : "",
                            ATG_FMT(needed));
}

static int explain_kind(atg_arena *arena, const atg_operation *op, atg_chrom chrom,
                        uint32_t missing, const atg_sample *sample, atg_evidence *ret,
                        atg_err *err) {
    double with[ATG_MARKERS_MAX], without[ATG_MARKERS_MAX];
    atg_evidence e = {.reason = ATG_STR("No marker was typed both in the sample and in the "
                                        "family.")};
    bool own[ATG_MARKERS_MAX];
    numbers n = {0};
    int rc = lines_table(arena, op, &e.table, err);

    if (!rc)
        rc = atg_pair_lr(op, sample, missing, true, with, err);
    if (!rc)
        rc = atg_pair_lr(op, sample, missing, false, without, err);
    if (rc)
        return rc;
    n.n = keep_kind(op, chrom, with);
    (void)atg_own_compared(op, sample, missing, own);
    for (uint32_t m = 0; m < op->n_markers; m++)
        n.own += own[m] && !isnan(with[m]);
    (void)keep_kind(op, chrom, without);
    if (n.n > 0 && !sample->mixture) {
        e.log10_lr = atg_combine_lr(op, with);
        e.finding = e.log10_lr >= says_little    ? ATG_FINDING_SUPPORTS
                    : e.log10_lr <= -says_little ? ATG_FINDING_CONTRADICTS
                                                 : ATG_FINDING_INCONCLUSIVE;
        e.reason = reason_of(arena, op, e.log10_lr, n, with, without);
    } else if (sample->mixture) {
        e.reason = ATG_STR("A mixture is never compared.");
    }
    e.lower = e.upper = e.log10_lr;
    rc = lines_made(e.reason, err);
    if (!rc)
        *ret = e;
    return rc;
}

static int explain_autosomal(atg_arena *arena, const atg_operation *op, const void *compiled,
                             uint32_t missing, const atg_sample *sample, atg_evidence *ret,
                             atg_err *err) {
    (void)compiled;
    return explain_kind(arena, op, ATG_CHROM_AUTOSOMAL, missing, sample, ret, err);
}

static int explain_x(atg_arena *arena, const atg_operation *op, const void *compiled,
                     uint32_t missing, const atg_sample *sample, atg_evidence *ret, atg_err *err) {
    (void)compiled;
    return explain_kind(arena, op, ATG_CHROM_X, missing, sample, ret, err);
}

const atg_line line_autosomal = {"autosomal STR", ATG_LINE_PRIMARY, INFINITY, compile_nothing,
                                 explain_autosomal};
const atg_line line_x = {"X-STR", ATG_LINE_PRIMARY, INFINITY, compile_nothing, explain_x};
