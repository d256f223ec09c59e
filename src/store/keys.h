/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of keys: master -> operation -> person, and master -> site (docs/keys.md).
 *
 * The master key comes from outside (a keeper's key file, crypto/keyfile.h) and is never in the
 * database.  The keys of operations stand in operation_key, sealed under it; the key and the salt
 * of a person in person_key, sealed under the operation's.  Erasing empties that row and leaves one
 * in `erased`.  The site key (meta, "site_key") is where the keys come from of what belongs to no
 * person: the seed of the checkpoint signatures, the secrets of one-time codes, the site's own box
 * key of bundles.
 *
 * A keyring serves any number of threads and connections to one store; what it keeps lies in
 * mem_secret().  Of what it remembers a transaction is given only what is true in it: no key that
 * another transaction wrote and may still take back, no person who was erased, by whatever
 * process.  For that each transaction asks the database once. */
#ifndef ATG_STORE_KEYS_H
#define ATG_STORE_KEYS_H

#include "base/uuid.h"
#include "crypto/hash.h"
#include "store/db.h"

typedef struct keyring keyring;

/* What seals a person's data and hides their values in the chain. */
typedef struct person_keys {
    key256 key;
    key_salt salt;
} person_keys;

void keys_wipe(person_keys *keys);

/* Wipe the keys that leave scope: `KEYS_AUTO person_keys k;`. */
#define KEYS_AUTO __attribute__((cleanup(keys_wipe)))

/* Purposes of keys derived from an operation's key. */
typedef enum key_purpose {
    KEY_TOKENS, /* of the search tokens */
    KEY_BLOBS,  /* of the keyed content hashes of pictures */
    KEY_PURPOSES,
} key_purpose;

/* Purposes of keys derived from the site key. */
typedef enum site_purpose {
    SITE_SIGN,  /* seed of the Ed25519 pair that signs checkpoints and bundles */
    SITE_BOX,   /* seed of the X25519 pair that bundles are sealed to */
    SITE_CODES, /* seals TOTP secrets */
    SITE_SPOOL, /* seals the keys of what waits on disk */
    SITE_TASKS, /* seals what jobs were asked and answered */
    SITE_PURPOSES,
} site_purpose;

/* `master` is copied. */
int keyring_open(const key256 *master, keyring **ret, atg_err *err);
void keyring_close(keyring *k);
static inline void keyring_freep(keyring **p) {
    keyring_close(*p);
}

/* A new store: make and keep the site key.  ATG_ECONFLICT: it has one. */
int keys_site_new(db *d, keyring *k, atg_err *err);
/* ATG_EDENIED, with what to do, when this master key is not that of the store. */
int keys_site(db *d, keyring *k, site_purpose purpose, key256 *ret, atg_err *err);

int keys_operation_new(db *d, keyring *k, const uuid *operation, atg_err *err);
/* ATG_ENOTFOUND; ATG_EDENIED: sealed under another master key. */
int keys_operation(db *d, keyring *k, const uuid *operation, key_purpose purpose, key256 *ret,
                   atg_err *err);

/* Make the key and salt of a new person of an operation; `ret` may be NULL.  ATG_ECONFLICT, at the
 * latest in db_commit(): there is such a person already, or was before being erased. */
int keys_person_new(db *d, keyring *k, const uuid *operation, const uuid *person, person_keys *ret,
                    atg_err *err);
/* ATG_ENOTFOUND: erased, or never there (keys_erased() tells). */
int keys_person(db *d, keyring *k, const uuid *person, person_keys *ret, atg_err *err);
/* As db_foresee(): keys of persons will be asked for. */
void keys_foresee(db *d, keyring *k);

/* The same from a row of person_key that the caller has read, joined to its own; `keep`: remember
 * it for keys_person(). */
typedef struct person_row {
    uuid operation, person;
    atg_str wrapped;
} person_row;

int keys_person_open(db *d, keyring *k, const person_row *row, bool keep, person_keys *ret,
                     atg_err *err);

/* Destroy the person's key and salt and leave a tombstone, also of somebody who is not known here
 * (a backup may be older).  Repeating it changes nothing.  The caller empties SQLite's log
 * afterwards (store_checkpoint()). */
int keys_erase(db *d, keyring *k, const uuid *operation, const uuid *person, const uuid *account,
               int64_t at, atg_err *err);
int keys_erased(db *d, const uuid *person, bool *ret, atg_err *err);
/* Wipe what is remembered of a person: after the erasing transaction was committed.  Without this
 * it is done by the next transaction that asks for a key. */
void keyring_forget(keyring *k, const uuid *person);

/* Seal every operation's key and the site key under `to` instead of the ring's master, and say how
 * many keys that were (`ret_n` may be NULL); those that are under `to` already stay, so it may be
 * repeated.  The ring goes on with `to` when keyring_adopt() is called after the commit.
 * ATG_EDENIED: a key is under neither. */
int keys_rotate(db *d, keyring *k, const key256 *to, uint32_t *ret_n, atg_err *err);
void keyring_adopt(keyring *k, const key256 *to);

#endif
