/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key.h"

#include <sodium.h>
#include <string.h>

#include "crypto/ready.h"

int key_new(key256 *ret, atg_err *err) {
    int rc = crypto_ready(err);

    if (!rc)
        randombytes_buf(ret->bytes, KEY_SIZE);
    return rc;
}

int key_salt_new(key_salt *ret, atg_err *err) {
    int rc = crypto_ready(err);

    if (!rc)
        randombytes_buf(ret->bytes, KEY_SALT);
    return rc;
}

void key_derive(const key256 *from, const char context[KEY_CONTEXT + 1], uint64_t number,
                key256 *ret) {
    (void)crypto_kdf_derive_from_key(ret->bytes, KEY_SIZE, number, context, from->bytes);
}

key_id key_id_of(const key256 *key) {
    static const unsigned char domain[] = "antigone/key-id/1";
    unsigned char hash[32];
    key_id id;

    (void)crypto_generichash(hash, sizeof(hash), domain, sizeof(domain) - 1, key->bytes, KEY_SIZE);
    memcpy(id.bytes, hash, KEY_ID);
    return id;
}

bool key_id_eq(const key_id *a, const key_id *b) {
    return memcmp(a->bytes, b->bytes, KEY_ID) == 0;
}

bool key_eq(const key256 *a, const key256 *b) {
    return sodium_memcmp(a->bytes, b->bytes, KEY_SIZE) == 0;
}

void key_wipe(key256 *key) {
    sodium_memzero(key->bytes, KEY_SIZE);
}
