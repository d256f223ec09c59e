/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/operation.h
 * An operation as plain records: the dead, the families of the missing, and the parameters under
 * which they are compared.  No I/O here; readers are in antigone/formats.h.
 */
#ifndef ATG_OPERATION_H
#define ATG_OPERATION_H

#include <antigone/pedigree.h>

/** One typed sample of remains, or of staff in the elimination list. */
typedef struct atg_sample {
    atg_str id;
    atg_str body; /**< Samples of one body carry the same text; empty: a body of its own. */
    atg_sex sex;  /**< As found at the examination; unknown is unknown. */
    const atg_geno *genos; /**< One per marker of the operation. */
    double dropout, dropin;
    bool mixture; /**< Declared a mixture by the laboratory: never compared. */
    bool part;    /**< A part of a body rather than a whole body. */
    atg_mt mt;
} atg_sample;

typedef struct atg_missing {
    atg_str id;      /**< Unique in the operation. */
    uint32_t family; /**< Index in families. */
    uint32_t person; /**< Index in that family's pedigree. */
} atg_missing;

/** What a donor agreed to (rule 8): who may receive the profile. */
typedef struct atg_consent {
    uint32_t person;   /**< Index in the pedigree. */
    atg_str recipient; /**< Named recipient. */
    atg_str until;     /**< ISO date; empty: not set. */
} atg_consent;

typedef struct atg_family {
    atg_str id;
    atg_pedigree ped;
    uint32_t n_missing;
    const uint32_t *missing; /**< Indices in the operation's list of missing. */
    uint32_t n_consents;
    const atg_consent *consents;
} atg_family;

typedef enum atg_prior_kind {
    ATG_PRIOR_FLAT = 0, /**< Every one-to-one assignment alike, "nobody" included. */
    ATG_PRIOR_CLOSED,   /**< A manifest: a body is each of the N missing with probability 1 / N. */
    ATG_PRIOR_OPEN,     /**< With probability `not_on_list` a body is nobody on the list. */
} atg_prior_kind;

/** The odds that a pair gets before any evidence, against "this body is nobody on the list":
 *  flat 1; closed 1 / (N - 1) (1 at N = 1); open (1 - q) / (q N) with q = not_on_list.
 *  `given`, if set, overrides: n_samples * n_missing odds, row by row. */
typedef struct atg_prior {
    atg_prior_kind kind;
    double not_on_list;  /**< Open: in (0, 1). */
    uint32_t n_expected; /**< N; 0: the number of missing in the operation. */
    const double *given;
} atg_prior;

typedef struct atg_params {
    atg_str population;    /**< Named by the operation; never a default. */
    atg_str source;        /**< Where the frequencies come from. */
    double theta;          /**< In [0, 0.5]. */
    double min_freq;       /**< For alleles that the table lacks; 0: not named. */
    uint32_t n_population; /**< Persons in the table; 0 unknown. */
    double process_error;  /**< Swap rate e per sample, in [0, 0.5). */
    double threshold;      /**< Posterior that "probable" needs; never below 0.9995. */
    double min_log10_lr;   /**< The pair's own LR that "probable" needs. */
    atg_prior prior;
    uint32_t max_incompatible; /**< More incompatible markers than this exclude (default 2). */
} atg_params;

typedef struct atg_operation {
    atg_str name;
    atg_params params;
    uint32_t n_markers;
    const atg_marker *markers;
    uint32_t n_samples;
    const atg_sample *samples; /**< Ids unique. */
    uint32_t n_families;
    const atg_family *families; /**< Ids unique. */
    uint32_t n_missing;
    const atg_missing *missing;
    uint32_t n_staff;
    const atg_sample *staff;
} atg_operation;

/** Parameters of an operation that names nothing: theta 0, no process error, threshold 0.9995,
 *  min_log10_lr 4, flat prior, population empty, max_incompatible 2. */
ATG_API atg_params atg_params_default(void);

/** Every rule of this header and the pedigrees'; the sentence names the record.  ATG_ENOMEM: not
 *  checked. */
ATG_API ATG_MUST_USE int atg_operation_check(const atg_operation *op, atg_err *err);

/** Prior odds of a pair as defined at atg_prior. */
ATG_API double atg_prior_odds(const atg_operation *op, uint32_t sample, uint32_t missing);

/** Index of the marker with this name or an alias of it, or -1. */
ATG_API int atg_operation_marker(const atg_operation *op, atg_str name);

/** May this person's profile be written for `recipient` (rule 8)?  Only with a consent that names
 *  the recipient; NULL means "stays with this operation" and is always allowed. */
ATG_API bool atg_consent_given(const atg_family *family, uint32_t person, const char *recipient);

/** May a body of sex `body` be a missing person of sex `missing`?  Unknown fits both. */
static inline bool atg_sex_fits(atg_sex body, atg_sex missing) {
    return body == ATG_SEX_UNKNOWN || missing == ATG_SEX_UNKNOWN || body == missing;
}

#endif
