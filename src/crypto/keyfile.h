/* SPDX-License-Identifier: Apache-2.0 */
/* A keeper's key file: the one place where a store's master key is.  Each keeper has a file of
 * their own for the same key, sealed under a passphrase that only they know; a machine that starts
 * without a person (a systemd credential) has one in which the key stands in clear.
 *
 * Six lines of text, each ended by LF, exactly as keyfile_text() writes them, so that they can be
 * printed and typed in again:
 *
 *     antigone key file 1
 *     keeper NAME
 *     made 2026-11-24T04:39:00.000000Z
 *     master ID                        the key's id (crypto/key.h), 16 hexadecimal digits
 *     argon2id PASSES KIB SALT         or: plain
 *     key BYTES                        sealed (146 digits), or in clear (64 digits)
 *
 * The key is sealed (crypto/seal.h) under password_key() of the passphrase, bound to the five lines
 * before it. */
#ifndef ATG_CRYPTO_KEYFILE_H
#define ATG_CRYPTO_KEYFILE_H

#include "crypto/password.h"
#include "crypto/seal.h"

enum { KEYFILE_KEEPER = 100, KEYFILE_MAX = 512 };

typedef struct keyfile {
    char keeper[KEYFILE_KEEPER + 1]; /* UTF-8 without control characters and blanks at its ends */
    int64_t made;                    /* microseconds UTC */
    key_id master;
    bool plain;
    password_kdf kdf;                 /* of a sealed one */
    unsigned char key[SEAL_KEY_SIZE]; /* KEY_SIZE bytes when plain */
} keyfile;

void keyfile_wipe(keyfile *f);

/* Wipe the file that leaves scope: `KEYFILE_AUTO keyfile f;`. */
#define KEYFILE_AUTO __attribute__((cleanup(keyfile_wipe)))

/* Seal the master key for a keeper, the first one or another.  A new store's master key is
 * key_new().  ATG_EDENIED: the passphrase may not be used (password_rules()); ATG_EINVAL: the name.
 */
ATG_MUST_USE int keyfile_make(const key256 *master, atg_str keeper, atg_str passphrase,
                              password_cost cost, int64_t now, keyfile *ret, atg_err *err);
/* In clear, for a machine. */
ATG_MUST_USE int keyfile_make_plain(const key256 *master, atg_str keeper, int64_t now, keyfile *ret,
                                    atg_err *err);

/* ATG_EDENIED: the passphrase is wrong, or the file was changed.  A plain file takes any. */
ATG_MUST_USE int keyfile_open(const keyfile *f, atg_str passphrase, key256 *ret, atg_err *err);

/* The same key and keeper under another passphrase.  `*ret` may be `*f`. */
ATG_MUST_USE int keyfile_change(const keyfile *f, atg_str old, atg_str passphrase,
                                password_cost cost, int64_t now, keyfile *ret, atg_err *err);

/* Returns the length; the caller wipes what a plain file gave. */
size_t keyfile_text(const keyfile *f, char ret[KEYFILE_MAX]);
/* Exactly such a text?  ATG_EPARSE with the line. */
ATG_MUST_USE int keyfile_read(atg_str text, keyfile *ret, atg_err *err);

/* On disk, for its owner alone (base/file.h); `lax`: the group may read, as with credentials. */
ATG_MUST_USE int keyfile_save(const char *path, const keyfile *f, atg_err *err);
ATG_MUST_USE int keyfile_load(const char *path, bool lax, keyfile *ret, atg_err *err);

#endif
