/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/identification.h
 * The answer of `antigone identify` as plain records: who is who, how strongly, and what is still
 * missing to decide.  Made by atg_identify (app.h), printed by report.h.
 */
#ifndef ATG_IDENTIFICATION_H
#define ATG_IDENTIFICATION_H

#include <antigone/assign.h>
#include <antigone/check.h>
#include <antigone/direct.h>
#include <antigone/line.h>

/** The words an automatic run may use.  "Established" is people's, never the software's. */
typedef enum atg_conclusion {
    ATG_INSUFFICIENT = 0,
    ATG_POSSIBLE,
    ATG_PROBABLE,
    ATG_EXCLUDED,
} atg_conclusion;

ATG_API const char *atg_conclusion_word(atg_conclusion conclusion);

/** One pair worth showing; in operations of up to 60 bodies by 60 missing, every pair whose sexes
 *  fit, so that the exclusion matrix is whole. */
typedef struct atg_pair_result {
    uint32_t body, missing;  /**< Indices in the merged samples and in op->missing. */
    double log10_lr;         /**< Raw pairwise LR of the primary line. */
    double log10_lr_used;    /**< After process error (DESIGN section 4). */
    uint32_t n_markers;      /**< Markers compared. */
    uint32_t n_direct;       /**< Of them with an own sample of the missing person. */
    uint32_t n_incompatible; /**< Impossible without mutation, the family's own left out. */
    double posterior, std_error;
    double log10_glr;
    bool in_best;           /**< Part of the most probable assignment. */
    double least_log10_lr;  /**< With several entries of the family in `remaining` the least LR and
                                 the least posterior of them, on which the pair is concluded; else
                                 log10_lr and posterior. */
    double least_posterior; /**< See above. */
    atg_conclusion conclusion;
    atg_str rule;                /**< The rule that led to it, one sentence. */
    const double *per_marker;    /**< log10 LR, NAN = not compared; one per marker, or NULL. With
                                      several entries in `remaining` those of the least LR. */
    const bool *mutation_needed; /**< One per marker, or NULL. */
    uint32_t n_lines;
    const atg_evidence *lines; /**< In the order of atg_lines(); finding NONE where silent. */
} atg_pair_result;

/** What would settle an undecided file. */
typedef struct atg_next_step {
    bool of_missing;      /**< True: about a missing person; false: about a body. */
    uint32_t index;       /**< In op->missing, or in the merged samples. */
    atg_str text;         /**< One sentence: which test, of whom. */
    double expected_gain; /**< Expected log10 LR when the pair is true, where known; else NAN. */
} atg_next_step;

/** A family that does not fit its pedigree as recorded and does without one relative was compared
 *  and concluded on its remaining relatives; it excludes nobody.  Several entries of one family:
 *  each may be the one: LRs are the means over them, and what is concluded holds for each.  For the
 * geneticist only. */
typedef struct atg_remaining {
    uint32_t family;
    uint32_t person; /**< Left out. */
} atg_remaining;

typedef struct atg_identification {
    const atg_operation *op;     /**< As read. */
    const atg_operation *merged; /**< With bodies as samples; pairs' `body` indexes its samples.
                                      Families that have one entry in `remaining` lack that
                                      relative's profile. */
    uint32_t n_bodies;
    const atg_body *bodies; /**< Refused ones too. */
    uint32_t n_lines;
    const atg_line *const *lines;  /**< The table of lines that pairs' lines follow. */
    const int32_t *body_of_sample; /**< merged sample index -> index in bodies. */
    uint32_t n_checks;
    const atg_family_check *checks; /**< One per family, of all its relatives. */
    uint32_t n_remaining;
    const atg_remaining *remaining; /**< By family, then person. */
    uint32_t n_pairs;
    const atg_pair_result *pairs;             /**< By body, then falling posterior. */
    const double *body_nobody;                /**< Per merged sample. */
    const double *missing_nobody;             /**< Per missing. */
    const atg_conclusion *body_conclusion;    /**< Per merged sample: the strongest word. */
    const atg_conclusion *missing_conclusion; /**< Per missing. */
    atg_assign_result assign;                 /**< Over merged samples and missing. */
    double least_share;   /**< Pairs with a smaller share of their body's weight or of
                               their missing person's were taken together as "somebody
                               else or nobody"; 0: every pair was listed. */
    double n_assignments; /**< Sex-compatible one-to-one assignments; INFINITY above 1e300. */
    uint32_t n_next;
    const atg_next_step *next;
    uint32_t n_related; /**< Bodies alike enough to be each other's relatives. */
    const struct atg_related_bodies {
        uint32_t x, y;    /**< Merged samples. */
        atg_str relation; /**< "parent and child", "full siblings", "same person". */
        double log10_lr;
    } * related;
    double seconds;
    atg_str engine;       /**< Name and version of the program. */
    atg_str input_sha256; /**< Of the input bytes, hex; empty when not read from a file. */
} atg_identification;

#endif
