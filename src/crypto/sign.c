/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sign.h"

#include <sodium.h>
#include <string.h>

#include "crypto/hash.h"

_Static_assert((int)SIGN_SECRET == (int)crypto_sign_SECRETKEYBYTES, "as libsodium has it");
_Static_assert((int)KEY_SIZE == (int)crypto_sign_SEEDBYTES, "a seed is a key");

void sign_pair_of(const key256 *seed, sign_pair *ret) {
    (void)crypto_sign_seed_keypair(ret->pub.bytes, ret->secret, seed->bytes);
}

void sign_pair_wipe(sign_pair *pair) {
    sodium_memzero(pair, sizeof(*pair));
}

key_id sign_key_id(const sign_public *pub) {
    hasher h;
    key_id id;

    hash_begin(&h, "antigone/sign-key/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)pub->bytes, SIGN_PUBLIC});
    memcpy(id.bytes, hash_end(&h).bytes, KEY_ID);
    return id;
}

void sign_make(const sign_pair *pair, atg_str message, unsigned char ret[SIGN_SIZE]) {
    (void)crypto_sign_detached(ret, NULL, (const unsigned char *)message.p, message.n,
                               pair->secret);
}

bool sign_check(const sign_public *pub, atg_str message, const unsigned char signature[SIGN_SIZE]) {
    return crypto_sign_verify_detached(signature, (const unsigned char *)message.p, message.n,
                                       pub->bytes) == 0;
}
