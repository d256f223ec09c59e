/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a card whose signature holds, or refused with a sentence; its fingerprint is its
 * own. */
#include "formats/sitecard.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char fingerprint[SITECARD_FINGERPRINT + 1];
    sitecard c = {.site = "ZZ"};
    atg_err err = {0};
    int rc = sitecard_read((atg_str){(const char *)data, size}, &c, &err);

    if (rc) {
        if ((rc != ATG_EPARSE && rc != ATG_EDENIED) || !err.msg[0] || c.site[0] != 'Z')
            abort();
        if (sitecard_is(&c, (atg_str){(const char *)data, size}) != false)
            abort();
        return 0;
    }
    sitecard_fingerprint(&c, fingerprint);
    if (!sitecard_is(&c, atg_str_of(fingerprint)) || !c.site[0])
        abort();
    return 0;
}
