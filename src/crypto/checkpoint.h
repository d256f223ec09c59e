/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint: what the tree over all audit entries was at an instant, signed.  Its text is a
 * C2SP tlog-checkpoint in a signed note (c2sp.org/tlog-checkpoint, c2sp.org/signed-note), which
 * the tools of others read too:
 *
 *     antigone.example/K3                              origin: who keeps the tree
 *     1234                                             size
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=     root, base64
 *     at 2026-11-24T04:36:40.123456Z
 *     key 0123456789abcdef                             sign_key_id(), hexadecimal
 *
 *     — antigone.example/K3 q6RJ...                    base64 of hint (4 bytes) | Ed25519 (64)
 *
 * The signature is over the text up to and without the empty line; each line ends in LF.  The hint
 * is the first 4 bytes of SHA-256(origin | LF | 0x01 | public key). */
#ifndef ATG_CRYPTO_CHECKPOINT_H
#define ATG_CRYPTO_CHECKPOINT_H

#include "crypto/sign.h"
#include "crypto/tree.h"

enum { CHECKPOINT_ORIGIN = 100, CHECKPOINT_MAX = 512, CHECKPOINT_SIGNATURE = 4 + SIGN_SIZE };

typedef struct checkpoint {
    char origin[CHECKPOINT_ORIGIN + 1]; /* 1..100 printable ASCII characters, no blank, no '+' */
    uint64_t size;
    hash256 root;
    int64_t at; /* microseconds UTC */
    key_id key;
    unsigned char signature[CHECKPOINT_SIGNATURE];
} checkpoint;

/* Sign `c`, whose origin, size, root and at are filled: fills its key and signature.  ATG_EINVAL:
 * the origin or the instant cannot be written. */
ATG_MUST_USE int checkpoint_sign(checkpoint *c, const sign_pair *pair, atg_err *err);

/* The text, NUL-terminated; returns its length.  `c` was signed or read. */
size_t checkpoint_text(const checkpoint *c, char ret[CHECKPOINT_MAX]);

/* Exactly such a text?  Every accepted text is what checkpoint_text() writes again.  ATG_EPARSE
 * with the line.  The signature is not checked. */
ATG_MUST_USE int checkpoint_read(atg_str text, checkpoint *ret, atg_err *err);

/* Did the owner of this key sign it?  ATG_EDENIED otherwise. */
ATG_MUST_USE int checkpoint_check(const checkpoint *c, const sign_public *pub, atg_err *err);

#endif
