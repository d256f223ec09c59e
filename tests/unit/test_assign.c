/* SPDX-License-Identifier: Apache-2.0 */
/* Joint identification against brute force over all assignments. */
#include "testing.h"

#include <math.h>

enum { FAMILIES_MAX = 8, PLACES_MAX = 4, BODIES_MAX = 7, MISSING_MAX = 16, TUPLES_MAX = 4000 };

/* A problem with room for its tuples. */
typedef struct made {
    atg_assign_problem problem;
    atg_assign_family families[FAMILIES_MAX];
    uint32_t missing[MISSING_MAX];
    int32_t bodies[FAMILIES_MAX][TUPLES_MAX * PLACES_MAX];
    double log_weight[FAMILIES_MAX][TUPLES_MAX];
} made;

typedef struct recipe {
    uint32_t n_bodies, n_families;
    uint32_t places[FAMILIES_MAX];
    double density; /* a tuple is possible so often */
    double spread;  /* log weights in +-spread */
    double grid;    /* rounded to multiples of this; 0: not */
} recipe;

static double random_weight(const recipe *r, atg_rng *rng) {
    double w = (2 * atg_rng_unit(rng) - 1) * r->spread;

    return r->grid > 0 ? rint(w / r->grid) * r->grid : w;
}

/* All tuples of a family in counting order, each kept with the recipe's probability. */
static void make_family(made *m, uint32_t f, const recipe *r, atg_rng *rng) {
    uint32_t n = r->places[f], base = r->n_bodies + 1;
    uint64_t all = 1, kept = 0;

    for (uint32_t k = 0; k < n; k++)
        all *= base;
    for (uint64_t code = 0; code < all; code++) {
        int32_t *tuple = &m->bodies[f][kept * n];
        uint64_t rest = code;
        bool twice = false, none = true;

        for (uint32_t k = 0; k < n; k++, rest /= base) {
            tuple[k] = (int32_t)(rest % base) - 1;
            none &= tuple[k] < 0;
            for (uint32_t j = 0; j < k; j++)
                twice |= tuple[k] >= 0 && tuple[j] == tuple[k];
        }
        if (twice || (none && atg_rng_below(rng, 2)) || (!none && atg_rng_unit(rng) >= r->density))
            continue;
        m->log_weight[f][kept++] = none ? 0 : random_weight(r, rng);
        assert_true(kept < TUPLES_MAX);
    }
    m->families[f].n_tuples = kept;
}

static void make(made *m, const recipe *r, atg_rng *rng) {
    uint32_t n_missing = 0;

    for (uint32_t f = 0; f < r->n_families; f++) {
        m->families[f] = (atg_assign_family){.n_missing = r->places[f],
                                             .missing = &m->missing[n_missing],
                                             .bodies = m->bodies[f],
                                             .log_weight = m->log_weight[f]};
        for (uint32_t k = 0; k < r->places[f]; k++, n_missing++)
            m->missing[n_missing] = n_missing;
        make_family(m, f, r, rng);
    }
    for (uint32_t i = n_missing; i > 1; i--) {
        uint32_t j = (uint32_t)atg_rng_below(rng, i), t = m->missing[j];

        m->missing[j] = m->missing[i - 1];
        m->missing[i - 1] = t;
    }
    m->problem = (atg_assign_problem){.n_bodies = r->n_bodies,
                                      .n_missing = n_missing,
                                      .n_families = r->n_families,
                                      .families = m->families};
}

/* ---- brute force ---- */

typedef struct listed {
    int32_t missing_of[BODIES_MAX];
    double log_weight;
} listed;

typedef struct brute {
    listed *all;
    size_t n, cap;
} brute;

static void append(brute *b, const listed *at) {
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 1024;
        b->all = realloc(b->all, b->cap * sizeof(*b->all));
        assert_non_null(b->all);
    }
    b->all[b->n++] = *at;
}

/* `at` with one more tuple, if its bodies are free. */
static bool add_tuple(const atg_assign_family *f, uint64_t t, const listed *at, listed *ret) {
    *ret = *at;
    ret->log_weight += f->log_weight[t];
    for (uint32_t k = 0; k < f->n_missing; k++) {
        int32_t body = f->bodies[t * f->n_missing + k];

        if (body < 0)
            continue;
        if (ret->missing_of[body] >= 0)
            return false;
        ret->missing_of[body] = (int32_t)f->missing[k];
    }
    return true;
}

