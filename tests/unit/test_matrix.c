/* SPDX-License-Identifier: Apache-2.0 */
/* All profiles against all, and the exclusion matrix. */
#include "testing.h"

#include "exercise_markers.h"

#include <math.h>

enum { ARENA = 1 << 28, MARKERS = 12 };

static void make(atg_arena *arena, atg_exercise_options o, atg_operation *ret, atg_truth *truth) {
    atg_err err = {0};

    if (atg_exercise_make(arena, table_size(MARKERS), table_markers(arena, MARKERS), &o, ret, truth,
                          &err))
        fail_msg("%s", err.msg);
}

static atg_exercise_options small(uint64_t seed) {
    atg_exercise_options o = atg_exercise_default();

    o.seed = seed;
    o.n_missing = 8;
    o.n_bodies = 0;
    return o;
}

/* Does the family's typed data alone contradict its pedigree at this marker, without mutation? */
static bool contradictory(const atg_operation *op, uint32_t family, uint32_t m) {
    atg_marker markers[ATG_MARKERS_MAX];
    double loglik = 0;

    memcpy(markers, op->markers, op->n_markers * sizeof(*markers));
    markers[m].female = markers[m].male = (atg_mutation){.model = ATG_MUT_NONE};
    assert_int_equal(atg_loglik(markers, m, &op->families[family].ped, 0, &loglik, NULL), ATG_OK);
    return loglik == -INFINITY;
}

static void the_matrix_counts_what_single_comparisons_find_impossible(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        atg_operation op;
        atg_truth truth;
        atg_exclusions found;
        uint32_t incompatible = 0;

        make(arena, small(seed), &op, &truth);
        assert_int_equal(atg_exclusion_matrix(arena, &op, 2, NULL, &found, NULL), ATG_OK);
        for (uint32_t s = 0; s < op.n_samples; s++) {
            for (uint32_t i = 0; i < op.n_missing; i++) {
                double lr[ATG_MARKERS_MAX];
                uint32_t want = 0, f = op.missing[i].family;

                assert_int_equal(atg_pair_lr(&op, &op.samples[s], i, false, lr, NULL), ATG_OK);
                for (uint32_t m = 0; m < op.n_markers; m++)
                    want += lr[m] == -INFINITY && !contradictory(&op, f, m);
                assert_int_equal(found.n_incompatible[s * op.n_missing + i], want);
                assert_true(want <= found.n_compared[s * op.n_missing + i]);
                incompatible += want;
            }
        }
        assert_true(incompatible > 0);
    }
}

static void a_family_that_contradicts_itself_is_counted_apart(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_exercise_options o = small(4);
    atg_operation op;
    atg_truth truth;
    atg_exclusions found;
    uint32_t own = 0;

    (void)state;
    o.n_missing = 30;
    o.wrong_relation = 0.5;
    make(arena, o, &op, &truth);
    assert_int_equal(atg_exclusion_matrix(arena, &op, 1, NULL, &found, NULL), ATG_OK);
    for (uint32_t f = 0; f < op.n_families; f++) {
        uint32_t want = 0;

        for (uint32_t m = 0; m < op.n_markers; m++)
            want += op.markers[m].chrom <= ATG_CHROM_X && contradictory(&op, f, m);
        assert_int_equal(found.n_own[f], want);
        own += want;
    }
    assert_true(own > 0);
}

static void samples_of_one_body_are_found_and_strangers_are_not(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_exercise_options o = small(5);
    atg_same_persons same = {0};
    uint32_t together = 0;
    atg_operation op;
    atg_truth truth;

    (void)state;
    o.n_missing = 40;
    o.fragments = 0.5;
    o.degraded = o.partial = o.swapped = o.wrong_relation = 0;
    make(arena, o, &op, &truth);
    assert_int_equal(atg_find_same(arena, &op, 6, 2, NULL, &same, NULL), ATG_OK);
    for (uint32_t i = 0; i < same.n; i++) {
        const atg_profile *x = &same.pairs[i].x, *y = &same.pairs[i].y;

        if (y->kind != ATG_PROFILE_SAMPLE || same.pairs[i].direct.log10_lr < 6)
            continue;
        assert_int_equal(truth.missing_of_sample[x->index], truth.missing_of_sample[y->index]);
        together += truth.missing_of_sample[x->index] >= 0;
    }
    for (uint32_t x = 0; x < op.n_samples; x++)
        for (uint32_t y = x + 1; y < op.n_samples; y++)
            if (truth.missing_of_sample[x] >= 0 &&
                truth.missing_of_sample[x] == truth.missing_of_sample[y])
                together--;
    assert_int_equal(together, 0);
}

