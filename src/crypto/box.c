/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/box.h"

#include <sodium.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/ready.h"

_Static_assert((int)BOX_OVERHEAD == (int)crypto_box_SEALBYTES, "as libsodium has it");

void box_pair_of(const key256 *seed, box_pair *ret) {
    (void)crypto_box_seed_keypair(ret->pub.bytes, ret->secret.bytes, seed->bytes);
}

void box_pair_wipe(box_pair *pair) {
    sodium_memzero(pair, sizeof(*pair));
}

key_id box_key_id(const box_public *pub) {
    hasher h;
    key_id id;

    hash_begin(&h, "antigone/box-key/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)pub->bytes, BOX_PUBLIC});
    memcpy(id.bytes, hash_end(&h).bytes, KEY_ID);
    return id;
}

int box_make(const box_public *to, atg_str plain, unsigned char *ret, atg_err *err) {
    int rc = crypto_ready(err);

    if (!rc && crypto_box_seal(ret, (const unsigned char *)plain.p, plain.n, to->bytes))
        rc = atg_fail(err, ATG_EINVAL, "This is not the key of a receiver: ask for it again");
    return rc;
}

int box_open(const box_pair *own, atg_str boxed, unsigned char *ret, atg_err *err) {
    unsigned char none[1] = {0};
    int rc = crypto_ready(err);

    if (rc)
        return rc;
    if (boxed.n < BOX_OVERHEAD ||
        crypto_box_seal_open(boxed.n > BOX_OVERHEAD ? ret : none, (const unsigned char *)boxed.p,
                             boxed.n, own->pub.bytes, own->secret.bytes)) {
        if (boxed.n > BOX_OVERHEAD)
            memset(ret, 0, boxed.n - BOX_OVERHEAD);
        return atg_fail(err, ATG_EDENIED,
                        "This cannot be opened: it was made for another receiver, or changed");
    }
    return ATG_OK;
}
