/* SPDX-License-Identifier: Apache-2.0 */
/* Joint identification where brute force ends: closed forms, recurrences, sampling. */
#include "testing.h"

#include <math.h>

enum { SINGLES_MAX = 64, WIDE = 128 };

static void close_to(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance * fabs(b)))
        fail_msg("%.17g is not %.17g", a, b);
}

/* Families of one missing person each. */
typedef struct singles {
    atg_assign_problem problem;
    atg_assign_family families[SINGLES_MAX];
    uint32_t missing[SINGLES_MAX];
    int32_t bodies[SINGLES_MAX][WIDE];
    double log_weight[SINGLES_MAX][WIDE];
} singles;

static singles *singles_new(uint32_t n_bodies, uint32_t n) {
    singles *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->problem = (atg_assign_problem){n_bodies, n, n, s->families};
    for (uint32_t i = 0; i < n; i++) {
        s->missing[i] = i;
        s->families[i] = (atg_assign_family){1, &s->missing[i], 0, s->bodies[i], s->log_weight[i]};
    }
    return s;
}

static void allow(singles *s, uint32_t missing, uint32_t body, double log_weight) {
    uint64_t *n = &s->families[missing].n_tuples;

    assert_true(*n < WIDE);
    s->bodies[missing][*n] = (int32_t)body;
    s->log_weight[missing][(*n)++] = log_weight;
}

static void solve(atg_arena *arena, const atg_assign_problem *problem, const atg_assign_options *o,
                  atg_assign_result *r) {
    atg_err err = {0};

    if (atg_assign_solve(arena, problem, o, NULL, r, &err))
        fail_msg("%s", err.msg);
}

/* Ways to put k rooks on an n by m board, over all k. */
static double placements(uint32_t n, uint32_t m) {
    double sum = 0, term = 1;

    for (uint32_t k = 0; k <= n && k <= m; k++) {
        sum += term;
        term = term * (n - k) * (m - k) / (k + 1); /* whole numbers throughout */
    }
    return sum;
}

static void check_flat(const atg_assign_problem *problem) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    uint32_t n = problem->n_bodies, m = problem->n_missing;
    atg_assign_result r;

    solve(arena, problem, NULL, &r);
    assert_true(r.parts[0].exact);
    close_to(r.n_possible, placements(n, m), 1e-12);
    close_to(r.log_z, log(placements(n, m)), 1e-13);
    assert_int_equal(r.n_pairs, n * m);
    for (uint32_t i = 0; i < r.n_pairs; i++) {
        close_to(r.pairs[i].posterior, placements(n - 1, m - 1) / placements(n, m), 1e-12);
        assert_true(r.pairs[i].log_glr == 0);
    }
    for (uint32_t i = 0; i < n; i++) {
        close_to(r.body_nobody[i], placements(n - 1, m) / placements(n, m), 1e-12);
        assert_int_equal(r.best[i], i < m ? (int32_t)i : ATG_ASSIGN_NOBODY);
    }
    for (uint32_t j = 0; j < m; j++)
        close_to(r.missing_nobody[j], placements(n, m - 1) / placements(n, m), 1e-12);
    assert_int_equal(r.n_symmetries, 1);
    assert_int_equal(r.symmetries[0].n, m);
}

static void equal_weights_count_placements_of_rooks(void **state) {
    static const struct {
        uint32_t bodies, missing;
    } cases[] = {{3, 3}, {5, 5}, {2, 7}, {13, 13}, {60, 5}, {6, 40}, {100, 2}};

    (void)state;
    close_to(placements(3, 3), 34, 0);
    close_to(placements(5, 5), 1546, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        singles *s = singles_new(cases[i].bodies, cases[i].missing);

        for (uint32_t j = 0; j < cases[i].missing; j++)
            for (uint32_t b = 0; b < cases[i].bodies; b++)
                allow(s, j, b, 0);
        check_flat(&s->problem);
        free(s);
    }
}

/* All tuples of `places` bodies out of `n`, or nobody, in counting order. */
static uint64_t all_tuples(uint32_t n, uint32_t places, int32_t *bodies) {
    uint64_t all = 1, kept = 0;

    for (uint32_t k = 0; k < places; k++)
        all *= n + 1;
    for (uint64_t code = 0; code < all; code++) {
        uint64_t rest = code;
        int32_t *tuple = bodies + kept * places;
        bool twice = false;

        for (uint32_t k = 0; k < places; k++, rest /= n + 1) {
            tuple[k] = (int32_t)(rest % (n + 1)) - 1;
            for (uint32_t j = 0; j < k; j++)
                twice |= tuple[k] >= 0 && tuple[j] == tuple[k];
        }
        kept += !twice;
    }
    return kept;
}