static bool is_nobody(const atg_assign_family *f, uint64_t t) {
    for (uint32_t k = 0; k < f->n_missing; k++)
        if (f->bodies[t * f->n_missing + k] >= 0)
            return false;
    return true;
}

/* All assignments of the families so far, each with every tuple of one more. */
static brute grow(const atg_assign_family *f, brute so_far) {
    brute b = {0};
    listed next;

    for (size_t i = 0; i < so_far.n; i++) {
        append(&b, &so_far.all[i]); /* nobody */
        for (uint64_t t = 0; t < f->n_tuples; t++)
            if (!is_nobody(f, t) && add_tuple(f, t, &so_far.all[i], &next))
                append(&b, &next);
    }
    free(so_far.all);
    return b;
}

static int compare(const void *x, const void *y) {
    const listed *a = x, *b = y;

    if (fabs(a->log_weight - b->log_weight) > 1e-9)
        return a->log_weight > b->log_weight ? -1 : 1;
    for (int i = 0; i < BODIES_MAX; i++)
        if (a->missing_of[i] != b->missing_of[i])
            return (uint32_t)a->missing_of[i] < (uint32_t)b->missing_of[i] ? -1 : 1;
    return 0;
}

static brute brute_force(const made *m) {
    brute b = {0};
    listed none;

    memset(&none, 0xff, sizeof(none));
    none.log_weight = 0;
    append(&b, &none);
    for (uint32_t f = 0; f < m->problem.n_families; f++)
        b = grow(&m->families[f], b);
    qsort(b.all, b.n, sizeof(*b.all), compare);
    return b;
}

static void close_to(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance * fmax(fabs(b), 1e-290)))
        fail_msg("%.17g is not %.17g", a, b);
}

/* Sum of exp(log weight - best) where `body` is `missing` (INT32_MIN: any), and the best. */
static long double total(const brute *b, int64_t body, int32_t missing, double *best, bool is) {
    long double sum = 0;

    *best = -INFINITY;
    for (size_t i = 0; i < b->n; i++) {
        if (body >= 0 && (b->all[i].missing_of[body] == missing) != is)
            continue;
        sum += expl((long double)b->all[i].log_weight - b->all[0].log_weight);
        *best = fmax(*best, b->all[i].log_weight);
    }
    return sum;
}

static long double total_missing(const brute *b, int32_t missing, uint32_t n_bodies) {
    long double sum = 0;

    for (size_t i = 0; i < b->n; i++) {
        bool found = false;

        for (uint32_t k = 0; k < n_bodies; k++)
            found |= b->all[i].missing_of[k] == missing;
        if (!found)
            sum += expl((long double)b->all[i].log_weight - b->all[0].log_weight);
    }
    return sum;
}

static void check_top(const made *m, const brute *b, const atg_assign_result *r, uint32_t n_top) {
    size_t size = m->problem.n_bodies * sizeof(int32_t);

    assert_memory_equal(r->best, b->all[0].missing_of, size);
    assert_true(fabs(r->log_best - b->all[0].log_weight) < 1e-9);
    assert_int_equal(r->n_top, b->n < n_top ? b->n : n_top);
    for (uint32_t i = 0; i < r->n_top; i++) {
        assert_true(fabs(r->top[i].log_weight - b->all[i].log_weight) < 1e-9);
        assert_memory_equal(r->top[i].missing_of, b->all[i].missing_of, size);
    }
}

