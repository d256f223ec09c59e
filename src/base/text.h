/* SPDX-License-Identifier: Apache-2.0 */
/* Text files from other programs, as UTF-8. */
#ifndef ATG_BASE_TEXT_H
#define ATG_BASE_TEXT_H

#include <antigone/base.h>

/* `bytes` as UTF-8 without a byte order mark.  UTF-8 stays where it is; UTF-16 with a byte order
 * mark, and anything else as Windows-1252, are converted into the arena.  `*ret_from` is the name
 * of what was converted, or NULL. */
int text_utf8(atg_arena *arena, atg_str bytes, atg_str *ret, const char **ret_from, atg_err *err);

/* Lines of a text that end in LF, CR LF or CR. */
typedef struct text_lines {
    atg_str rest;
    uint32_t line; /* number of the line that was given last; 0 before the first */
} text_lines;

/* The next line without its end; false when there is none. */
bool text_line(text_lines *lines, atg_str *ret);

#endif
