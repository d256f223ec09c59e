/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/pedigree.h
 * Genotypes, persons and pedigrees.
 */
#ifndef ATG_PEDIGREE_H
#define ATG_PEDIGREE_H

#include <antigone/marker.h>

enum {
    ATG_PEDIGREE_MAX = 256, /**< Persons of one pedigree. */
    ATG_ALLELE_UNREAD = -1,
};

/**
 * Unordered genotype at one marker, as allele indices.  Untyped: both ATG_ALLELE_UNREAD.
 * One allele read ("15/-"): a is that allele and b is ATG_ALLELE_UNREAD.  A homozygote has the
 * allele twice, and so has a man at an X marker.
 */
typedef struct atg_geno {
    int16_t a, b;
} atg_geno;

#define ATG_UNTYPED ((atg_geno){ATG_ALLELE_UNREAD, ATG_ALLELE_UNREAD})

static inline bool atg_geno_typed(atg_geno g) {
    return g.a != ATG_ALLELE_UNREAD;
}

/**
 * Mitochondrial haplotype as differences to rCRS (NC_012920), inside the ranges that were read.
 * Texts such as "16126C", "263G", "315.1C", "249-" (or "249del"), sorted by position.
 */
typedef struct atg_mt {
    uint32_t n_ranges;
    const struct atg_mt_range {
        uint16_t from, to; /**< 1..16569, from <= to; a range across the origin is two. */
    } * ranges;            /**< Sorted, without overlap; none: not typed. */
    uint32_t n_diffs;
    const atg_str *diffs;
} atg_mt;

/** A missing person's own sample from before: a toothbrush, a stored specimen.  It shows the
 *  genotype that remains of that person show too, by its own drop-out and drop-in. */
typedef struct atg_own {
    atg_str id;
    const atg_geno *genos; /**< One per marker of the operation. */
    double dropout, dropin;
    atg_mt mt;
} atg_own;

enum { ATG_OWN_MAX = 16 }; /**< Own samples of one person. */

typedef struct atg_person {
    atg_str id;
    int32_t father, mother; /**< Indices in the pedigree; both -1 for a founder, else both set. */
    atg_sex sex;
    const atg_geno *genos; /**< One per marker of the operation; NULL when untyped. */
    double dropout;        /**< Probability that an allele drops out, in [0, 1). */
    double dropin;         /**< Probability of an extra allele at a marker, in [0, 1). */
    double inbreeding;     /**< Of a founder, in [0, 1]. */
    atg_mt mt;
    bool implicit; /**< Added by the reader to complete a pair of parents. */
    uint32_t n_own;
    const atg_own *own; /**< Of a missing person, whose `genos` are NULL. */
} atg_person;

/** Persons in any order; nobody is his own ancestor (see atg_pedigree_check). */
typedef struct atg_pedigree {
    uint32_t n;
    const atg_person *persons;
} atg_pedigree;

/** ATG_EINVAL with a sentence that names the person when a rule above is broken: a parent out of
 *  range or of the wrong sex, one parent only, a cycle.  Parents of unknown sex are accepted. */
ATG_API ATG_MUST_USE int atg_pedigree_check(const atg_pedigree *ped, atg_err *err);

/** Index of the person with this id, or -1. */
ATG_API int atg_pedigree_find(const atg_pedigree *ped, atg_str id);

#endif
