/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: Ed25519 (RFC 8032).  What is signed begins with a text that names its kind and
 * version, so that a signature of one kind never passes for another. */
#ifndef ATG_CRYPTO_SIGN_H
#define ATG_CRYPTO_SIGN_H

#include "crypto/key.h"

enum { SIGN_PUBLIC = 32, SIGN_SECRET = 64, SIGN_SIZE = 64 };

typedef struct sign_public {
    unsigned char bytes[SIGN_PUBLIC];
} sign_public;

typedef struct sign_pair {
    sign_public pub;
    unsigned char secret[SIGN_SECRET];
} sign_pair;

/* The pair of a random seed; the same seed gives the same pair. */
void sign_pair_of(const key256 *seed, sign_pair *ret);
void sign_pair_wipe(sign_pair *pair);

/* The first 8 bytes of BLAKE2b-256 over ("antigone/sign-key/1", public key). */
key_id sign_key_id(const sign_public *pub);

void sign_make(const sign_pair *pair, atg_str message, unsigned char ret[SIGN_SIZE]);

/* Is it the signature of the message by the owner of the key? */
bool sign_check(const sign_public *pub, atg_str message, const unsigned char signature[SIGN_SIZE]);

#endif