static void families_of_several_count_the_same(void **state) {
    static const uint32_t missing[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    int32_t *bodies = malloc((size_t)1331 * 3 * sizeof(*bodies));
    double *w = calloc(1331, sizeof(*w));
    atg_assign_family families[3];
    atg_assign_problem problem = {10, 9, 3, families};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    atg_assign_result r;
    uint64_t n = all_tuples(10, 3, bodies);

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        families[i] = (atg_assign_family){3, missing + (size_t)3 * i, n, bodies, w};
    solve(arena, &problem, NULL, &r);
    close_to(r.n_possible, placements(10, 9), 0);
    close_to(r.pairs[17].posterior, placements(9, 8) / placements(10, 9), 1e-12);
    close_to(r.body_nobody[3], placements(9, 9) / placements(10, 9), 1e-12);
    assert_int_equal(r.n_symmetries, 3);
    free(bodies);
    free(w);
}

/* ---- a chain: missing i is body i or body i + 1 ---- */

enum { LINKS = 60 };

/* Log sum (or best) of the weights of links a..b-1, body a being free or not. */
static double log_add(double x, double y, bool sum) {
    double most = fmax(x, y);

    return !sum || most == -INFINITY ? most : most + log1p(exp(fmin(x, y) - most));
}

typedef struct pair_weights {
    double stay, step; /* missing i is body i; is body i + 1 */
} pair_weights;

typedef struct chain_end {
    double any, free_end; /* whatever the last body is; the last body unused */
} chain_end;

static chain_end extend(chain_end c, double stay, double step, bool sum) {
    double unused = log_add(c.any, c.free_end + stay, sum); /* i nobody, or body i */

    return (chain_end){log_add(unused, c.any + step, sum), unused};
}

static double rest_of_chain(const pair_weights *w, uint32_t from, uint32_t to, bool first_free,
                            bool last_free, bool sum) {
    chain_end c = {0, first_free ? 0 : -INFINITY};

    for (uint32_t i = from; i < to; i++)
        c = extend(c, w[i].stay, w[i].step, sum);
    return last_free ? c.free_end : c.any;
}

static void a_long_chain_is_exact(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    atg_rng rng = atg_rng_seed(12);
    singles *s = singles_new(LINKS + 1, LINKS);
    pair_weights w[LINKS];
    atg_assign_result r;

    (void)state;
    for (uint32_t i = 0; i < LINKS; i++) {
        w[i].stay = (2 * atg_rng_unit(&rng) - 1) * 250;
        w[i].step = (2 * atg_rng_unit(&rng) - 1) * 250;
        allow(s, i, i, w[i].stay);
        allow(s, i, i + 1, w[i].step);
    }
    solve(arena, &s->problem, NULL, &r);
    assert_int_equal(r.n_parts, 1);
    assert_true(r.parts[0].exact);

    double z = rest_of_chain(w, 0, LINKS, true, false, true);

    assert_true(fabs(r.log_z - z) < 1e-12 * z);
    assert_true(fabs(r.log_best - rest_of_chain(w, 0, LINKS, true, false, false)) < 1e-9);
    for (uint32_t i = 0; i < r.n_pairs; i++) {
        uint32_t m = r.pairs[i].missing, b = r.pairs[i].body;
        double with = (b == m ? w[m].stay : w[m].step) +
                      rest_of_chain(w, 0, m, true, b == m, true) +
                      rest_of_chain(w, m + 1, LINKS, b == m, false, true);

        if (r.pairs[i].posterior > 1e-300)
            assert_true(fabs(log(r.pairs[i].posterior) - (with - z)) < 1e-10);
    }
    free(s);
}

static void the_best_of_a_chain_are_listed_in_order(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    atg_rng rng = atg_rng_seed(13);
    singles *s = singles_new(LINKS + 1, LINKS);
    atg_assign_options o = {.n_top = 300};
    atg_assign_result r;

    (void)state;
    for (uint32_t i = 0; i < 2 * LINKS; i++)
        allow(s, i / 2, i / 2 + i % 2, (double)atg_rng_below(&rng, 4));
    solve(arena, &s->problem, &o, &r);
    assert_int_equal(r.n_top, 300);
    for (uint32_t i = 0; i < r.n_top; i++) {
        double sum = 0;

        for (uint32_t b = 0; b <= LINKS; b++) {
            int32_t m = r.top[i].missing_of[b];

            if (m >= 0)
                sum += s->log_weight[m][(int32_t)b - m];
        }
        assert_true(sum == r.top[i].log_weight);
        if (!i)
            continue;
        assert_true(r.top[i - 1].log_weight >= sum);
        for (uint32_t b = 0; r.top[i - 1].log_weight == sum && b <= LINKS; b++) {
            uint32_t x = (uint32_t)r.top[i - 1].missing_of[b], y = (uint32_t)r.top[i].missing_of[b];

            assert_true(x <= y);
            if (x < y)
                break;
            assert_true(b < LINKS);
        }
    }
    free(s);
}

/* ---- more shared bodies than bits in a word ---- */

enum { TUPLES = 400, BODIES = 100, SOMEBODY = 5 };

typedef struct wide {
    int32_t bodies[2][TUPLES][2];
    double log_weight[2][TUPLES];
    double n, z, unused, pair; /* all; with body 0 unused; with SOMEBODY as the first missing */
} wide;

static void wide_add(wide *w, double log_weight, const int32_t *a, const int32_t *b) {
    bool zero = (a && (!a[0] || !a[1])) || (b && (!b[0] || !b[1]));

    w->n++;
    w->z += exp(log_weight);
    w->unused += zero ? 0 : exp(log_weight);
    w->pair += a && a[0] == SOMEBODY ? exp(log_weight) : 0;
}

static void wide_count(wide *w) {
    wide_add(w, 0, NULL, NULL);
    for (uint32_t x = 0; x < TUPLES; x++) {
        const int32_t *a = w->bodies[0][x];

        wide_add(w, w->log_weight[0][x], a, NULL);
        wide_add(w, w->log_weight[1][x], NULL, w->bodies[1][x]);
        for (uint32_t y = 0; y < TUPLES; y++) {
            const int32_t *b = w->bodies[1][y];

            if (a[0] != b[0] && a[0] != b[1] && a[1] != b[0] && a[1] != b[1])
                wide_add(w, w->log_weight[0][x] + w->log_weight[1][y], a, b);
        }
    }
}

static void two_families_that_share_a_hundred_bodies_are_exact(void **state) {
    static const uint32_t missing[] = {0, 1, 2, 3};
    static wide w;
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    atg_rng rng = atg_rng_seed(14);
    atg_assign_family families[2];
    atg_assign_problem problem = {BODIES, 4, 2, families};
    atg_assign_result r;
    bool found = false;

    (void)state;
    for (uint32_t f = 0; f < 2; f++) {
        for (uint32_t t = 0; t < TUPLES; t++) {
            /* different first bodies or different second ones: no tuple twice */
            w.bodies[f][t][0] = (int32_t)(t % BODIES);
            w.bodies[f][t][1] = (int32_t)((t + 1 + f + t / BODIES * 7) % BODIES);
            w.log_weight[f][t] = 4 * atg_rng_unit(&rng) - 2;
        }
        families[f] = (atg_assign_family){2, missing + (size_t)2 * f, TUPLES, &w.bodies[f][0][0],
                                          w.log_weight[f]};
    }
    wide_count(&w);
    solve(arena, &problem, NULL, &r);
    assert_true(r.parts[0].exact);
    assert_true(r.n_possible == w.n);
    close_to(r.log_z, log(w.z), 1e-13);
    close_to(r.body_nobody[0], w.unused / w.z, 1e-12);
    for (uint32_t i = 0; i < r.n_pairs; i++) {
        if (r.pairs[i].body == SOMEBODY && r.pairs[i].missing == 0) {
            close_to(r.pairs[i].posterior, w.pair / w.z, 1e-12);
            found = true;
        }
    }
    assert_true(found);
}

/* ---- sampling ---- */

static singles *random_singles(uint32_t n_bodies, uint32_t n, double density, double spread,
                               uint64_t seed) {
    singles *s = singles_new(n_bodies, n);
    atg_rng rng = atg_rng_seed(seed);

    for (uint32_t j = 0; j < n; j++)
        for (uint32_t b = 0; b < n_bodies; b++)
            if (atg_rng_unit(&rng) < density)
                allow(s, j, b, (2 * atg_rng_unit(&rng) - 1) * spread);
    return s;
}

static void within_errors(const atg_assign_result *exact, const atg_assign_result *sampled) {
    assert_int_equal(exact->n_pairs, sampled->n_pairs);
    for (uint32_t i = 0; i < exact->n_pairs; i++) {
        double off = fabs(exact->pairs[i].posterior - sampled->pairs[i].posterior);

        if (off > 5 * sampled->pairs[i].std_error)
            fail_msg("pair %u: %g off, standard error %g", i, off, sampled->pairs[i].std_error);
    }
}

static void sampling_agrees_with_the_exact_solution(void **state) {
    static const struct {
        uint32_t bodies, missing;
        double density, spread;
    } cases[] = {{10, 10, 1, 2}, {16, 12, .6, 8}, {18, 18, .25, 20}, {30, 14, .3, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
        singles *s = random_singles(cases[i].bodies, cases[i].missing, cases[i].density,
                                    cases[i].spread, 100 + i);
        atg_assign_options o = {.force_sampling = true, .n_samples = 4000, .seed = i, .n_top = 3};
        atg_assign_result exact, sampled;

        solve(arena, &s->problem, NULL, &exact);
        solve(arena, &s->problem, &o, &sampled);
        assert_true(exact.parts[0].exact && exact.parts[0].max_rhat == 1);
        assert_false(sampled.parts[0].exact);
        assert_true(isnan(sampled.log_z) && isnan(sampled.n_possible));
        assert_true(isnan(sampled.parts[0].log_z) && isnan(sampled.pairs[0].log_glr));
        assert_true(sampled.parts[0].max_rhat < 1.3);
        within_errors(&exact, &sampled);
        assert_memory_equal(exact.best, sampled.best, cases[i].bodies * sizeof(int32_t));
        assert_true(fabs(exact.log_best - sampled.log_best) < 1e-9);
        free(s);
    }
}

static void families_of_several_are_sampled_alike(void **state) {
    static const uint32_t missing[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    static int32_t bodies[3][1331 * 3];
    static double w[3][1331];
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    atg_rng rng = atg_rng_seed(15);
    atg_assign_family families[3];
    atg_assign_problem problem = {10, 9, 3, families};
    atg_assign_options o = {.force_sampling = true, .n_samples = 1000};
    atg_assign_result exact, sampled;

    (void)state;
    for (uint32_t f = 0; f < 3; f++) {
        uint64_t n = all_tuples(10, 3, bodies[f]);

        for (uint64_t t = 1; t < n; t++)
            w[f][t] = 10 * atg_rng_unit(&rng) - 5;
        families[f] = (atg_assign_family){3, missing + (size_t)3 * f, n, bodies[f], w[f]};
    }
    solve(arena, &problem, NULL, &exact);
    solve(arena, &problem, &o, &sampled);
    within_errors(&exact, &sampled);
}

/* Too large for the exact solution: everybody could be anybody, but the truth stands out. */
static void a_large_crowd_is_sampled_and_found(void **state) {
    enum { N = 36 };
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    singles *s = singles_new(N + 4, N);
    atg_rng rng = atg_rng_seed(16);
    atg_assign_options o = {.n_samples = 400, .memory = 4 << 20};
    atg_assign_result r;

    (void)state;
    for (uint32_t j = 0; j < N; j++)
        for (uint32_t b = 0; b < N + 4; b++)
            allow(s, j, b, b == j ? 14 : -6 * atg_rng_unit(&rng));
    solve(arena, &s->problem, &o, &r);
    assert_int_equal(r.n_parts, 1);
    assert_false(r.parts[0].exact);
    assert_true(r.parts[0].max_rhat < 1.2);
    for (uint32_t i = 0; i < r.n_pairs; i++) {
        const atg_assign_pair *p = &r.pairs[i];

        assert_true(p->body == p->missing ? p->posterior > .99 : p->posterior < .01);
        assert_true(p->std_error < .01);
    }
    for (uint32_t b = 0; b < N + 4; b++)
        assert_int_equal(r.best[b], b < N ? (int32_t)b : ATG_ASSIGN_NOBODY);
    free(s);
}

static void threads_do_not_change_the_result(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
    singles *s = random_singles(40, 40, .05, 5, 17);
    atg_assign_result one, three;

    (void)state;
    for (int sampled = 0; sampled < 2; sampled++) {
        atg_assign_options o = {.force_sampling = sampled, .n_samples = 80, .n_top = 20};

        solve(arena, &s->problem, &o, &one);
        o.threads = 3;
        solve(arena, &s->problem, &o, &three);
        assert_true(one.n_parts > 1);
        assert_int_equal(one.n_parts, three.n_parts);
        for (uint32_t i = 0; i < one.n_pairs; i++) {
            assert_true(one.pairs[i].posterior == three.pairs[i].posterior);
            assert_true(one.pairs[i].std_error == three.pairs[i].std_error);
        }
        for (uint32_t i = 0; i < one.n_top; i++)
            assert_memory_equal(one.top[i].missing_of, three.top[i].missing_of,
                                40 * sizeof(int32_t));
    }
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_weights_count_placements_of_rooks),
        cmocka_unit_test(families_of_several_count_the_same),
        cmocka_unit_test(a_long_chain_is_exact),
        cmocka_unit_test(the_best_of_a_chain_are_listed_in_order),
        cmocka_unit_test(two_families_that_share_a_hundred_bodies_are_exact),
        cmocka_unit_test(sampling_agrees_with_the_exact_solution),
        cmocka_unit_test(families_of_several_are_sampled_alike),
        cmocka_unit_test(a_large_crowd_is_sampled_and_found),
        cmocka_unit_test(threads_do_not_change_the_result),
    };
    return cmocka_run_group_tests_name("assign_large", tests, NULL, NULL);
}
