/* SPDX-License-Identifier: Apache-2.0 */
/* A likelihood with theta, by what came down from whom.  Given which of a parent's two alleles each
 * meiosis passed on, and which allele of a typed heterozygote came from whom, the alleles of a
 * pedigree stand in trees, one below each allele drawn from the pool (Lander & Green 1987 go
 * through the same inheritance vectors).  A draw's vector is what its tree shows; dna/draws.h sums
 * over which draws are one allele.  Draws that nothing seen came down from take no part. */
#ifndef ATG_DNA_DESCENT_H
#define ATG_DNA_DESCENT_H

#include "dna/peel.h"

enum {
    DESCENT_BITS_MAX = 14,
    DESCENT_OPEN_MAX = 48, /* persons whose genotype is not known */
    DESCENT_CHAIN_MAX = 6, /* generations above a kept person */
};

/* An allele of a person whose genotype is not known: where it comes from. */
typedef struct descent_slot {
    uint32_t person;
    bool used, founder;
    bool settled;  /* the parent's genotype is known */
    uint8_t sex;   /* of the parent: 0 a mother, 1 a father */
    int32_t up[2]; /* the parent's slots: by the bit's value, or both the same */
    int32_t bit;   /* -1: none */
} descent_slot;

/* A known person's allele below a slot. */
typedef struct descent_leaf {
    int32_t up[2]; /* -1: the parent's genotype is known too */
    int32_t bit, phase;
    uint16_t classes[2]; /* by the phase's value */
    uint8_t sex;
    uint32_t parent;
} descent_leaf;

typedef struct descent {
    const peel_input *in;
    uint32_t n_bits, n_switches; /* switches are bits of probability 1/2 */
    uint32_t n_slots, n_leaves, n_draws;
    descent_slot slots[2 * DESCENT_OPEN_MAX]; /* children's before parents' */
    descent_leaf leaves[2 * ATG_PEDIGREE_MAX];
    int32_t kept[2]; /* slots, paternal first; a man's at an X marker: the first; -1: none */
} descent;

/* False where it is not of this form or takes too much: inbred founders, genotypes that are not
 * known exactly, own samples, too many bits.  A kept person must not be inbred. */
bool descent_plan(const peel_input *in, descent *ret);

/* Roughly the multiplications that it takes. */
double descent_work(const descent *d, bool other);

/* P(everything seen, alleles of the kept person), `ret` of peel_cells() cells.  `n_other` > 0:
 * nobody is kept, and the n_other (1 or 2) further draws are those of one more, unrelated person.
 */
int descent_run(const descent *d, double mass, uint32_t n_other, double *ret, atg_err *err);

#endif
