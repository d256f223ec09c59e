/* SPDX-License-Identifier: Apache-2.0 */
/* BLAKE2b-256 (RFC 7693) over canonical encodings, search tokens, and commitments.
 *
 * A canonical encoding is a sequence of items: 'b', length (8 bytes, big-endian), bytes; or 'n',
 * 8 bytes of a number.  It begins with the domain as a 'b' item.  So two different sequences never
 * give the same bytes, whatever stands in them. */
#ifndef ATG_CRYPTO_HASH_H
#define ATG_CRYPTO_HASH_H

#include <sodium.h>

#include "crypto/key.h"

enum { HASH_SIZE = 32, HASH_TOKEN = 8 };

typedef struct hash256 {
    unsigned char bytes[HASH_SIZE];
} hash256;

/* A hash in the making; plain memory of the caller. */
typedef struct hasher {
    crypto_generichash_state state;
} hasher;

/* `domain` names what is hashed, with a version ("antigone/chain/1"); `key` may be NULL. */
void hash_begin(hasher *h, const char *domain, const key256 *key);
void hash_bytes(hasher *h, atg_str bytes);
void hash_number(hasher *h, uint64_t x); /* a signed number as its two's complement */
hash256 hash_end(hasher *h);

/* BLAKE2b-256 of the bytes alone; `key` may be NULL. */
hash256 hash_of(atg_str bytes, const key256 *key);
/* The same without a key of bytes that come in pieces; hash_end() gives it. */
void hash_pieces(hasher *h);
void hash_piece(hasher *h, atg_str bytes);

/* The token under which a folded word is found: the first 8 bytes of BLAKE2b keyed with `key`,
 * which was derived for this purpose and nothing else. */
void hash_token(const key256 *key, atg_str word, unsigned char ret[HASH_TOKEN]);

/* The commitment to a personal value that stands in the audit chain: BLAKE2b-256 keyed with the
 * person's salt over ("antigone/commitment/1", kind, field, value).  Without the salt nobody can
 * try values; when the salt is destroyed, it says nothing any more. */
hash256 hash_commit(const key_salt *salt, atg_str kind, atg_str field, atg_str value);

/* In constant time. */
bool hash_eq(const hash256 *a, const hash256 *b);

#endif
