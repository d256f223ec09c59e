/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct atg_buf {
    char *p;
    size_t n, cap, limit;
    int failed;
};

atg_buf *atg_buf_new(size_t limit) {
    atg_buf *buf = mem_alloc(sizeof(*buf));

    if (buf)
        *buf = (atg_buf){.limit = limit};
    return buf;
}

void atg_buf_free(atg_buf *buf) {
    if (!buf)
        return;
    mem_free(buf->p);
    mem_free(buf);
}

/* Room for `more` bytes and a NUL behind them. */
static bool reserve(atg_buf *buf, size_t more) {
    if (buf->failed)
        return false;
    if (more >= buf->limit - buf->n) {
        buf->failed = ATG_ELIMIT;
        return false;
    }
    if (buf->n + more < buf->cap)
        return true;

    size_t cap = (buf->n + more + 1) * 3 / 2 + 256;
    char *p = mem_grow(buf->p, cap);

    if (!p) {
        buf->failed = ATG_ENOMEM;
        return false;
    }
    buf->p = p;
    buf->cap = cap;
    return true;
}

void atg_buf_add(atg_buf *buf, atg_str s) {
    if (s.n == 0 || !reserve(buf, s.n))
        return;
    memcpy(buf->p + buf->n, s.p, s.n);
    buf->n += s.n;
    buf->p[buf->n] = '\0';
}

void atg_buf_adds(atg_buf *buf, const char *z) {
    atg_buf_add(buf, atg_str_of(z));
}

void atg_buf_printf(atg_buf *buf, const char *fmt, ...) {
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);

    if (n > 0 && reserve(buf, (size_t)n)) {
        vsnprintf(buf->p + buf->n, (size_t)n + 1, fmt, again);
        buf->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

int atg_buf_take(const atg_buf *buf, atg_str *ret, atg_err *err) {
    if (buf->failed == ATG_ELIMIT)
        return atg_fail(err, ATG_ELIMIT, "The output is larger than %zu bytes", buf->limit);
    if (buf->failed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the output");
    *ret = (atg_str){buf->p ? buf->p : "", buf->n};
    return ATG_OK;
}
