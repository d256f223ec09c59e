/* SPDX-License-Identifier: Apache-2.0 */
/* Dense problems: every tuple possible.  The largest one that is promised to be exact is 20 bodies
 * and 4 families of 5 missing. */
#include "testing.h"

#include <math.h>

enum { BODIES_MAX = 20, MISSING_MAX = 20, FAMILIES = 4 };

static void close_to(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance * fabs(b)))
        fail_msg("%.17g is not %.17g", a, b);
}

/* Ways to put k rooks on an n by m board, over all k. */
static double placements(uint32_t n, uint32_t m) {
    double sum = 0, term = 1;

    for (uint32_t k = 0; k <= n && k <= m; k++) {
        sum += term;
        term = term * (n - k) * (m - k) / (k + 1);
    }
    return sum;
}

static uint64_t all_codes(uint32_t n_bodies, uint32_t places) {
    uint64_t all = 1;

    for (uint32_t k = 0; k < places; k++)
        all *= n_bodies + 1;
    return all;
}

static uint64_t all_tuples(uint32_t n_bodies, uint32_t places, int32_t *bodies) {
    uint64_t all = all_codes(n_bodies, places), kept = 0;

    for (uint64_t code = 0; code < all; code++) {
        uint64_t rest = code;
        uint32_t used = 0;
        bool twice = false;

        for (uint32_t k = 0; k < places; k++, rest /= n_bodies + 1) {
            int32_t b = bodies[kept * places + k] = (int32_t)(rest % (n_bodies + 1)) - 1;

            twice |= b >= 0 && used >> b & 1;
            used |= b >= 0 ? (uint32_t)1 << b : 0;
        }
        kept += !twice;
    }
    return kept;
}

/* Every pair with a body has that body's strength, whoever the person is: k pairs weigh the k-th
 * elementary symmetric sum of the strengths times the ways to name the k bodies. */
typedef struct expected {
    double strength[BODIES_MAX];
    long double z, with, without; /* in all; body 0 identified; not */
} expected;

static expected expect(uint32_t n, double lift) {
    long double others[BODIES_MAX + 1] = {1}, ways = 1;
    expected x = {.z = 0};

    for (uint32_t b = 0; b < n; b++) {
        x.strength[b] = lift + 3.0 * sin(b + 1.0);
        for (uint32_t k = n; b && k > 0; k--)
            others[k] += others[k - 1] * expl(x.strength[b]);
    }
    for (uint32_t k = 0; k <= n; k++) {
        x.without += ways * others[k];
        x.with += k ? ways * others[k - 1] * expl(x.strength[0]) : 0;
        ways *= n - k; /* k bodies are told apart by who they are */
    }
    x.z = x.with + x.without;
    return x;
}

static void compare(uint32_t n, uint32_t places, double lift, uint32_t threads) {
    uint64_t most = all_codes(n, places);
    int32_t *bodies = malloc((most + 1) * places * sizeof(*bodies));
    double *w = malloc(most * sizeof(*w));
    expected x = expect(n, lift);
    uint32_t missing[MISSING_MAX];
    atg_assign_family families[FAMILIES];
    atg_assign_problem problem = {n, FAMILIES * places, FAMILIES, families};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    atg_assign_options o = {.n_top = 10, .threads = threads};
    atg_assign_result r;
    atg_err err = {0};
    uint64_t n_tuples = all_tuples(n, places, bodies);

    for (uint64_t t = 0; t < n_tuples; t++) {
        w[t] = 0;
        for (uint32_t k = 0; k < places; k++)
            w[t] += bodies[t * places + k] >= 0 ? x.strength[bodies[t * places + k]] : 0;
    }
    for (uint32_t i = 0; i < FAMILIES; i++) {
        for (uint32_t k = 0; k < places; k++)
            missing[i * places + k] = i * places + k;
        families[i] =
            (atg_assign_family){places, missing + (size_t)i * places, n_tuples, bodies, w};
    }
    if (atg_assign_solve(arena, &problem, &o, NULL, &r, &err))
        fail_msg("%s", err.msg);
    assert_true(r.parts[0].exact);
    close_to(r.n_possible, placements(n, FAMILIES * places), 1e-12);
    close_to(1 + r.log_z, 1 + (double)logl(x.z), 1e-13); /* of a z near 1 as far as it holds it */
    close_to(r.body_nobody[0], (double)(x.without / x.z), 1e-10);
    for (uint32_t i = 0; i < FAMILIES * places; i++)
        close_to(r.pairs[i].posterior, (double)(x.with / x.z / (FAMILIES * places)), 1e-10);
    assert_int_equal(r.n_symmetries, FAMILIES);
    assert_int_equal(r.n_top, 10);
    free(bodies);
    free(w);
}

static void twenty_bodies_and_four_families_of_five_are_exact(void **state) {
    (void)state;
    compare(20, 5, 0, 2);
}

/* Weights from next to nothing to more than a double holds: sums are kept in other ways. */
static void sums_are_exact_however_large_the_weights_are(void **state) {
    static const double lifts[] = {-400, -90, -20, -8, 0, 20, 90, 150, 200, 260, 400, 800};

    (void)state;
    for (size_t i = 0; i < sizeof(lifts) / sizeof(*lifts); i++)
        for (uint32_t threads = 1; threads < 3; threads++)
            compare(12, 3, lifts[i], threads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_bodies_and_four_families_of_five_are_exact),
        cmocka_unit_test(sums_are_exact_however_large_the_weights_are),
    };
    return cmocka_run_group_tests_name("assign_dense", tests, NULL, NULL);
}
