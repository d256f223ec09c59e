/* SPDX-License-Identifier: Apache-2.0 */
/* Keepers of a store's master key and their key files (crypto/keyfile.h, docs/keys.md). */
#ifndef ATG_APP_KEEPERS_H
#define ATG_APP_KEEPERS_H

#include "app/cases.h"

/* Asked for the passphrase of a file that has one; text of the callee's that lives until the next
 * call.  Anything but ATG_OK stops. */
typedef int keepers_ask(void *user, atg_str *ret, atg_err *err);

typedef struct keepers_from {
    const char *path;
    keepers_ask *ask;
    void *user;
} keepers_from;

/* The master key of a key file.  ATG_EDENIED: the passphrase is wrong, or others may read the
 * file. */
int keepers_open(const keepers_from *from, key256 *ret, atg_err *err);

/* A new master key in a new key file; an empty passphrase: in clear, for a machine.  ATG_ECONFLICT:
 * the file is there already. */
int keepers_new(const char *path, atg_str keeper, atg_str passphrase, key256 *ret, atg_err *err);
/* The same key for another keeper, in a file of their own. */
int keepers_add(const key256 *master, const char *path, atg_str keeper, atg_str passphrase,
                atg_err *err);

#endif
