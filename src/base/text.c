/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

#include "base/utf8.h"

/* What Windows-1252 has at 0x80 to 0x9f; 0 where it has nothing. */
static const uint16_t high[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

typedef enum encoding { UTF8, UTF16LE, UTF16BE, WINDOWS } encoding;

static bool is_utf8(atg_str s) {
    while (s.n) {
        size_t len = utf8_len(s.p, s.n);

        if (len == 0)
            return false;
        s.p += len;
        s.n -= len;
    }
    return true;
}

/* Find the encoding and skip a byte order mark. */
static encoding look(atg_str *s) {
    if (s->n >= 3 && memcmp(s->p, "\xef\xbb\xbf", 3) == 0) {
        s->p += 3;
        s->n -= 3;
    } else if (s->n >= 2 &&
               (memcmp(s->p, "\xff\xfe", 2) == 0 || memcmp(s->p, "\xfe\xff", 2) == 0)) {
        encoding found = *s->p == '\xff' ? UTF16LE : UTF16BE;

        s->p += 2;
        s->n -= 2;
        return found;
    }
    return is_utf8(*s) ? UTF8 : WINDOWS;
}

static uint32_t unit16(atg_str s, encoding from) {
    const unsigned char *p = (const unsigned char *)s.p;

    return from == UTF16LE ? p[0] | (uint32_t)p[1] << 8 : p[1] | (uint32_t)p[0] << 8;
}

static void skip(atg_str *s, size_t n) {
    s->p += n;
    s->n -= n;
}

/* Take one character; half a surrogate pair and half a unit are UTF8_BAD. */
static uint32_t take16(atg_str *s, encoding from) {
    uint32_t a, b;

    if (s->n < 2) {
        skip(s, s->n);
        return UTF8_BAD;
    }
    a = unit16(*s, from);
    skip(s, 2);
    if (a < 0xd800 || a > 0xdfff)
        return a;
    if (a > 0xdbff || s->n < 2)
        return UTF8_BAD;
    b = unit16(*s, from);
    if (b < 0xdc00 || b > 0xdfff)
        return UTF8_BAD;
    skip(s, 2);
    return 0x10000 + ((a - 0xd800) << 10 | (b - 0xdc00));
}

static uint32_t take(atg_str *s, encoding from) {
    unsigned char c;

    if (from != WINDOWS)
        return take16(s, from);
    c = (unsigned char)*s->p;
    skip(s, 1);
    if (c < 0x80 || c > 0x9f)
        return c;
    return high[c - 0x80] ? high[c - 0x80] : UTF8_BAD;
}

int text_utf8(atg_arena *arena, atg_str bytes, atg_str *ret, const char **ret_from, atg_err *err) {
    encoding from = look(&bytes);
    ATG_AUTO(atg_buf) buf = NULL;
    atg_str made = bytes;
    int rc;

    if (from != UTF8) {
        buf = atg_buf_new(bytes.n * 3 + 1);
        if (!buf)
            return atg_fail(err, ATG_ENOMEM, "Out of memory converting a text to UTF-8");
        while (bytes.n)
            utf8_put(buf, take(&bytes, from));
        rc = atg_buf_take(buf, &made, err);
        if (rc)
            return rc;
        made = atg_arena_str(arena, made);
        if (!made.p)
            return atg_fail(err, ATG_ENOMEM, "Out of memory converting a text to UTF-8");
    }
    *ret = made;
    *ret_from = from == UTF8 ? NULL : from == WINDOWS ? "Windows-1252" : "UTF-16";
    return ATG_OK;
}

bool text_line(text_lines *lines, atg_str *ret) {
    atg_str *rest = &lines->rest;
    size_t n = 0;

    if (rest->n == 0)
        return false;
    while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
        n++;
    *ret = (atg_str){rest->p, n};
    if (n < rest->n)
        n += rest->p[n] == '\r' && n + 1 < rest->n && rest->p[n + 1] == '\n' ? 2 : 1;
    skip(rest, n);
    lines->line++;
    return true;
}
