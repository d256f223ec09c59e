/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/jsonscan.h"

#include <string.h>

void scan_blank(atg_str b, size_t *at) {
    while (*at < b.n &&
           (b.p[*at] == ' ' || b.p[*at] == '\n' || b.p[*at] == '\r' || b.p[*at] == '\t'))
        (*at)++;
}

bool scan_string(atg_str b, size_t *at, atg_str *ret) {
    if (*at >= b.n || b.p[*at] != '"')
        return false;
    for (size_t i = *at + 1; i < b.n; i++) {
        if (b.p[i] == '\\') {
            i++;
        } else if (b.p[i] == '"') {
            *ret = (atg_str){b.p + *at + 1, i - *at - 1};
            *at = i + 1;
            return true;
        }
    }
    return false;
}

static bool ends_a_word(char c) {
    return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool scan_word(atg_str b, size_t *at) {
    size_t from = *at;

    while (*at < b.n && !ends_a_word(b.p[*at]))
        (*at)++;
    return *at > from;
}

/* Step over one byte outside of strings; `*open` holds the kinds of the open brackets, the
 * innermost in the lowest bit.  False for a bracket that closes another kind, or too many. */
static bool bracket(char c, uint64_t *open, unsigned *depth) {
    if (c == '{' || c == '[') {
        *open = *open << 1 | (c == '[');
        return ++*depth <= SCAN_DEPTH;
    }
    if (c == '}' || c == ']') {
        if (*depth == 0 || (*open & 1) != (c == ']'))
            return false;
        *open >>= 1;
        --*depth;
    }
    return true;
}

bool scan_value(atg_str b, size_t *at) {
    uint64_t open = 0;
    unsigned depth = 0;
    size_t i = *at;
    atg_str text;

    if (i >= b.n)
        return false;
    if (b.p[i] != '"' && b.p[i] != '{' && b.p[i] != '[')
        return scan_word(b, at);
    do {
        if (i >= b.n)
            return false;
        if (b.p[i] == '"') {
            if (!scan_string(b, &i, &text))
                return false;
        } else if (!bracket(b.p[i++], &open, &depth)) {
            return false;
        }
    } while (depth);
    *at = i;
    return true;
}

static scan_result to_next(atg_str b, size_t *at, bool first, char bracket) {
    scan_blank(b, at);
    if (*at >= b.n)
        return SCAN_BAD;
    if (b.p[*at] == bracket)
        return SCAN_END;
    if (first)
        return SCAN_FOUND;
    if (b.p[*at] != ',')
        return SCAN_BAD;
    (*at)++;
    scan_blank(b, at);
    return *at < b.n && b.p[*at] != bracket ? SCAN_FOUND : SCAN_BAD;
}

scan_result scan_element(atg_str b, size_t *at, bool first) {
    return to_next(b, at, first, ']');
}

scan_result scan_member(atg_str b, size_t *at, bool first, atg_str *key) {
    scan_result r = to_next(b, at, first, '}');

    if (r != SCAN_FOUND)
        return r;
    if (!scan_string(b, at, key))
        return SCAN_BAD;
    scan_blank(b, at);
    if (*at >= b.n || b.p[*at] != ':')
        return SCAN_BAD;
    (*at)++;
    scan_blank(b, at);
    return *at < b.n ? SCAN_FOUND : SCAN_BAD;
}

void scan_place(atg_str b, size_t at, uint32_t *ret_line, uint32_t *ret_col) {
    const char *line = b.p, *end = b.p + (at < b.n ? at : b.n);
    uint32_t n = 1;

    for (const char *nl; line < end && (nl = memchr(line, '\n', (size_t)(end - line)));) {
        line = nl + 1;
        n++;
    }
    *ret_line = n;
    *ret_col = (uint32_t)(end - line) + 1;
}
