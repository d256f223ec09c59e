/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/instant.h"

#define DASH "\xe2\x80\x94 "

enum {
    ROOT64 = 44,      /* characters of 32 bytes in base64 */
    SIGNATURE64 = 92, /* and of 68 */
    VARIANT = sodium_base64_VARIANT_ORIGINAL,
    ED25519 = 1, /* the algorithm's number in signed notes */
};

/* The signed part. */
static size_t body(const checkpoint *c, char ret[CHECKPOINT_MAX]) {
    char root[ROOT64 + 1], at[INSTANT_TEXT + 1], key[2 * KEY_ID + 1];

    (void)sodium_bin2base64(root, sizeof(root), c->root.bytes, HASH_SIZE, VARIANT);
    instant_text(c->at, at);
    bytes_hex(c->key.bytes, KEY_ID, key);
    return (size_t)snprintf(ret, CHECKPOINT_MAX, "%s\n%" PRIu64 "\n%s\nat %s\nkey %s\n", c->origin,
                            c->size, root, at, key);
}

static void make_hint(const char *origin, const sign_public *pub, unsigned char ret[4]) {
    static const unsigned char between[] = {'\n', ED25519};
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state s;

    (void)crypto_hash_sha256_init(&s);
    (void)crypto_hash_sha256_update(&s, (const unsigned char *)origin, strlen(origin));
    (void)crypto_hash_sha256_update(&s, between, sizeof(between));
    (void)crypto_hash_sha256_update(&s, pub->bytes, SIGN_PUBLIC);
    (void)crypto_hash_sha256_final(&s, hash);
    memcpy(ret, hash, 4);
}

static bool is_origin(atg_str s) {
    if (s.n == 0 || s.n > CHECKPOINT_ORIGIN)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '+')
            return false;
    return true;
}

int checkpoint_sign(checkpoint *c, const sign_pair *pair, atg_err *err) {
    atg_str origin = {c->origin, strnlen(c->origin, sizeof(c->origin))};
    char text[CHECKPOINT_MAX];

    if (!is_origin(origin))
        return atg_fail(err, ATG_EINVAL,
                        "The origin of checkpoints is 1 to %d printable ASCII characters without "
                        "blanks and '+'",
                        (int)CHECKPOINT_ORIGIN);
    if (c->at < INSTANT_MIN || c->at > INSTANT_MAX)
        return atg_fail(err, ATG_EINVAL, "The instant of the checkpoint is outside of 0001..9999");
    c->key = sign_key_id(&pair->pub);
    make_hint(c->origin, &pair->pub, c->signature);
    sign_make(pair, (atg_str){text, body(c, text)}, c->signature + 4);
    return ATG_OK;
}

size_t checkpoint_text(const checkpoint *c, char ret[CHECKPOINT_MAX]) {
    char signature[SIGNATURE64 + 1];
    size_t n = body(c, ret);

    (void)sodium_bin2base64(signature, sizeof(signature), c->signature, CHECKPOINT_SIGNATURE,
                            VARIANT);
    return n +
           (size_t)snprintf(ret + n, CHECKPOINT_MAX - n, "\n" DASH "%s %s\n", c->origin, signature);
}

static bool read_base64(atg_str s, size_t chars, unsigned char *ret, size_t n) {
    size_t got;

    return s.n == chars && sodium_base642bin(ret, n, s.p, s.n, NULL, &got, NULL, VARIANT) == 0 &&
           got == n;
}

static bool read_size(atg_str s, uint64_t *ret) {
    uint64_t x = 0;

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(x, 10, &x) ||
            __builtin_add_overflow(x, (uint64_t)(s.p[i] - '0'), &x))
            return false;
    *ret = x;
    return s.n > 0;
}

/* Take `head` off the front of the line. */
static bool skip(atg_str *line, atg_str head) {
    if (line->n < head.n || memcmp(line->p, head.p, head.n) != 0)
        return false;
    line->p += head.n;
    line->n -= head.n;
    return true;
}

static bool read_line(uint32_t number, atg_str line, checkpoint *c) {
    switch (number) {
    case 1:
        if (!is_origin(line))
            return false;
        memcpy(c->origin, line.p, line.n);
        return true;
    case 2:
        return read_size(line, &c->size);
    case 3:
        return read_base64(line, ROOT64, c->root.bytes, HASH_SIZE);
    case 4:
        return skip(&line, ATG_STR("at ")) && instant_read(line, &c->at);
    case 5:
        return skip(&line, ATG_STR("key ")) && bytes_from_hex(line, c->key.bytes, KEY_ID);
    case 6:
        return line.n == 0;
    default:
        return skip(&line, ATG_STR(DASH)) && skip(&line, atg_str_of(c->origin)) &&
               skip(&line, ATG_STR(" ")) &&
               read_base64(line, SIGNATURE64, c->signature, CHECKPOINT_SIGNATURE);
    }
}

int checkpoint_read(atg_str text, checkpoint *ret, atg_err *err) {
    static const char *const lines[] = {"its origin",   "its size", "its root",
                                        "its instant",  "its key",  "an empty line",
                                        "its signature"};
    atg_str rest = text, again;
    char written[CHECKPOINT_MAX];
    checkpoint c = {.size = 0};

    for (uint32_t i = 1; i <= sizeof(lines) / sizeof(*lines); i++)
        if (!read_line(i, atg_str_cut(&rest, '\n'), &c))
            return atg_fail_at(err, ATG_EPARSE, i, 1,
                               "This is not a checkpoint: line %u is not %s as it is written", i,
                               lines[i - 1]);
    again = (atg_str){written, checkpoint_text(&c, written)};
    if (!atg_str_eq(again, text))
        return atg_fail(
            err, ATG_EPARSE,
            "This is not a checkpoint as it is written: it has more or other characters");
    *ret = c;
    return ATG_OK;
}

int checkpoint_check(const checkpoint *c, const sign_public *pub, atg_err *err) {
    key_id key = sign_key_id(pub);
    char text[CHECKPOINT_MAX] = "";
    unsigned char hint[4];

    make_hint(c->origin, pub, hint);
    if (!key_id_eq(&key, &c->key) || memcmp(hint, c->signature, sizeof(hint)) != 0)
        return atg_fail(err, ATG_EDENIED,
                        "The checkpoint at %llu entries was signed by another key",
                        (unsigned long long)c->size);
    if (!sign_check(pub, (atg_str){text, body(c, text)}, c->signature + 4))
        return atg_fail(err, ATG_EDENIED,
                        "The checkpoint at %llu entries was changed after it was signed",
                        (unsigned long long)c->size);
    return ATG_OK;
}
