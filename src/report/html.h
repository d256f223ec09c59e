/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of the page that atg_report_html puts together. */
#ifndef ATG_REPORT_HTML_H
#define ATG_REPORT_HTML_H

#include "report/shown.h"
#include "report/view.h"

enum {
    HTML_ROWS_MAX = 2000,      /* rows of each table of conclusions */
    HTML_DETAILS_MAX = 250,    /* bodies with a section of their own */
    HTML_DECIDED_MAX = 50,     /* of these, when there are more, bodies that are not undecided */
    HTML_FAMILIES_MAX = 60,    /* families drawn for missing persons without a candidate */
    HTML_MATRIX_MAX = 60,      /* rows and columns of the exclusion matrix */
    HTML_MATRIX_COLUMNS = 36,  /* of it side by side, for A4 */
    HTML_RELATIVES_MAX = 8,    /* columns of relatives in a table of markers */
    HTML_STEP_FILES_MAX = 100, /* files named under one thing that they need */
    HTML_LIST_MAX = 500,       /* entries of the other lists */
};

typedef struct page {
    view v;
    atg_buf *buf;
    bool for_geneticist;
    double lo, hi;        /* log10 LR at the ends of a bar */
    double need;          /* see view_needed_lr */
    const bool *detailed; /* per merged sample: has a section */
    uint32_t n_candidates, n_detailed;
} page;

/* The whole style sheet; nothing else styles the page. */
extern const char html_style[];

void html(const page *p, const char *markup);
void html_text(const page *p, atg_str s);
/* A number as written by view.h, with a true minus sign. */
void html_number(const page *p, const char *number);
/* The word of a conclusion with its sign; `refused` instead where that is set. */
void html_word(const page *p, atg_conclusion conclusion, bool refused);
/* "12/14", "12/-" for one allele read, "·" for none. */
void html_genotype(const page *p, uint32_t marker, atg_geno g, atg_sex sex);
/* A short one stays on one line, a long one breaks anywhere. */
void html_id(const page *p, atg_str id);
void html_body_link(const page *p, uint32_t sample);
void html_bar(const page *p, double log10_lr);
void html_axis(const page *p);
/* "Only the first 2000 of 5000 are shown." where that is so. */
void html_cut_note(const page *p, uint32_t shown, uint32_t of, const char *what);

/* The pedigree of a missing person's family, the body in its place where `sample` >= 0. */
void html_pedigree(const page *p, uint32_t missing, int32_t sample);

/* Is the family's own data for the geneticist only, in this copy? */
bool html_withheld(const page *p, uint32_t family);

/* Sections. */
void html_summary(const page *p);
void html_bodies(const page *p);
void html_missing(const page *p);
void html_needs(const page *p);
void html_symmetric(const page *p);
void html_related(const page *p);
void html_details(const page *p);
void html_lonely(const page *p); /* missing persons without a candidate, families drawn */
void html_joint(const page *p);
void html_matrix(const page *p);
void html_private(const page *p);
void html_legend(const page *p);

/* One pair: candidates are html_details' business, this is its table of markers and lines. */
void html_markers(const page *p, const atg_pair_result *pair);
void html_lines(const page *p, const atg_pair_result *pair);

#endif
