/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bundle.h share. */
#ifndef ATG_FORMATS_BUNDLE_PARTS_H
#define ATG_FORMATS_BUNDLE_PARTS_H

#include "crypto/hash.h"
#include "formats/bundle.h"

enum {
    BUNDLE_AD = 128,
    BUNDLE_MESSAGE = 22 + HASH_SIZE, /* "antigone/bundle-part/1" and the hash */
};

/* What the signature of a part is over. */
void bundle_message(const unsigned char *head, atg_str payload, unsigned char ret[BUNDLE_MESSAGE]);

/* What the stream is bound to. */
atg_str bundle_bind(const uuid *bundle, atg_str header, char ret[BUNDLE_AD]);

static inline atg_str bundle_bytes(const void *p, size_t n) {
    return (atg_str){p, n};
}

#endif
