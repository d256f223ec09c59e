/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATG_CLI_EXERCISE_H
#define ATG_CLI_EXERCISE_H

#include "cli/input.h"

/* Read the two files of the command line: an operation and its truth. */
int exercise_read(const args *a, atg_arena *arena, input *ret, atg_truth *ret_truth);

#endif