static void check(const made *m, uint32_t n_top, uint32_t threads) {
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)1 << 30);
    atg_assign_options o = {.n_top = n_top, .threads = threads};
    atg_assign_result r;
    atg_err err = {0};
    brute b = brute_force(m);
    uint32_t n_pairs = 0;
    double best, rest;
    long double z = total(&b, -1, 0, &best, true);

    if (atg_assign_solve(arena, &m->problem, &o, NULL, &r, &err))
        fail_msg("%s", err.msg);
    assert_true(r.n_possible == (double)b.n);
    close_to(r.log_z, (double)(b.all[0].log_weight + logl(z)), 1e-12);
    for (uint32_t i = 0; i < m->problem.n_bodies; i++) {
        close_to(r.body_nobody[i], (double)(total(&b, i, -1, &best, true) / z), 1e-12);
        for (uint32_t j = 0; j < m->problem.n_missing; j++) {
            long double sum = total(&b, i, (int32_t)j, &best, true);

            if (best == -INFINITY)
                continue;
            total(&b, i, (int32_t)j, &rest, false);

            const atg_assign_pair *p = &r.pairs[n_pairs++];

            assert_int_equal(p->body, i);
            assert_int_equal(p->missing, j);
            close_to(p->posterior, (double)(sum / z), 1e-12);
            assert_true(fabs(p->log_glr - (best - rest)) <= 1e-11 * (1 + fabs(best) + fabs(rest)));
            assert_int_equal(r.body_part[i], r.missing_part[j]);
        }
    }
    assert_int_equal(r.n_pairs, n_pairs);
    for (uint32_t j = 0; j < m->problem.n_missing; j++)
        close_to(r.missing_nobody[j],
                 (double)(total_missing(&b, (int32_t)j, m->problem.n_bodies) / z), 1e-12);
    check_top(m, &b, &r, n_top);
    free(b.all);
}

static void everything_equals_brute_force_over_all_assignments(void **state) {
    static const recipe recipes[] = {
        {5, 1, {3}, .6, 20, 0},
        {5, 5, {1, 1, 1, 1, 1}, 1, 5, 0},
        {6, 6, {1, 1, 1, 1, 1, 1}, .4, 30, 0},
        {5, 3, {2, 1, 2}, .5, 200, 0},
        {5, 3, {2, 2, 1}, 1, 3, 1},
        {6, 4, {2, 1, 3, 1}, .15, 10, 0},
        {7, 6, {1, 2, 1, 1, 2, 1}, .12, 10, 1},
        {7, 3, {1, 1, 1}, .9, 400, 0},
        {3, 7, {1, 1, 1, 1, 1, 1, 1}, .6, 2, 1},
        {7, 2, {3, 3}, .08, 200, 0},
        {6, 7, {1, 1, 1, 2, 1, 1, 1}, .25, 6, 2},
        {4, 2, {4, 2}, .3, 1, 1},
    };
    made *m = malloc(sizeof(*m));
    atg_rng rng = atg_rng_seed(20240);

    (void)state;
    for (uint32_t round = 0; round < 40; round++) {
        for (size_t i = 0; i < sizeof(recipes) / sizeof(*recipes); i++) {
            make(m, &recipes[i], &rng);
            check(m, round % 3 ? (uint32_t)atg_rng_below(&rng, 60) : 0, 1 + round % 2);
        }
    }
    free(m);
}

/* ---- what does not matter ---- */

static void solve(atg_arena *arena, const made *m, const atg_assign_options *o,
                  atg_assign_result *r) {
    atg_err err = {0};

    if (atg_assign_solve(arena, &m->problem, o, NULL, r, &err))
        fail_msg("%s", err.msg);
}

static const atg_assign_pair *pair_of(const atg_assign_result *r, uint32_t body, uint32_t missing) {
    for (uint32_t i = 0; i < r->n_pairs; i++)
        if (r->pairs[i].body == body && r->pairs[i].missing == missing)
            return &r->pairs[i];
    return NULL;
}

static void renaming_bodies_renames_the_answer(void **state) {
    static const recipe recipe_of = {7, 5, {1, 2, 1, 3, 1}, .2, 8, 0};
    static const int32_t renamed[] = {4, 2, 6, 0, 5, 1, 3};
    made *m = malloc(sizeof(*m));
    atg_rng rng = atg_rng_seed(5);

    (void)state;
    for (int round = 0; round < 10; round++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
        atg_assign_result a, b;

        make(m, &recipe_of, &rng);
        solve(arena, m, NULL, &a);
        for (uint32_t f = 0; f < recipe_of.n_families; f++)
            for (uint64_t i = 0; i < m->families[f].n_tuples * recipe_of.places[f]; i++)
                if (m->bodies[f][i] >= 0)
                    m->bodies[f][i] = renamed[m->bodies[f][i]];
        solve(arena, m, NULL, &b);
        close_to(b.log_z, a.log_z, 1e-14);
        assert_int_equal(a.n_pairs, b.n_pairs);
        for (uint32_t i = 0; i < a.n_pairs; i++) {
            const atg_assign_pair *p = &a.pairs[i];
            const atg_assign_pair *q = pair_of(&b, (uint32_t)renamed[p->body], p->missing);

            assert_non_null(q);
            close_to(q->posterior, p->posterior, 1e-12);
            close_to(q->log_glr, p->log_glr, 1e-12);
        }
        for (uint32_t i = 0; i < 7; i++) {
            assert_int_equal(b.best[renamed[i]], a.best[i]);
            close_to(b.body_nobody[renamed[i]], a.body_nobody[i], 1e-12);
        }
    }
    free(m);
}

