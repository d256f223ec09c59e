/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/base.h>

#include <stdarg.h>
#include <stdio.h>

ATG_PRINTF(5, 0)
static int fill(atg_err *err, int code, uint32_t line, uint32_t col, const char *fmt, va_list ap) {
    *err = (atg_err){.code = code, .line = line, .col = col};
    vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    return code;
}

int(atg_fail)(atg_err *err, int code, const char *fmt, ...) {
    if (err) {
        va_list ap;

        va_start(ap, fmt);
        fill(err, code, 0, 0, fmt, ap);
        va_end(ap);
    }
    return code;
}

int(atg_fail_at)(atg_err *err, int code, uint32_t line, uint32_t col, const char *fmt, ...) {
    if (err) {
        va_list ap;

        va_start(ap, fmt);
        fill(err, code, line, col, fmt, ap);
        va_end(ap);
    }
    return code;
}
