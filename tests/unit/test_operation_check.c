/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

enum { MARKERS = 3, PERSONS = 3, SAMPLES = 2 };

/* A small operation in which everything can be written to. */
typedef struct world {
    atg_str labels[MARKERS][2];
    double freqs[MARKERS][2];
    atg_marker markers[MARKERS];
    atg_geno genos[MARKERS];
    atg_sample samples[SAMPLES], staff[SAMPLES];
    atg_person persons[PERSONS];
    atg_consent consent;
    uint32_t listed[2];
    atg_family families[2];
    atg_missing missing[2];
    atg_operation op;
} world;

static void make(world *w) {
    static const atg_str names[MARKERS] = {{"L1", 2}, {"L2", 2}, {"L3", 2}};

    memset(w, 0, sizeof(*w));
    for (int m = 0; m < MARKERS; m++) {
        w->labels[m][0] = ATG_STR("15");
        w->labels[m][1] = ATG_STR("16");
        w->freqs[m][0] = w->freqs[m][1] = 0.5;
        w->markers[m] = (atg_marker){.name = names[m],
                                     .n = 2,
                                     .labels = w->labels[m],
                                     .freqs = w->freqs[m],
                                     .silent = -1,
                                     .linked_to = -1};
    }
    for (int i = 0; i < SAMPLES; i++) {
        w->samples[i] = (atg_sample){.id = i ? ATG_STR("PM2") : ATG_STR("PM1"), .genos = w->genos};
        w->staff[i] = (atg_sample){.id = i ? ATG_STR("S2") : ATG_STR("S1"), .genos = w->genos};
    }
    w->persons[0] = (atg_person){.id = ATG_STR("dad"), .father = -1, .mother = -1};
    w->persons[1] = (atg_person){.id = ATG_STR("mum"), .father = -1, .mother = -1};
    w->persons[2] = (atg_person){.id = ATG_STR("child"), .father = 0, .mother = 1};
    w->persons[0].genos = w->genos;
    w->missing[0] = (atg_missing){.id = ATG_STR("M1"), .family = 0, .person = 2};
    w->missing[1] = (atg_missing){.id = ATG_STR("M2"), .family = 1, .person = 2};
    for (uint32_t f = 0; f < 2; f++) {
        w->listed[f] = f;
        w->families[f] = (atg_family){.id = f ? ATG_STR("F2") : ATG_STR("F1"),
                                      .ped = {PERSONS, w->persons},
                                      .n_missing = 1,
                                      .missing = &w->listed[f]};
    }
    w->families[0].n_consents = 1;
    w->families[0].consents = &w->consent;
    w->op = (atg_operation){.params = atg_params_default(),
                            .n_markers = MARKERS,
                            .markers = w->markers,
                            .n_samples = SAMPLES,
                            .samples = w->samples,
                            .n_families = 2,
                            .families = w->families,
                            .n_missing = 2,
                            .missing = w->missing,
                            .n_staff = SAMPLES,
                            .staff = w->staff};
}

static void a_sound_operation_passes(void **state) {
    world w;

    (void)state;
    make(&w);
    assert_int_equal(atg_operation_check(&w.op, NULL), ATG_OK);
    w.op = (atg_operation){.params = atg_params_default()};
    assert_int_equal(atg_operation_check(&w.op, NULL), ATG_OK);
}

typedef struct broken {
    void (*change)(world *w);
    const char *msg;
} broken;

static const double odds_below_0[SAMPLES * 2] = {1, 0, 1, -1};

