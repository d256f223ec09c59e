/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, for the programs; engines never touch them. */
#ifndef ATG_BASE_FILE_H
#define ATG_BASE_FILE_H

#include <antigone/base.h>

/* Read a whole file ("-": standard input) of at most `limit` bytes into the arena. */
int file_read(atg_arena *arena, const char *path, size_t limit, atg_str *ret, atg_err *err);

/* Write a whole file: to a temporary neighbour, synced, then renamed over `path`, so that a
 * failure leaves what was there.  "-" writes to standard output; a device or a pipe is written to
 * as it is. */
int file_write(const char *path, atg_str bytes, atg_err *err);

#endif
