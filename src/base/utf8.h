/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 that others wrote: lengths, code points, and how wide they are on a terminal. */
#ifndef ATG_BASE_UTF8_H
#define ATG_BASE_UTF8_H

#include <antigone/base.h>

enum { UTF8_BAD = 0xfffd };

/* Length of the valid sequence that starts at `text` (n >= 1 bytes are there), or 0. */
size_t utf8_len(const char *text, size_t n);

/* Take one code point off `rest`, which is not empty; UTF8_BAD for a byte that is not UTF-8. */
uint32_t utf8_next(atg_str *rest);

/* The same for text that is shown: control characters, and the marks that change the direction
 * of what follows, become UTF8_BAD, so that a name cannot steer a terminal or reorder a line. */
uint32_t utf8_next_shown(atg_str *rest);

/* Write a code point (at most 0x10ffff): how many bytes, 1 to 4. */
size_t utf8_write(uint32_t cp, char *ret);

/* Append one. */
void utf8_put(atg_buf *buf, uint32_t cp);

/* Columns of a terminal it takes: 0 (combining), 1, or 2 (East Asian wide). */
uint32_t utf8_columns(uint32_t cp);

#endif
