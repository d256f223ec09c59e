/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t fixed = -1;
static _Atomic int64_t latest;

int64_t clock_now(void) {
    int64_t now = atomic_load(&fixed);
    struct timespec t;

    if (now >= 0)
        return now;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_forward(void) {
    int64_t now = clock_now(), before = atomic_load(&latest);

    while (before < now && !atomic_compare_exchange_weak(&latest, &before, now))
        ;
    return before > now ? before : now;
}

void clock_set(int64_t now) {
    atomic_store(&fixed, now);
    atomic_store(&latest, 0);
}
