/* SPDX-License-Identifier: Apache-2.0 */
/* From a score to a log10 LR, measured on closed cases (docs/face.md).  Without a calibration a
 * face says nothing in numbers: 0. */
#ifndef ATG_FACE_CALIBRATE_H
#define ATG_FACE_CALIBRATE_H

#include "face/gallery.h"

enum {
    FACE_CASES_MIN = 30, /* persons with a true pair: see docs/face.md */
    FACE_KNOTS_MAX = 64, /* points of a calibration curve */
    FACE_PAIRS_MAX = 1000000,
};

/* Highest absolute log10 LR of a face: may be lowered, never raised. */
#define FACE_CAP 1.0

/* One comparison whose truth is known: a probe's best score with one person of the gallery. */
typedef struct face_pair {
    float score;
    uint32_t probe, person; /* numbers of persons, 0..n_persons - 1; equal: the same person */
} face_pair;

typedef enum face_method { FACE_LOGISTIC, FACE_PAV } face_method;

/* A point of the curve; between two of them it is straight, outside level. */
typedef struct face_knot {
    double score, log10_lr;
    double lower, upper; /* 95 % interval by bootstrap over persons */
} face_knot;

typedef struct face_calibration {
    face_version version;
    face_method method;
    double cap;                    /* (0, FACE_CAP] */
    uint32_t n_cases, n_others;    /* persons with a true pair; with a false one */
    uint64_t n_true, n_false;      /* pairs */
    double cllr;                   /* cross-validated: persons left out in ten parts */
    double cllr_lower, cllr_upper; /* 95 % interval by bootstrap over persons */
    double cllr_min;               /* after the best monotone recalibration */
    uint32_t n_knots;
    face_knot knots[FACE_KNOTS_MAX];
} face_calibration;

typedef struct face_calibrate_options {
    face_method method;
    double cap;          /* 0: FACE_CAP */
    uint32_t replicates; /* of the bootstrap; 0: 500 */
    uint64_t seed;
    double *lrs; /* NULL, or room for the log10 LR of each pair, as used, by the curve of the other
                    persons: what plots are drawn of; anything after a failure */
} face_calibrate_options;

/* Fit.  ATG_EINVAL with the reason: fewer than FACE_CASES_MIN persons with a true pair or with a
 * false one, scores that are not finite, scores that do not rise with the truth, a cap out of
 * range.  ATG_ELIMIT, ATG_ENOMEM. */
int face_calibrate(const face_version *version, uint32_t n_persons, uint64_t n,
                   const face_pair *pairs, const face_calibrate_options *options,
                   face_calibration *ret, atg_err *err);

typedef struct face_lr {
    bool calibrated; /* false: "not calibrated", and all is 0 */
    double log10_lr, lower, upper;
} face_lr;

/* What a score weighs.  `calibration` may be NULL.  One of another version does not count, and the
 * result is "not calibrated".  The cap used is the least of the calibration's, `cap` and FACE_CAP.
 */
face_lr face_weigh(const face_calibration *calibration, const face_version *version, double score,
                   double cap);

/* The least Cllr of LRs whose log10 is capped: log2(1 + 10^-cap). */
double face_least_cllr(double cap);

/* Is every field in range and the curve rising?  For calibrations that were stored.  ATG_EINVAL. */
int face_calibration_check(const face_calibration *calibration, atg_err *err);

#define FACE_GROUP_NONE UINT32_MAX /* not recorded: in no group */

/* Errors at a threshold within one group of persons. */
typedef struct face_rates {
    uint32_t n_cases, n_missed;          /* persons with a true pair; of them below the threshold */
    double miss, miss_lower, miss_upper; /* share, 95 % Clopper-Pearson */
    uint32_t n_probes;                   /* persons compared with others of the group */
    uint64_t n_false, n_matched;         /* such pairs; of them at or above the threshold */
    double match, match_lower, match_upper; /* share of pairs; interval of n_probes cases */
    bool enough; /* at least FACE_CASES_MIN of both; else tell no share */
} face_rates;

/* Persons by recorded sex, age group or origin. */
typedef struct face_grouping {
    uint32_t n;         /* groups */
    const uint32_t *of; /* each person's, 0..n - 1, or FACE_GROUP_NONE */
} face_grouping;

/* The rates of each group, `ret` has groups->n.  ATG_EINVAL, ATG_ENOMEM. */
int face_group_rates(uint32_t n_persons, uint64_t n, const face_pair *pairs,
                     const face_grouping *groups, double threshold, face_rates *ret, atg_err *err);

#endif