static const atg_geno read_there[8] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1},
                                       {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
static const atg_geno read_wrong[8] = {{99, 99}};
static const atg_own own_twice[] = {{.id = {"brush", 5}, .genos = read_there},
                                    {.id = {"brush", 5}, .genos = read_there}};
static const atg_own own_none = {.id = {"brush", 5}};
static const atg_own own_lost = {.id = {"brush", 5}, .genos = read_there, .dropout = 1};
static const atg_own own_wrong = {.id = {"brush", 5}, .genos = read_wrong};

#define BREAK(name, statement)                                                                     \
    static void name(world *w) {                                                                   \
        statement;                                                                                 \
    }
BREAK(theta, w->op.params.theta = 0.6)
BREAK(error_rate, w->op.params.process_error = 0.5)
BREAK(threshold, w->op.params.threshold = 0.999)
BREAK(open, w->op.params.prior.kind = ATG_PRIOR_OPEN)
BREAK(least_lr, w->op.params.min_log10_lr = NAN)
BREAK(least_freq, w->op.params.min_freq = -1)
BREAK(many, w->op.n_markers = 1000)
BREAK(none, w->markers[0].n = 0)
BREAK(zero, w->freqs[1][0] = 0)
BREAK(sum, w->freqs[1][0] = 0.6)
BREAK(label, w->labels[1][0] = ATG_STR("16"))
BREAK(silent, w->markers[0].silent = 2)
BREAK(rate, w->markers[0].male.rate = 1.5)
BREAK(matrix, w->markers[1].female.model = ATG_MUT_CUSTOM)
BREAK(link, w->markers[0].linked_to = 0)
BREAK(rho, w->markers[1].linked_to = 0; w->markers[1].rho = 0.6)
BREAK(chain, w->markers[1].linked_to = 0; w->markers[2].linked_to = 1)
BREAK(forked, w->markers[1].linked_to = 0; w->markers[2].linked_to = 0)
BREAK(across, w->markers[0].chrom = ATG_CHROM_X; w->markers[1].linked_to = 0)
BREAK(shown, w->markers[0].silent = 1; w->genos[0] = ((atg_geno){0, 1}))
BREAK(odds, w->op.params.prior.given = odds_below_0)
BREAK(untyped, w->samples[0].genos = NULL)
BREAK(allele, w->genos[0].a = 7)
BREAK(second, w->genos[0] = ((atg_geno){-1, 0}))
BREAK(dropout, w->samples[1].dropout = 1)
BREAK(dropin, w->persons[0].dropin = -0.1)
BREAK(inbred, w->persons[1].inbreeding = 2)
BREAK(one_parent, w->persons[2].mother = -1)
BREAK(consent, w->consent.person = 3)
BREAK(typed, w->persons[2].genos = w->genos)
BREAK(named_twice, w->persons[2].own = own_twice; w->persons[2].n_own = 2)
BREAK(own_untyped, w->persons[2].own = &own_none; w->persons[2].n_own = 1)
BREAK(own_dropout, w->persons[2].own = &own_lost; w->persons[2].n_own = 1)
BREAK(too_many_own, w->persons[2].own = own_twice; w->persons[2].n_own = ATG_OWN_MAX + 1)
BREAK(own_of_relative, w->persons[0].own = own_twice; w->persons[0].n_own = 1)
BREAK(own_allele, w->persons[2].own = &own_wrong; w->persons[2].n_own = 1)
BREAK(missing_mt, w->persons[2].mt.n_ranges = 1)
BREAK(not_own, w->listed[0] = 1)
BREAK(nowhere, w->listed[0] = 9)
BREAK(unlisted, w->families[1].n_missing = 0)
BREAK(no_family, w->op.n_families = 1)
BREAK(sample_id, w->samples[1].id = ATG_STR("PM1"))
BREAK(staff_id, w->staff[1].id = ATG_STR("S1"))
BREAK(family_id, w->families[1].id = ATG_STR("F1"))
BREAK(missing_id, w->missing[1].id = ATG_STR("M1"))

static const broken cases[] = {
    {theta, "Theta is 0.6"},
    {error_rate, "The process error is 0.5"},
    {threshold, "The threshold is 0.999; it may be raised and never set below 0.9995"},
    {open, "The share that is not on the list is 0"},
    {least_lr, "The minimum LR"},
    {least_freq, "The minimum LR or minimum frequency"},
    {many, "More than 256 markers"},
    {none, "Marker L1 has 0 alleles"},
    {zero, "The frequency of 15 at L2 is 0"},
    {sum, "The frequencies of L2 sum to 1.1"},
    {label, "The allele 16 of L2 is there twice"},
    {silent, "The silent allele of L1 is not in its table"},
    {rate, "A mutation rate of L1"},
    {matrix, "The mutation matrix of L2 is missing"},
    {link, "L1 must be linked to an earlier marker"},
    {rho, "The recombination fraction of L2"},
    {chain, "L3 is linked to L2, which is in a linked pair already"},
    {forked, "L3 is linked to L1, which is in a linked pair already"},
    {across, "L2 is linked to a marker of another chromosome"},
    {shown, "shows the silent allele of L1"},
    {odds, "The prior odds of sample PM2 and missing person M2 are -1"},
    {untyped, "Sample PM1 has no table of genotypes"},
    {allele, "has an allele at L1 that its table lacks"},
    {second, "has an allele at L1"},
    {dropout, "Drop-out and drop-in of sample PM2"},
    {dropin, "Drop-out and drop-in of dad"},
    {inbred, "The inbreeding coefficient of mum"},
    {one_parent, "child has one parent only"},
    {consent, "Family F1 has a consent of somebody else"},
    {typed, "The missing person M1 has genotypes"},
    {named_twice, "The own sample brush of child is there twice"},
    {own_untyped, "The own sample brush of child has no table of genotypes"},
    {own_dropout, "Drop-out and drop-in of the own sample brush"},
    {too_many_own, "child has more than 16 own samples"},
    {own_of_relative, "dad has own samples but is not missing"},
    {own_allele, "brush has an allele at L1 that its table lacks"},
    {missing_mt, "The missing person M1 has genotypes or mtDNA"},
    {not_own, "Family F1 lists a missing person who is not its own"},
    {nowhere, "Family F1 lists a missing person who is not its own"},
    {unlisted, "No family lists the missing person M2"},
    {no_family, "No family lists the missing person M2"},
    {sample_id, "The sample PM1 is there twice"},
    {staff_id, "The sample of staff S1 is there twice"},
    {family_id, "The family F1 is there twice"},
    {missing_id, "The missing person M1 is there twice"},
};

static void each_broken_rule_is_named(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        world w;
        atg_err err = {0};
        int rc;

        make(&w);
        cases[i].change(&w);
        rc = atg_operation_check(&w.op, &err);
        if (rc == ATG_OK || !strstr(err.msg, cases[i].msg))
            fail_msg("%d \"%s\"; expected \"%s\"", rc, err.msg, cases[i].msg);
    }
}

static void short_memory_is_reported_and_leaks_nothing(void **state) {
    size_t before = mem_live();
    int rc = ATG_ENOMEM;
    world w;

    (void)state;
    make(&w);
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        mem_fail_after(k);
        rc = atg_operation_check(&w.op, NULL);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        assert_int_equal(mem_live(), before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_operation_passes),
        cmocka_unit_test(each_broken_rule_is_named),
        cmocka_unit_test(short_memory_is_reported_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
