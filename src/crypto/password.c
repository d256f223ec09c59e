/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <errno.h>
#include <sodium.h>

#include "crypto/ready.h"

_Static_assert((int)PASSWORD_HASH == (int)crypto_pwhash_STRBYTES, "as libsodium has it");
_Static_assert((int)KEY_SALT == (int)crypto_pwhash_SALTBYTES, "so here");

static const struct {
    uint32_t passes, kib;
} costs[] = {
    [PASSWORD_KEEPER] = {3, 262144},
    [PASSWORD_ACCOUNT] = {3, 65536},
    [PASSWORD_LEAST] = {crypto_pwhash_OPSLIMIT_MIN, 8},
};

enum { PASSES_MAX = 16, KIB_MIN = 8, KIB_MAX = 1024 * 1024 };

static int no_memory(uint32_t kib, atg_err *err) {
    return atg_fail(err, ATG_ENOMEM,
                    "Checking a password takes %u MiB of memory, which are not there", kib / 1024);
}

int password_hash(atg_str password, password_cost cost, char ret[PASSWORD_HASH], atg_err *err) {
    char hash[PASSWORD_HASH];
    int rc = crypto_ready(err);

    if (rc)
        return rc;
    if (crypto_pwhash_str_alg(hash, password.n ? password.p : "", password.n, costs[cost].passes,
                              (size_t)costs[cost].kib * 1024, crypto_pwhash_ALG_ARGON2ID13))
        return no_memory(costs[cost].kib, err);
    for (size_t i = 0; i < PASSWORD_HASH; i++)
        ret[i] = hash[i];
    return ATG_OK;
}

int password_check(atg_str password, const char *hash, atg_err *err) {
    int rc = crypto_ready(err);

    if (rc)
        return rc;
    errno = 0;
    if (crypto_pwhash_str_verify(hash, password.n ? password.p : "", password.n) == 0)
        return ATG_OK;
    if (errno == ENOMEM)
        return atg_fail(err, ATG_ENOMEM, "There is not enough memory to check the password");
    return atg_fail(err, ATG_EDENIED, "The password is wrong");
}

int password_check_nobody(atg_str password, password_cost cost, atg_err *err) {
    char hash[PASSWORD_HASH];
    int rc = password_hash(password, cost, hash, err);

    return rc ? rc : atg_fail(err, ATG_EDENIED, "The password is wrong");
}

bool password_stale(const char *hash, password_cost cost) {
    return crypto_pwhash_str_needs_rehash(hash, costs[cost].passes,
                                          (size_t)costs[cost].kib * 1024) != 0;
}

int password_kdf_new(password_cost cost, password_kdf *ret, atg_err *err) {
    password_kdf kdf = {.passes = costs[cost].passes, .kib = costs[cost].kib};
    int rc = key_salt_new(&kdf.salt, err);

    if (!rc)
        *ret = kdf;
    return rc;
}

bool password_kdf_valid(const password_kdf *kdf) {
    return kdf->passes >= 1 && kdf->passes <= PASSES_MAX && kdf->kib >= KIB_MIN &&
           kdf->kib <= KIB_MAX;
}

int password_key(atg_str password, const password_kdf *kdf, key256 *ret, atg_err *err) {
    KEY_AUTO key256 key = {{0}};
    int rc = crypto_ready(err);

    if (rc)
        return rc;
    if (!password_kdf_valid(kdf))
        return atg_fail(err, ATG_EINVAL, "A passphrase is not stretched with %u passes over %u KiB",
                        kdf->passes, kdf->kib);
    if (crypto_pwhash(key.bytes, KEY_SIZE, password.n ? password.p : "", password.n,
                      kdf->salt.bytes, kdf->passes, (size_t)kdf->kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13))
        return no_memory(kdf->kib, err);
    *ret = key;
    return ATG_OK;
}
