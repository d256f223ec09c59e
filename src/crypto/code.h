/* SPDX-License-Identifier: Apache-2.0 */
/* The second thing one needs to log in: codes of a telephone (TOTP, RFC 6238: SHA-1, 6 digits, 30
 * seconds, through liboath) and recovery codes on paper. */
#ifndef ATG_CRYPTO_CODE_H
#define ATG_CRYPTO_CODE_H

#include "base/uuid.h"
#include "crypto/hash.h"

enum { CODE_SECRET = 20, CODE_SECONDS = 30, CODE_URI = 1024, CODE_RECOVERY = 19 };

typedef struct code_secret {
    unsigned char bytes[CODE_SECRET];
} code_secret;

ATG_MUST_USE int code_secret_new(code_secret *ret, atg_err *err);

/* Is `code` (6 digits; blanks are skipped) that of the step in which `now` (microseconds UTC) lies,
 * or of one before or after it?  Steps up to `last`, the greatest that this account ever used (0:
 * none), do not count.  `*ret` is the step: the caller stores it as the new `last`, in the
 * transaction that lets the account in.  ATG_EDENIED: no. */
ATG_MUST_USE int code_check(const code_secret *secret, atg_str code, int64_t now, uint64_t last,
                            uint64_t *ret, atg_err *err);

/* What the telephone reads: otpauth://totp/ISSUER:ACCOUNT?secret=...  The caller wipes it.
 * ATG_EINVAL: issuer or account is empty or longer than 64 bytes. */
ATG_MUST_USE int code_uri(const code_secret *secret, atg_str issuer, atg_str account,
                          char ret[CODE_URI], atg_err *err);

/* One recovery code: 80 random bits as "7h2k-9qpx-m3ta-0wvz" and a NUL. */
ATG_MUST_USE int code_recovery_new(char ret[CODE_RECOVERY + 1], atg_err *err);

/* What is stored of it: BLAKE2b-256 of ("antigone/recovery-code/1", account, the 16 characters).
 * Hyphens, blanks and case do not count; o reads as 0, i and l as 1.  The caller deletes the row
 * of the hash when the code is used.  ATG_EDENIED: this is no recovery code. */
ATG_MUST_USE int code_recovery_hash(const uuid *account, atg_str typed, hash256 *ret, atg_err *err);

#endif
