/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

json json_new(atg_buf *buf) {
    return (json){.buf = buf, .first = true};
}

static void newline(json *j) {
    if (j->compact[j->depth])
        return;
    atg_buf_adds(j->buf, "\n");
    for (int i = 0; i < j->depth; i++)
        atg_buf_adds(j->buf, "  ");
}

static void before_value(json *j) {
    if (j->keyed) {
        j->keyed = false;
        return;
    }
    if (j->depth == 0)
        return;
    if (!j->first)
        atg_buf_adds(j->buf, j->compact[j->depth] ? ", " : ",");
    j->first = false;
    newline(j);
}

static void open_level(json *j, const char *bracket, bool compact) {
    before_value(j);
    atg_buf_adds(j->buf, bracket);
    if (j->depth < JSON_DEPTH)
        j->depth++;
    j->compact[j->depth] = compact || j->compact[j->depth - 1];
    j->first = true;
}

void json_begin_object(json *j) {
    open_level(j, "{", false);
}

void json_begin_array(json *j) {
    open_level(j, "[", false);
}

void json_object_line(json *j) {
    open_level(j, "{", true);
}

void json_array_line(json *j) {
    open_level(j, "[", true);
}

void json_end(json *j, char bracket) {
    bool empty = j->first, compact = j->compact[j->depth];

    if (j->depth > 0)
        j->depth--;
    if (!empty && !compact)
        newline(j);
    atg_buf_add(j->buf, (atg_str){&bracket, 1});
    j->first = false;
    if (j->depth == 0)
        atg_buf_adds(j->buf, "\n");
}

static void quoted(json *j, atg_str s) {
    atg_buf_adds(j->buf, "\"");
    for (size_t i = 0; i < s.n;) {
        size_t len = utf8_len(s.p + i, s.n - i);
        unsigned char c = (unsigned char)s.p[i];

        if (len == 0) {
            atg_buf_adds(j->buf, "\xef\xbf\xbd");
            i++;
            continue;
        }
        if (c == '"' || c == '\\')
            atg_buf_printf(j->buf, "\\%c", c);
        else if (c == '\n')
            atg_buf_adds(j->buf, "\\n");
        else if (c < 0x20 || c == 0x7f)
            atg_buf_printf(j->buf, "\\u%04x", c);
        else
            atg_buf_add(j->buf, (atg_str){s.p + i, len});
        i += len;
    }
    atg_buf_adds(j->buf, "\"");
}

void json_key_str(json *j, atg_str key) {
    before_value(j);
    quoted(j, key);
    atg_buf_adds(j->buf, ": ");
    j->keyed = true;
}

void json_key(json *j, const char *key) {
    json_key_str(j, atg_str_of(key));
}

void json_str(json *j, atg_str s) {
    before_value(j);
    quoted(j, s);
}

void json_text(json *j, const char *z) {
    json_str(j, atg_str_of(z));
}

void json_shortest(double x, char ret[32]) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(ret, 32, "%.*g", digits, x);
        if (strtod(ret, NULL) == x)
            return;
    }
}

void json_num(json *j, double x) {
    char text[32];

    before_value(j);
    if (!isfinite(x)) {
        atg_buf_adds(j->buf, "null");
        return;
    }
    json_shortest(x, text);
    atg_buf_adds(j->buf, text);
}

void json_int(json *j, int64_t x) {
    before_value(j);
    atg_buf_printf(j->buf, "%lld", (long long)x);
}

void json_bool(json *j, bool x) {
    before_value(j);
    atg_buf_adds(j->buf, x ? "true" : "false");
}

void json_none(json *j) {
    before_value(j);
    atg_buf_adds(j->buf, "null");
}

void json_raw(json *j, atg_str text) {
    before_value(j);
    atg_buf_add(j->buf, text);
}
