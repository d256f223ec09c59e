/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: as hexadecimal text, as big-endian numbers, and gone. */
#ifndef ATG_BASE_BYTES_H
#define ATG_BASE_BYTES_H

#include <antigone/base.h>

/* 2 n lower-case digits and a NUL. */
void bytes_hex(const void *p, size_t n, char *ret);

/* Is `s` exactly 2 n lower-case hexadecimal digits?  `ret` (n bytes) is written when it is. */
bool bytes_from_hex(atg_str s, void *ret, size_t n);

/* Overwrite secrets; the compiler may not leave it out.  p may be NULL when n is 0. */
void bytes_wipe(void *p, size_t n);

static inline void bytes_put32(unsigned char *p, uint32_t x) {
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(x >> (24 - 8 * i));
}

static inline void bytes_put64(unsigned char *p, uint64_t x) {
    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)(x >> (56 - 8 * i));
}

static inline uint32_t bytes_get32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t bytes_get64(const unsigned char *p) {
    return (uint64_t)bytes_get32(p) << 32 | bytes_get32(p + 4);
}

#endif
