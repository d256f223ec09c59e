/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed boxes: short data (the key of a bundle) for the owner of one X25519 key.  Nobody else can
 * open it, its maker neither, and it does not say who made it: sign what must be known to come from
 * somebody.  libsodium's crypto_box_seal: an ephemeral key, X25519, XSalsa20-Poly1305. */
#ifndef ATG_CRYPTO_BOX_H
#define ATG_CRYPTO_BOX_H

#include "crypto/key.h"

enum { BOX_PUBLIC = 32, BOX_OVERHEAD = 48 };

typedef struct box_public {
    unsigned char bytes[BOX_PUBLIC];
} box_public;

typedef struct box_pair {
    box_public pub;
    key256 secret;
} box_pair;

/* The pair of a random seed; the same seed gives the same pair. */
void box_pair_of(const key256 *seed, box_pair *ret);
void box_pair_wipe(box_pair *pair);

/* The first 8 bytes of BLAKE2b-256 over ("antigone/box-key/1", public key). */
key_id box_key_id(const box_public *pub);

/* `ret` has plain.n + BOX_OVERHEAD bytes.  ATG_EINVAL: no key of a receiver. */
ATG_MUST_USE int box_make(const box_public *to, atg_str plain, unsigned char *ret, atg_err *err);

/* `ret` has boxed.n - BOX_OVERHEAD bytes, if that is more than 0.  ATG_EDENIED: too short, for
 * another receiver, or changed. */
ATG_MUST_USE int box_open(const box_pair *own, atg_str boxed, unsigned char *ret, atg_err *err);

#endif
