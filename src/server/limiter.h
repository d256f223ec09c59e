/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets by address or account: so many requests a second, and a burst.  Room for a fixed
 * number; who was away longest is forgotten first, which gives back a full bucket. */
#ifndef ATG_SERVER_LIMITER_H
#define ATG_SERVER_LIMITER_H

#include <antigone/base.h>

enum { LIMITER_KEY = 16 };

typedef struct limiter limiter;

typedef struct limiter_state {
    bool allowed;
    uint32_t limit, left; /* of the burst */
    uint32_t wait_s;      /* until there is one again; 0 when there is */
} limiter_state;

int limiter_open(uint32_t rate, uint32_t burst, limiter **ret, atg_err *err);
void limiter_close(limiter *l);

/* Take `n` (0: only look).  `now`: microseconds of any clock that goes on. */
limiter_state limiter_take(limiter *l, const unsigned char key[LIMITER_KEY], uint32_t n,
                           int64_t now);

#endif
