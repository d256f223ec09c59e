/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>
#include <stdio.h>

enum { MARKERS = 20, ALLELES = 8, PERSONS = 6 };

enum { FATHER, MOTHER, SON, DAUGHTER, MISSING, STRANGER };

static const double freqs[ALLELES] = {0.05, 0.1, 0.2, 0.25, 0.15, 0.1, 0.1, 0.05};
static const atg_str labels[ALLELES] = {{"8", 1},  {"9", 1},  {"10", 2}, {"11", 2},
                                        {"12", 2}, {"13", 2}, {"14", 2}, {"15", 2}};
static const int16_t tenths[ALLELES] = {80, 90, 100, 110, 120, 130, 140, 150};

/* Father, mother, their son and daughter, their missing child; the stranger is outside. */
typedef struct world {
    atg_marker markers[MARKERS + 1];
    char names[MARKERS][8];
    atg_geno genos[PERSONS][MARKERS + 1];
    atg_person persons[PERSONS];
    atg_family family;
    atg_missing missing;
    uint32_t listed;
    atg_operation op;
} world;

static int16_t draw(atg_rng *rng) {
    double u = atg_rng_unit(rng);
    int16_t a = 0;

    while (a < ALLELES - 1 && u >= freqs[a])
        u -= freqs[a++];
    return a;
}

static int16_t pass(atg_rng *rng, atg_geno parent) {
    if (atg_rng_below(rng, 2))
        return parent.a;
    return parent.b;
}

static void make_world(world *w, uint64_t seed, atg_mutation mutation) {
    static const char *const ids[PERSONS] = {"father",   "mother",  "son",
                                             "daughter", "missing", "stranger"};
    static const atg_str xy[2] = {{"X", 1}, {"Y", 1}};
    atg_rng rng = atg_rng_seed(seed);

    memset(w, 0, sizeof(*w));
    for (int m = 0; m < MARKERS; m++) {
        snprintf(w->names[m], sizeof(w->names[m]), "M%d", m);
        w->markers[m] = (atg_marker){.name = atg_str_of(w->names[m]),
                                     .n = ALLELES,
                                     .labels = labels,
                                     .freqs = freqs,
                                     .tenths = tenths,
                                     .silent = -1,
                                     .female = mutation,
                                     .male = mutation,
                                     .linked_to = -1};
        for (int i = 0; i < PERSONS; i++)
            w->genos[i][m] = (atg_geno){draw(&rng), draw(&rng)};
        for (int i = SON; i <= DAUGHTER; i++)
            w->genos[i][m] =
                (atg_geno){pass(&rng, w->genos[FATHER][m]), pass(&rng, w->genos[MOTHER][m])};
    }
    w->markers[MARKERS] = (atg_marker){.name = ATG_STR("AMEL"),
                                       .chrom = ATG_CHROM_AMELOGENIN,
                                       .n = 2,
                                       .labels = xy,
                                       .freqs = freqs,
                                       .silent = -1,
                                       .linked_to = -1};
    for (int i = 0; i < PERSONS; i++) {
        bool man = i == FATHER || i == SON;

        w->genos[i][MARKERS] = (atg_geno){0, man};
        w->persons[i] = (atg_person){.id = atg_str_of(ids[i]),
                                     .father = -1,
                                     .mother = -1,
                                     .sex = man ? ATG_SEX_MALE : ATG_SEX_FEMALE};
        if (i == SON || i == DAUGHTER || i == MISSING)
            w->persons[i].father = FATHER, w->persons[i].mother = MOTHER;
    }
    w->missing = (atg_missing){ATG_STR("missing"), 0, MISSING};
    w->family = (atg_family){
        .id = ATG_STR("F"), .ped = {STRANGER, w->persons}, .n_missing = 1, .missing = &w->listed};
    w->op = (atg_operation){.params = atg_params_default(),
                            .n_markers = MARKERS + 1,
                            .markers = w->markers,
                            .n_families = 1,
                            .families = &w->family,
                            .n_missing = 1,
                            .missing = &w->missing};
}

static void type(world *w, int person, int profile) {
    w->persons[person].genos = w->genos[profile];
}

static const atg_family_check *check(atg_arena *arena, const world *w) {
    const atg_family_check *ret = NULL;
    atg_err err = {0};

    if (atg_check_families(arena, &w->op, &ret, &err))
        fail_msg("%s", err.msg);
    return ret;
}

static const atg_mutation none = {0};
static const atg_mutation equal = {.model = ATG_MUT_EQUAL, .rate = 0.001};

static bool note_has(const atg_family_check *c, const char *part) {
    return strstr(c->note.p, part) != NULL;
}

static void a_true_family_fits(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
        const atg_family_check *c;
        world w;

        make_world(&w, seed, seed % 2 ? none : equal);
        for (int i = FATHER; i <= DAUGHTER; i++)
            type(&w, i, i);
        c = check(arena, &w);
        assert_true(c->fits);
        assert_int_equal(c->n_typed, 4);
        assert_int_equal(c->n_compared, MARKERS);
        assert_int_equal(c->n_inconsistent, 0);
        assert_int_equal(c->suspect, -1);
        assert_true(c->log10_gain < 0);
        assert_string_equal(c->note.p, "The relatives fit as recorded.");
    }
}

