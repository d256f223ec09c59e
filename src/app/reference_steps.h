/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATG_APP_REFERENCE_STEPS_H
#define ATG_APP_REFERENCE_STEPS_H

#include "app/reference_state.h"

/* nonidentifiable, findExcluded_max2, findUndisputed_1e4[_strict], grid, dviSolve and what
 * the families' own profiles contradict. */
int reference_check_steps(atg_arena *arena, const atg_operation *op, const json_t *root,
                          atg_reference *ret, atg_err *err);

#endif
