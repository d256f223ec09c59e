/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of separated values (RFC 4180): quotes, doubled quotes, CR LF or LF, a byte order mark. */
#ifndef ATG_BASE_CSV_H
#define ATG_BASE_CSV_H

#include <antigone/base.h>

enum { CSV_FIELDS_MAX = 2048 };

typedef struct csv_field {
    atg_str text;       /* unquoted; in the arena when a doubled quote had to go */
    uint32_t line, col; /* where it starts, 1-based */
} csv_field;

typedef struct csv {
    atg_str rest;
    const char *line_start;
    char sep;
    uint32_t line;
} csv;

/* Guess the separator from the first line (tab, semicolon, comma) and skip a byte order mark. */
csv csv_new(atg_str bytes);

/* The next row that is not empty.  `ret_n` is 0 at the end.  A field belongs to `bytes` or to the
 * arena.  ATG_EPARSE: an open quote, text behind a quote, a NUL byte; ATG_ELIMIT: too many
 * fields. */
int csv_row(csv *c, atg_arena *arena, csv_field **ret, uint32_t *ret_n, atg_err *err);

/* A field with what a spreadsheet would run as a formula made harmless, quoted where needed. */
void csv_write(atg_buf *buf, atg_str s);

#endif
