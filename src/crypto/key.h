/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of 256 bits: made, derived, told apart, wiped.  A key that is held longer than a call lives
 * in memory of mem_secret() (base/mem.h), or in a struct that lies there. */
#ifndef ATG_CRYPTO_KEY_H
#define ATG_CRYPTO_KEY_H

#include <antigone/base.h>

enum { KEY_SIZE = 32, KEY_CONTEXT = 8, KEY_ID = 8, KEY_SALT = 16 };

typedef struct key256 {
    unsigned char bytes[KEY_SIZE];
} key256;

/* Names a key without telling anything about it. */
typedef struct key_id {
    unsigned char bytes[KEY_ID];
} key_id;

/* 128 random bits that keep equal values from having equal hashes. */
typedef struct key_salt {
    unsigned char bytes[KEY_SALT];
} key_salt;

ATG_MUST_USE int key_new(key256 *ret, atg_err *err);
ATG_MUST_USE int key_salt_new(key_salt *ret, atg_err *err);

/* A key of its own for one purpose: BLAKE2b-256 keyed with `from`, its salt `number`, its
 * personalisation `context` (libsodium's crypto_kdf).  `context` has exactly 8 characters, one text
 * a purpose in the whole program; docs/keys.md lists them. */
void key_derive(const key256 *from, const char context[KEY_CONTEXT + 1], uint64_t number,
                key256 *ret);

/* The first 8 bytes of BLAKE2b-256 keyed with the key over "antigone/key-id/1". */
key_id key_id_of(const key256 *key);

bool key_id_eq(const key_id *a, const key_id *b);

/* In constant time. */
bool key_eq(const key256 *a, const key256 *b);

void key_wipe(key256 *key);

/* Wipe the key that leaves scope: `KEY_AUTO key256 k;`. */
#define KEY_AUTO __attribute__((cleanup(key_wipe)))

#endif
