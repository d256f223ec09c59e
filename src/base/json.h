/* SPDX-License-Identifier: Apache-2.0 */
/* A streaming JSON writer into an atg_buf; its names keep clear of jansson, which reads.  Commas
 * and indentation are its business; numbers are written with the fewest digits that read back as
 * the same double. */
#ifndef ATG_BASE_JSON_H
#define ATG_BASE_JSON_H

#include <antigone/base.h>

enum { JSON_DEPTH = 32 };

typedef struct json {
    atg_buf *buf;
    int depth;
    bool first;
    bool keyed;
    bool compact[JSON_DEPTH + 1]; /* this level is written on one line */
} json;

json json_new(atg_buf *buf);
void json_begin_object(json *j); /* ... json_end */
void json_begin_array(json *j);  /* ... json_end */
/* The same on one line, for rows of tables. */
void json_object_line(json *j);
void json_array_line(json *j);
void json_end(json *j, char bracket); /* '}' or ']' */
void json_key(json *j, const char *key);
void json_key_str(json *j, atg_str key);
void json_str(json *j, atg_str s); /* invalid UTF-8 becomes U+FFFD */
void json_text(json *j, const char *z);
/* Finite: the shortest form that reads back the same.  NAN and infinities become null. */
void json_num(json *j, double x);
void json_int(json *j, int64_t x);
void json_bool(json *j, bool x);
void json_none(json *j);
/* A value that is JSON already. */
void json_raw(json *j, atg_str text);

/* The shortest decimal form that reads back as x, into 32 bytes; x finite. */
void json_shortest(double x, char ret[32]);

#endif
