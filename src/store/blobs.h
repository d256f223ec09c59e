/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures and scans: sealed by secretstream (crypto/stream.h) under a key derived from the
 * person's, found by a keyed hash of their content (KEY_BLOBS of the operation), so that the same
 * picture is kept once a person.  What is kept was stripped before (formats/picture.h): EXIF and
 * other metadata never come in.
 *
 * With SQLite a picture is a file, with PostgreSQL rows of blob_chunk:
 *
 *     DIRECTORY/pictures/ab/cdef...-STREAM   ab cdef...: its hash; STREAM: this sealing of it
 *     DIRECTORY/pictures/ab/.new-STREAM      being written
 *     DIRECTORY/pictures/lock                held shared by who writes, alone by who tidies up
 *
 * What is sealed is the picture and its hash, bound to the person and the stream.  It is on disk
 * before the row is, so that a process killed at any moment leaves at most something that no row
 * names.
 *
 * All functions are in transactions of their own, and any number of threads and processes may call
 * them.  Memory does not grow with the picture. */
#ifndef ATG_STORE_BLOBS_H
#define ATG_STORE_BLOBS_H

#include "crypto/stream.h"
#include "store/keys.h"
#include "store/store.h"

enum { BLOB_MAX = 512 << 20 };

typedef struct blobs {
    store *s;
    keyring *keys;
    const char *directory; /* of the store; not looked at with PostgreSQL */
} blobs;

/* Seal and keep.  `ret` is what a record's blob field holds.  Repeating it changes nothing, but
 * brings back a picture whose file is lost or cut off.  ATG_ENOTFOUND: there is no such person;
 * ATG_ELIMIT: empty, or longer than BLOB_MAX; ATG_EIO: the disk is full or fails, and nothing was
 * kept. */
int blobs_put(const blobs *b, const uuid *operation, const uuid *person, atg_str bytes,
              hash256 *ret, atg_err *err);

/* Open and give out in pieces; what came counts only when this says ATG_OK.  ATG_ENOTFOUND: the
 * person has no such picture, or was erased; ATG_EDB: it is lost or damaged. */
int blobs_get(const blobs *b, const uuid *person, const hash256 *hash, stream_sink to,
              atg_err *err);
/* How long it is; the same failures but for what only reading shows. */
int blobs_size(const blobs *b, const uuid *person, const hash256 *hash, uint64_t *ret,
               atg_err *err);

/* Remove a person's pictures from disk: after erasure (keys_erase()).  Repeating it goes on where
 * it was interrupted. */
int blobs_erase(const blobs *b, const uuid *person, atg_err *err);

typedef enum blob_fault {
    BLOB_MISSING,
    BLOB_CHANGED, /* or cut off, or sealed for somebody else */
    BLOB_ERASED,  /* still there, though its person was erased */
    BLOB_LOOSE,   /* on disk, but no row names it */
} blob_fault;

enum { BLOB_NAME = 128 };

typedef struct blob_finding {
    blob_fault fault;
    hash256 hash; /* these three of the row; not of BLOB_LOOSE */
    uuid person, operation;
    char name[BLOB_NAME]; /* of the file below DIRECTORY/pictures, or of the stream */
} blob_finding;

/* Anything but ATG_OK ends the check with it. */
typedef int blob_tell(void *user, const blob_finding *finding, atg_err *err);

typedef struct blob_report {
    uint64_t pictures, bytes; /* that are whole */
    uint64_t missing, changed, erased, loose;
    uint64_t removed; /* of the last two */
} blob_report;

/* Read every picture, and tell what is wrong.  With `tidy` what is left of erased persons, and what
 * no row names, is removed; with PostgreSQL the latter when it is older than an hour, because
 * somebody may still be writing it. */
typedef struct blob_checking {
    bool tidy;
    blob_tell *tell; /* may be NULL */
    void *user;
    const atg_progress *progress; /* may be NULL */
} blob_checking;

int blobs_check(const blobs *b, const blob_checking *how, blob_report *ret, atg_err *err);

/* Sealed pictures of one folder (DIRECTORY/pictures, or a copy of it) into another: those that are
 * not there yet, so that one folder serves every backup.  A file gets its name when it is on disk;
 * what is interrupted goes on when it is repeated.  Somebody may write and erase meanwhile. */
typedef struct blob_copied {
    uint64_t copied, bytes, there;
} blob_copied;

int blobs_copy(const char *from, const char *to, const atg_progress *progress, blob_copied *ret,
               atg_err *err);

#endif
