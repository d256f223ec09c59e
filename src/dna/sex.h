/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says of the sex of its donor; always a flag, never a likelihood ratio. */
#ifndef ATG_DNA_SEX_H
#define ATG_DNA_SEX_H

#include <antigone/operation.h>

/* Amelogenin: X and Y, or Y alone, is a man; X/X a woman.  Unknown when it was not typed, when one
 * allele was read, or when X/X may hide a Y that dropped out (dropout > 0). */
atg_sex sex_of_amelogenin(const atg_operation *op, const atg_geno *genos, double dropout);

/* The first X marker with two alleles: not a man's, and -1 if there is none. */
int sex_two_x(const atg_operation *op, const atg_geno *genos);

/* The first Y marker that was typed: not a woman's, and -1 if there is none. */
int sex_has_y(const atg_operation *op, const atg_geno *genos);

/* Does the profile contradict the recorded sex?  `why`, unless NULL, gets the reasons without a
 * final stop. */
bool sex_contradicts(const atg_operation *op, const atg_sample *s, atg_buf *why);

const char *sex_word(atg_sex sex); /* "male", "female", "unknown" */

#endif
