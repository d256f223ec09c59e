/* SPDX-License-Identifier: Apache-2.0 */
/* What a site tells others about itself, before they can exchange bundles: its store and its two
 * public keys, signed by the first, as lines of text that a letter can carry.
 *
 *     antigone-site/1
 *     store 01935c1e-0000-7000-8000-000000000001
 *     site K3
 *     sign 64 hexadecimal digits          Ed25519: signs its bundles and checkpoints
 *     box 64 hexadecimal digits           X25519: bundles for it are sealed to it
 *     signature 128 hexadecimal digits    over the lines before
 *
 * Anybody can write such a card.  Whose it is is told by its fingerprint, which people compare by
 * another way: face to face, or by a voice they know. */
#ifndef ATG_FORMATS_SITECARD_H
#define ATG_FORMATS_SITECARD_H

#include "base/uuid.h"
#include "crypto/box.h"
#include "crypto/sign.h"

enum {
    SITECARD_SITE = 8,
    SITECARD_MAX = 512,
    SITECARD_FINGERPRINT = 39, /* "3f2a 91c0 ...", 32 hexadecimal digits */
};

typedef struct sitecard {
    uuid store;
    char site[SITECARD_SITE + 1];
    sign_public sign;
    box_public box;
} sitecard;

/* NUL-terminated; returns its length. */
size_t sitecard_write(const sitecard *c, const sign_pair *pair, char ret[SITECARD_MAX]);
/* Exactly such a text; blanks and line ends around it, and CR before LF, do not count.  ATG_EPARSE
 * with the line; ATG_EDENIED: its signature is not that of its key. */
int sitecard_read(atg_str text, sitecard *ret, atg_err *err);

/* 128 bits of BLAKE2b-256 over ("antigone/site-card/1", store, site, sign, box). */
void sitecard_fingerprint(const sitecard *c, char ret[SITECARD_FINGERPRINT + 1]);
/* Is it what somebody typed?  Blanks, hyphens and case do not count. */
bool sitecard_is(const sitecard *c, atg_str typed);

#endif
