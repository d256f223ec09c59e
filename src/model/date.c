/* SPDX-License-Identifier: Apache-2.0 */
#include "model/date.h"

#include "base/instant.h"

#include <string.h>

static bool digits(atg_str *s, size_t n, uint32_t *ret) {
    uint32_t sum = 0;

    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        sum = sum * 10 + (uint32_t)(s->p[i] - '0');
    }
    *s = (atg_str){s->p + n, s->n - n};
    *ret = sum;
    return true;
}

/* YYYY, YYYY-MM or YYYY-MM-DD at the front of `s`. */
static bool one(atg_str *s, int32_t *from, int32_t *to) {
    uint32_t year, month = 0, day = 0;

    if (!digits(s, 4, &year) || year < 1000)
        return false;
    if (s->n && *s->p == '-') {
        *s = (atg_str){s->p + 1, s->n - 1};
        if (!digits(s, 2, &month) || month < 1 || month > 12)
            return false;
        if (s->n && *s->p == '-') {
            *s = (atg_str){s->p + 1, s->n - 1};
            if (!digits(s, 2, &day) || day < 1 || day > instant_month_days((int32_t)year, month))
                return false;
        }
    }

    uint32_t last = month ? month : 12;

    *from = (int32_t)instant_days((int32_t)year, month ? month : 1, day ? day : 1);
    *to = (int32_t)instant_days((int32_t)year, last,
                                day ? day : instant_month_days((int32_t)year, last));
    return true;
}

int date_read(atg_str text, date *ret, atg_err *err) {
    static const char about[] = "about ";
    atg_str s = text;
    date d = {0};
    int32_t ignored;

    if (s.n > sizeof(about) - 1 && memcmp(s.p, about, sizeof(about) - 1) == 0) {
        d.about = true;
        s = (atg_str){s.p + sizeof(about) - 1, s.n - (sizeof(about) - 1)};
    }

    bool ok = one(&s, &d.from, &d.to);

    if (ok && s.n && *s.p == '/') {
        s = (atg_str){s.p + 1, s.n - 1};
        ok = one(&s, &ignored, &d.to) && d.from <= ignored;
    }
    if (!ok || s.n)
        return atg_fail(err, ATG_EPARSE,
                        "'%.*s' is not a date; write 1984, 1984-03, 1984-03-12, 1984/1986 or "
                        "about 1984",
                        (int)(text.n < 40 ? text.n : 40), text.p ? text.p : "");
    *ret = d;
    return ATG_OK;
}
