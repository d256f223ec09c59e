/* SPDX-License-Identifier: Apache-2.0 */
/* What a long command shows meanwhile, and how it is stopped. */
#ifndef ATG_CLI_PROGRESS_H
#define ATG_CLI_PROGRESS_H

#include "cli/cli.h"

/* One line on standard error when that is a terminal and --quiet is not given.  From now on an
 * interrupt (Ctrl-C) makes the work in hand end with ATG_ECANCEL; a second one kills.  The result
 * lives for ever. */
const atg_progress *progress_start(const args *a);

/* Did somebody ask to stop?  False without progress_start. */
bool progress_stopped(void);

/* Take the line away, so that something else can be printed.  Harmless without progress_start. */
void progress_clear(void);

/* End the program by the signal that asked for it, as the shell expects. */
int progress_die(void);

#endif
