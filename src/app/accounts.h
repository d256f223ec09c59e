/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of people: made, let in, kept out, counted.  Everything here that changes something or
 * lets somebody in stands in the history of the store itself (docs/accounts.md).
 *
 * Names of accounts are folded (NFKC, case) and have letters, digits and . - _ @ +.  Passwords are
 * taken in normalization form C, as Argon2id with 64 MiB and 3 passes.  Any thread may call. */
#ifndef ATG_APP_ACCOUNTS_H
#define ATG_APP_ACCOUNTS_H

#include "app/cases.h"
#include "crypto/code.h"
#include "crypto/password.h"
#include "store/accounts.h"

enum {
    ACCOUNT_NAME = 64,     /* characters at most */
    ACCOUNT_ONCE = 19,     /* of a password that is to be changed: "7h2k-9qpx-m3ta-0wvz" */
    ACCOUNT_TOKEN = 64,    /* of a session: hexadecimal digits */
    ACCOUNT_RECOVERY = 10, /* codes on paper */
};

/* The name as it is kept.  ATG_EINVAL says what a name is made of. */
int account_fold(atg_arena *arena, atg_str typed, atg_str *ret, atg_err *err);

/* ---- making and keeping ---- */

/* The first account, an administrator in every operation, with a password of its own.
 * ATG_ECONFLICT: there is an account already; ATG_EDENIED: the password is too weak. */
int account_first(cases *c, atg_str agency, atg_str name, atg_str password, uuid *ret,
                  atg_err *err);

/* The rest is an administrator's (of every operation; for account_grant() also of that one), and
 * never to oneself.
 *
 * A new account without roles; it sets its own password with this one within a week. */
int account_add(cases *c, const actor *who, atg_str agency, atg_str name,
                char ret_password[ACCOUNT_ONCE + 1], uuid *ret, atg_err *err);
/* A new password that is to be changed, within a day; ends what sessions it has.  `code`: takes the
 * second factor off too (the telephone is lost). */
int account_reset(cases *c, const actor *who, const uuid *account, bool code,
                  char ret_password[ACCOUNT_ONCE + 1], atg_err *err);
/* Keep out, and let in again; ends what sessions it has. */
int account_block(cases *c, const actor *who, const uuid *account, bool on, atg_err *err);
/* Operation none: in every operation.  The last administrator of every operation stays one. */
int account_grant(cases *c, const actor *who, const uuid *account, const uuid *operation, role r,
                  bool on, atg_err *err);

typedef struct account_info {
    uuid id;
    atg_str name, agency;
    bool blocked;
    bool once; /* has not set a password of its own yet */
    bool code; /* has a second factor */
    int64_t recovery, created;
    account_roles *grants;
    uint32_t n_grants;
} account_info;

/* An administrator's or auditor's. */
int account_list(cases *c, const actor *who, atg_arena *arena, account_info **ret, uint32_t *ret_n,
                 atg_err *err);
/* Oneself, or for an administrator or auditor anybody.  ATG_ENOTFOUND. */
int account_find(cases *c, const actor *who, atg_arena *arena, atg_str name, account_info *ret,
                 atg_err *err);

/* ---- letting in ---- */

typedef struct login_request {
    atg_str name, password;
    atg_str code; /* of the telephone, or one on paper; empty: none given yet */
    /* Where it comes from, as surely as the caller knows: a secret that the device was given at an
     * earlier login, else its network address, else the user of this machine. */
    atg_str origin;
} login_request;

typedef enum login_status {
    LOGIN_DONE,   /* `who` is let in */
    LOGIN_CODE,   /* the password is right; the code is needed too */
    LOGIN_CHANGE, /* the password is right and is to be changed first: account_password() */
} login_status;

typedef struct login {
    login_status status;
    actor who;             /* its name lies in the arena */
    int64_t recovery_left; /* codes on paper; -1: none was used now */
} login;

/* ATG_EDENIED: not let in, with the same words whether the name, the password or the code is wrong;
 * or too many tries failed, with how long to wait. */
int account_login(cases *c, atg_arena *arena, const login_request *r, login *ret, atg_err *err);

/* Set one's own password, knowing the old one and the code, when there is one (LOGIN_CODE: nothing
 * was changed, it is needed).  ATG_EDENIED: as above, or the new one is too weak; ATG_EINVAL: it is
 * the old one.  Ends all sessions. */
int account_password(cases *c, const login_request *r, atg_str new_password, login_status *ret,
                     atg_err *err);

/* A second factor: what the telephone reads (wiped by the caller); it counts from
 * account_code_confirm() on, which gives the codes for paper, once. */
int account_code_new(cases *c, const actor *who, char ret_uri[CODE_URI], atg_err *err);
int account_code_confirm(cases *c, const actor *who, atg_str code,
                         char ret_recovery[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], atg_err *err);