static void one_mutation_does_not_unmake_a_family(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    const atg_family_check *c;
    world w;

    (void)state;
    make_world(&w, 5, none);
    type(&w, MOTHER, MOTHER);
    type(&w, SON, SON);
    w.genos[MOTHER][3] = (atg_geno){2, 2};
    w.genos[SON][3] = (atg_geno){3, 3};
    c = check(arena, &w);
    assert_true(c->fits);
    assert_int_equal(c->n_inconsistent, 1);
    assert_true(c->inconsistent[3] && !c->inconsistent[2]);
    assert_true(note_has(c, "with a mutation at 1 of 20"));
}

static void a_relative_who_is_none_is_found(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
        const atg_family_check *c;
        world w;

        make_world(&w, seed, seed % 2 ? none : equal);
        type(&w, FATHER, STRANGER);
        w.persons[FATHER].sex = ATG_SEX_MALE;
        for (int i = MOTHER; i <= DAUGHTER; i++)
            type(&w, i, i);
        c = check(arena, &w);
        assert_false(c->fits);
        assert_int_equal(c->suspect, FATHER);
        assert_int_equal(c->n_repaired, c->n_inconsistent);
        assert_true(c->log10_gain > 2);
        assert_true(note_has(c, "another reference is needed"));
    }
}

static void of_two_who_differ_neither_is_named_alone(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    const atg_family_check *c;
    world w;

    (void)state;
    make_world(&w, 3, equal);
    type(&w, MOTHER, MOTHER);
    type(&w, SON, STRANGER);
    c = check(arena, &w);
    assert_false(c->fits);
    assert_int_equal(c->suspect, -1);
    assert_true(c->n_repaired == c->n_inconsistent && c->n_repaired > 2);
    assert_true(note_has(c, "mother") && note_has(c, "son"));
}

static void siblings_who_are_none_are_found_without_one_impossible_marker(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    const atg_family_check *c;
    world w;

    (void)state;
    make_world(&w, 12, equal);
    type(&w, SON, SON);
    type(&w, DAUGHTER, STRANGER);
    c = check(arena, &w);
    assert_int_equal(c->n_inconsistent, 0);
    assert_true(c->log10_gain >= 2);
    assert_false(c->fits);
}

static void exchanged_labels_are_recognised(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    const atg_family_check *c;
    world w;

    (void)state;
    make_world(&w, 4, equal);
    type(&w, FATHER, SON);
    type(&w, SON, FATHER);
    type(&w, MOTHER, MOTHER);
    type(&w, DAUGHTER, DAUGHTER);
    c = check(arena, &w);
    assert_false(c->fits);
    assert_true(note_has(c, "father and son carried each other's label"));
}

static void one_profile_twice_is_named(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    const atg_family_check *c;
    world w;

    (void)state;
    make_world(&w, 4, equal);
    type(&w, SON, SON);
    type(&w, DAUGHTER, SON);
    c = check(arena, &w);
    assert_false(c->fits);
    assert_true(note_has(c, "son and daughter have the same profile at 20 markers"));
    assert_int_equal(c->n_sex_flags, 1); /* the son's X/Y under the daughter's name */
    assert_int_equal(c->sex_flags[0], DAUGHTER);
}

static void unrelated_or_single_relatives_cannot_be_checked(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    const atg_family_check *c;
    world w;

    (void)state;
    make_world(&w, 4, equal);
    c = check(arena, &w);
    assert_true(c->fits && c->n_typed == 0 && c->n_compared == 0);
    type(&w, FATHER, FATHER);
    type(&w, MOTHER, STRANGER);
    c = check(arena, &w);
    assert_true(c->fits && c->n_typed == 2 && c->n_compared == 0);
    assert_true(note_has(c, "nothing can be checked"));
}

static double combined(const world *w, int person) {
    world v = *w;
    double lr[MARKERS + 1];
    atg_sample s = {
        .id = ATG_STR("s"), .sex = w->persons[person].sex, .genos = w->persons[person].genos};

    v.persons[person].genos = NULL;
    v.family.ped.persons = v.persons;
    v.family.missing = &v.listed;
    v.missing.person = (uint32_t)person;
    v.op.families = &v.family;
    v.op.missing = &v.missing;
    v.op.markers = v.markers;
    assert_int_equal(atg_pair_lr(&v.op, &s, 0, true, lr, NULL), ATG_OK);
    return atg_combine_lr(&v.op, lr);
}

static void the_gain_is_the_lr_turned_round(void **state) {
    static const double thetas[] = {0, 0.02};

    (void)state;
    for (size_t i = 0; i < sizeof(thetas) / sizeof(*thetas); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
        const atg_family_check *c;
        world w;

        make_world(&w, 8, equal);
        w.op.params.theta = thetas[i];
        type(&w, MOTHER, MOTHER);
        type(&w, SON, SON);
        type(&w, FATHER, STRANGER);
        c = check(arena, &w);
        assert_int_equal(c->suspect, FATHER);
        assert_true(fabs(c->log10_gain + combined(&w, FATHER)) < 1e-9);
    }
}

