/* SPDX-License-Identifier: Apache-2.0 */
/* Finding values in JSON text without parsing it: only strings and brackets are told apart.  What
 * is found is checked by jansson afterwards; these functions accept more than JSON and never read
 * past the end. */
#ifndef ATG_FORMATS_JSONSCAN_H
#define ATG_FORMATS_JSONSCAN_H

#include <antigone/base.h>

enum { SCAN_DEPTH = 64 }; /* brackets in brackets */

void scan_blank(atg_str b, size_t *at);

/* Move past the value that starts at `*at`.  False, with `*at` unchanged, when none starts there,
 * or its brackets do not match, are too deep, or stay open. */
bool scan_value(atg_str b, size_t *at);

/* Move past a string; `*ret` is what stands between its quotes, escapes kept. */
bool scan_string(atg_str b, size_t *at, atg_str *ret);

/* The next element of the array, or member of the object, that `*at` is in.  `*at` is behind the
 * opening bracket or behind the element before; afterwards it is where the value starts.
 * SCAN_END: at the closing bracket.  SCAN_BAD: at the first byte that cannot stand there. */
typedef enum scan_result { SCAN_FOUND, SCAN_END, SCAN_BAD } scan_result;
scan_result scan_element(atg_str b, size_t *at, bool first);
scan_result scan_member(atg_str b, size_t *at, bool first, atg_str *key);

/* Line and column, 1-based, of byte `at`. */
void scan_place(atg_str b, size_t at, uint32_t *ret_line, uint32_t *ret_col);

#endif