static void rounding_does_not_break_ties(void **state) {
    static const recipe recipe_of = {6, 4, {2, 1, 2, 1}, .5, 3, 1};
    made *m = malloc(sizeof(*m));
    atg_rng rng = atg_rng_seed(6);

    (void)state;
    for (int round = 0; round < 20; round++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
        atg_assign_options o = {.n_top = 50};
        atg_assign_result a, b;

        /* a few values whose sums tie only where the same values are added */
        make(m, &recipe_of, &rng);
        for (uint32_t f = 0; f < recipe_of.n_families; f++)
            for (uint64_t t = 0; t < m->families[f].n_tuples; t++)
                /* the first may be nobody */
                m->log_weight[f][t] = t ? cbrt(5 * m->log_weight[f][t] + 1.7) : 0;
        solve(arena, m, &o, &a);
        for (uint32_t f = 0; f < recipe_of.n_families; f++)
            for (uint64_t t = 0; t < m->families[f].n_tuples; t++)
                m->log_weight[f][t] += (atg_rng_unit(&rng) - .5) * 1e-12;
        solve(arena, m, &o, &b);
        assert_int_equal(a.n_top, b.n_top);
        for (uint32_t i = 0; i < a.n_top; i++)
            assert_memory_equal(a.top[i].missing_of, b.top[i].missing_of, 6 * sizeof(int32_t));
    }
    free(m);
}

/* ---- small things by hand ---- */

static void nobody_possible_leaves_everybody_unidentified(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    static const uint32_t missing[] = {1};
    static const atg_assign_family family = {.n_missing = 1, .missing = missing};
    static const atg_assign_problem problem = {2, 3, 1, &family};
    atg_assign_options o = {.n_top = 5};
    atg_assign_result r;

    (void)state;
    assert_int_equal(atg_assign_solve(arena, &problem, &o, NULL, &r, NULL), ATG_OK);
    assert_int_equal(r.n_pairs, 0);
    assert_int_equal(r.n_parts, 0);
    assert_int_equal(r.n_top, 1);
    assert_int_equal(r.best[1], ATG_ASSIGN_NOBODY);
    assert_true(r.n_possible == 1 && r.log_z == 0 && r.log_best == 0);
    assert_true(r.body_nobody[0] == 1 && r.missing_nobody[2] == 1);
    assert_int_equal(r.body_part[0], UINT32_MAX);
    assert_int_equal(r.missing_part[1], UINT32_MAX);
}

static void persons_who_cannot_be_told_apart_are_named(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    static const uint32_t missing[] = {5, 3, 4, 0, 1, 2};
    /* 5 and 4 are exchangeable within the family (but for rounding), 3 is not */
    static const int32_t trio[] = {0, -1, -1, -1, -1, 0, -1, 0, -1, 0, -1, 1, 1, -1, 0};
    static const double trio_weight[] = {2, 2 + 1e-12, 2, 3, 3};
    static const int32_t first[] = {2, 1}, second[] = {1, 2, -1};
    static const double first_weight[] = {1, 5}, second_weight[] = {5, 1, 0};
    static const double other_weight[] = {5, 1.001, 0};
    static const atg_assign_family families[] = {
        {3, missing, 5, trio, trio_weight},
        {1, missing + 3, 2, first, first_weight},
        {1, missing + 4, 3, second, second_weight},
        {1, missing + 5, 3, second, other_weight},
    };
    static const atg_assign_problem problem = {3, 6, 4, families};
    atg_assign_result r;

    (void)state;
    assert_int_equal(atg_assign_solve(arena, &problem, NULL, NULL, &r, NULL), ATG_OK);
    assert_int_equal(r.n_symmetries, 2);
    assert_int_equal(r.symmetries[0].n, 2);
    assert_int_equal(r.symmetries[0].missing[0], 0);
    assert_int_equal(r.symmetries[0].missing[1], 1);
    assert_int_equal(r.symmetries[1].n, 2);
    assert_int_equal(r.symmetries[1].missing[0], 4);
    assert_int_equal(r.symmetries[1].missing[1], 5);
}

