/* SPDX-License-Identifier: Apache-2.0 */
/* One row a command; each has a file of its own. */
#ifndef ATG_CLI_COMMANDS_H
#define ATG_CLI_COMMANDS_H

#include "cli/cli.h"

extern const command command_completion;
extern const command command_convert;
extern const command command_direct;
extern const command command_doctor;
extern const command command_exclusions;
extern const command command_exercise_make;
extern const command command_exercise_score;
extern const command command_exercise_truth;
extern const command command_families_check;
extern const command command_families_power;
extern const command command_help;
extern const command command_identify;
extern const command command_lr;
extern const command command_reference_check;
extern const command command_version;

#endif
