/* SPDX-License-Identifier: Apache-2.0 */
/* What keys.c remembers: opened keys, the last used ones, in memory of mem_secret().
 *
 * Two things make what is remembered wrong.  A transaction that wrote a key may be rolled back, and
 * its closure run again makes another key for the same person; so an entry from a writing
 * transaction counts for that stretch of it (db_stretch()) alone, until it is known to be
 * committed. And another process may erase a person; so each transaction first looks which erasures
 * are new since the last look, and forgets those persons. */
#ifndef ATG_STORE_KEYRING_H
#define ATG_STORE_KEYRING_H

#include "store/keys.h"

/* Persons and operations together. */
enum { KEYRING_MAX = 65536 };

typedef enum key_of { KEY_OF_SITE, KEY_OF_OPERATION, KEY_OF_PERSON } key_of;

/* What this transaction may do with what is remembered of persons. */
typedef struct key_view {
    bool use;
    int64_t erasures;
} key_view;

/* Look for new erasures, once a stretch. */
int keyring_view(keyring *k, db *d, key_view *ret, atg_err *err);
/* As db_foresee(): it will be looked. */
void keyring_foresee_view(keyring *k, db *d);

/* Is it remembered, as far as this transaction goes? */
bool keyring_look(keyring *k, const db *d, key_of of, const uuid *id, person_keys *ret);
/* Remember what was read, or written, in the transaction of `d`; `view` is that of the transaction,
 * or NULL for what cannot be erased.  Does nothing when memory is short. */
void keyring_put(keyring *k, const db *d, const key_view *view, key_of of, const uuid *id,
                 const person_keys *keys);
void keyring_drop(keyring *k, key_of of, const uuid *id);

/* Number `n` was given to an erasure that is not committed yet. */
void keyring_erasing(keyring *k, const db *d, int64_t n);

void keyring_master(keyring *k, key256 *ret);

#endif
