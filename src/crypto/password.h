/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: Argon2id (RFC 9106) through libsodium, in its text form ("$argon2id$v=19$m=...").  The
 * caller gives a password in Unicode normalization form C, so that one typed on another keyboard is
 * the same. */
#ifndef ATG_CRYPTO_PASSWORD_H
#define ATG_CRYPTO_PASSWORD_H

#include "crypto/key.h"

enum {
    PASSWORD_SHORTEST = 12,
    PASSWORD_LONGEST = 128, /* in characters */
    PASSWORD_BYTES = 4 * PASSWORD_LONGEST,
    PASSWORD_HASH = 128, /* bytes of the text form with its NUL, at most */
};

/* How much work a guess costs.  A key file can be carried off and guessed at, a hash of an account
 * only with the whole store, and a server makes many of them: RFC 9106, 4, second recommended
 * option (with one lane: libsodium has no more).  The memory goes back to the system with each. */
typedef enum password_cost {
    PASSWORD_KEEPER,  /* 256 MiB, 3 passes: key files */
    PASSWORD_ACCOUNT, /* 64 MiB, 3 passes */
    PASSWORD_LEAST,   /* 8 KiB, 1 pass: tests only */
} password_cost;

/* May it become somebody's password?  ATG_EDENIED with what to do: too short or too long, made of a
 * few characters, of a row of neighbours (abcdef..., 123456...), or of one of the words that are
 * tried first (data/passwords), or two with fewer than 12 letters together, whatever digits and
 * marks stand around them.  ATG_EINVAL: not
 * UTF-8, or it has control characters. */
ATG_MUST_USE int password_rules(atg_str password, atg_err *err);

/* ATG_EINVAL: it holds a word that belongs to where it is used (an account, an agency, an
 * operation), of four characters or more, whatever its case and without its blanks. */
ATG_MUST_USE int password_context(atg_str password, const atg_str *words, uint32_t n, atg_err *err);

/* The words of data/passwords, each with its line end. */
extern const char password_words[];

/* ATG_ENOMEM when the memory that `cost` asks for is not there. */
ATG_MUST_USE int password_hash(atg_str password, password_cost cost, char ret[PASSWORD_HASH],
                               atg_err *err);

/* Is it that password?  ATG_EDENIED: no.  Takes as long either way. */
ATG_MUST_USE int password_check(atg_str password, const char *hash, atg_err *err);

/* For a name that nobody has: takes as long as password_check(), and says ATG_EDENIED. */
ATG_MUST_USE int password_check_nobody(atg_str password, password_cost cost, atg_err *err);

/* Should it be hashed anew, at the next login, because `cost` is another now? */
bool password_stale(const char *hash, password_cost cost);

/* A key from a passphrase, for keepers of keys.  The two numbers are stored beside the salt. */
typedef struct password_kdf {
    key_salt salt;
    uint32_t passes;
    uint32_t kib;
} password_kdf;

/* New random salt, the numbers of `cost`. */
ATG_MUST_USE int password_kdf_new(password_cost cost, password_kdf *ret, atg_err *err);
/* May such numbers be used?  From 1 pass and 8 KiB up to 16 passes and 1 GiB. */
bool password_kdf_valid(const password_kdf *kdf);
/* ATG_ENOMEM; ATG_EINVAL when they are not valid. */
ATG_MUST_USE int password_key(atg_str password, const password_kdf *kdf, key256 *ret, atg_err *err);

#endif
