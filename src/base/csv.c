/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include <string.h>

static uint32_t count(atg_str line, char c) {
    uint32_t n = 0;
    bool quoted = false;

    for (size_t i = 0; i < line.n; i++) {
        quoted ^= line.p[i] == '"';
        n += !quoted && line.p[i] == c;
    }
    return n;
}

csv csv_new(atg_str bytes) {
    if (bytes.n >= 3 && memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0) {
        bytes.p += 3;
        bytes.n -= 3;
    }

    atg_str rest = bytes, first = atg_str_cut(&rest, '\n');
    uint32_t tabs = count(first, '\t'), semis = count(first, ';'), commas = count(first, ',');
    char sep = tabs ? '\t' : semis >= commas && semis ? ';' : ',';

    return (csv){.rest = bytes, .line_start = bytes.p, .sep = sep, .line = 1};
}

static void advance(csv *c, size_t n) {
    c->rest.p += n;
    c->rest.n -= n;
}

static void next_line(csv *c) {
    c->line++;
    c->line_start = c->rest.p;
}

static uint32_t column(const csv *c) {
    return (uint32_t)(c->rest.p - c->line_start) + 1;
}

/* A quoted field; the opening quote is the next byte. */
static int quoted(csv *c, atg_arena *arena, csv_field *ret, atg_err *err) {
    uint32_t line = c->line, col = column(c);
    char *text = NULL;
    size_t n = 0, from = 1, i = 1;

    for (;; i++) {
        if (i >= c->rest.n)
            return atg_fail_at(err, ATG_EPARSE, line, col, "This quote is never closed");
        if (c->rest.p[i] == '\n') {
            c->line++;
            c->line_start = c->rest.p + i + 1;
        }
        if (c->rest.p[i] != '"')
            continue;
        if (i + 1 >= c->rest.n || c->rest.p[i + 1] != '"')
            break;
        if (!text) /* what is unquoted is never longer than what is left */
            text = ATG_GET(arena, char, c->rest.n);
        if (!text)
            return atg_fail(err, ATG_ENOMEM, "Out of memory reading a table");
        memcpy(text + n, c->rest.p + from, i + 1 - from);
        n += i + 1 - from;
        from = i + 2;
        i++;
    }
    if (text) {
        memcpy(text + n, c->rest.p + from, i - from);
        ret->text = (atg_str){text, n + i - from};
    } else {
        ret->text = (atg_str){c->rest.p + from, i - from};
    }
    advance(c, i + 1);
    ret->line = line;
    ret->col = col;
    if (c->rest.n && *c->rest.p != c->sep && *c->rest.p != '\n' && *c->rest.p != '\r')
        return atg_fail_at(err, ATG_EPARSE, c->line, column(c), "Text behind a closing quote");
    return ATG_OK;
}

static int field(csv *c, atg_arena *arena, csv_field *ret, atg_err *err) {
    if (c->rest.n && *c->rest.p == '"')
        return quoted(c, arena, ret, err);

    size_t n = 0;

    while (n < c->rest.n && c->rest.p[n] != c->sep && c->rest.p[n] != '\n' && c->rest.p[n] != '\r') {
        if (c->rest.p[n] == '\0')
            return atg_fail_at(err, ATG_EPARSE, c->line, column(c) + (uint32_t)n,
                               "A NUL byte: this is not a text table (UTF-16? save it as UTF-8)");
        n++;
    }
    *ret = (csv_field){.text = {c->rest.p, n}, .line = c->line, .col = column(c)};
    advance(c, n);
    return ATG_OK;
}

/* Skip the end of a line; false when there is none here. */
static bool line_end(csv *c) {
    size_t n = 0;

    if (c->rest.n && c->rest.p[0] == '\r')
        n = c->rest.n > 1 && c->rest.p[1] == '\n' ? 2 : 1;
    else if (c->rest.n && c->rest.p[0] == '\n')
        n = 1;
    if (n == 0)
        return false;
    advance(c, n);
    next_line(c);
    return true;
}

int csv_row(csv *c, atg_arena *arena, csv_field **ret, uint32_t *ret_n, atg_err *err) {
    csv_field row[CSV_FIELDS_MAX];
    uint32_t n = 0;

    while (line_end(c))
        ;
    if (c->rest.n == 0) {
        *ret_n = 0;
        return ATG_OK;
    }
    for (;;) {
        if (n == CSV_FIELDS_MAX)
            return atg_fail_at(err, ATG_ELIMIT, c->line, column(c), "More than %d columns",
                               CSV_FIELDS_MAX);

        int rc = field(c, arena, &row[n], err);

        if (rc)
            return rc;
        n++;
        if (c->rest.n == 0 || line_end(c))
            break;
        advance(c, 1);
    }

    csv_field *made = ATG_GET(arena, csv_field, n);

    if (!made)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a table");
    memcpy(made, row, n * sizeof(*row));
    *ret = made;
    *ret_n = n;
    return ATG_OK;
}

/* A number may start with a sign; anything else that does is a formula to a spreadsheet. */
static bool looks_like_formula(atg_str s) {
    if (s.n == 0 || !strchr("=+-@\t\r", s.p[0]))
        return false;
    if (s.p[0] != '-' && s.p[0] != '+')
        return true;
    for (size_t i = 1; i < s.n; i++)
        if (!strchr("0123456789.", s.p[i]))
            return true;
    return false;
}

void csv_write(atg_buf *buf, atg_str s) {
    bool guard = s.n > 1 && looks_like_formula(s), quote = guard;

    for (size_t i = 0; i < s.n && !quote; i++)
        quote = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r' ||
                s.p[i] == ';' || s.p[i] == '\t';
    if (!quote) {
        atg_buf_add(buf, s);
        return;
    }
    atg_buf_adds(buf, guard ? "\"'" : "\"");
    for (size_t i = 0; i < s.n; i++)
        atg_buf_add(buf, s.p[i] == '"' ? ATG_STR("\"\"") : (atg_str){s.p + i, 1});
    atg_buf_adds(buf, "\"");
}
