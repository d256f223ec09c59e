/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures and scans: sealed by secretstream (crypto/stream.h) under a key derived from the
 * person's, found by a keyed hash of their content, so that the same picture is kept once a person.
 * With SQLite they are files, DIRECTORY/pictures/ab/cdef...; with PostgreSQL rows of blob_chunk.
 * What is kept was stripped before (formats/picture.h): EXIF and other metadata never come in. */
#ifndef ATG_STORE_BLOBS_H
#define ATG_STORE_BLOBS_H

#include "crypto/stream.h"
#include "store/keys.h"
#include "store/store.h"

enum { BLOB_MAX = 512 << 20 };

/* Seal and keep; in a transaction of its own.  `ret` is what a record's blob field holds.
 * Repeating it changes nothing.  A file is on disk before the row is. */
int blobs_put(store *s, keyring *keys, const char *directory, const uuid *operation,
              const uuid *person, atg_str bytes, hash256 *ret, atg_err *err);
/* Open and give out in pieces; what came counts only when this says ATG_OK. */
int blobs_get(store *s, keyring *keys, const char *directory, const uuid *person,
              const hash256 *hash, stream_sink to, atg_err *err);
/* Remove a person's pictures from disk: after erasure. */
int blobs_erase(store *s, const char *directory, const uuid *person, atg_err *err);
/* Is every row's picture there and whole?  Names the first that is not. */
int blobs_check(store *s, keyring *keys, const char *directory, const atg_progress *progress,
                uint64_t *ret_n, atg_err *err);

#endif
