/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATG_APP_REFERENCE_SOLVE_H
#define ATG_APP_REFERENCE_SOLVE_H

#include "app/reference_state.h"

/* One entry of `dviSolve`: the AM and the PM table at a threshold. */
int reference_solve(atg_arena *arena, const atg_operation *op, const json_t *root,
                    const json_t *want, atg_reference *ret, atg_err *err);

#endif
