/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a part of a bundle that lies within them, or refused with a sentence; and taken as
 * what comes out of a bundle, they give the same items in one piece and byte by byte. */
#include "formats/bundle.h"

#include <stdlib.h>

#include "crypto/hash.h"

enum { STEP = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parts(atg_str bytes) {
    static const sign_public nobody = {{1}};
    bundle_part p = {.number = 77};
    bundle_header h = {.n_receivers = 77};
    atg_err err = {0};
    int rc = bundle_part_read(bytes, &p, &err);

    if (rc) {
        if ((rc != ATG_EPARSE && rc != ATG_ENOTFOUND) || !err.msg[0] || p.number != 77)
            abort();
        return;
    }
    if (p.payload.n + BUNDLE_AROUND > bytes.n || p.payload.n > BUNDLE_PIECE ||
        p.payload.p != bytes.p + BUNDLE_HEAD || bundle_part_check(&p, &nobody))
        abort();
    if (p.number == 0 && bundle_header_read(p.payload, &h, &err) == ATG_OK &&
        (h.n_receivers < 1 || h.n_receivers > BUNDLE_RECEIVERS ||
         h.receivers + (size_t)h.n_receivers * BUNDLE_RECEIVER != p.signature))
        abort();
}

static int take(void *user, unsigned kind, atg_str bytes, atg_err *err) {
    (void)err;
    hash_number(user, kind);
    hash_bytes(user, bytes);
    return ATG_OK;
}

static int items(atg_str bytes, size_t step, hash256 *ret) {
    bundle_items *i = NULL;
    atg_err err = {0};
    hasher h;
    int rc;

    hash_begin(&h, "fuzz", NULL);
    if (bundle_items_new(take, &h, &i, &err))
        abort();
    for (rc = ATG_OK; bytes.n && !rc;) {
        size_t n = bytes.n < step ? bytes.n : step;

        rc = bundle_items_put(i, (atg_str){bytes.p, n}, &err);
        bytes.p += n;
        bytes.n -= n;
    }
    rc = rc ? rc : bundle_items_end(i, &err);
    if (rc && ((rc != ATG_EPARSE && rc != ATG_ELIMIT) || !err.msg[0]))
        abort();
    bundle_items_free(i);
    *ret = hash_end(&h);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    atg_str bytes = {(const char *)data, size};
    hash256 whole, pieces;

    parts(bytes);
    if (items(bytes, size + 1, &whole) != items(bytes, STEP, &pieces) || !hash_eq(&whole, &pieces))
        abort();
    return 0;
}
