/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 63 }; /* characters */

bool number_read(atg_str s, double *ret) {
    char text[NUMBER_MAX + 1];
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    bool point = false;
    char *end;
    double x;

    if (!c_locale)
        return false;
    if (s.n == 0 || s.n > NUMBER_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '\0' || !strchr("0123456789.,+-eE", c))
            return false;
        if (c == '.' || c == ',') {
            if (point)
                return false;
            point = true;
            c = '.';
        }
        text[i] = c;
    }
    text[s.n] = '\0';
    x = strtod_l(text, &end, c_locale); /* "C" is static: there is nothing to free */
    if (end != text + s.n || !isfinite(x))
        return false;
    *ret = x;
    return true;
}

bool number_count(atg_str s, uint32_t *ret) {
    uint64_t n = 0;

    if (s.n == 0 || s.n > 10)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (n > UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    return true;
}
