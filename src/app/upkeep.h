/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a store sound over years: verifying its history, witnesses, backups, restoring them,
 * and exchanging the master key. */
#ifndef ATG_APP_UPKEEP_H
#define ATG_APP_UPKEEP_H

#include "app/cases.h"
#include "app/outgoing.h"
#include "store/blobs.h"
#include "store/witness.h"

/* ---- history ---- */

typedef struct verify_wish {
    const char *const *witnesses; /* files or folders; each must be of this history */
    uint32_t n_witnesses;
    uint32_t threads; /* 0: all */
    const atg_progress *progress;
} verify_wish;

/* The whole history of the store, and all of its records against it.  An auditor's right.
 * ATG_EDENIED with the first thing that is broken. */
int upkeep_verify(cases *c, const actor *who, const verify_wish *w, audit_report *ret,
                  atg_err *err);
/* A history that was written into a file, without the store; `key`: 64 hexadecimal digits of the
 * public key that signs its checkpoints. */
int upkeep_verify_file(const char *path, atg_str key, const verify_wish *w, audit_report *ret,
                       atg_err *err);
/* The whole history into a file that was not there, for whoever verifies it without the store; or
 * on its way out.  An auditor's right, for a written reason and of the quota of exports; who took
 * it and why stands in the history of the store, and in what is written too.  A failure leaves no
 * file. */
int upkeep_export_history(cases *c, const actor *who, const char *path,
                          const atg_progress *progress, atg_err *err);

int upkeep_give_history(cases *c, const actor *who, outgoing *to, const atg_progress *progress,
                        atg_err *err);

/* Put what is new into the tree, sign it, and give the newest checkpoint; append it to `witness`,
 * where that is not NULL. */
int upkeep_checkpoint(cases *c, const actor *who, const char *witness, checkpoint *ret,
                      atg_err *err);
/* Append a checkpoint that came from elsewhere, as its text, to a witness.  ATG_EPARSE: it is none;
 * else as upkeep_checkpoint(). */
int upkeep_witness(const char *witness, atg_str note, atg_err *err);
/* The public key of the site, in hexadecimal digits. */
enum { UPKEEP_KEY = 64 };
int upkeep_key(cases *c, char ret[UPKEEP_KEY + 1], atg_err *err);

/* ---- backups ---- */

/* A consistent copy while others work: PATH, and beside it PATH.erased, the tombstones until now.
 * With SQLite the sealed pictures are copied too, into PATH.pictures or the folder `pictures`,
 * which may serve many backups: what is there already is not copied again.  With PostgreSQL they
 * are in the copy.  An administrator's right; it stands in the history of the store. */
typedef struct backup_wish {
    const char *path, *pictures; /* the latter may be NULL */
    const atg_progress *progress;
} backup_wish;

/* `ret`: what was copied of pictures. */
int upkeep_backup(cases *c, const actor *who, const backup_wish *w, blob_copied *ret, atg_err *err);

typedef struct restore_wish {
    const char *from, *pictures;      /* NULL: FROM.pictures, where it is there */
    const char *directory, *conninfo; /* where to: empty */
    const key256 *master;
    const char *const
        *journals; /* of erasures: the newest of the store that was lost, and others */
    uint32_t n_journals;
    const atg_progress *progress;
} restore_wish;

/* Make a store of a backup, apply every tombstone of the journals again, and verify its history.
 * `*ret_erased` persons were erased again. */
int upkeep_restore(const restore_wish *w, uint32_t *ret_erased, atg_err *err);

/* ---- the master key ---- */

/* Seal every key of the store under a new master key, which stands in a new key file already
 * (keepers_new()).  The old key files open no store any more; old backups need them.  An
 * administrator's right. */
int upkeep_rotate(cases *c, const actor *who, const key256 *to, uint32_t *ret_n, atg_err *err);

#endif
