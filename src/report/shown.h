/* SPDX-License-Identifier: Apache-2.0 */
/* Text of others as it is shown: no control characters, cut to a width, escaped for a page. */
#ifndef ATG_REPORT_SHOWN_H
#define ATG_REPORT_SHOWN_H

#include <antigone/base.h>

/* One code point off `rest`, which is not empty: line ends and tabs are blanks, what could steer
 * a terminal or reorder a line is U+FFFD. */
uint32_t shown_next(atg_str *rest);
uint32_t shown_columns(atg_str s);

/* The longest start of `s` that leaves room for an ellipsis in `columns`; all of it if it fits. */
atg_str shown_cut(atg_str s, uint32_t columns, bool *ret_cut);

/* Append as it is. */
void shown_put(atg_buf *buf, atg_str s);

/* Append as HTML and XML want it, in content and in quoted attributes. */
void escape(atg_buf *buf, atg_str s);
/* The same, cut to `columns` with an ellipsis. */
void escape_cut(atg_buf *buf, atg_str s, uint32_t columns);

#endif
