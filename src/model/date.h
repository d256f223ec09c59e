/* SPDX-License-Identifier: Apache-2.0 */
/* A date as precisely as it is known: "1984", "1984-03", "1984-03-12", "1984-03/1984-05" (some day
 * from the first to the last), "about 1984".  Gregorian calendar, years 1000 to 9999. */
#ifndef ATG_MODEL_DATE_H
#define ATG_MODEL_DATE_H

#include <antigone/base.h>

enum { DATE_TEXT_MAX = 28 };

typedef struct date {
    int32_t from, to; /* first and last day it can be, since 1970-01-01 */
    bool about;       /* may lie outside them */
} date;

/* ATG_EPARSE: not of that form, no such day, or the last before the first. */
int date_read(atg_str text, date *ret, atg_err *err);

#endif
