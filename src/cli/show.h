/* SPDX-License-Identifier: Apache-2.0 */
/* What commands print: aligned tables, and the parameters that belong to every number. */
#ifndef ATG_CLI_SHOW_H
#define ATG_CLI_SHOW_H

#include "base/json.h"
#include "cli/cli.h"

/* A table whose columns are as wide as their widest cell. */
typedef struct grid {
    atg_arena *arena;
    int columns;
    const char *right; /* a letter a column: 'r' aligns right, any other left */
    uint32_t n, room;  /* cells; column names come first */
    atg_str *cells;
    bool failed; /* memory was short; grid_print tells the buffer */
} grid;

/* @param right  One letter a column, for example "lrr". */
grid grid_new(atg_arena *arena, const char *right);
void grid_cell(grid *g, atg_str text);
void grid_text(grid *g, const char *text);
void grid_printf(grid *g, const char *fmt, ...) ATG_PRINTF(2, 3);
/* log10 LR with two decimals; "-" for NAN. */
void grid_log10(grid *g, double x);
int grid_print(const grid *g, atg_buf *buf, atg_err *err);

/* Population, theta, minimum frequency and process error, in one line of text or as a member. */
void show_parameters(const atg_operation *op, atg_buf *buf);
void json_parameters(json *j, const atg_operation *op);

/* "15/16", "15/-", or "" when it is not typed. */
atg_str show_genotype(atg_arena *arena, const atg_marker *marker, atg_geno geno);

#endif
