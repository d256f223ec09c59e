/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATG_CLI_EXERCISE_H
#define ATG_CLI_EXERCISE_H

#include <antigone/portrait.h>

#include "cli/input.h"

/* Read the two files of the command line: an operation and its truth. */
int exercise_read(const args *a, atg_arena *arena, input *ret, atg_truth *ret_truth);

/* Draw the faces of an exercise into the folder that --portraits names; `ret` pictures. */
int exercise_portraits(const args *a, atg_arena *arena, const atg_operation *op,
                       const atg_truth *truth, uint32_t *ret);

#endif
