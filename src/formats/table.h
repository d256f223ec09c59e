/* SPDX-License-Identifier: Apache-2.0 */
/* Genotype tables: what each column holds, told by the header. */
#ifndef ATG_FORMATS_TABLE_H
#define ATG_FORMATS_TABLE_H

#include <antigone/formats.h>

#include "base/csv.h"

typedef enum table_role {
    TABLE_IGNORED = 0,
    TABLE_ID,
    TABLE_BODY,
    TABLE_SEX,
    TABLE_FAMILY,
    TABLE_FATHER,
    TABLE_MOTHER,
    TABLE_MISSING,
    TABLE_STAFF,
    TABLE_TYPE,
    TABLE_MARKER, /* long: the name of a marker */
    TABLE_ALLELE, /* long: the n-th allele of that marker */
    TABLE_BOTH,   /* wide: both alleles of a marker, "6/9.3" */
    TABLE_ONE_OF, /* wide: the n-th allele of a marker */
    TABLE_N_ROLES,
} table_role;

typedef struct table_column {
    table_role role;
    atg_str name;    /* of the column, trimmed */
    atg_str marker;  /* wide: of the marker */
    uint32_t allele; /* from 0 */
    bool doubtful;   /* a marker only if a cell looks like a genotype */
    uint32_t line, col;
} table_column;

typedef struct table_header {
    uint32_t n;
    table_column *columns;
    int at[TABLE_N_ROLES]; /* the column of a role that occurs once, or -1 */
    bool is_long;
} table_header;

/* What the columns are by their names. */
int table_header_read(atg_arena *arena, const csv_field *fields, uint32_t n, table_header *ret,
                      atg_err *err);

/* Once doubtful columns are settled: each marker has one column, or two for its alleles. */
int table_header_check(table_header *h, atg_notes *notes, atg_arena *arena, atg_err *err);

/* The two alleles in one cell. */
typedef struct table_pair {
    atg_str a, b; /* b empty: one allele only */
    uint32_t n;   /* alleles that stand there: 0, 1, 2 or more */
} table_pair;

/* Cut a cell at its separator: "/", "|", blank, "-" or ","; false when a comma can be a decimal
 * comma as well ("9,3"). */
bool table_cut(atg_str cell, table_pair *ret);

#endif
