/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a key file that is written again byte for byte, or refused with a sentence. */
#include "crypto/keyfile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    atg_str text = {(const char *)data, size}, again;
    char written[KEYFILE_MAX];
    keyfile f = {.made = 77};
    key256 key;
    atg_err err = {0};
    int rc = keyfile_read(text, &f, &err);

    if (rc) {
        if (rc != ATG_EPARSE || !err.msg[0] || f.made != 77)
            abort();
        return 0;
    }
    again = (atg_str){written, keyfile_text(&f, written)};
    if (!atg_str_eq(text, again) || !password_kdf_valid(&f.kdf) != f.plain)
        abort();
    if (f.plain && keyfile_open(&f, ATG_STR(""), &key, &err) == ATG_OK) {
        key_id id = key_id_of(&key);

        if (!key_id_eq(&id, &f.master))
            abort();
    }
    return 0;
}
