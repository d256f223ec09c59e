/* SPDX-License-Identifier: Apache-2.0 */
/* A backup is one file: what the database gave out (a SQLite database, an archive of pg_dump), and
 * behind it one page of text that says what it is:
 *
 *     antigone backup 1
 *     kind: sqlite
 *     schema: 3
 *     size: 123456789
 *     blake2b-256: 64 hexadecimal digits, of the first `size` bytes
 *     made: 2026-11-24T04:39:00.123456Z
 *     program: 0.1.0
 *     page: 64 hexadecimal digits, of the lines above
 *
 * and line feeds up to BACKUP_PAGE bytes.  A file that was cut off, grew or changed is noticed; who
 * wants to deceive can write another page.  What is personal is sealed in the database, and so it
 * is in the backup. */
#ifndef ATG_STORE_BACKUP_H
#define ATG_STORE_BACKUP_H

#include "crypto/hash.h"
#include "store/db.h"
#include "store/place.h"

enum { BACKUP_PAGE = 4096, BACKUP_PROGRAM = 32 };

typedef struct backup_page {
    db_kind kind;
    int64_t schema; /* version of the schema */
    uint64_t size;
    hash256 hash;
    int64_t made; /* microseconds UTC */
    char program[BACKUP_PROGRAM];
} backup_page;

/* The page as text, and back.  ATG_EPARSE: it is none, or damaged. */
void backup_page_text(const backup_page *p, char ret[BACKUP_PAGE]);
int backup_page_read(const char text[BACKUP_PAGE], backup_page *ret, atg_err *err);

/* Read a whole backup and say what it is.  ATG_EPARSE: it does not end in a page, so it was cut off
 * or is no backup; ATG_EDB: it is longer or shorter than its page says, or other bytes. */
int backup_check(const char *path, const atg_progress *progress, backup_page *ret, atg_err *err);

/* ---- for the modules that make and restore them ---- */

/* A backup in the making: a file PATH.XXXXXX that nobody else may read. */
typedef struct backup_file {
    const char *path;
    char temp[PLACE_PATH];
    int fd;
    hasher hash;
    uint64_t n;
} backup_file;

/* ATG_ECONFLICT when `path` exists. */
int backup_begin(const char *path, backup_file *ret, atg_err *err);
/* Write behind what is there, or take what somebody else wrote into `temp`. */
int backup_add(backup_file *f, atg_str bytes, atg_err *err);
int backup_adopt(backup_file *f, atg_err *err);
/* Write the page, sync, and only then give it its name, which was free. */
int backup_end(backup_file *f, db_kind kind, int64_t schema, atg_err *err);
/* Remove what has no name yet. */
void backup_drop(backup_file *f);

/* Open a backup and read its page. */
int backup_open(const char *path, int *ret_fd, backup_page *ret, atg_err *err);
/* Read what stands before the page and hold it to the page; `to` is where it is copied to, or -1.
 * Told as `phase`. */
int backup_copy(int fd, const backup_page *p, int to, const char *phase,
                const atg_progress *progress, atg_err *err);

#endif
