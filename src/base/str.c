/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/base.h>

#include <string.h>

static char lower(char c) {
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

atg_str atg_str_of(const char *z) {
    return (atg_str){z, z ? strlen(z) : 0};
}

bool atg_str_eq(atg_str a, atg_str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool atg_str_eq_nocase(atg_str a, atg_str b) {
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int atg_str_cmp(atg_str a, atg_str b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

atg_str atg_str_trim(atg_str s) {
    while (s.n && is_blank(*s.p)) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

atg_str atg_str_cut(atg_str *rest, char sep) {
    const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    atg_str head = {rest->p, at ? (size_t)(at - rest->p) : rest->n};

    if (rest->p)
        rest->p += at ? head.n + 1 : head.n;
    rest->n -= at ? head.n + 1 : head.n;
    return head;
}
