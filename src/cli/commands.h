/* SPDX-License-Identifier: Apache-2.0 */
/* One row a command; each has a file of its own. */
#ifndef ATG_CLI_COMMANDS_H
#define ATG_CLI_COMMANDS_H

#include "cli/cli.h"

extern const command command_completion;
extern const command command_doctor;
extern const command command_help;
extern const command command_version;

#endif
