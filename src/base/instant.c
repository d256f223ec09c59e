/* SPDX-License-Identifier: Apache-2.0 */
#include "base/instant.h"

#include <stdio.h>

#define DAY ((int64_t)86400000000)

/* Years that begin in March, so that the leap day comes last; 400 of them have 146,097 days.
 * 719,468 days lie between 0000-03-01 and 1970-01-01. */
int64_t instant_days(int32_t year, uint32_t month, uint32_t day) {
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void instant_civil(int64_t days, int32_t *year, uint32_t *month, uint32_t *day) {
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t rest = z - era * 146097;
    int64_t y = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    int64_t of_year = rest - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;

    *day = (uint32_t)(of_year - (153 * m + 2) / 5 + 1);
    *month = (uint32_t)(m < 10 ? m + 3 : m - 9);
    *year = (int32_t)(y + era * 400 + (*month <= 2));
}

uint32_t instant_month_days(int32_t year, uint32_t month) {
    static const uint32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

void instant_text(int64_t us, char ret[INSTANT_TEXT + 1]) {
    uint32_t month, day;
    int32_t year;

    if (us < INSTANT_MIN)
        us = INSTANT_MIN;
    if (us > INSTANT_MAX)
        us = INSTANT_MAX;

    int64_t days = us / DAY - (us % DAY < 0);
    uint64_t rest = (uint64_t)(us - days * DAY);

    instant_civil(days, &year, &month, &day);
    (void)snprintf(ret, INSTANT_TEXT + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
                   (unsigned)year % 10000, month % 100, day % 100,
                   (unsigned)(rest / 3600000000U) % 100, (unsigned)(rest / 60000000 % 60),
                   (unsigned)(rest / 1000000 % 60), (unsigned)(rest % 1000000));
}

static bool digits(const char *p, size_t n, uint32_t *ret) {
    uint32_t x = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        x = x * 10 + (uint32_t)(p[i] - '0');
    }
    *ret = x;
    return true;
}

bool instant_read(atg_str s, int64_t *ret) {
    static const char form[] = "0000-00-00T00:00:00.000000Z";
    uint32_t y, mo, d, h, mi, sec, us;

    if (s.n != INSTANT_TEXT)
        return false;
    for (size_t i = 0; i < INSTANT_TEXT; i++)
        if (form[i] != '0' && s.p[i] != form[i])
            return false;
    if (!digits(s.p, 4, &y) || !digits(s.p + 5, 2, &mo) || !digits(s.p + 8, 2, &d) ||
        !digits(s.p + 11, 2, &h) || !digits(s.p + 14, 2, &mi) || !digits(s.p + 17, 2, &sec) ||
        !digits(s.p + 20, 6, &us))
        return false;
    if (y == 0 || mo == 0 || mo > 12 || d == 0 || d > instant_month_days((int32_t)y, mo) ||
        h > 23 || mi > 59 || sec > 59)
        return false;
    *ret = instant_days((int32_t)y, mo, d) * DAY +
           ((int64_t)h * 3600 + (int64_t)mi * 60 + sec) * 1000000 + us;
    return true;
}
