/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/accounts.h share. */
#ifndef ATG_APP_ACCOUNTS_INTERNAL_H
#define ATG_APP_ACCOUNTS_INTERNAL_H

#include "app/accounts.h"
#include "app/cases_internal.h"

enum {
    ACCOUNT_ARENA = 16 << 20,
    ACCOUNT_PASSWORD = 4 * PASSWORD_BYTES, /* bytes of a typed password at most */
};

/* Wiped when it leaves scope. */
typedef struct account_secret {
    char text[ACCOUNT_PASSWORD];
    size_t n;
} account_secret;
void account_secret_wipe(account_secret *s);
#define ACCOUNT_SECRET __attribute__((cleanup(account_secret_wipe))) account_secret

/* A typed password in normalization form C.  ATG_EDENIED: it cannot be anybody's. */
int account_normal(atg_str typed, account_secret *ret, atg_err *err);
password_cost account_cost(void);

/* An administrator, of an operation or (none) of all? */
int account_may(db *d, const actor *who, const uuid *operation, atg_err *err);

/* An event of an account in the history of the store.  `key` and `text` (NULL: none) go into the
 * detail, and so does the actor's reason. */
typedef struct account_event {
    const char *action;
    const uuid *account;
    const char *key[2];
    atg_str text[2];
} account_event;
int account_tell(cases *c, db *d, const actor *who, const account_event *e, atg_err *err);

/* The place a TOTP secret is sealed for. */
int account_seal_code(cases *c, db *d, atg_arena *arena, const uuid *account,
                      const code_secret *secret, atg_str *ret, atg_err *err);
int account_open_code(cases *c, db *d, const account_row *a, code_secret *ret, atg_err *err);
/* Has it a second factor that counts? */
static inline bool account_has_code(const account_row *a) {
    return a->totp.n && a->totp_step >= 0;
}

/* Check a code of the telephone or on paper, and use it up: writes the row (not yet: `a` is
 * changed, the caller updates it) or takes the code on paper off.  `*ret_paper`: which it was. */
int account_use_code(cases *c, db *d, account_row *a, atg_str typed, bool *ret_paper, atg_err *err);

/* The word for it in the history. */
static inline const char *account_factor(bool paper) {
    return paper ? "paper" : "telephone";
}

/* Count a try before it is made.  ATG_EDENIED: too many failed, wait. */
typedef struct account_origin {
    hash256 name, origin;
    bool known;
} account_origin;
int account_origin_of(cases *c, db *d, atg_str name, atg_str origin, account_origin *ret,
                      atg_err *err);
int account_try(db *d, account_origin *o, int64_t now, atg_err *err);
/* It was right: forget what failed. */
int account_tried(db *d, const account_origin *o, int64_t now, atg_err *err);

#endif
