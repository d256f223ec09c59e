/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/code.h"

#include <liboath/oath.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "crypto/ready.h"

enum { DIGITS = 6, NAME_MAX_BYTES = 64, RECOVERY_SYMBOLS = 16 };

static int oath_started = OATH_CRYPTO_ERROR;

static void start_oath(void) {
    oath_started = oath_init();
}

static int ready(atg_err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int rc = crypto_ready(err);

    (void)pthread_once(&once, start_oath);
    if (!rc && oath_started != OATH_OK)
        rc = atg_fail(err, ATG_EIO, "The library for one-time codes (liboath) does not start");
    return rc;
}

int code_secret_new(code_secret *ret, atg_err *err) {
    int rc = crypto_ready(err);

    if (!rc)
        randombytes_buf(ret->bytes, CODE_SECRET);
    return rc;
}

/* The six digits without blanks, or nothing. */
static bool read_digits(atg_str code, char ret[DIGITS]) {
    size_t n = 0;

    for (size_t i = 0; i < code.n; i++) {
        if (code.p[i] == ' ')
            continue;
        if (code.p[i] < '0' || code.p[i] > '9' || n == DIGITS)
            return false;
        ret[n++] = code.p[i];
    }
    return n == DIGITS;
}

int code_check(const code_secret *secret, atg_str code, int64_t now, uint64_t last, uint64_t *ret,
               atg_err *err) {
    uint64_t step = now < 0 ? 0 : (uint64_t)now / 1000000 / CODE_SECONDS, found = 0;
    char typed[DIGITS], want[DIGITS + 1];
    int rc = ready(err);

    if (rc)
        return rc;
    if (!read_digits(code, typed))
        return atg_fail(err, ATG_EDENIED, "A one-time code is 6 digits");
    /* the newest first, and all of them, so that the time taken says nothing */
    for (uint64_t s = step + 1; s + 2 > step && s > 0; s--) {
        if (oath_totp_generate((const char *)secret->bytes, CODE_SECRET, (time_t)(s * CODE_SECONDS),
                               CODE_SECONDS, 0, DIGITS, want) != OATH_OK)
            return atg_fail(err, ATG_EIO, "The library for one-time codes (liboath) fails");
        if (sodium_memcmp(typed, want, DIGITS) == 0 && s > last && !found)
            found = s;
    }
    sodium_memzero(want, sizeof(want));
    if (!found)
        return atg_fail(
            err, ATG_EDENIED,
            "The one-time code is wrong, or was used before: wait for the next one, and "
            "see that the clock of the telephone is right");
    *ret = found;
    return ATG_OK;
}

static void put_escaped(atg_str s, char **to) {
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c && strchr("-._~", c));

        if (plain) {
            *(*to)++ = (char)c;
            continue;
        }
        *(*to)++ = '%';
        *(*to)++ = digits[c >> 4];
        *(*to)++ = digits[c & 15];
    }
    **to = '\0';
}

/* 20 bytes are 32 characters of base32 (RFC 4648) without padding. */
static void put_base32(const code_secret *secret, char **to) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = 0, n = 0;

    for (size_t i = 0; i < CODE_SECRET; i++) {
        bits = bits << 8 | secret->bytes[i];
        for (n += 8; n >= 5; n -= 5)
            *(*to)++ = digits[bits >> (n - 5) & 31];
    }
    **to = '\0';
}

static void put(const char *z, char **to) {
    size_t n = strlen(z);

    memcpy(*to, z, n + 1);
    *to += n;
}

int code_uri(const code_secret *secret, atg_str issuer, atg_str account, char ret[CODE_URI],
             atg_err *err) {
    char *to = ret;

    if (issuer.n == 0 || issuer.n > NAME_MAX_BYTES || account.n == 0 || account.n > NAME_MAX_BYTES)
        return atg_fail(err, ATG_EINVAL, "Issuer and account have 1 to %d bytes",
                        (int)NAME_MAX_BYTES);
    put("otpauth://totp/", &to);
    put_escaped(issuer, &to);
    put(":", &to);
    put_escaped(account, &to);
    put("?secret=", &to);
    put_base32(secret, &to);
    put("&issuer=", &to);
    put_escaped(issuer, &to);
    put("&algorithm=SHA1&digits=6&period=30", &to);
    return ATG_OK;
}

static const char symbols[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* no i, l, o, u */

int code_recovery_new(char ret[CODE_RECOVERY + 1], atg_err *err) {
    int rc = crypto_ready(err);

    if (rc)
        return rc;
    for (size_t i = 0; i < CODE_RECOVERY; i++)
        if (i % 5 == 4)
            ret[i] = '-';
        else
            ret[i] = symbols[randombytes_uniform(32)];
    ret[CODE_RECOVERY] = '\0';
    return ATG_OK;
}

int code_recovery_hash(const uuid *account, atg_str typed, hash256 *ret, atg_err *err) {
    char code[RECOVERY_SYMBOLS];
    bool bad = false;
    size_t n = 0;
    hasher h;

    for (size_t i = 0; i < typed.n && !bad; i++) {
        int c = (unsigned char)typed.p[i];

        if (c == '-' || c == ' ')
            continue;
        if (c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
        c = c == 'o' ? '0' : c == 'i' || c == 'l' ? '1' : c;
        bad = n == RECOVERY_SYMBOLS || c == '\0' || !strchr(symbols, c);
        if (!bad)
            code[n++] = (char)c;
    }
    if (bad || n != RECOVERY_SYMBOLS)
        return atg_fail(err, ATG_EDENIED, "A recovery code has 16 letters and digits");
    hash_begin(&h, "antigone/recovery-code/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)account->bytes, UUID_SIZE});
    hash_bytes(&h, (atg_str){code, n});
    *ret = hash_end(&h);
    sodium_memzero(code, sizeof(code));
    return ATG_OK;
}
