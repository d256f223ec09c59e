/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of dviSolve's two tables: what the reference says of each missing person and each body,
 * and what follows here from the same rules. */
#ifndef ATG_APP_REFERENCE_ROWS_H
#define ATG_APP_REFERENCE_ROWS_H

#include "app/reference_state.h"

/* Texts with p == NULL and numbers that are NAN stand as null in the file. */
typedef struct solve_row {
    bool made;
    atg_str sample, missing, family, conclusion, comment;
    double lr, glr;
    bool loose; /* the comment names a relation that we do not put into words: not compared */
} solve_row;

/* Where an LR lies on a threshold, or two LRs are equal, rounding decides what the other program
 * says: each of these rows would be right. */
enum { SOLVE_VARIANTS = 4 };

typedef struct solve_tables {
    solve_row *am; /* n_missing * SOLVE_VARIANTS */
    solve_row *pm; /* n_samples * SOLVE_VARIANTS */
} solve_tables;

/* Compare one table of the file; `am`: by missing person, else by body. */
void reference_solve_compare(const reference_state *s, const json_t *list, bool am,
                             const solve_row *rows, atg_reference *ret);

/* The rows of a row or column of LRs, in each variant. */
typedef struct solve_line {
    uint32_t n;
    const double *lr; /* NAN: no pair */
    const atg_str *names;
    double probable; /* an LR above this is probable */
} solve_line;

typedef struct solve_word {
    int best; /* -1: there is no LR */
    const char *conclusion;
    atg_str comment;
} solve_word;

solve_word reference_solve_word(atg_arena *arena, const solve_line *line, uint32_t variant);

#endif
