/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the table of lines, and what they share. */
#ifndef ATG_MATCH_LINES_H
#define ATG_MATCH_LINES_H

#include <antigone/line.h>

extern const atg_line line_autosomal, line_x, line_amelogenin, line_y, line_mt;

/* The population, theta and minimum frequency that stand beside every number. */
ATG_MUST_USE int lines_table(atg_arena *arena, const atg_operation *op, atg_str *ret, atg_err *err);

/* ATG_ENOMEM unless `text` was made. */
ATG_MUST_USE int lines_made(atg_str text, atg_err *err);

#endif
