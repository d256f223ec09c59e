/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a SQLite store and its lock file, through which processes agree.
 *
 *     DIRECTORY/antigone.db, -wal, -shm    of SQLite
 *     DIRECTORY/lock                       never written; byte 0: who opens, byte 1: who is there
 *     DIRECTORY/backups/                   copies made before migrations
 *
 * Locks are of the open file (OFD), so that they hold between threads too and end with their
 * process, however it ends. */
#ifndef ATG_STORE_PLACE_H
#define ATG_STORE_PLACE_H

#include <antigone/base.h>

enum { PLACE_PATH = 4096 };

typedef struct place {
    int lock; /* file descriptor, or -1 */
    char file[PLACE_PATH];
} place;

/* Find or (with `create`) make the directory, refuse a network file system, be there, and hold the
 * gate, so that nobody else opens the store until place_opened().  Waits up to `wait_ms`. */
int place_open(place *p, const char *directory, bool create, uint32_t wait_ms, atg_err *err);
void place_opened(place *p);
void place_close(place *p);

/* Be the only one there, or one of many again. */
int place_exclude(place *p, bool on, uint32_t wait_ms, atg_err *err);

/* The name of a network file system by the magic number of statfs(), or NULL. */
const char *place_network(uint64_t magic);

/* Make names in the directory of `path` last. */
int place_sync_directory(const char *path, atg_err *err);

#endif