/* All tuples of four places over a few bodies; whoever is in places 0 and 2 may be exchanged. */
typedef struct quartet {
    uint32_t n;
    int32_t bodies[4 * 1300];
    double weight[1300];
} quartet;

static void make_quartet(quartet *q, const int32_t *choice, uint32_t n_choices) {
    static const double of_place[] = {1, 2, 1, 5};
    uint32_t all = n_choices * n_choices * n_choices * n_choices;

    q->n = 0;
    for (uint32_t code = 0; code < all; code++) {
        int32_t *tuple = q->bodies + (size_t)4 * q->n;
        double w = 0;
        bool twice = false, none = true;

        for (uint32_t k = 0, rest = code; k < 4; k++, rest /= n_choices) {
            tuple[k] = choice[rest % n_choices];
            for (uint32_t j = 0; j < k; j++)
                twice |= tuple[k] >= 0 && tuple[j] == tuple[k];
            none &= tuple[k] < 0;
            w += tuple[k] < 0 ? 0 : of_place[k] / (tuple[k] + 1);
        }
        q->weight[q->n] = w;
        q->n += !twice && !none;
    }
}

static void swap_tuples(quartet *q, uint32_t a, uint32_t b) {
    double w = q->weight[a];

    for (uint32_t k = 0; k < 4; k++) {
        int32_t t = q->bodies[4 * a + k];

        q->bodies[4 * a + k] = q->bodies[4 * b + k];
        q->bodies[4 * b + k] = t;
    }
    q->weight[a] = q->weight[b];
    q->weight[b] = w;
}

static void persons_who_cannot_be_told_apart_are_named_in_whatever_order_tuples_come(void **state) {
    static const int32_t choice[] = {-1, 3, 255, 256, 511, 600};
    static const uint32_t missing[] = {0, 1, 2, 3};
    quartet *q = malloc(sizeof(*q));
    atg_rng rng = atg_rng_seed(11);

    (void)state;
    make_quartet(q, choice, 6);
    for (int k = 0; k < 8; k++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
        atg_assign_family family = {4, missing, q->n, q->bodies, q->weight};
        atg_assign_problem problem = {601, 4, 1, &family};
        atg_assign_result r;
        atg_err err = {0};

        for (uint32_t i = 0; k && i < q->n; i++)
            swap_tuples(q, i, (uint32_t)atg_rng_below(&rng, q->n));
        assert_int_equal(atg_assign_solve(arena, &problem, NULL, NULL, &r, &err), ATG_OK);
        assert_int_equal(r.n_symmetries, 1);
        assert_int_equal(r.symmetries[0].n, 2);
        assert_int_equal(r.symmetries[0].missing[0], 0);
        assert_int_equal(r.symmetries[0].missing[1], 2);

        uint32_t at = 0;

        while (q->bodies[(size_t)4 * at] == q->bodies[(size_t)4 * at + 2])
            at++;
        q->weight[at] += 1e-3;
        assert_int_equal(atg_assign_solve(arena, &problem, NULL, NULL, &r, &err), ATG_OK);
        assert_int_equal(r.n_symmetries, 0);
        q->weight[at] -= 1e-3;
        memcpy(q->bodies + (size_t)4 * (q->n - 1), q->bodies + (size_t)4 * k, 4 * sizeof(int32_t));
        assert_int_equal(atg_assign_solve(arena, &problem, NULL, NULL, &r, &err), ATG_EINVAL);
        make_quartet(q, choice, 6);
    }
    free(q);
}

