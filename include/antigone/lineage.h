/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/lineage.h
 * Lineage markers: Y-STR haplotypes and mtDNA.  Leads when alone.
 *
 * A match counts as 1 / p_upper, where p is the share of the haplotype in a database of N with
 * itself counted in, x + 1 of N + 1, and p_upper the upper 95 % limit of Clopper & Pearson (1934);
 * one Y step or one or two mtDNA differences are inconclusive and not exclusions; more contradict.
 */
#ifndef ATG_LINEAGE_H
#define ATG_LINEAGE_H

#include <antigone/line.h>

/** Upper limit of the one-sided Clopper-Pearson interval for x of n at confidence 1 - alpha. */
ATG_API double atg_clopper_pearson_upper(uint64_t x, uint64_t n, double alpha);
/** Lower limit of the same. */
ATG_API double atg_clopper_pearson_lower(uint64_t x, uint64_t n, double alpha);

typedef struct atg_lineage_cmp {
    uint32_t n_compared; /**< Markers, or mtDNA positions read in both. */
    uint32_t n_steps;    /**< Y: sum of repeat steps; mtDNA: differing positions, neighbours that
                              were inserted or deleted together counting once. */
    uint32_t n_differ;   /**< Y: markers that differ. */
} atg_lineage_cmp;

/** Y haplotypes marker by marker (chrom Y), multi-copy markers as unordered sets.  Alleles that no
 *  whole number of repeats connects are two steps apart at least; DYS389II is compared without the
 *  DYS389I in it. */
ATG_API void atg_y_compare(const atg_operation *op, const atg_geno *x, const atg_geno *y,
                           atg_lineage_cmp *ret);

/** mtDNA in the ranges read in both.  Length variants of the poly-C stretches at 303-309,
 *  16184-16193 and 568-573 do not count; a base that is compatible with both (Y with C, T and
 * rCRS's own) is no difference; a small letter is a base that a part of the molecules lacks. */
ATG_API void atg_mt_compare(const atg_mt *x, const atg_mt *y, atg_lineage_cmp *ret);

/**
 * Check and sort a haplotype: differences inside the ranges, known notation, positions 1..16569.
 * A range with from > to crosses the origin; touching ranges are joined; a letter before the
 * position (A263G) must be rCRS's and is dropped.
 * @return ATG_EPARSE with the text and what is wrong with it; ATG_ELIMIT above 64 ranges or 1,024
 *         differences.
 */
ATG_API ATG_MUST_USE int atg_mt_parse(atg_arena *arena, uint32_t n_ranges,
                                      const struct atg_mt_range *ranges, uint32_t n_diffs,
                                      const atg_str *diffs, atg_mt *ret, atg_err *err);

/** Persons of `family` who share the patriline (y) or matriline of `person`, typed ones first in
 *  pedigree order; `ret` has room for the whole pedigree.  Returns their number. */
ATG_API uint32_t atg_lineage_relatives(const atg_operation *op, uint32_t family, uint32_t person,
                                       bool y, uint32_t *ret);

#endif
