/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of agencies, accounts, roles and quotas.  Who may do what is decided in src/app alone. */
#ifndef ATG_STORE_ACCOUNTS_H
#define ATG_STORE_ACCOUNTS_H

#include "base/uuid.h"
#include "model/record.h"
#include "store/db.h"

typedef struct account_row {
    uuid id, agency;
    atg_str name;
    atg_str password; /* text form of crypto/password.h */
    atg_str totp;     /* sealed secret; empty: none */
    int64_t totp_step;
    atg_str state; /* "active", "blocked" */
    int64_t failures, last_failure, created;
} account_row;

int accounts_insert(db *d, const account_row *a, atg_err *err);
int accounts_update(db *d, const account_row *a, atg_err *err);
/* By name, compared as PRECIS-folded text (the caller folds); ATG_ENOTFOUND. */
int accounts_find(db *d, atg_arena *arena, atg_str name, account_row *ret, atg_err *err);
int accounts_get(db *d, atg_arena *arena, const uuid *id, account_row *ret, atg_err *err);
int accounts_list(db *d, atg_arena *arena, account_row **ret, uint32_t *ret_n, atg_err *err);
int accounts_count(db *d, int64_t *ret, atg_err *err);

int agencies_insert(db *d, const uuid *id, atg_str name, atg_err *err);
int agencies_find(db *d, atg_str name, uuid *ret, atg_err *err);

/* Roles as a set of bits, 1 << role.  Operation none: in every operation. */
int accounts_grant(db *d, const uuid *account, const uuid *operation, role r, bool on,
                   atg_err *err);
/* Those of the operation and those of every operation together. */
int accounts_roles(db *d, const uuid *account, const uuid *operation, uint32_t *ret, atg_err *err);

/* Count one use in a period (a number of the caller's, such as the hour); gives the new count. */
int accounts_use(db *d, const uuid *account, const char *kind, int64_t period, int64_t *ret,
                 atg_err *err);

#endif
