/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/line.h
 * The contract of a line of evidence (DESIGN section 4).  Every line answers the same question in
 * the same unit: log10 P(PM, AM | same person) - log10 P(PM, AM | unrelated), with a lower and an
 * upper value, the reason in words, the table it used, and whether it can establish an identity.
 */
#ifndef ATG_LINE_H
#define ATG_LINE_H

#include <antigone/operation.h>

typedef enum atg_line_rank {
    ATG_LINE_LEAD = 0, /**< Orders the queue; never establishes an identity, whatever its number. */
    ATG_LINE_PRIMARY,  /**< Can establish one, with two signers and the board. */
} atg_line_rank;

typedef enum atg_finding {
    ATG_FINDING_NONE = 0, /**< Nothing to compare. */
    ATG_FINDING_SUPPORTS,
    ATG_FINDING_INCONCLUSIVE,
    ATG_FINDING_CONTRADICTS,
} atg_finding;

typedef struct atg_evidence {
    atg_finding finding;
    double log10_lr;     /**< Raw.  -INFINITY only from a primary line. */
    double lower, upper; /**< Interval; equal to log10_lr where the line has no sampling error. */
    atg_str reason;      /**< One sentence. */
    atg_str table;       /**< Name and version of the frequencies or calibration used. */
} atg_evidence;

/** A row of the table of lines, which src/match owns. */
typedef struct atg_line {
    const char *name; /**< "autosomal STR", "Y-STR", "mtDNA", ... */
    atg_line_rank rank;
    double ceiling; /**< A lead's |log10 LR| never counts for more than this; INFINITY: none. */
    /** Compile the missing person's side once.  `*ret` belongs to the arena. */
    int (*compile)(atg_arena *arena, const atg_operation *op, uint32_t missing, void **ret,
                   atg_err *err);
    /** Score one sample, with the reason.  `compiled` is what compile() made. */
    int (*explain)(atg_arena *arena, const atg_operation *op, const void *compiled,
                   uint32_t missing, const atg_sample *sample, atg_evidence *ret, atg_err *err);
} atg_line;

/** All lines, in the order in which they are shown.  Lives for ever. */
ATG_API const atg_line *const *atg_lines(uint32_t *ret_n);

#endif
