/* SPDX-License-Identifier: Apache-2.0 */
/* A telephone that shows codes of a second factor. */
#ifndef ATG_TESTS_TELEPHONE_H
#define ATG_TESTS_TELEPHONE_H

#include "testing.h"

#include <liboath/oath.h>

#include "app/accounts.h"
#include "base/clock.h"

typedef struct telephone {
    unsigned char secret[CODE_SECRET];
} telephone;

/* Reads the URI as a telephone does. */
static inline telephone telephone_pair(const char *uri) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const char *at = strstr(uri, "secret=");
    telephone t;
    uint64_t bits = 0;
    uint32_t n = 0, byte = 0;

    assert_non_null(at);
    for (at += 7; *at && *at != '&'; at++) {
        const char *digit = strchr(digits, *at);

        assert_non_null(digit);
        bits = bits << 5 | (uint64_t)(digit - digits);
        for (n += 5; n >= 8; n -= 8)
            t.secret[byte++] = (unsigned char)(bits >> (n - 8));
    }
    assert_int_equal(byte, CODE_SECRET);
    return t;
}

static inline void telephone_show(const telephone *t, char ret[7]) {
    assert_int_equal(oath_totp_generate((const char *)t->secret, CODE_SECRET,
                                        (time_t)(clock_now() / 1000000), CODE_SECONDS, 0, 6, ret),
                     OATH_OK);
}

#endif
