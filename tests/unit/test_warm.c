/* SPDX-License-Identifier: Apache-2.0 */
/* Families kept ready rank bodies as the exact comparison of each pair does. */
#include "testing.h"

#include <math.h>

#include "exercise_markers.h"
#include "match/warm.h"

enum { ARENA = 256 << 20, MISSING = 90, AUTOSOMAL = 12, PLACES = 300 };

typedef struct scene {
    atg_arena *arena;
    atg_operation op;
    warm *w;
    uint32_t *place; /* of each missing */
} scene;

static void open_scene(scene *s, double theta, double degraded) {
    atg_exercise_options o = atg_exercise_default();
    ATG_AUTO(atg_compiler) c = atg_compiler_new();
    atg_truth truth;
    atg_err err = {0};

    s->arena = atg_arena_new(ARENA);
    assert_non_null(s->arena);
    o.n_missing = MISSING;
    o.n_bodies = 0;
    o.theta = theta;
    o.degraded = degraded;
    if (atg_exercise_make(s->arena, table_size(AUTOSOMAL), table_markers(s->arena, AUTOSOMAL), &o,
                          &s->op, &truth, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(warm_new(&s->op, PLACES, &s->w, &err), ATG_OK);
    s->place = ATG_GET(s->arena, uint32_t, s->op.n_missing);
    for (uint32_t j = 0; j < s->op.n_missing; j++) {
        s->place[j] = (j * 7 + 3) % PLACES;
        if (warm_put(s->w, c, &s->op, j, s->place[j], &err))
            fail_msg("%s", err.msg);
    }
}

static void close_scene(scene *s) {
    warm_free(s->w);
    atg_arena_free(s->arena);
}

static double exact(const scene *s, uint32_t i, uint32_t j) {
    double lr[ATG_MARKERS_MAX];
    atg_err err = {0};

    if (atg_pair_lr(&s->op, &s->op.samples[i], j, true, lr, &err))
        fail_msg("%s", err.msg);
    return atg_combine_lr(&s->op, lr);
}

static bool sexes_fit(const scene *s, uint32_t i, uint32_t j) {
    const atg_missing *m = &s->op.missing[j];

    return atg_sex_fits(s->op.samples[i].sex, s->op.families[m->family].ped.persons[m->person].sex);
}

static void same(double want, double got, double tolerance) {
    if (isinf(want) ? want != got : !(fabs(want - got) <= tolerance))
        fail_msg("%.9g is not %.9g", got, want);
}

static void compare_all(const scene *s, bool certain_only) {
    float ranks[PLACES];
    atg_err err = {0};
    uint32_t compared = 0;

    for (uint32_t i = 0; i < s->op.n_samples; i++) {
        const atg_sample *body = &s->op.samples[i];

        if (certain_only && body->dropout > 0)
            continue;
        assert_int_equal(warm_rank(s->w, body, 1 + i % 3, ranks, &err), ATG_OK);
        for (uint32_t j = 0; j < s->op.n_missing; j++) {
            float back;

            assert_int_equal(warm_rank_bodies(s->w, s->place[j], 1, body, &back, &err), ATG_OK);
            same((double)ranks[s->place[j]], (double)back, 1e-5);
            if (!sexes_fit(s, i, j))
                assert_true(isinf(ranks[s->place[j]]));
            else
                same(exact(s, i, j), (double)ranks[s->place[j]], 2e-4);
            compared++;
        }
    }
    assert_true(compared > 1000);
}

static void ranks_are_those_of_the_exact_comparison(void **state) {
    scene s;

    (void)state;
    open_scene(&s, 0, 0);
    compare_all(&s, false);
    close_scene(&s);
}

static void ranks_of_degraded_bodies_are_exact_without_theta(void **state) {
    scene s;

    (void)state;
    open_scene(&s, 0, 0.8);
    compare_all(&s, false);
    close_scene(&s);
}

static void ranks_of_certain_genotypes_are_exact_with_theta(void **state) {
    scene s;

    (void)state;
    open_scene(&s, 0.02, 0.5);
    compare_all(&s, true);
    close_scene(&s);
}

static void who_is_removed_is_ranked_no_more(void **state) {
    scene s;
    float ranks[PLACES];
    atg_err err = {0};

    (void)state;
    open_scene(&s, 0, 0);
    for (uint32_t j = 0; j < s.op.n_missing; j++)
        warm_remove(s.w, s.place[j]);
    assert_int_equal(warm_rank(s.w, &s.op.samples[0], 2, ranks, &err), ATG_OK);
    for (uint32_t k = 0; k < PLACES; k++)
        assert_true(isinf(ranks[k]));
    close_scene(&s);
}

static void short_memory_is_told(void **state) {
    scene s;
    float ranks[PLACES];

    (void)state;
    open_scene(&s, 0, 0.5);
    for (long n = 0;; n++) {
        atg_err err = {0};
        warm *w = NULL;
        ATG_AUTO(atg_compiler) c = atg_compiler_new();
        int rc;

        mem_fail_after(n);
        rc = warm_new(&s.op, PLACES, &w, &err);
        if (!rc)
            rc = warm_put(w, c, &s.op, 0, 5, &err);
        if (!rc)
            rc = warm_rank(w, &s.op.samples[0], 1, ranks, &err);
        mem_fail_after(-1);
        warm_free(w);
        if (!rc)
            break;
        assert_int_equal(rc, ATG_ENOMEM);
    }
    close_scene(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_those_of_the_exact_comparison),
        cmocka_unit_test(ranks_of_degraded_bodies_are_exact_without_theta),
        cmocka_unit_test(ranks_of_certain_genotypes_are_exact_with_theta),
        cmocka_unit_test(who_is_removed_is_ranked_no_more),
        cmocka_unit_test(short_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
