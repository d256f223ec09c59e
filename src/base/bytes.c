/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <string.h>

void bytes_hex(const void *p, size_t n, char *ret) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = p;

    for (size_t i = 0; i < n; i++) {
        *ret++ = digits[from[i] >> 4];
        *ret++ = digits[from[i] & 15];
    }
    *ret = '\0';
}

enum { NO_DIGIT = 16 };

static unsigned digit(char c) {
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : NO_DIGIT;
}

bool bytes_from_hex(atg_str s, void *ret, size_t n) {
    unsigned char *to = ret;

    if (s.n % 2 || s.n / 2 != n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (digit(s.p[i]) == NO_DIGIT)
            return false;
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(digit(s.p[2 * i]) << 4 | digit(s.p[2 * i + 1]));
    return true;
}

void bytes_wipe(void *p, size_t n) {
    if (n)
        explicit_bzero(p, n);
}
