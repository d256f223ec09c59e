/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing of short data (a record's fields, a key): XChaCha20-Poly1305 (IETF), a random nonce of
 * 192 bits each time, so that one key may seal as much as it likes.
 *
 *     sealed = version (1 byte, 1) | nonce (24) | ciphertext (as long as the plain text) | tag (16)
 *
 * What is sealed is bound to its place: associated data is mandatory, begins with the version byte,
 * and names the place (table, id, revision, ...) so that nothing can be moved to another. */
#ifndef ATG_CRYPTO_SEAL_H
#define ATG_CRYPTO_SEAL_H

#include "crypto/key.h"

enum { SEAL_OVERHEAD = 41, SEAL_AD_MAX = 512, SEAL_KEY_SIZE = KEY_SIZE + SEAL_OVERHEAD };

/* `ret` has plain.n + SEAL_OVERHEAD bytes and is not `plain`.  ATG_EINVAL: `ad` is empty or longer
 * than SEAL_AD_MAX. */
ATG_MUST_USE int seal_make(const key256 *key, atg_str ad, atg_str plain, unsigned char *ret,
                           atg_err *err);

/* `ret` has sealed.n - SEAL_OVERHEAD bytes, if that is more than 0.  ATG_EDENIED, with one sentence
 * and nothing written but zeros: too short, another version, another key, another place, a changed
 * byte.  ATG_EINVAL as above. */
ATG_MUST_USE int seal_open(const key256 *key, atg_str ad, atg_str sealed, unsigned char *ret,
                           atg_err *err);

/* The same for a key under a key. */
ATG_MUST_USE int seal_key(const key256 *under, atg_str ad, const key256 *key,
                          unsigned char ret[SEAL_KEY_SIZE], atg_err *err);
ATG_MUST_USE int seal_open_key(const key256 *under, atg_str ad, atg_str sealed, key256 *ret,
                               atg_err *err);

#endif
