/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in text files, whatever the locale of the program. */
#ifndef ATG_BASE_NUMBER_H
#define ATG_BASE_NUMBER_H

#include <antigone/base.h>

/* Is all of `s` a finite decimal number?  "0.25", "0,25", "-3", "1e-006"; no blanks, no
 * thousands' separators, no hexadecimal.  `*ret` is written when it is. */
bool number_read(atg_str s, double *ret);

/* Is all of `s` decimal digits, of a value up to UINT32_MAX? */
bool number_count(atg_str s, uint32_t *ret);

#endif
