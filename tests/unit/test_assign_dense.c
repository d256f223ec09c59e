/* SPDX-License-Identifier: Apache-2.0 */
/* The largest dense problem that is promised to be exact: 20 bodies, 4 families of 5 missing,
 * every tuple possible. */
#include "testing.h"

#include <math.h>

enum { BODIES = 20, PLACES = 5, FAMILIES = 4, TUPLES = 2700000 };

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

static uint64_t all_tuples(int32_t *bodies) {
    uint64_t all = 1, kept = 0;

    for (uint32_t k = 0; k < PLACES; k++)
        all *= BODIES + 1;
    for (uint64_t code = 0; code < all; code++) {
        uint64_t rest = code;
        uint32_t used = 0;
        bool twice = false;

        assert_true(kept < TUPLES);
        for (uint32_t k = 0; k < PLACES; k++, rest /= BODIES + 1) {
            int32_t b = bodies[kept * PLACES + k] = (int32_t)(rest % (BODIES + 1)) - 1;

            twice |= b >= 0 && used >> b & 1;
            used |= b >= 0 ? (uint32_t)1 << b : 0;
        }
        kept += !twice;
    }
    return kept;
}

/* Every pair with a body has that body's strength, whoever the person is: k pairs weigh the k-th
 * elementary symmetric sum of the strengths times the ways to name the k bodies. */
static void twenty_bodies_and_four_families_of_five_are_exact(void **state) {
    int32_t *bodies = malloc((size_t)TUPLES * PLACES * sizeof(*bodies));
    double *w = malloc(TUPLES * sizeof(*w)), n = placements(BODIES, BODIES);
    double strength[BODIES], e[BODIES + 1] = {1}, z = 0, rest = 0, without[BODIES + 1] = {1};
    uint32_t missing[FAMILIES * PLACES];
    atg_assign_family families[FAMILIES];
    atg_assign_problem problem = {BODIES, FAMILIES * PLACES, FAMILIES, families};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    atg_assign_options o = {.n_top = 10};
    atg_assign_result r;
    atg_err err = {0};
    double ways = 1;

    (void)state;
    /* elementary symmetric sums of the bodies' strengths, of all and of all but body 0 */
    for (uint32_t b = 0; b < BODIES; b++) {
        strength[b] = 3.0 * sin(b + 1.0);
        for (uint32_t k = BODIES; k > 0; k--) {
            e[k] += e[k - 1] * exp(strength[b]);
            without[k] += b ? without[k - 1] * exp(strength[b]) : 0;
        }
    }
    for (uint32_t k = 0; k <= BODIES; k++) {
        z += ways * e[k];
        rest += ways * without[k];
        ways *= BODIES - k; /* k bodies are told apart by who they are */
    }

    uint64_t n_tuples = all_tuples(bodies);

    for (uint64_t t = 0; t < n_tuples; t++) {
        w[t] = 0;
        for (uint32_t k = 0; k < PLACES; k++)
            w[t] += bodies[t * PLACES + k] >= 0 ? strength[bodies[t * PLACES + k]] : 0;
    }
    for (uint32_t i = 0; i < FAMILIES; i++) {
        for (uint32_t k = 0; k < PLACES; k++)
            missing[i * PLACES + k] = i * PLACES + k;
        families[i] =
            (atg_assign_family){PLACES, missing + (size_t)i * PLACES, n_tuples, bodies, w};
    }
    if (atg_assign_solve(arena, &problem, &o, NULL, &r, &err))
        fail_msg("%s", err.msg);
    assert_true(r.parts[0].exact);
    close_to(r.n_possible, n, 1e-12);
    close_to(r.log_z, log(z), 1e-13);
    close_to(r.body_nobody[0], rest / z, 1e-11);
    for (uint32_t i = 0; i < BODIES; i++)
        close_to(r.pairs[i].posterior, (1 - rest / z) / BODIES, 1e-9);
    assert_int_equal(r.n_symmetries, FAMILIES);
    assert_int_equal(r.n_top, 10);
    free(bodies);
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_bodies_and_four_families_of_five_are_exact),
    };
    return cmocka_run_group_tests_name("assign_dense", tests, NULL, NULL);
}
