/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/marker.h
 * Genetic markers: alleles, their frequencies in one population, and how they mutate.
 *
 * An allele is an index into its marker's table of labels.  Labels are compared as text, so a
 * microvariant such as 9.3 stays exact; `tenths` holds the repeat number in tenths (9.3 is 93)
 * for the models that need steps.  No floating-point value ever takes part in comparing alleles.
 */
#ifndef ATG_MARKER_H
#define ATG_MARKER_H

#include <antigone/base.h>

enum {
    ATG_MARKERS_MAX = 256, /**< Markers of one operation. */
    ATG_ALLELES_MAX = 255, /**< Alleles of one marker, the silent one included. */
    ATG_LABEL_MAX = 31,    /**< Bytes of a marker name or an allele label. */
};

typedef enum atg_sex { ATG_SEX_UNKNOWN = 0, ATG_SEX_MALE, ATG_SEX_FEMALE } atg_sex;

typedef enum atg_chrom {
    ATG_CHROM_AUTOSOMAL = 0,
    ATG_CHROM_X,
    ATG_CHROM_Y,          /**< Part of a haplotype: never multiplied with its neighbours. */
    ATG_CHROM_AMELOGENIN, /**< X and Y as alleles: a flag, never a likelihood ratio. */
} atg_chrom;

/** Mutation models, by the names of Familias and pedmut. */
typedef enum atg_mutation_model {
    ATG_MUT_NONE = 0,
    ATG_MUT_EQUAL,        /**< rate / (n - 1) to every other allele. */
    ATG_MUT_PROPORTIONAL, /**< In proportion to the frequency of the new allele. */
    ATG_MUT_STEPWISE,     /**< rate within a microvariant group by range^|step|, rate2 across. */
    ATG_MUT_ONESTEP,      /**< rate / 2 to each neighbour; all of it at the ends. */
    ATG_MUT_DAWID,        /**< Stationary stepwise of Dawid, Mortera & Pascali (2001). */
    ATG_MUT_CUSTOM,       /**< The matrix as given. */
} atg_mutation_model;

/** Changes that make a model stationary (Simonsson & Mostad 2016). */
typedef enum atg_mutation_transform {
    ATG_MUT_AS_IS = 0,
    ATG_MUT_PM, /**< Familias' stabilisation with unchanged expected mutation rate. */
    ATG_MUT_MH, /**< Metropolis-Hastings, rescaled to the original rate. */
    ATG_MUT_BA, /**< Barker, rescaled to the original rate. */
    ATG_MUT_PR, /**< Proportional reversible, not rescaled. */
} atg_mutation_transform;

typedef struct atg_mutation {
    atg_mutation_model model;
    atg_mutation_transform transform;
    double rate;          /**< In [0, 1]. */
    double rate2;         /**< Stepwise: to other microvariant groups.  In [0, 1]. */
    double range;         /**< Stepwise, Dawid: in (0, 1). */
    const double *matrix; /**< Custom: n * n, row = parental allele, rows sum to 1.  Else NULL. */
} atg_mutation;

/** A mutation model as people write it: "none", "equal:0.001", "proportional:0.001",
 *  "onestep:0.001", "stepwise:0.001:0.00001:0.1" (rate, rate2, range).  False: it is none of
 *  these, and `*ret` is as before. */
ATG_API bool atg_mutation_read(atg_str text, atg_mutation *ret);

typedef struct atg_marker {
    atg_str name;
    atg_chrom chrom;
    uint16_t n;             /**< Number of alleles, at least 1. */
    const atg_str *labels;  /**< n, no label twice. */
    const double *freqs;    /**< n, each > 0; sum 1 but for rounding. */
    const int16_t *tenths;  /**< n; -1 where the label is not a repeat number. */
    int16_t silent;         /**< Index of the silent allele, which no profile shows, or -1. */
    atg_mutation female;    /**< Of a transmission from a mother. */
    atg_mutation male;      /**< Of a transmission from a father. */
    uint16_t linkage_group; /**< X markers of one group are not multiplied; 0 = by itself. */
    int16_t linked_to;      /**< Index of an earlier marker of the same chromosome, or -1; a
                                 marker is in one linked pair at most. */
    double rho;             /**< Recombination fraction to `linked_to`, in [0, 0.5]. */
} atg_marker;

/** Index of the allele with this label, or -1. */
ATG_API int atg_marker_allele(const atg_marker *marker, atg_str label);

/** Read "15" or "9.3" as tenths of a repeat (10..9999), or -1 when it is anything else. */
ATG_API int16_t atg_allele_tenths(atg_str label);

/** The usual spelling of a marker name ("THO1" and "th01" are "TH01", "PENTA_E" is "Penta E");
 *  the name itself when it is not a known alias. */
ATG_API atg_str atg_marker_usual_name(atg_str name);

/** The chromosome that a marker's name tells: amelogenin, DYS and Y-GATA names, DXS and the other
 *  usual X names; autosomal otherwise. */
ATG_API atg_chrom atg_marker_usual_chrom(atg_str name);

/** The same marker under any of its names? */
ATG_API bool atg_marker_same_name(atg_str a, atg_str b);

#endif
