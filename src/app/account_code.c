/* SPDX-License-Identifier: Apache-2.0 */
/* The second factor: a telephone, and codes on paper for the day it is lost. */
#include "app/accounts_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/seal.h"

enum { PLACE = 64, SEALED = CODE_SECRET + SEAL_OVERHEAD };

static void wipe_secret(code_secret *s) {
    bytes_wipe(s, sizeof(*s));
}
#define CODE_AUTO __attribute__((cleanup(wipe_secret))) code_secret

static atg_str place_of(const uuid *account, char ret[PLACE]) {
    static const char what[] = "antigone/totp/1";

    memcpy(ret, what, sizeof(what) - 1);
    memcpy(ret + sizeof(what) - 1, account->bytes, UUID_SIZE);
    return (atg_str){ret, sizeof(what) - 1 + UUID_SIZE};
}

int account_seal_code(cases *c, db *d, atg_arena *arena, const uuid *account,
                      const code_secret *secret, atg_str *ret, atg_err *err) {
    KEY_AUTO key256 key = {{0}};
    unsigned char sealed[SEALED];
    char place[PLACE];
    int rc = keys_site(d, c->keys, SITE_CODES, &key, err);

    if (!rc)
        rc = seal_make(&key, place_of(account, place),
                       (atg_str){(const char *)secret->bytes, CODE_SECRET}, sealed, err);
    if (rc)
        return rc;
    *ret = atg_arena_str(arena, (atg_str){(const char *)sealed, SEALED});
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory sealing a code");
}

int account_open_code(cases *c, db *d, const account_row *a, code_secret *ret, atg_err *err) {
    KEY_AUTO key256 key = {{0}};
    char place[PLACE];
    int rc = keys_site(d, c->keys, SITE_CODES, &key, err);

    if (!rc && a->totp.n != SEALED)
        return atg_fail(err, ATG_EDB, "The secret of an account's codes is damaged");
    return rc ? rc : seal_open(&key, place_of(&a->id, place), a->totp, ret->bytes, err);
}

int account_use_code(cases *c, db *d, account_row *a, atg_str typed, bool *ret_paper,
                     atg_err *err) {
    CODE_AUTO secret = {{0}};
    uint64_t step = 0;
    hash256 hash;
    int rc = account_open_code(c, d, a, &secret, err);

    if (rc)
        return rc == ATG_EDENIED ? atg_fail(err, ATG_EDB,
                                            "The secret of an account's codes is "
                                            "damaged")
                                 : rc;
    *ret_paper = false;
    rc = code_check(&secret, typed, clock_now(), (uint64_t)a->totp_step, &step, err);
    if (!rc)
        a->totp_step = (int64_t)step;
    if (rc != ATG_EDENIED)
        return rc;
    if (code_recovery_hash(&a->id, typed, &hash, NULL))
        return rc;
    *ret_paper = true;
    return accounts_code_use(d, &a->id, &hash, err);
}

/* ---- setting it up ---- */

typedef struct pairing {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const code_secret *secret;
    atg_str code;
    atg_str name;
    const hash256 *paper;
} pairing;

static int keep_secret(db *d, void *user, atg_err *err) {
    pairing *p = user;
    account_row row;
    int rc = accounts_get(d, p->arena, &p->who->account, &row, err);

    if (!rc && account_has_code(&row))
        return atg_fail(err, ATG_ECONFLICT,
                        "This account has a second factor: an administrator "
                        "takes it off before there is another");
    if (!rc)
        rc = account_seal_code(p->c, d, p->arena, &row.id, p->secret, &row.totp, err);
    if (rc)
        return rc;
    row.totp_step = -1;
    p->name = row.name;
    return accounts_update(d, &row, err);
}

int account_code_new(cases *c, const actor *who, char ret_uri[CODE_URI], atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    CODE_AUTO secret = {{0}};
    pairing p = {.c = c, .who = who, .arena = arena, .secret = &secret};
    char issuer[SITE_MAX + 10];
    int rc = arena ? code_secret_new(&secret, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory setting up codes");

    if (!rc)
        rc = store_write(c->s, keep_secret, &p, err);
    (void)snprintf(issuer, sizeof(issuer), "Antigone %s", c->site);
    return rc ? rc : code_uri(&secret, atg_str_trim(atg_str_of(issuer)), p.name, ret_uri, err);
}

static int confirm(db *d, void *user, atg_err *err) {
    pairing *p = user;
    CODE_AUTO secret = {{0}};
    account_event e = {.action = "code_set", .account = &p->who->account};
    uint64_t step = 0;
    account_row row;
    int rc = accounts_get(d, p->arena, &p->who->account, &row, err);

    if (rc)
        return rc;
    if (!row.totp.n || row.totp_step >= 0)
        return atg_fail(err, ATG_ENOTFOUND, "There is no second factor that waits to be confirmed");
    rc = account_open_code(p->c, d, &row, &secret, err);
    if (!rc)
        rc = code_check(&secret, p->code, clock_now(), 0, &step, err);
    if (rc)
        return rc;
    row.totp_step = (int64_t)step;
    rc = accounts_update(d, &row, err);
    if (!rc)
        rc = accounts_codes(d, &row.id, p->paper, ACCOUNT_RECOVERY, err);
    return rc ? rc : account_tell(p->c, d, p->who, &e, err);
}

int account_code_confirm(cases *c, const actor *who, atg_str code,
                         char ret_recovery[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    hash256 hashes[ACCOUNT_RECOVERY];
    pairing p = {.c = c, .who = who, .arena = arena, .code = code, .paper = hashes};
    int rc = arena ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory setting up codes");

    for (int i = 0; i < ACCOUNT_RECOVERY && !rc; i++) {
        rc = code_recovery_new(paper[i], err);
        if (!rc)
            rc = code_recovery_hash(&who->account, atg_str_of(paper[i]), &hashes[i], err);
    }
    if (!rc)
        rc = store_write(c->s, confirm, &p, err);
    if (!rc)
        memcpy(ret_recovery, paper, sizeof(paper));
    bytes_wipe(paper, sizeof(paper));
    return rc;
}
