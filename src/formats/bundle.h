/* SPDX-License-Identifier: Apache-2.0 */
/* The container of sealed bundles: what one site writes for others that no network reaches.
 *
 * A bundle is a row of parts, numbered from 0.  Each part is signed by itself, so that whoever
 * carries a bundle can tell, without any key, which parts of a copy are good, and copy only the
 * others again.  Parts stand in one file or in several, in any order.
 *
 *     part     "ATGB" | version (1 byte, 1) | flags (1: bit 0, the last part) | 0 (2)
 *              | bundle (16) | number (4) | length (4) | payload | signature (64)
 *     part 0   the header: sender's signing key (32) | instant (8) | receivers (2)
 *              | for each: key id (8, crypto/box.h) | the bundle's key in a box (80)
 *     others   a sealed stream (crypto/stream.h) in pieces of BUNDLE_PIECE bytes, the last shorter
 *     stream   items: kind (1) | length (4) | bytes; the last is of kind BUNDLE_END
 *
 * Numbers are big-endian.  The signature is Ed25519 over "antigone/bundle-part/1" and the hash of
 * the part's first 32 bytes and payload.  The stream is bound to the bundle and its header, so that
 * nobody can sign or address anew what was sealed by another. */
#ifndef ATG_FORMATS_BUNDLE_H
#define ATG_FORMATS_BUNDLE_H

#include "base/uuid.h"
#include "crypto/box.h"
#include "crypto/sign.h"

enum {
    BUNDLE_HEAD = 32,
    BUNDLE_AROUND = BUNDLE_HEAD + SIGN_SIZE,
    BUNDLE_PIECE = 1 << 20,
    BUNDLE_PART = BUNDLE_PIECE + BUNDLE_AROUND, /* of a part that is neither first nor last */
    BUNDLE_RECEIVERS = 64,
    BUNDLE_RECEIVER = KEY_ID + KEY_SIZE + BOX_OVERHEAD,
    BUNDLE_HEADER_LEAST = 42,
    BUNDLE_PARTS = 1 << 24, /* of one bundle: 16 TiB */
    BUNDLE_ITEM = 16 << 20, /* bytes of one item */
    BUNDLE_FRAME = 5,       /* before each item */
    BUNDLE_END = 0,
};

/* ---- parts ---- */

typedef struct bundle_part {
    uuid bundle;
    uint32_t number;
    bool last;
    const unsigned char *head; /* the part as it stands */
    atg_str payload;
    const unsigned char *signature;
} bundle_part;

/* The part that `bytes` begin with; it is as long as BUNDLE_AROUND and its payload.  ATG_EPARSE: no
 * part; ATG_ENOTFOUND: the beginning of one that is cut off. */
int bundle_part_read(atg_str bytes, bundle_part *ret, atg_err *err);
/* Did the owner of the key sign it? */
bool bundle_part_check(const bundle_part *p, const sign_public *sender);

/* The payload of part 0. */
typedef struct bundle_header {
    sign_public sender;
    int64_t at; /* microseconds UTC; what the sender's clock said */
    uint32_t n_receivers;
    const unsigned char *receivers; /* BUNDLE_RECEIVER bytes each */
} bundle_header;

/* ATG_EPARSE: exactly such bytes, or not. */
int bundle_header_read(atg_str payload, bundle_header *ret, atg_err *err);
/* Is the bundle for the owner of this key? */
bool bundle_is_for(const bundle_header *h, const box_public *receiver);

/* ---- items ---- */

/* Takes what comes out of the stream apart. */
typedef int bundle_take(void *user, unsigned kind, atg_str bytes, atg_err *err);
typedef struct bundle_items bundle_items;

int bundle_items_new(bundle_take *take, void *user, bundle_items **ret, atg_err *err);
void bundle_items_free(bundle_items *i);
static inline void bundle_items_freep(bundle_items **i) {
    bundle_items_free(*i);
}
/* The next bytes.  ATG_ELIMIT: an item longer than BUNDLE_ITEM; ATG_EPARSE: something behind the
 * end; and what `take` says. */
int bundle_items_put(bundle_items *i, atg_str bytes, atg_err *err);
/* There are no more.  ATG_EPARSE: cut off. */
int bundle_items_end(const bundle_items *i, atg_err *err);

/* ---- writing ---- */

typedef int bundle_out(void *user, uint32_t number, bool last, atg_str part, atg_err *err);

typedef struct bundle_options {
    uuid bundle;
    const sign_pair *sender;
    const box_public *receivers;
    uint32_t n_receivers; /* 1 to BUNDLE_RECEIVERS, each once */
    int64_t at;
    bundle_out *out; /* gets part after part */
    void *user;
} bundle_options;

typedef struct bundle_writer bundle_writer;

/* `o->sender` is used until bundle_finish(). */
int bundle_writer_new(const bundle_options *o, bundle_writer **ret, atg_err *err);
/* The bundle is not finished by it. */
void bundle_writer_free(bundle_writer *w);
static inline void bundle_writer_freep(bundle_writer **w) {
    bundle_writer_free(*w);
}
/* kind is 1..255.  ATG_ELIMIT: longer than BUNDLE_ITEM, or too many parts.  After a failure every
 * call fails. */
int bundle_put(bundle_writer *w, unsigned kind, atg_str bytes, atg_err *err);
int bundle_finish(bundle_writer *w, atg_err *err);

/* ---- reading ---- */

/* Gives the bytes of part `number`, good until the next call; ATG_ENOTFOUND: it is not there. */
typedef int bundle_fetch(void *user, uint32_t number, atg_str *ret, atg_err *err);

/* Read a whole bundle and give out its items, in constant memory.  Every part is checked before
 * anything of it comes out; what came counts only when this says ATG_OK.
 *
 * ATG_EDENIED: for other receivers, changed, or signed by somebody other than `sender` (NULL: by
 * whom the header names); ATG_ENOTFOUND: a part is missing; ATG_EPARSE, ATG_ELIMIT: the sender
 * wrote what is no bundle. */
typedef struct bundle_source {
    bundle_fetch *fetch;
    void *user;
    const box_pair *own;
    const sign_public *sender;
} bundle_source;

int bundle_read(const bundle_source *from, bundle_take *take, void *user, atg_err *err);

#endif
