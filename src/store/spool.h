/* SPDX-License-Identifier: Apache-2.0 */
/* Long bytes that wait on disk and must not lie there in clear: uploads until they are used, long
 * answers until they are sent.  Written at the end only, read anywhere, in constant memory.
 *
 *     head     "ATGU" | version (1 byte, 1) | 0 (3) | sealed: key of this file (32), facts
 *     ends     two places, written in turns: sealed: size (8, big-endian), what of it fills no
 *              chunk, zeros
 *     chunks   SPOOL_CHUNK + SEAL_OVERHEAD bytes each, sealed, in order
 *
 * A chunk is sealed alone (crypto/seal.h), bound to the file and its number, so that writing goes
 * on where it ended, by another process too; a secretstream that was cut off cannot be continued.
 * The key of a file stands in its head under a key of the caller's and nowhere else.
 *
 * What spool_sync() acknowledged is there after a power cut.  Of what came later as many whole
 * chunks are there as the disk has kept without a gap.  One thread at a time uses a spool. */
#ifndef ATG_STORE_SPOOL_H
#define ATG_STORE_SPOOL_H

#include "base/uuid.h"
#include "crypto/key.h"

enum { SPOOL_CHUNK = 65536, SPOOL_FACTS = 2048, SPOOL_PATH = 4096 };

typedef struct spool spool;

/* What a file is: its place, the key that its own is sealed under, what it is bound to. */
typedef struct spool_place {
    const char *path;
    const key256 *under;
    uuid id;
} spool_place;

/* Make one with room for `expected` bytes, which nobody else can use up then.  `facts` has at most
 * SPOOL_FACTS bytes.  ATG_EFULL: there is no such room; ATG_ECONFLICT: there is such a file. */
int spool_new(const spool_place *at, atg_str facts, uint64_t expected, spool **ret, atg_err *err);
/* Open one that was left, to be written on and read.  Its facts come into the arena. ATG_ENOTFOUND;
 * ATG_EDENIED: changed, or of another place or key. */
int spool_open(const spool_place *at, atg_arena *arena, atg_str *ret_facts, spool **ret,
               atg_err *err);
/* Without a name, gone with its closing; in memory as long as it is short. */
int spool_scratch(const char *directory, spool **ret, atg_err *err);
void spool_close(spool *s);
static inline void spool_freep(spool **s) {
    spool_close(*s);
}

/* Add bytes.  ATG_EFULL, ATG_EIO: of these bytes as much is there as spool_size() says. */
int spool_write(spool *s, atg_str bytes, atg_err *err);
/* All that was written is on disk. */
int spool_sync(spool *s, atg_err *err);
/* Of a scratch: from the start. */
void spool_clear(spool *s);
uint64_t spool_size(const spool *s);
/* `n` bytes from `at` on; they must be there (ATG_EINVAL).  ATG_EDENIED: they were changed. */
int spool_read(spool *s, uint64_t at, void *ret, size_t n, atg_err *err);

/* Remove a file: its key first.  One that is not there is fine. */
int spool_remove(const char *path, atg_err *err);

/* Bytes that a file takes on disk which holds `n`. */
uint64_t spool_disk(uint64_t n);

#endif
