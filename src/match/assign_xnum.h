/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers above 0 of any size with a double's relative accuracy: m * 2^(512 e), where m is in
 * [2^-256, 2^256).  Weights of joint assignments span thousands of decades, and a posterior of
 * 1e-20 must be as exact as one of 0.5; sums and products of these lose at most half a unit in
 * the last place each, and nothing is ever subtracted. */
#ifndef ATG_MATCH_ASSIGN_XNUM_H
#define ATG_MATCH_ASSIGN_XNUM_H

#include <math.h>
#include <stdint.h>

typedef struct xnum {
    double m; /* 0 for nothing */
    int64_t e;
} xnum;

#define XNUM_ZERO ((xnum){0, -((int64_t)1 << 60)})
#define XNUM_ONE ((xnum){1, 0})

static inline xnum xnum_settle(xnum a) {
    if (__builtin_expect(a.m >= 0x1p256, 0))
        return (xnum){a.m * 0x1p-512, a.e + 1};
    if (__builtin_expect(a.m < 0x1p-256, 0))
        return a.m > 0 ? (xnum){a.m * 0x1p512, a.e - 1} : XNUM_ZERO;
    return a;
}

static inline xnum xnum_mul(xnum a, xnum b) {
    return xnum_settle((xnum){a.m * b.m, a.e + b.e});
}

static inline xnum xnum_add(xnum a, xnum b) {
    if (__builtin_expect(a.e == b.e, 1)) {
        a.m += b.m;
        return __builtin_expect(a.m >= 0x1p256, 0) ? xnum_settle(a) : a;
    }
    if (a.e < b.e) {
        xnum t = a;

        a = b;
        b = t;
    }
    if (a.e - b.e == 1) {
        a.m += b.m * 0x1p-512;
        return xnum_settle(a);
    }
    return a; /* what is left out is below 2^-512 of the sum */
}

/* A long sum.  Millions of equal terms would add up their rounding; the wider mantissa that most
 * machines have for long double keeps that below a double's own. */
typedef struct xsum {
    long double m;
    int64_t e;
} xsum;

#define XSUM_ZERO ((xsum){0, -((int64_t)1 << 60)})

static inline void xsum_add(xsum *sum, xnum a) {
    if (sum->e < a.e) {
        sum->m = sum->e + 1 == a.e ? sum->m * 0x1p-512L : 0;
        sum->e = a.e;
    }
    sum->m += sum->e == a.e ? (long double)a.m : sum->e == a.e + 1 ? a.m * 0x1p-512L : 0;
    if (__builtin_expect(sum->m >= 0x1p256L, 0)) {
        sum->m *= 0x1p-512L;
        sum->e++;
    }
}

static inline xnum xsum_total(xsum sum) {
    return xnum_settle((xnum){(double)sum.m, sum.e});
}

/* exp(x), |x| <= 1e15 */
static inline xnum xnum_exp(double x) {
    const double unit_hi = 0x1.62e42fefa39efp+8, unit_lo = 0x1.abc9e3b39803fp-47; /* 512 ln 2 */
    double k = nearbyint(x / unit_hi);
    double r = k == 0 ? x : fma(-k, unit_lo, fma(-k, unit_hi, x));

    return xnum_settle((xnum){exp(r), (int64_t)k});
}

static inline double xnum_log(xnum a) {
    return log(a.m) + (double)a.e * (512 * M_LN2);
}

/* 1 / a */
static inline xnum xnum_inverse(xnum a) {
    return xnum_settle((xnum){1 / a.m, -a.e});
}

/* 0 below, and infinity above, what a double holds */
static inline double xnum_double(xnum a) {
    if (a.e == 0)
        return a.m;
    return a.e < -4 ? 0 : ldexp(a.m, a.e > 4 ? 2048 : (int)(512 * a.e));
}

#endif
