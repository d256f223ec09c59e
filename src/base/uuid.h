/* SPDX-License-Identifier: Apache-2.0 */
/* UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, 74 random bits.  Sorted as
 * bytes they stand in the order in which this process made them. */
#ifndef ATG_BASE_UUID_H
#define ATG_BASE_UUID_H

#include <antigone/base.h>

enum { UUID_SIZE = 16, UUID_TEXT = 36 };

typedef struct uuid {
    unsigned char bytes[UUID_SIZE];
} uuid;

/* The UUID of an instant (0..2^48 - 1 milliseconds) and ten random bytes, six bits of which are
 * overwritten. */
uuid uuid_make(uint64_t ms, const unsigned char random[10]);

/* A new one from the clock and the random numbers of the system.  Greater than all before it in
 * this process, also when the clock goes back: then the random part counts on (RFC 9562, section
 * 6.2, method 2).  Any thread; ATG_EIO when the system has no random numbers. */
ATG_MUST_USE int uuid_new(uuid *ret, atg_err *err);

/* 8-4-4-4-12 lower-case hexadecimal digits and a NUL. */
void uuid_text(const uuid *id, char ret[UUID_TEXT + 1]);

/* Exactly that text of a version 7, variant 10 UUID?  `*ret` is written when it is. */
bool uuid_read(atg_str s, uuid *ret);

/* Are the version and the variant those of uuid_new()? */
bool uuid_valid(const uuid *id);

/* Milliseconds since 1970 that stand in it. */
uint64_t uuid_ms(const uuid *id);

int uuid_cmp(const uuid *a, const uuid *b);

/* All zero: no record. */
bool uuid_none(const uuid *id);

#endif