static void an_own_sample_is_checked_against_the_relatives(void **state) {
    (void)state;
    for (int other = 0; other < 2; other++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
            const atg_family_check *c;
            world w;

            make_world(&w, seed, equal);
            type(&w, FATHER, FATHER);
            type(&w, MOTHER, MOTHER);

            atg_own own = {.id = ATG_STR("brush"), .genos = w.genos[other ? STRANGER : DAUGHTER]};

            w.persons[MISSING].own = &own;
            w.persons[MISSING].n_own = 1;
            c = check(arena, &w);
            assert_int_equal(c->n_typed, 3);
            assert_int_equal(c->n_compared, MARKERS);
            assert_int_equal(c->fits, !other);
            assert_int_equal(c->suspect, other ? MISSING : -1);
            assert_true(!other || note_has(c, "The own sample of missing does not fit"));
        }
}

static void own_samples_are_checked_against_each_other(void **state) {
    (void)state;
    for (int other = 0; other < 2; other++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
        const atg_family_check *c;
        world w;

        make_world(&w, 3, equal);

        atg_own own[] = {{.id = ATG_STR("brush"), .genos = w.genos[DAUGHTER]},
                         {.id = ATG_STR("biopsy"),
                          .genos = w.genos[other ? STRANGER : DAUGHTER],
                          .dropout = other ? 0 : 0.1}};

        w.persons[MISSING].own = own;
        w.persons[MISSING].n_own = 2;
        c = check(arena, &w);
        assert_int_equal(c->n_compared, MARKERS);
        assert_int_equal(c->fits, !other);
        assert_true(!other || note_has(c, "own samples of missing do not fit each other"));
    }
}

static void a_relative_with_the_profile_of_an_own_sample_is_named(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    const atg_family_check *c;
    world w;

    (void)state;
    make_world(&w, 3, none);
    type(&w, DAUGHTER, DAUGHTER);

    atg_own own = {.id = ATG_STR("brush"), .genos = w.genos[DAUGHTER]};

    w.persons[MISSING].own = &own;
    w.persons[MISSING].n_own = 1;
    c = check(arena, &w);
    assert_false(c->fits);
    assert_true(note_has(c, "have the same profile at 20 markers"));
}

static void a_duo_has_the_closed_form(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    double t = 0.05, p = freqs[3], third = (2 * t + (1 - t) * p) / (1 + t);
    const atg_family_check *c;
    world w;

    (void)state;
    make_world(&w, 8, (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0});
    w.op.n_markers = 1;
    w.genos[MOTHER][0] = w.genos[SON][0] = (atg_geno){3, 3};
    type(&w, MOTHER, MOTHER);
    type(&w, SON, SON);
    c = check(arena, &w);
    assert_true(fabs(c->log10_gain - log10(p)) < 1e-12);
    w.op.params.theta = t; /* four alleles of one pool against three */
    c = check(arena, &w);
    assert_true(third > 0 &&
                fabs(c->log10_gain - log10((3 * t + (1 - t) * p) / (1 + 2 * t))) < 1e-12);
}

static void checking_survives_every_failed_allocation(void **state) {
    size_t before = mem_live();
    int rc = ATG_ENOMEM;
    world w;

    (void)state;
    make_world(&w, 4, equal);
    for (int i = FATHER; i <= DAUGHTER; i++)
        type(&w, i, i == FATHER ? STRANGER : i);
    w.persons[FATHER].sex = ATG_SEX_UNKNOWN;
    w.op.n_markers = 6;
    for (long k = 0; rc; k++) {
        const atg_family_check *c;
        atg_arena *arena;

        mem_fail_after(k);
        arena = atg_arena_new(1 << 22);
        rc = arena ? atg_check_families(arena, &w.op, &c, NULL) : ATG_ENOMEM;
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        atg_arena_free(arena);
        assert_int_equal(mem_live(), before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_family_fits),
        cmocka_unit_test(one_mutation_does_not_unmake_a_family),
        cmocka_unit_test(a_relative_who_is_none_is_found),
        cmocka_unit_test(of_two_who_differ_neither_is_named_alone),
        cmocka_unit_test(siblings_who_are_none_are_found_without_one_impossible_marker),
        cmocka_unit_test(exchanged_labels_are_recognised),
        cmocka_unit_test(one_profile_twice_is_named),
        cmocka_unit_test(unrelated_or_single_relatives_cannot_be_checked),
        cmocka_unit_test(the_gain_is_the_lr_turned_round),
        cmocka_unit_test(an_own_sample_is_checked_against_the_relatives),
        cmocka_unit_test(own_samples_are_checked_against_each_other),
        cmocka_unit_test(a_relative_with_the_profile_of_an_own_sample_is_named),
        cmocka_unit_test(a_duo_has_the_closed_form),
        cmocka_unit_test(checking_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
