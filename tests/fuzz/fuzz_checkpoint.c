/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a checkpoint that is written again byte for byte, or refused with a sentence. */
#include "crypto/checkpoint.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const sign_public nobody = {{1}};
    atg_str text = {(const char *)data, size}, again;
    char written[CHECKPOINT_MAX];
    checkpoint c = {.size = 77};
    atg_err err = {0};
    int rc = checkpoint_read(text, &c, &err);

    if (rc) {
        if (rc != ATG_EPARSE || !err.msg[0] || c.size != 77)
            abort();
        return 0;
    }
    again = (atg_str){written, checkpoint_text(&c, written)};
    if (!atg_str_eq(text, again) || checkpoint_check(&c, &nobody, &err) != ATG_EDENIED)
        abort();
    return 0;
}
