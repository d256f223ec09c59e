/* SPDX-License-Identifier: Apache-2.0 */
/* Instants as ISO 8601 text in UTC with microseconds: 2026-11-24T04:39:00.123456Z. */
#ifndef ATG_BASE_INSTANT_H
#define ATG_BASE_INSTANT_H

#include <antigone/base.h>

enum { INSTANT_TEXT = 27 };

/* The years 0001 to 9999, in microseconds since 1970-01-01T00:00:00Z. */
#define INSTANT_MIN ((int64_t)-62135596800000000)
#define INSTANT_MAX ((int64_t)253402300799999999)

/* INSTANT_TEXT characters and a NUL; an instant outside the range becomes its nearest end. */
void instant_text(int64_t us, char ret[INSTANT_TEXT + 1]);

/* Exactly that form, of a day that exists?  `*ret` is written when it is. */
bool instant_read(atg_str s, int64_t *ret);

/* Days since 1970-01-01 of a day of the Gregorian calendar, and back. */
int64_t instant_days(int32_t year, uint32_t month, uint32_t day);
void instant_civil(int64_t days, int32_t *year, uint32_t *month, uint32_t *day);

/* 28..31; month 1..12. */
uint32_t instant_month_days(int32_t year, uint32_t month);

#endif
