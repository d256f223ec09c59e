/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include <string.h>

#include "base/bytes.h"

enum { ITEM = 9 };

static void begin(hasher *h, const char *domain, const unsigned char *key, size_t n) {
    (void)crypto_generichash_init(&h->state, key, n, HASH_SIZE);
    hash_bytes(h, atg_str_of(domain));
}

void hash_begin(hasher *h, const char *domain, const key256 *key) {
    begin(h, domain, key ? key->bytes : NULL, key ? KEY_SIZE : 0);
}

static void item(hasher *h, char kind, uint64_t x) {
    unsigned char head[ITEM] = {(unsigned char)kind};

    bytes_put64(head + 1, x);
    (void)crypto_generichash_update(&h->state, head, sizeof(head));
}

void hash_bytes(hasher *h, atg_str bytes) {
    item(h, 'b', bytes.n);
    if (bytes.n)
        (void)crypto_generichash_update(&h->state, (const unsigned char *)bytes.p, bytes.n);
}

void hash_number(hasher *h, uint64_t x) {
    item(h, 'n', x);
}

hash256 hash_end(hasher *h) {
    hash256 ret;

    (void)crypto_generichash_final(&h->state, ret.bytes, HASH_SIZE);
    return ret;
}

hash256 hash_of(atg_str bytes, const key256 *key) {
    hash256 ret;

    (void)crypto_generichash(ret.bytes, HASH_SIZE, (const unsigned char *)bytes.p, bytes.n,
                             key ? key->bytes : NULL, key ? KEY_SIZE : 0);
    return ret;
}

void hash_pieces(hasher *h) {
    (void)crypto_generichash_init(&h->state, NULL, 0, HASH_SIZE);
}

void hash_piece(hasher *h, atg_str bytes) {
    if (bytes.n)
        (void)crypto_generichash_update(&h->state, (const unsigned char *)bytes.p, bytes.n);
}

void hash_token(const key256 *key, atg_str word, unsigned char ret[HASH_TOKEN]) {
    memcpy(ret, hash_of(word, key).bytes, HASH_TOKEN);
}

hash256 hash_commit(const key_salt *salt, atg_str kind, atg_str field, atg_str value) {
    hasher h;

    begin(&h, "antigone/commitment/1", salt->bytes, KEY_SALT);
    hash_bytes(&h, kind);
    hash_bytes(&h, field);
    hash_bytes(&h, value);
    return hash_end(&h);
}

bool hash_eq(const hash256 *a, const hash256 *b) {
    return sodium_memcmp(a->bytes, b->bytes, HASH_SIZE) == 0;
}