/* A secret for the device that somebody was let in from, which is known to them from now on: the
 * origin of its later logins is "device:" and the secret, if account_device_is() says that it is
 * one of this store. */
enum { ACCOUNT_DEVICE = 96 };
int account_device(cases *c, const actor *who, char ret[ACCOUNT_DEVICE + 1], atg_err *err);
int account_device_is(cases *c, atg_str device, bool *ret, atg_err *err);

/* ---- sessions ---- */

/* A session of somebody who was let in, for at most 12 hours, and 30 minutes without use. */
int account_session_new(cases *c, const actor *who, char ret_token[ACCOUNT_TOKEN + 1],
                        atg_err *err);
/* What is kept of a session's token. */
hash256 account_token_hash(atg_str token);
/* Who it is.  ATG_EDENIED: it ended, or never was. */
int account_session(cases *c, atg_arena *arena, atg_str token, actor *ret, atg_err *err);
typedef struct session_state {
    actor who;
    int64_t began, expires; /* when its owner logged in; when the token ends */
    int64_t confirmed;      /* until when account_confirm() counts */
} session_state;

/* A session whose token is good for `life_s` seconds, and then renewed: at most 12 hours from the
 * login on. */
int account_session_short(cases *c, const actor *who, int64_t life_s,
                          char ret_token[ACCOUNT_TOKEN + 1], session_state *ret, atg_err *err);
/* Another token in place of this one.  ATG_EDENIED: it ended, or never was. */
int account_session_renew(cases *c, atg_str token, int64_t life_s,
                          char ret_token[ACCOUNT_TOKEN + 1], session_state *ret, atg_err *err);
/* account_session() and what is known of it. */
int account_session_look(cases *c, atg_arena *arena, atg_str token, session_state *ret,
                         atg_err *err);

/* Who signs says once more that it is them: with the code, where there is a second factor, else
 * with the password.  It counts until `*ret_until`, and stands in the history.  ATG_EDENIED as with
 * account_login(); failed tries count as there. */
typedef struct confirm_request {
    atg_str token;    /* of the session */
    atg_str password; /* or */
    atg_str code;
    atg_str origin; /* as in login_request */
} confirm_request;
int account_confirm(cases *c, const confirm_request *r, int64_t *ret_until, atg_err *err);

/* One's own sessions, the first login first. */
enum { SESSION_NAME = 32 }; /* hexadecimal digits: the beginning of what is kept of its token */
typedef struct session_info {
    char name[SESSION_NAME + 1];
    int64_t began, used, expires;
    bool current; /* that of `token` */
} session_info;
int account_sessions(cases *c, atg_arena *arena, const actor *who, atg_str token,
                     session_info **ret, uint32_t *ret_n, atg_err *err);

/* End it; one that is not there is fine. */
int account_logout(cases *c, atg_str token, atg_err *err);
/* End one of one's own, by its name.  ATG_ENOTFOUND. */
int account_logout_one(cases *c, const actor *who, atg_str name, atg_err *err);
/* End all of an account: one's own, or for an administrator anybody's. */
int account_logout_all(cases *c, const actor *who, const uuid *account, atg_err *err);

/* ---- quotas ---- */

typedef enum quota_kind {
    QUOTA_LOOK,   /* looks at sensitive data, an hour */
    QUOTA_SEARCH, /* searches and lists, an hour */
    QUOTA_EXPORT, /* exports and bundles, a day */
    QUOTAS,
} quota_kind;

extern const char *const quota_names[QUOTAS];

/* Spend in the caller's transaction, which is to be rolled back when this fails: ATG_ELIMIT says
 * how many there are and when there will be more.  `*ret_left` (may be NULL) is what is left.  The
 * matcher has no quota. */
int account_spend(db *d, const actor *who, quota_kind kind, int64_t n, int64_t *ret_left,
                  atg_err *err);
/* As db_foresee(): something will be spent. */
void account_foresee_spend(db *d, const actor *who, quota_kind kind);
int account_left(db *d, const actor *who, quota_kind kind, int64_t *ret_left, atg_err *err);
/* What is left of all of them, and how much there is. */
typedef struct quota_state {
    int64_t left[QUOTAS], most[QUOTAS];
} quota_state;
int account_quotas(cases *c, const actor *who, quota_state *ret, atg_err *err);
int account_quota_left(cases *c, const actor *who, quota_kind kind, int64_t *ret_left,
                       int64_t *ret_most, atg_err *err);
/* An administrator's: another limit for an account; negative: that of all again. */
int account_quota(cases *c, const actor *who, const uuid *account, quota_kind kind, int64_t most,
                  atg_err *err);

/* Tests only: what hashing a password costs. */
void account_test_cost(password_cost cost);

#endif
