/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing of long data (pictures, backups, bundles) in constant memory: libsodium's secretstream
 * (XChaCha20-Poly1305) over chunks of 64 KiB.
 *
 *     header   "ATGS" | version (1 byte, 1) | key id (8, crypto/key.h) | secretstream header (24)
 *     chunks   64 KiB + 17 bytes each, tag MESSAGE; the last one is shorter (0 to 64 KiB - 1 bytes
 *              and 17) and has tag FINAL
 *
 * The associated data of every chunk is the hash of the header's first 13 bytes and of what the
 * caller binds the data to.  Chunks that are lost, doubled, moved or of another stream are noticed
 * at once, an end that is cut off when the reader is told that the end is there.  So what a reader
 * gave out counts only after stream_end() said ATG_OK. */
#ifndef ATG_CRYPTO_STREAM_H
#define ATG_CRYPTO_STREAM_H

#include "crypto/key.h"

enum { STREAM_CHUNK = 65536, STREAM_HEADER = 37, STREAM_TAG = 17 };

/* Where bytes go; anything but ATG_OK stops the stream with it. */
typedef int stream_write(void *user, atg_str bytes, atg_err *err);
typedef struct stream_sink {
    stream_write *write;
    void *user;
} stream_sink;

/* Either direction.  About 130 KiB, whatever the length of the data. */
typedef struct stream stream;

/* Seal under `key` what comes; `ad` (1 to 512 bytes) names what it is. */
ATG_MUST_USE int stream_seal(const key256 *key, atg_str ad, stream_sink to, stream **ret,
                             atg_err *err);
/* Open what comes. */
ATG_MUST_USE int stream_open(const key256 *key, atg_str ad, stream_sink to, stream **ret,
                             atg_err *err);

/* The next bytes, as many as there are.  After a failure every call fails with ATG_EINVAL.
 * ATG_EDENIED: the bytes were sealed with another key or for another place, or were changed. */
ATG_MUST_USE int stream_put(stream *s, atg_str bytes, atg_err *err);

/* There are no more.  ATG_EDENIED: the end is missing, or something follows it. */
ATG_MUST_USE int stream_end(stream *s, atg_err *err);

void stream_free(stream *s);
static inline void stream_freep(stream **s) {
    stream_free(*s);
}

/* Under which key was it sealed?  `head` is the first STREAM_HEADER bytes or more.  ATG_EPARSE:
 * this is no such stream. */
ATG_MUST_USE int stream_key(atg_str head, key_id *ret, atg_err *err);

/* How long `n` bytes become. */
uint64_t stream_sealed_size(uint64_t n);

#endif