static void a_problem_that_breaks_a_rule_is_refused_with_a_sentence(void **state) {
    static const uint32_t missing[] = {0, 1}, twice[] = {1, 1}, unknown[] = {0, 9};
    static const int32_t good[] = {0, 1, 1, 0}, body[] = {0, 1, 1, 7}, below[] = {0, 1, -2, 0};
    static const int32_t same_body[] = {0, 1, 1, 1}, same_tuple[] = {0, 1, 0, 1};
    static const int32_t none[] = {-1, -1, 1, 0};
    static const double w[] = {1, 2}, endless[] = {1, INFINITY}, unknown_weight[] = {NAN, 1};
    static const struct {
        atg_assign_family family;
        const char *says;
    } cases[] = {
        {{2, twice, 2, good, w}, "listed twice"},
        {{2, unknown, 2, good, w}, "lists missing person 9"},
        {{2, missing, 2, body, w}, "names body 7"},
        {{2, missing, 2, below, w}, "names body -2"},
        {{2, missing, 2, same_body, w}, "names body 1 twice"},
        {{2, missing, 2, same_tuple, w}, "same bodies in tuples 0 and 1"},
        {{2, missing, 2, none, w}, "it must be 0"},
        {{2, missing, 2, good, endless}, "must be finite"},
        {{2, missing, 2, good, unknown_weight}, "must be finite"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        atg_assign_problem problem = {2, 2, 1, &cases[i].family};
        atg_assign_result r = {.n_pairs = 77};
        atg_err err = {0};

        assert_int_equal(atg_assign_solve(arena, &problem, NULL, NULL, &r, &err), ATG_EINVAL);
        if (!strstr(err.msg, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", err.msg, cases[i].says);
        assert_int_equal(r.n_pairs, 77);
    }
}

static void too_long_a_list_is_refused(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    static const atg_assign_problem problem = {0};
    atg_assign_options o = {.n_top = 1001};
    atg_assign_result r;

    (void)state;
    assert_int_equal(atg_assign_solve(arena, &problem, &o, NULL, &r, NULL), ATG_EINVAL);
}

static bool refuse(void *user, const char *phase, uint64_t done, uint64_t total) {
    (void)phase;
    (void)done;
    (void)total;
    ++*(int *)user;
    return false;
}

static void it_stops_on_request(void **state) {
    static const recipe recipe_of = {5, 3, {1, 2, 1}, .8, 3, 0};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
    made *m = malloc(sizeof(*m));
    atg_rng rng = atg_rng_seed(8);
    int asked = 0;
    atg_progress progress = {refuse, &asked};
    atg_assign_options o = {0}, sampled = {.force_sampling = true};
    atg_assign_result r;

    (void)state;
    make(m, &recipe_of, &rng);
    assert_int_equal(atg_assign_solve(arena, &m->problem, &o, &progress, &r, NULL), ATG_ECANCEL);
    assert_int_equal(atg_assign_solve(arena, &m->problem, &sampled, &progress, &r, NULL),
                     ATG_ECANCEL);
    assert_true(asked >= 2);
    free(m);
}

/* Every allocation fails once; nothing leaks, and the answer is right as soon as none fails. */
static void torture(const made *m, const atg_assign_options *o) {
    size_t live = mem_live();

    for (long n = 0;; n++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 26);
        atg_assign_result r = {.n_pairs = 77};

        mem_fail_after(n);

        int rc = atg_assign_solve(arena, &m->problem, o, NULL, &r, NULL);

        mem_fail_after(-1);
        if (rc == ATG_OK) {
            assert_true(n > 50);
            assert_true(r.n_pairs != 77);
            break;
        }
        assert_int_equal(rc, ATG_ENOMEM);
        assert_int_equal(r.n_pairs, 77);
    }
    assert_int_equal(mem_live(), live);
}

static void a_failed_allocation_leaves_nothing_behind(void **state) {
    static const recipe recipe_of = {5, 4, {1, 2, 1, 1}, .5, 3, 1};
    made *m = malloc(sizeof(*m));
    atg_rng rng = atg_rng_seed(9);
    atg_assign_options exact = {.n_top = 7};
    atg_assign_options sampled = {.n_top = 2, .force_sampling = true, .n_samples = 40};

    (void)state;
    make(m, &recipe_of, &rng);
    torture(m, &exact);
    torture(m, &sampled);
    free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_equals_brute_force_over_all_assignments),
        cmocka_unit_test(renaming_bodies_renames_the_answer),
        cmocka_unit_test(rounding_does_not_break_ties),
        cmocka_unit_test(nobody_possible_leaves_everybody_unidentified),
        cmocka_unit_test(persons_who_cannot_be_told_apart_are_named),
        cmocka_unit_test(persons_who_cannot_be_told_apart_are_named_in_whatever_order_tuples_come),
        cmocka_unit_test(a_problem_that_breaks_a_rule_is_refused_with_a_sentence),
        cmocka_unit_test(too_long_a_list_is_refused),
        cmocka_unit_test(it_stops_on_request),
        cmocka_unit_test(a_failed_allocation_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("assign", tests, NULL, NULL);
}
