/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

/* Bytes of the character that begins with this one, or 0. */
static size_t length_of(unsigned char lead) {
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2)
        return 0;
    if (lead < 0xe0)
        return 2;
    if (lead < 0xf0)
        return 3;
    return lead < 0xf5 ? 4 : 0;
}

/* Longer than need be, half of a pair of UTF-16, or above 0x10ffff. */
static bool is_forbidden(unsigned char lead, unsigned char next) {
    switch (lead) {
    case 0xe0:
        return next < 0xa0;
    case 0xed:
        return next > 0x9f;
    case 0xf0:
        return next < 0x90;
    case 0xf4:
        return next > 0x8f;
    default:
        return false;
    }
}

size_t utf8_len(const char *text, size_t n) {
    const unsigned char *p = (const unsigned char *)text;
    size_t len = length_of(p[0]);

    if (len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len > 1 && is_forbidden(p[0], p[1]) ? 0 : len;
}

uint32_t utf8_next(atg_str *rest) {
    size_t len = utf8_len(rest->p, rest->n);
    const unsigned char *p = (const unsigned char *)rest->p;
    static const unsigned char first[] = {0x7f, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t cp = len ? p[0] & first[len] : UTF8_BAD;

    for (size_t i = 1; i < len; i++)
        cp = cp << 6 | (p[i] & 0x3f);
    rest->p += len ? len : 1;
    rest->n -= len ? len : 1;
    return cp;
}

uint32_t utf8_next_shown(atg_str *rest) {
    uint32_t cp = utf8_next(rest);
    bool control = cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
    bool steers = cp == 0x061c || cp == 0x200e || cp == 0x200f || cp == 0x2028 || cp == 0x2029 ||
                  (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
    bool no_character = cp == 0xfeff || (cp & 0xfffe) == 0xfffe;

    return control || steers || no_character ? UTF8_BAD : cp;
}

size_t utf8_write(uint32_t cp, char *ret) {
    size_t n = 0;

    if (cp < 0x80) {
        ret[n++] = (char)cp;
    } else if (cp < 0x800) {
        ret[n++] = (char)(0xc0 | cp >> 6);
    } else if (cp < 0x10000) {
        ret[n++] = (char)(0xe0 | cp >> 12);
        ret[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
    } else {
        ret[n++] = (char)(0xf0 | cp >> 18);
        ret[n++] = (char)(0x80 | (cp >> 12 & 0x3f));
        ret[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
    }
    if (cp >= 0x80)
        ret[n++] = (char)(0x80 | (cp & 0x3f));
    return n;
}

void utf8_put(atg_buf *buf, uint32_t cp) {
    char s[4];

    atg_buf_add(buf, (atg_str){s, utf8_write(cp, s)});
}

/* The ranges that occur in names and codes; a rare character counted one off only moves a column.
 */
static const struct {
    uint32_t from, to, columns;
} widths[] = {
    {0x0300, 0x036f, 0}, {0x0483, 0x0489, 0},   {0x0591, 0x05bd, 0},   {0x0610, 0x061a, 0},
    {0x064b, 0x065f, 0}, {0x0e31, 0x0e31, 0},   {0x0e34, 0x0e3a, 0},   {0x0e47, 0x0e4e, 0},
    {0x1100, 0x115f, 2}, {0x1ab0, 0x1aff, 0},   {0x1dc0, 0x1dff, 0},   {0x200b, 0x200d, 0},
    {0x20d0, 0x20ff, 0}, {0x2e80, 0x303e, 2},   {0x3041, 0x33ff, 2},   {0x3400, 0x4dbf, 2},
    {0x4e00, 0x9fff, 2}, {0xa000, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
    {0xfe00, 0xfe0f, 0}, {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe4f, 2},   {0xff00, 0xff60, 2},
    {0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
};

uint32_t utf8_columns(uint32_t cp) {
    if (cp < widths[0].from)
        return 1;
    for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++)
        if (cp >= widths[i].from && cp <= widths[i].to)
            return widths[i].columns;
    return 1;
}
