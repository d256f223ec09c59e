/* SPDX-License-Identifier: Apache-2.0 */
#include "report/shown.h"

#include "base/utf8.h"

uint32_t shown_next(atg_str *rest) {
    bool blank = *rest->p == '\n' || *rest->p == '\t' || *rest->p == '\r';
    uint32_t cp = utf8_next_shown(rest);

    return blank ? ' ' : cp;
}

uint32_t shown_columns(atg_str s) {
    uint32_t n = 0;

    while (s.n)
        n += utf8_columns(shown_next(&s));
    return n;
}

atg_str shown_cut(atg_str s, uint32_t columns, bool *ret_cut) {
    atg_str rest = s;
    uint32_t used = 0;

    *ret_cut = shown_columns(s) > columns;
    if (!*ret_cut)
        return s;
    while (rest.n) {
        atg_str after = rest;

        used += utf8_columns(shown_next(&after));
        if (used + 1 > columns)
            break;
        rest = after;
    }
    return (atg_str){s.p, s.n - rest.n};
}

void shown_put(atg_buf *buf, atg_str s) {
    while (s.n)
        utf8_put(buf, shown_next(&s));
}

void escape(atg_buf *buf, atg_str s) {
    while (s.n) {
        uint32_t cp = shown_next(&s);

        switch (cp) {
        case '<':
            atg_buf_adds(buf, "&lt;");
            break;
        case '>':
            atg_buf_adds(buf, "&gt;");
            break;
        case '&':
            atg_buf_adds(buf, "&amp;");
            break;
        case '"':
            atg_buf_adds(buf, "&quot;");
            break;
        case '\'':
            atg_buf_adds(buf, "&#39;");
            break;
        default:
            utf8_put(buf, cp);
        }
    }
}

void escape_cut(atg_buf *buf, atg_str s, uint32_t columns) {
    bool cut;

    escape(buf, shown_cut(s, columns, &cut));
    if (cut)
        atg_buf_adds(buf, "…");
}
