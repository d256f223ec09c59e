/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of agencies, accounts, roles, sessions, failed logins and quotas.  Who may do what is
 * decided in src/app alone.  All functions run in the caller's transaction. */
#ifndef ATG_STORE_ACCOUNTS_H
#define ATG_STORE_ACCOUNTS_H

#include "base/uuid.h"
#include "crypto/hash.h"
#include "model/record.h"
#include "store/db.h"

enum { ACCOUNTS_MAX = 100000 };

typedef struct account_row {
    uuid id, agency;
    atg_str name;      /* folded by the caller */
    atg_str password;  /* text form of crypto/password.h */
    int64_t once;      /* until when a password that somebody else chose counts; 0: their own */
    atg_str totp;      /* sealed secret; empty: none */
    int64_t totp_step; /* the last that was used; -1: the secret was not confirmed yet */
    bool blocked;
    int64_t created;
} account_row;

int accounts_insert(db *d, const account_row *a, atg_err *err);
/* By id, all but its time of creation.  ATG_ENOTFOUND. */
int accounts_update(db *d, const account_row *a, atg_err *err);
/* ATG_ENOTFOUND. */
int accounts_find(db *d, atg_arena *arena, atg_str name, account_row *ret, atg_err *err);
int accounts_get(db *d, atg_arena *arena, const uuid *id, account_row *ret, atg_err *err);
/* All, by name.  ATG_ELIMIT: more than ACCOUNTS_MAX. */
int accounts_list(db *d, atg_arena *arena, account_row **ret, uint32_t *ret_n, atg_err *err);
int accounts_count(db *d, int64_t *ret, atg_err *err);

int agencies_insert(db *d, const uuid *id, atg_str name, atg_err *err);
/* ATG_ENOTFOUND. */
int agencies_find(db *d, atg_str name, uuid *ret, atg_err *err);
int agencies_name(db *d, atg_arena *arena, const uuid *id, atg_str *ret, atg_err *err);

/* Roles as a set of bits, 1 << role.  Operation none: in every operation. */
int accounts_grant(db *d, const uuid *account, const uuid *operation, role r, bool on,
                   atg_err *err);
/* Beside the roles of an account that has any: it has a second factor that counts. */
enum { ACCOUNTS_CODE = 1 << (ROLES + 1) };
/* Those of the operation and those of every operation together; none for a blocked account. */
int accounts_roles(db *d, const uuid *account, const uuid *operation, uint32_t *ret, atg_err *err);
/* As db_foresee(): they will be asked for. */
void accounts_foresee_roles(db *d, const uuid *account, const uuid *operation);

typedef struct account_roles {
    uuid operation; /* none: every */
    uint32_t roles;
} account_roles;
int accounts_grants(db *d, atg_arena *arena, const uuid *account, account_roles **ret,
                    uint32_t *ret_n, atg_err *err);
/* How many accounts that are not blocked have this role in every operation. */
int accounts_with(db *d, role r, int64_t *ret, atg_err *err);

/* Codes on paper: put the hashes of n in place of those that are there; take one off
 * (ATG_ENOTFOUND: used, or never there). */
int accounts_codes(db *d, const uuid *account, const hash256 *hashes, uint32_t n, atg_err *err);
int accounts_code_use(db *d, const uuid *account, const hash256 *hash, atg_err *err);
int accounts_codes_left(db *d, const uuid *account, int64_t *ret, atg_err *err);

/* Failed logins of a name from an origin, as hashes; zeros for what was never there. */
typedef struct login_try {
    hash256 name, origin;
    int64_t failures, last;
    int64_t known; /* when one succeeded; 0: never */
} login_try;
int logins_get(db *d, const hash256 *name, const hash256 *origin, login_try *ret, atg_err *err);
int logins_put(db *d, const login_try *t, atg_err *err);
/* Forget what failed before that instant where none succeeded. */
int logins_forget(db *d, int64_t before, atg_err *err);
/* Forget all of a name, also where one succeeded. */
int logins_forget_name(db *d, const hash256 *name, atg_err *err);

typedef struct session_row {
    hash256 token; /* hash of it */
    uuid account;
    int64_t created, used, expires;
    int64_t began;     /* when its owner logged in: renewing does not change it */
    int64_t confirmed; /* until when a code or password counts that was given again; 0: none was */
} session_row;
int sessions_insert(db *d, const session_row *s, atg_err *err);
/* ATG_ENOTFOUND. */
int sessions_get(db *d, const hash256 *token, session_row *ret, atg_err *err);
int sessions_use(db *d, const hash256 *token, int64_t used, atg_err *err);
int sessions_confirm(db *d, const hash256 *token, int64_t until, atg_err *err);
/* Those of an account, the first login first; at most SESSIONS_MAX. */
enum { SESSIONS_MAX = 1000 };
int sessions_of(db *d, atg_arena *arena, const uuid *account, session_row **ret, uint32_t *ret_n,
                atg_err *err);
/* One, all of an account, or all that expire before an instant; how many there were. */
int sessions_end(db *d, const hash256 *token, int64_t *ret_n, atg_err *err);
int sessions_end_all(db *d, const uuid *account, int64_t *ret_n, atg_err *err);
int sessions_expire(db *d, int64_t before, atg_err *err);

/* Count n uses in a period (a number of the caller's that grows, such as the hour); gives the new
 * count.  Earlier periods are forgotten. */
int quotas_use(db *d, const uuid *account, const char *kind, int64_t period, int64_t n,
               int64_t *ret, atg_err *err);
int quotas_used(db *d, const uuid *account, const char *kind, int64_t period, int64_t *ret,
                atg_err *err);
/* The account's own limit, or `otherwise`.  Setting a negative one takes it off. */
int quotas_most(db *d, const uuid *account, const char *kind, int64_t otherwise, int64_t *ret,
                atg_err *err);
/* As db_foresee(): it will be asked for. */
void quotas_foresee_most(db *d, const uuid *account, const char *kind);
int quotas_set(db *d, const uuid *account, const char *kind, int64_t most, atg_err *err);

#endif
