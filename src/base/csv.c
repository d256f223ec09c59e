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
    csv made = {.rest = bytes, .line_start = bytes.p, .sep = ',', .line = 1};

    if (tabs)
        made.sep = '\t';
    else if (semis && semis >= commas)
        made.sep = ';';
    return made;
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

/* Length of what stands between the quotes, the opening one being the next byte, and how many
 * quotes in it are doubled; SIZE_MAX when it is never closed. */
static size_t quoted_length(const csv *c, size_t *ret_doubled) {
    *ret_doubled = 0;
    for (size_t i = 1; i < c->rest.n; i++) {
        if (c->rest.p[i] != '"')
            continue;
        if (i + 1 >= c->rest.n || c->rest.p[i + 1] != '"')
            return i - 1;
        ++*ret_doubled;
        i++;
    }
    return SIZE_MAX;
}

/* A quoted field; the opening quote is the next byte. */
static int quoted(csv *c, atg_arena *arena, csv_field *ret, atg_err *err) {
    uint32_t line = c->line, col = column(c);
    size_t doubled, n = quoted_length(c, &doubled), k = 0;
    const char *from = c->rest.p + 1;
    char *text = NULL;

    if (n == SIZE_MAX)
        return atg_fail_at(err, ATG_EPARSE, line, col, "This quote is never closed");
    if (doubled)
        text = ATG_GET(arena, char, n - doubled + 1);
    if (doubled && !text)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a table");
    for (size_t i = 0; i < n; i++) {
        if (from[i] == '\0')
            return atg_fail_at(err, ATG_EPARSE, c->line, (uint32_t)(from + i - c->line_start) + 1,
                               "A NUL byte: this is not a text table");
        if (text)
            text[k++] = from[i];
        if (from[i] == '\n') {
            c->line++;
            c->line_start = from + i + 1;
        }
        i += from[i] == '"'; /* the second of a pair */
    }
    ret->text = text ? (atg_str){text, k} : (atg_str){from, n};
    advance(c, n + 2);
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

    while (n < c->rest.n && c->rest.p[n] != c->sep && c->rest.p[n] != '\n' &&
           c->rest.p[n] != '\r') {
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
