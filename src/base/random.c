/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/base.h>

static uint64_t rotl(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

atg_rng atg_rng_seed(uint64_t seed) {
    atg_rng rng;

    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15U);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        rng.s[i] = z ^ (z >> 31);
    }
    return rng;
}

uint64_t atg_rng_next(atg_rng *rng) {
    uint64_t *s = rng->s;
    uint64_t ret = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return ret;
}

double atg_rng_unit(atg_rng *rng) {
    return (double)(atg_rng_next(rng) >> 11) * 0x1p-53;
}

uint64_t atg_rng_below(atg_rng *rng, uint64_t n) {
    uint64_t least = -n % n; /* numbers below this would favour small results */
    uint64_t x;

    do
        x = atg_rng_next(rng);
    while (x < least);
    return x % n;
}
