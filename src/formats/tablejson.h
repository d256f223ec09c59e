/* SPDX-License-Identifier: Apache-2.0 */
/* antigone-table/1: a table of separated values as JSON, each cell with its place in the file that
 * it came from.  The worker writes it, and what takes tables in reads it.
 *
 *     {"schema": "antigone-table/1",
 *      "rows": [{"line": 1, "cells": ["tag", "sex"], "places": [[1, 1], [1, 5]]}, ...]} */
#ifndef ATG_FORMATS_TABLEJSON_H
#define ATG_FORMATS_TABLEJSON_H

#include "base/csv.h"
#include "base/json.h"

extern const char tablejson_schema[];

/* One element of "rows"; n is at least 1. */
void tablejson_write_row(json *j, const csv_field *fields, uint32_t n);

/* Takes a row, whose texts are in the arena. */
typedef int tablejson_row(void *user, const csv_field *fields, uint32_t n, atg_err *err);

/* ATG_EPARSE, with the place in the JSON: it is not of this form; and what `row` says. */
int tablejson_read(atg_arena *arena, atg_str bytes, tablejson_row *row, void *user, atg_err *err);

#endif
