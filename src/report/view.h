/* SPDX-License-Identifier: Apache-2.0 */
/* What every form of the report looks up in an identification, and how it words it. */
#ifndef ATG_REPORT_VIEW_H
#define ATG_REPORT_VIEW_H

#include <antigone/identification.h>

enum {
    VIEW_CONCLUSIONS = 4,
    VIEW_NUMBER = 24, /* bytes that a number in words takes */
};

#define VIEW_NONE UINT32_MAX

typedef struct view {
    const atg_identification *run;
    atg_arena *arena;
    uint32_t n_samples;        /* merged */
    const int32_t *sample_of;  /* per body: merged sample, or -1 */
    const uint32_t *order;     /* pairs by body, as they came */
    const uint32_t *first;     /* n_samples + 1: where each body's pairs start in `order` */
    const bool *step_first;    /* per next step: the first that says so */
    const uint32_t *step_next; /* per next step: the next that says the same, or VIEW_NONE */
    const uint32_t *best_of;   /* per missing: the candidate to name first, or VIEW_NONE */
    uint32_t bodies[VIEW_CONCLUSIONS], missing[VIEW_CONCLUSIONS]; /* how many have each word */
    uint32_t n_refused;
    bool *failed; /* a text did not fit into memory; see view_finish */
} view;

/* Text in the view's arena; empty when memory is short, which view_finish reports. */
atg_str view_keep(const view *v, atg_str s);
#define view_printf(v, ...) view_keep((v), atg_arena_printf((v)->arena, __VA_ARGS__))

/* The end of every writer: whatever failed on the way. */
int view_finish(const view *v, const atg_buf *buf, atg_err *err);

/* Check that every index of the run is in range, and sort its pairs. */
int view_open(atg_arena *arena, const atg_identification *run, view *ret, atg_err *err);

/* The candidate to name first: the body's pair of highest posterior that is not excluded and that
 * the evidence supports; NULL. */
const atg_pair_result *view_body_best(const view *v, uint32_t sample);
const atg_pair_result *view_missing_best(const view *v, uint32_t missing);

atg_conclusion view_body_word(const view *v, uint32_t sample);
atg_conclusion view_missing_word(const view *v, uint32_t missing);
double view_body_nobody(const view *v, uint32_t sample);
double view_missing_nobody(const view *v, uint32_t missing);

/* One sentence: why a body (index in bodies) or a missing person has its conclusion. */
atg_str view_body_why(const view *v, uint32_t body);
atg_str view_missing_why(const view *v, uint32_t missing);

/* The file that a next step is about. */
atg_str view_step_id(const view *v, uint32_t step);

const atg_person *view_person(const view *v, uint32_t missing);
atg_str view_line_name(const view *v, uint32_t line);
/* The check of a family, or NULL. */
const atg_family_check *view_check(const view *v, uint32_t family);

/* "log10 LR 5.1": what a pair that stands alone needs to be probable, under the prior. */
double view_needed_lr(const view *v);

typedef struct view_fact {
    const char *name;
    atg_str value;
} view_fact;

enum { VIEW_PARAMETERS = 10 };

/* The parameters that belong to every number. */
void view_parameters(const view *v, view_fact ret[VIEW_PARAMETERS]);

/* "41 probable, 8 possible, 12 insufficient and 9 excluded". */
atg_str view_counts(const view *v, const uint32_t counts[VIEW_CONCLUSIONS]);
/* "AM-1, AM-2 and AM-3". */
atg_str view_missing_list(const view *v, uint32_t n, const uint32_t *missing);

/* Two sentences: who cannot be told apart, and what would. */
atg_str view_symmetry(const view *v, const atg_assign_symmetry *symmetry);

/* A probability that is never rounded up: 0.999499, ">0.999999", "<0.000001", "-" for NAN. */
void view_prob(double p, char ret[VIEW_NUMBER]);
/* A log10 LR with two decimals: "-3.10", "LR = 0" for -INFINITY, "no limit" for INFINITY. */
void view_log10(double x, char ret[VIEW_NUMBER]);
/* 10^x as a factor: "35,000,000", "2.1e+17", "0.0031", "0". */
void view_factor(double log10_x, char ret[VIEW_NUMBER]);

const char *view_sex(atg_sex sex);

#endif
