/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "store/backend.h"

/* What begins at `z` and may hold a $ that is no parameter: its length, or 0. */
static size_t opaque(const char *z) {
    const char *end = NULL;

    if (*z == '\'' || *z == '"')
        end = strchr(z + 1, *z); /* a doubled quote is two texts side by side */
    else if (z[0] == '-' && z[1] == '-')
        end = strchr(z, '\n');
    else if (z[0] == '/' && z[1] == '*') {
        end = strstr(z + 2, "*/");
        end = end ? end + 1 : NULL;
    } else
        return 0;
    return end ? (size_t)(end - z) + 1 : strlen(z);
}

int parameters_read(const char *sql, char *ret) {
    int highest = 0;

    if (ret)
        memcpy(ret, sql, strlen(sql) + 1);
    for (size_t at = 0; sql[at];) {
        size_t skip = opaque(sql + at);
        int n = 0;

        if (skip || sql[at] != '$') {
            at += skip ? skip : 1;
            continue;
        }
        if (ret && isdigit((unsigned char)sql[at + 1]))
            ret[at] = '?';
        for (at++; isdigit((unsigned char)sql[at]) && n <= DB_VALUES_MAX; at++)
            n = 10 * n + (sql[at] - '0');
        highest = n > highest ? n : highest;
    }
    return highest;
}
