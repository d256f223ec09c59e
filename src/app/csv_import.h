/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of files (missing persons, remains, ...) from CSV.
 *
 * The first row names the columns: fields of the kind by name or label, "state", and "id", which
 * names a row; without "id" a row is named by "external" (missing) or "tag" (remains) or "label".
 * The names are unique in the table.  A row whose name came before from the same source is the same
 * file: where it says something else now, the file is edited, unless somebody edited it here
 * meanwhile, which is a problem and never overwritten.
 *
 * Everything is taken in or nothing. */
#ifndef ATG_APP_CSV_IMPORT_H
#define ATG_APP_CSV_IMPORT_H

#include "app/cases.h"

enum { CSV_PROBLEMS_MAX = 1000, CSV_ROWS_MAX = 1000000 };

typedef struct csv_problem {
    uint32_t line, col; /* 1-based */
    atg_str text;
} csv_problem;

typedef struct csv_options {
    uuid operation;
    record_kind kind; /* of files */
    atg_str source;   /* names where the table comes from, for repetitions: "hospital.csv" */
    bool dry_run;     /* find every problem and change nothing */
    const atg_progress *progress; /* may be NULL */
} csv_options;

typedef struct csv_done {
    uint32_t rows, added, changed, same;
    uint32_t n_problems;   /* that were found; the first CSV_PROBLEMS_MAX are listed */
    csv_problem *problems; /* by line */
} csv_done;

/* May this account add files of this kind there at all?  To be asked before a table of somebody
 * from elsewhere: what is said of rows that are there already would tell what stands in them.
 * ATG_EDENIED: no. */
int cases_import_check(cases *c, const actor *who, const uuid *operation, record_kind kind,
                       atg_err *err);

/* ATG_OK with `n_problems` > 0: nothing was taken in.  Other codes: the file cannot be read as a
 * table at all, or the store failed. */
int cases_import_csv(cases *c, const actor *who, atg_arena *arena, atg_str bytes,
                     const csv_options *o, csv_done *ret, atg_err *err);

/* The same of antigone-table/1 (formats/tablejson.h), which the worker makes of a table that came
 * over the network: nothing but JSON is parsed. */
int cases_import_table(cases *c, const actor *who, atg_arena *arena, atg_str table,
                       const csv_options *o, csv_done *ret, atg_err *err);

#endif
