/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of products of tables over small discrete variables, by eliminating one variable after the
 * other in a greedy order (smallest table first; Koller & Friedman 2009, ch. 9). */
#ifndef ATG_DNA_ELIM_H
#define ATG_DNA_ELIM_H

#include <antigone/base.h>

enum {
    ELIM_VARS_MAX = 2048,
    ELIM_RANK_MAX = 24,                /* variables of one table */
    ELIM_TABLE_MAX = 64 * 1024 * 1024, /* cells gone through for one table, and of all: 512 MiB */
};

typedef struct elim elim;

elim *elim_new(void);
void elim_free(elim *e);

/* Forget all variables and tables; keeps the memory. */
void elim_reset(elim *e);

/* A new variable with values 0..dim-1.  dim 1 is allowed. */
uint32_t elim_var(elim *e, uint32_t dim);

/* A new table over `rank` different variables, the first one slowest; the caller fills it at
 * once with numbers of 0 and more.  NULL when memory is short (remembered: elim_run fails). */
double *elim_table(elim *e, uint32_t rank, const uint32_t *vars);

/* One more table with the cells of an earlier one, whose variables have the same dims. */
void elim_table_again(elim *e, uint32_t rank, const uint32_t *vars, const double *cells);

/* Multiply the whole sum by x >= 0. */
void elim_scale(elim *e, double x);

/* Cells that elim_run will go through; 0 when memory is short (remembered: elim_run fails). */
double elim_cost(elim *e, uint32_t n_keep, const uint32_t *keep);

/* Sum over all variables but `keep`; `ret` has the product of their dims cells, the first one
 * slowest, and *ret_log is to be added to their logarithms.  The tables are used up. */
int elim_run(elim *e, uint32_t n_keep, const uint32_t *keep, double *ret, double *ret_log,
             atg_err *err);

#endif
