/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <sodium.h>
#include <string.h>

#include "crypto/ready.h"

enum {
    VERSION = 1,
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    HEAD = 1 + NONCE,
};
_Static_assert(HEAD + TAG == SEAL_OVERHEAD, "as the header says");

static int check(atg_str ad, atg_err *err) {
    if (ad.n == 0 || ad.n > SEAL_AD_MAX)
        return atg_fail(err, ATG_EINVAL, "What is sealed needs 1 to %d bytes of associated data",
                        (int)SEAL_AD_MAX);
    return crypto_ready(err);
}

static size_t bind(atg_str ad, unsigned char ret[1 + SEAL_AD_MAX]) {
    ret[0] = VERSION;
    memcpy(ret + 1, ad.p, ad.n);
    return 1 + ad.n;
}

int seal_make(const key256 *key, atg_str ad, atg_str plain, unsigned char *ret, atg_err *err) {
    unsigned char bound[1 + SEAL_AD_MAX];
    int rc = check(ad, err);

    if (rc)
        return rc;
    ret[0] = VERSION;
    randombytes_buf(ret + 1, NONCE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(ret + HEAD, NULL,
                                                     (const unsigned char *)plain.p, plain.n, bound,
                                                     bind(ad, bound), NULL, ret + 1, key->bytes);
    return ATG_OK;
}

int seal_open(const key256 *key, atg_str ad, atg_str sealed, unsigned char *ret, atg_err *err) {
    const unsigned char *p = (const unsigned char *)sealed.p;
    unsigned char bound[1 + SEAL_AD_MAX], none[1] = {0};
    int rc = check(ad, err);

    if (rc)
        return rc;
    if (sealed.n < SEAL_OVERHEAD || p[0] != VERSION ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(sealed.n > SEAL_OVERHEAD ? ret : none, NULL,
                                                   NULL, p + HEAD, sealed.n - HEAD, bound,
                                                   bind(ad, bound), p + 1, key->bytes)) {
        if (sealed.n > SEAL_OVERHEAD)
            memset(ret, 0, sealed.n - SEAL_OVERHEAD);
        return atg_fail(err, ATG_EDENIED,
                        "This cannot be opened: it was changed, or it was sealed with another key "
                        "or for another place");
    }
    return ATG_OK;
}

int seal_key(const key256 *under, atg_str ad, const key256 *key, unsigned char ret[SEAL_KEY_SIZE],
             atg_err *err) {
    return seal_make(under, ad, (atg_str){(const char *)key->bytes, KEY_SIZE}, ret, err);
}

int seal_open_key(const key256 *under, atg_str ad, atg_str sealed, key256 *ret, atg_err *err) {
    KEY_AUTO key256 key = {{0}};

    if (sealed.n != SEAL_KEY_SIZE)
        return atg_fail(err, ATG_EDENIED,
                        "This cannot be opened: a sealed key has %d bytes, here are %zu",
                        (int)SEAL_KEY_SIZE, sealed.n);

    int rc = seal_open(under, ad, sealed, key.bytes, err);

    if (!rc)
        *ret = key;
    return rc;
}
