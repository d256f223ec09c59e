/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of an identification, in the order in which they run. */
#ifndef ATG_APP_IDENTIFY_H
#define ATG_APP_IDENTIFY_H

#include <antigone/app.h>

/* A pair that a later stage looks at. */
typedef struct candidate {
    uint32_t body, missing;
    double log10_lr;  /* of the pair alone, the family's other missing untyped; with several ways to
                         rely on the family, of their mean */
    double strongest; /* the largest of that, of each way, and of what it is with a relative's body
                         in place */
} candidate;

/* Several ways to rely on a family that does not fit: in each another relative is left out. */
typedef struct ways {
    uint32_t n;
    atg_family *family; /* what remains */
    uint32_t n_least;
    atg_assign_pair *least; /* the least posteriors over all ways, by body, then missing; owned */
} ways;

/* An operation of one family and one missing person; it must not be moved. */
typedef struct narrow {
    atg_operation op;
    atg_family family;
    atg_missing missing;
    uint32_t list;
} narrow;

typedef struct identify {
    atg_arena *arena;
    const atg_operation *op; /* merged: samples are bodies */
    atg_identify_options options;
    const atg_progress *progress;
    bool whole; /* small enough to look at every pair */
    uint64_t n_candidates;
    candidate *candidates; /* by missing, then body; owned */
    uint64_t *of_missing;  /* n_missing + 1 offsets into candidates; owned */
    const atg_family_check *checks;
    ways *ways;           /* per family; NULL: none has several ways */
    bool *without_one;    /* per family: concluded on what remains without one relative */
    uint32_t n_remaining; /* one for each relative left out in turn */
    const atg_remaining *remaining;
    atg_exclusions exclusions; /* n_incompatible NULL where the operation is too large */
    atg_assign_result assign;
    double least_share; /* pairs below this share were taken together */
} identify;

enum {
    IDENTIFY_WHOLE = 40000, /* bodies * missing up to which every pair takes part */
    IDENTIFY_MATRIX = 60,   /* bodies, and missing, up to which every pair is listed */
    IDENTIFY_DETAILED = 5,  /* candidates of a body shown in detail at the most */
};

void identify_close(identify *run);

/* The operation with samples that are one person's, by their DNA, given one body's name. */
int identify_reassociate(identify *run, const atg_operation *op, atg_operation *ret, atg_err *err);

/* Families that do not fit, and do without one of their relatives: in `merged` they are left with
 * the others; where several may be the one, `ways` has each choice. */
int identify_remaining(identify *run, atg_operation *merged, atg_err *err);

/* The ways to rely on a missing person's family, or NULL where there is one only. */
const ways *identify_ways(const identify *run, uint32_t missing);

/* The operation with this family alone, whose only missing person is `missing`. */
void identify_narrow(const identify *run, const atg_family *family, uint32_t missing, narrow *ret);

/* log10 of the mean of 10^x over n values that lie `step` apart. */
double identify_mean(uint32_t n, const double *x, size_t step);

/* This pair among those of a joint answer, or NULL. */
const atg_assign_pair *identify_joint_pair(uint32_t n, const atg_assign_pair *pairs, uint32_t body,
                                           uint32_t missing);

/* Compare every body with every missing person; fills candidates. */
int identify_compare(identify *run, atg_err *err);

/* Solve jointly; fills assign. */
int identify_jointly(identify *run, atg_err *err);

/* Pairs, their words and rules; fills what the result says of pairs, bodies and missing. */
int identify_conclude(identify *run, atg_identification *ret, atg_err *err);

/* What would settle the undecided files. */
int identify_next(identify *run, atg_identification *ret, atg_err *err);

/* Bodies that look like each other's relatives. */
int identify_related(identify *run, atg_identification *ret, atg_err *err);

/* The candidate of this pair, or NULL. */
const candidate *identify_find(const identify *run, uint32_t body, uint32_t missing);

/* The LR after process error; unchanged in a raw run. */
double identify_used(const identify *run, double log10_lr);

/* log10 LR over the markers that are multiplied (atg_independent_markers), as the scan and the
 * joint solution have it.  The others' values become NAN: shown, they would not add up to it. */
double identify_counted(const atg_operation *op, double *per_marker);

/* A power of ten to one digit: never "-0.0". */
static inline double identify_shown(double log10_lr) {
    return log10_lr > -0.05 && log10_lr < 0.05 ? 0 : log10_lr;
}

atg_sex identify_sex(const atg_operation *op, uint32_t missing);

#endif