static void staff_and_relatives_are_compared_too_and_declared_bodies_always_listed(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_same_persons same = {0};
    uint32_t staff = 0, said = 0, relatives = 0;
    atg_operation op;
    atg_truth truth;

    (void)state;
    make(arena, small(6), &op, &truth);

    atg_sample *samples = ATG_GET(arena, atg_sample, op.n_samples + 1);
    const atg_pedigree *ped = &op.families[0].ped;
    uint32_t typed = 0;

    while (typed < ped->n && !ped->persons[typed].genos)
        typed++;
    assert_true(typed < ped->n);
    memcpy(samples, op.samples, op.n_samples * sizeof(*samples));
    for (uint32_t s = 0; s < 2; s++) { /* two strangers declared to be of one body */
        samples[s].body = ATG_STR("declared");
        samples[s].dropout = samples[s].dropin = 0;
    }
    op.staff = &samples[0];
    op.n_staff = 1;
    samples[op.n_samples] =
        (atg_sample){.id = ATG_STR("exchanged"), .genos = ped->persons[typed].genos};
    op.samples = samples;
    op.n_samples++;
    assert_int_equal(atg_find_same(arena, &op, 3, 1, NULL, &same, NULL), ATG_OK);
    for (uint32_t i = 0; i < same.n; i++) {
        const atg_same_person *p = &same.pairs[i];

        said += p->declared && p->x.index == 0 && p->y.index == 1;
        staff += p->y.kind == ATG_PROFILE_STAFF && p->x.index == 0;
        relatives += p->x.kind == ATG_PROFILE_SAMPLE && p->x.index == op.n_samples - 1 &&
                     p->y.kind == ATG_PROFILE_RELATIVE && p->y.index == 0 && p->y.person == typed;
    }
    assert_int_equal(said, 1);
    assert_int_equal(staff, 1);
    assert_int_equal(relatives, 1);
}

static void an_own_sample_is_compared_with_everybody(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_exercise_options o = small(8);
    atg_same_persons same = {0};
    atg_exclusions matrix = {0};
    uint32_t found = 0, excluded = 0, others = 0;
    atg_operation op;
    atg_truth truth;

    (void)state;
    o.own = 1;
    o.degraded = o.partial = o.swapped = o.wrong_relation = 0;
    make(arena, o, &op, &truth);
    assert_int_equal(atg_find_same(arena, &op, 6, 1, NULL, &same, NULL), ATG_OK);
    for (uint32_t i = 0; i < same.n; i++) {
        const atg_same_person *p = &same.pairs[i];

        if (p->x.kind != ATG_PROFILE_SAMPLE || p->y.kind != ATG_PROFILE_OWN)
            continue;

        const atg_missing *m = &op.missing[truth.missing_of_sample[p->x.index]];

        assert_int_equal(m->family, p->y.index);
        assert_int_equal(m->person, p->y.person);
        assert_int_equal(p->y.own, 0);
        found++;
    }
    assert_true(found > 0);
    assert_int_equal(atg_exclusion_matrix(arena, &op, 1, NULL, &matrix, NULL), ATG_OK);
    for (uint32_t i = 0; i < op.n_samples; i++)
        for (uint32_t j = 0; j < op.n_missing; j++) {
            uint32_t n = matrix.n_incompatible[i * op.n_missing + j];

            if (truth.missing_of_sample[i] == (int32_t)j) {
                assert_int_equal(n, 0);
                continue;
            }
            others++;
            excluded += n > op.params.max_incompatible;
        }
    assert_int_equal(excluded, others);
}

/* Each allocation fails once; nothing may be lost, and the error must say so. */
static void running_out_of_memory_is_reported_and_loses_nothing(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_operation op;
    atg_truth truth;
    size_t before;

    (void)state;
    make(arena, small(7), &op, &truth);
    before = mem_live();
    for (int which = 0; which < 2; which++) {
        int rc = ATG_ENOMEM;

        for (long k = 0; rc == ATG_ENOMEM && k < 20000; k++) {
            atg_arena *own = NULL;
            atg_same_persons same = {0};
            atg_exclusions found;

            mem_fail_after(k);
            own = atg_arena_new(ARENA);
            if (own)
                rc = which ? atg_find_same(own, &op, 4, 1, NULL, &same, NULL)
                           : atg_exclusion_matrix(own, &op, 1, NULL, &found, NULL);
            mem_fail_after(-1);
            atg_arena_free(own);
            assert_int_equal(mem_live(), before);
        }
        assert_int_equal(rc, ATG_OK);
    }
}

static bool stop(void *user, const char *phase, uint64_t done, uint64_t total) {
    (void)user, (void)phase, (void)done, (void)total;
    return false;
}

static void work_stops_when_asked(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    const atg_progress progress = {.step = stop};
    atg_same_persons same = {0};
    atg_exclusions found;
    atg_operation op;
    atg_truth truth;

    (void)state;
    make(arena, small(8), &op, &truth);
    assert_int_equal(atg_find_same(arena, &op, 4, 2, &progress, &same, NULL), ATG_ECANCEL);
    assert_int_equal(atg_exclusion_matrix(arena, &op, 2, &progress, &found, NULL), ATG_ECANCEL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_matrix_counts_what_single_comparisons_find_impossible),
        cmocka_unit_test(a_family_that_contradicts_itself_is_counted_apart),
        cmocka_unit_test(samples_of_one_body_are_found_and_strangers_are_not),
        cmocka_unit_test(staff_and_relatives_are_compared_too_and_declared_bodies_always_listed),
        cmocka_unit_test(an_own_sample_is_compared_with_everybody),
        cmocka_unit_test(running_out_of_memory_is_reported_and_loses_nothing),
        cmocka_unit_test(work_stops_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
