/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/libraries.h"

#include <jansson.h>
#include <libxml/xmlversion.h>
#include <sodium.h>
#include <stdio.h>

bool cli_libraries(char *ret, size_t n) {
    bool ready = sodium_init() >= 0;

    (void)snprintf(ret, n, "jansson %s, libxml2 %s, libsodium %s", jansson_version_str(),
                   LIBXML_DOTTED_VERSION, sodium_version_string());
    return ready;
}
