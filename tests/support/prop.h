/* SPDX-License-Identifier: Apache-2.0 */
/* Properties: the same check on many made-up inputs.  Every input comes from one seed, and a
 * failure names it, so that it can be looked at again. */
#ifndef ATG_TESTS_PROP_H
#define ATG_TESTS_PROP_H

#include "testing.h"

#include <math.h>
#include <stdio.h>

typedef struct prop {
    uint64_t seed;
    atg_rng rng;
    char about[160]; /* what is being checked, for messages */
} prop;

/* for (PROP_EACH(p, 100)) { ... } */
/* NOLINTBEGIN(bugprone-macro-parentheses): p is the name of the variable that is declared */
#define PROP_EACH(p, n)                                                                            \
    prop p = prop_seed(0);                                                                         \
    p.seed < (n);                                                                                  \
    p = prop_seed(p.seed + 1)
/* NOLINTEND(bugprone-macro-parentheses) */

static inline prop prop_seed(uint64_t seed) {
    return (prop){.seed = seed, .rng = atg_rng_seed(seed * 0x9e3779b97f4a7c15U + 1)};
}

static inline uint32_t prop_below(prop *p, uint32_t n) {
    return (uint32_t)atg_rng_below(&p->rng, n);
}

static inline bool prop_chance(prop *p, double share) {
    return atg_rng_unit(&p->rng) < share;
}

static inline double prop_between(prop *p, double low, double high) {
    return low + (high - low) * atg_rng_unit(&p->rng);
}

static inline void prop_ok(const prop *p, int rc, const atg_err *err) {
    if (rc)
        fail_msg("seed %llu, %s: %s", (unsigned long long)p->seed, p->about, err->msg);
}

/* Relative difference at most `tolerance`; both infinite in the same way, or both 0, is equal. */
static inline void prop_close(const prop *p, const char *what, double got, double want,
                              double tolerance) {
    if (got == want)
        return;
    if (!(fabs(got - want) <= tolerance * fmax(fabs(got), fabs(want))))
        fail_msg("seed %llu, %s: %s is %.17g, not %.17g", (unsigned long long)p->seed, p->about,
                 what, got, want);
}

/* The same for logarithms: the absolute difference counts. */
static inline void prop_close_log(const prop *p, const char *what, double got, double want,
                                  double tolerance) {
    if (got == want)
        return;
    if (!(fabs(got - want) <= tolerance))
        fail_msg("seed %llu, %s: %s is %.17g, not %.17g", (unsigned long long)p->seed, p->about,
                 what, got, want);
}

#endif
