/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"
#include "formats/familias.h"

void fam_next(fam_file *f) {
    atg_str line, text;

    f->end = !text_line(&f->lines, &line);
    if (f->end) {
        f->text = (atg_str){0};
        f->col = 0;
        return;
    }
    text = atg_str_trim(line);
    f->quoted = text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"';
    if (f->quoted)
        text = atg_str_trim((atg_str){text.p + 1, text.n - 2});
    f->text = text;
    f->col = (uint32_t)(text.p - line.p) + 1;
}

int fam_fail(fam_file *f, int code, const char *fmt, ...) {
    char text[sizeof(f->err->msg)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return atg_fail_at(f->err, code, f->lines.line, f->col, "%s", text);
}

int fam_at(fam_file *f, uint32_t line, int rc) {
    if (rc && rc != ATG_ENOMEM && f->err && f->err->line == 0) {
        f->err->line = line;
        f->err->col = 1;
    }
    return rc;
}

int fam_nomem(fam_file *f) {
    return atg_fail(f->err, ATG_ENOMEM, "Out of memory reading a Familias file");
}

static int ended(fam_file *f, const char *what) {
    return fam_fail(f, ATG_EPARSE, "The file ends where %s should follow; export it again", what);
}

int fam_keep(fam_file *f, atg_str s, size_t max, const char *what, atg_str *ret) {
    atg_str copy;

    if (s.n == 0)
        return fam_fail(f, ATG_EPARSE, "Expected %s here and found nothing; enter it in Familias",
                        what);
    if (s.n > max)
        return fam_fail(f, ATG_ELIMIT, "Here %s is longer than %zu bytes; shorten it in Familias",
                        what, max);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20)
            return fam_fail(f, ATG_EPARSE, "There is a control character in %s", what);
    copy = atg_arena_str(f->arena, s);
    if (!copy.p)
        return fam_nomem(f);
    *ret = copy;
    return ATG_OK;
}

int fam_take_name(fam_file *f, const char *what, atg_str *ret) {
    int rc;

    if (f->end)
        return ended(f, what);
    rc = fam_keep(f, f->text, FAM_NAME_MAX, what, ret);
    if (!rc)
        fam_next(f);
    return rc;
}

int fam_take_count(fam_file *f, const char *what, uint32_t max, uint32_t *ret) {
    uint32_t n;

    if (f->end)
        return ended(f, what);
    if (!number_count(f->text, &n))
        return fam_fail(f, ATG_EPARSE, "Expected %s here, a whole number, and found \"%.*s\"", what,
                        f->text.n > 60 ? 60 : (int)f->text.n, f->text.p);
    if (n > max)
        return fam_fail(f, ATG_ELIMIT, "%u is too large for %s; at most %u are read", n, what, max);
    if (n > f->lines.rest.n + 1) /* everything that is counted takes a line of its own */
        return fam_fail(f, ATG_EPARSE, "%u is more than the rest of the file can hold as %s", n,
                        what);
    fam_next(f);
    *ret = n;
    return ATG_OK;
}

int fam_take_number(fam_file *f, const char *what, double lo, double hi, double *ret) {
    double x;

    if (f->end)
        return ended(f, what);
    if (!number_read(f->text, &x))
        return fam_fail(f, ATG_EPARSE, "Expected %s here, a number, and found \"%.*s\"", what,
                        f->text.n > 60 ? 60 : (int)f->text.n, f->text.p);
    if (!(x >= lo && x <= hi))
        return fam_fail(f, ATG_EPARSE, "Expected %s here, from %g to %g, and found %g", what, lo,
                        hi, x);
    fam_next(f);
    *ret = x;
    return ATG_OK;
}

int fam_take_flag(fam_file *f, const char *what, bool *ret) {
    if (f->end)
        return ended(f, what);
    if (!atg_str_eq(f->text, ATG_STR("#TRUE#")) && !atg_str_eq(f->text, ATG_STR("#FALSE#")))
        return fam_fail(f, ATG_EPARSE, "Expected %s here, #TRUE# or #FALSE#, and found \"%.*s\"",
                        what, f->text.n > 60 ? 60 : (int)f->text.n, f->text.p);
    *ret = f->text.p[1] == 'T';
    fam_next(f);
    return ATG_OK;
}
