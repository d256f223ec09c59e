/* SPDX-License-Identifier: Apache-2.0 */
#include "server/target.h"

#include "base/utf8.h"

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int bad(atg_err *err, size_t at, const char *what) {
    int rc = atg_fail(err, ATG_EPARSE, "%s", what);

    if (err)
        err->col = (uint32_t)at + 1;
    return rc;
}

static int check(const char *p, size_t n, atg_err *err) {
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len(p + i, n - i);

        if (!len)
            return bad(err, i, "What is percent-encoded is not UTF-8");
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
            return bad(err, i, "A control character stands in the request");
        i += len;
    }
    return ATG_OK;
}

int target_decode(atg_arena *arena, atg_str raw, bool plus, atg_str *ret, atg_err *err) {
    char *out = ATG_GET(arena, char, raw.n + 1);
    size_t n = 0;

    if (!out)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a request");
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];

        if (c == '%') {
            int high = i + 2 < raw.n ? hex(raw.p[i + 1]) : -1;
            int low = i + 2 < raw.n ? hex(raw.p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return bad(err, i, "A percent sign without two hexadecimal digits");
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[n++] = c;
    }

    int rc = check(out, n, err);

    if (!rc)
        *ret = (atg_str){out, n};
    return rc;
}

atg_str target_encode(atg_arena *arena, atg_str text) {
    static const char digits[] = "0123456789ABCDEF";
    char *out = ATG_GET(arena, char, 3 * text.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n && out; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
                     c == '.' || c == '_' || c == '~';

        if (plain) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = digits[c >> 4];
        out[n++] = digits[c & 15];
    }
    return (atg_str){out, n};
}

static int read_segment(atg_arena *arena, atg_str raw, target *t, atg_err *err) {
    atg_str *s = &t->segment[t->n];
    int rc;

    if (t->n == TARGET_SEGMENTS)
        return atg_fail(err, ATG_ELIMIT, "The path has more than %d parts", TARGET_SEGMENTS);
    rc = target_decode(arena, raw, false, s, err);
    if (rc)
        return rc;
    if (!s->n)
        return atg_fail(err, ATG_EPARSE, "A part of the path is empty");
    if (atg_str_eq(*s, ATG_STR(".")) || atg_str_eq(*s, ATG_STR("..")))
        return atg_fail(err, ATG_EPARSE, "Dots are no part of a path");
    for (size_t i = 0; i < s->n; i++)
        if (s->p[i] == '/' || s->p[i] == '\\')
            return atg_fail(err, ATG_EPARSE, "A slash in a part of the path");
    t->n++;
    return ATG_OK;
}

static int read_path(atg_arena *arena, atg_str path, target *t, atg_err *err) {
    atg_str rest = {path.p + 1, path.n - 1};

    t->slash = path.p[path.n - 1] == '/';
    while (rest.n) {
        int rc = read_segment(arena, atg_str_cut(&rest, '/'), t, err);

        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int read_query(atg_arena *arena, atg_str query, target *t, atg_err *err) {
    while (query.n) {
        atg_str value = atg_str_cut(&query, '&'), name = atg_str_cut(&value, '=');
        target_pair *p = &t->query[t->n_query];
        int rc;

        if (t->n_query == TARGET_QUERY)
            return atg_fail(err, ATG_ELIMIT, "The query has more than %d values", TARGET_QUERY);
        rc = target_decode(arena, name, true, &p->name, err);
        if (!rc)
            rc = target_decode(arena, value, true, &p->value, err);
        if (rc)
            return rc;
        for (uint32_t i = 0; i < t->n_query; i++)
            if (atg_str_eq(t->query[i].name, p->name))
                return atg_fail(err, ATG_EPARSE, "A name stands twice in the query");
        t->n_query++;
    }
    return ATG_OK;
}

int target_read(atg_arena *arena, atg_str raw, target *ret, atg_err *err) {
    target t = {.n = 0};
    atg_str query = raw, path;
    int rc;

    if (raw.n > TARGET_MAX)
        return atg_fail(err, ATG_ELIMIT, "The target has more than %d bytes", TARGET_MAX);
    for (size_t i = 0; i < raw.n; i++)
        if (raw.p[i] <= 0x20 || raw.p[i] == 0x7f || raw.p[i] == '#')
            return bad(err, i, "A character that has to be percent-encoded");
    path = atg_str_cut(&query, '?');
    if (!path.n || path.p[0] != '/')
        return bad(err, 0, "The target does not begin with a slash");
    rc = read_path(arena, path, &t, err);
    if (!rc)
        rc = read_query(arena, query, &t, err);
    if (!rc)
        *ret = t;
    return rc;
}

atg_str target_query(const target *t, const char *name) {
    for (uint32_t i = 0; i < t->n_query; i++)
        if (atg_str_eq(t->query[i].name, atg_str_of(name)))
            return t->query[i].value;
    return (atg_str){NULL, 0};
}
