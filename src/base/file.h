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

/* The same for secrets: a regular file that its owner alone may read and write (mode 0600). */
int file_write_private(const char *path, atg_str bytes, atg_err *err);

/* A file that was not there before, of mode 0600, written piece by piece.  Whoever began it ends it
 * with how that went (`rc`, which it gives back): it is whole and on disk, or not there at all. */
typedef struct file_new {
    const char *path; /* the caller's, until the end */
    int fd;
} file_new;
int file_new_begin(const char *path, file_new *ret, atg_err *err);
int file_new_add(void *file, atg_str bytes, atg_err *err);
/* From its first byte again. */
int file_new_again(void *file, atg_err *err);
int file_new_end(file_new *f, int rc, atg_err *err);

/* Sync the folder that a new file was made in: its name is on disk only then. */
int file_sync_folder(const char *path, atg_err *err);

/* Read a secret of at most `n` bytes from a regular file, not through a symbolic link.
 * ATG_EDENIED, with what to do, when anybody but its owner may read or write it, or when it belongs
 * to another user (root's are taken); `lax` accepts what the group may read.  Nothing of it stays
 * elsewhere in memory.  ATG_ELIMIT when it is longer. */
int file_read_private(const char *path, bool lax, unsigned char *ret, size_t *n, atg_err *err);

#endif
