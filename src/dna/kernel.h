/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that says what a genotype shows: drop-out, drop-in, silent alleles, partial
 * readings (docs/direct.md derives it). */
#ifndef ATG_DNA_KERNEL_H
#define ATG_DNA_KERNEL_H

#include <antigone/dna.h>

/*
 * P(observation | true unordered genotype a/b); b = ATG_ALLELE_UNREAD: one copy only (a man at an
 * X marker).  1 for an observation of nothing.
 *
 * Every copy drops out with probability d by itself (a homozygote has two), silent copies are never
 * seen, and with probability c one more allele, distributed as marker->freqs, comes in.  The set of
 * alleles that is left is what was seen: {x} is written x/x, {x, y} is x/y.  With w(S) the
 * probability that S is left of the genotype and s the silent allele,
 *
 *   P(x/x) = (1 - c) w{x} + c (w{x} (p_x + p_s) + w{} p_x)
 *   P(x/y) = (1 - c) w{x,y} + c (w{x,y} (p_x + p_y + p_s) + w{x} p_y + w{y} p_x).
 *
 * Nothing seen, and three alleles seen, are not observations; with them the sum over observations
 * is 1.  "x/-" says that the laboratory has allowed for drop-out already: 1 when x is in the
 * genotype, else c p_x.
 *
 * It reads `freqs` and `silent` of the marker only, and of a and b only which of {x, y, silent}
 * they are and, for others, nothing more: the other alleles may be lumped.
 */
double kernel_prob(const atg_marker *marker, atg_obs obs, int a, int b);

static inline bool geno_same(atg_geno x, atg_geno y) {
    return (x.a == y.a && x.b == y.b) || (x.a == y.b && x.b == y.a);
}

/* Read in full, with nothing left to chance. */
static inline bool obs_certain(atg_obs o) {
    return o.geno.b >= 0 && o.dropout <= 0 && o.dropin <= 0;
}

#endif
