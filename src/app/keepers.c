/* SPDX-License-Identifier: Apache-2.0 */
#include "app/keepers.h"

#include <unistd.h>

#include "base/clock.h"
#include "crypto/keyfile.h"

int keepers_open(const keepers_from *from, key256 *ret, atg_err *err) {
    KEYFILE_AUTO keyfile file;
    atg_str passphrase = {NULL, 0};
    int rc = keyfile_load(from->path, true, &file, err);

    if (!rc && !file.plain)
        rc = from->ask(from->user, &passphrase, err);
    return rc ? rc : keyfile_open(&file, passphrase, ret, err);
}

int keepers_add(const key256 *master, const char *path, atg_str keeper, atg_str passphrase,
                atg_err *err) {
    KEYFILE_AUTO keyfile file;
    int rc;

    if (access(path, F_OK) == 0)
        return atg_fail(err, ATG_ECONFLICT, "%s is there already; a key file is never overwritten",
                        path);
    rc = passphrase.n
             ? keyfile_make(master, keeper, passphrase, PASSWORD_KEEPER, clock_now(), &file, err)
             : keyfile_make_plain(master, keeper, clock_now(), &file, err);
    return rc ? rc : keyfile_save(path, &file, err);
}

int keepers_new(const char *path, atg_str keeper, atg_str passphrase, key256 *ret, atg_err *err) {
    KEY_AUTO key256 master;
    int rc = key_new(&master, err);

    if (!rc)
        rc = keepers_add(&master, path, keeper, passphrase, err);
    if (!rc)
        *ret = master;
    return rc;
}
