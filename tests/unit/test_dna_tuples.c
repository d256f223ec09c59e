/* SPDX-License-Identifier: Apache-2.0 */
/* Families with several missing persons: each way to put samples into their places, against the
 * joint likelihood of the family. */
#include "testing.h"

#include "made_operation.h"

enum { SEEDS = 60, SAMPLES = 4 };

static const struct kind {
    const char *name;
    made_options options;
} kinds[] = {
    {"plain", {.model = 0, .typed = 0.4}},
    {"any model", {.model = -1, .typed = 0.4}},
    {"equal, doubtful", {.model = 1, .typed = 0.4, .dropout = 0.2, .dropin = 0.05}},
    {"partial", {.model = -1, .typed = 0.4, .partial = true, .dropout = 0.2}},
    {"X", {.model = -1, .typed = 0.4, .x = true}},
    {"silent", {.model = -1, .typed = 0.4, .silent = true}},
    {"inbred founders", {.model = -1, .typed = 0.4, .inbred = true}},
    {"nobody typed", {.model = -1, .typed = 0}},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static double loglik(const prop *p, const made_operation *o, uint32_t m, const atg_pedigree *ped) {
    double ret = 0;
    atg_err err = {0};

    prop_ok(p, atg_loglik(o->op.markers, m, ped, o->op.params.theta, &ret, &err), &err);
    return ret;
}

static void put(const made_operation *o, int32_t sample, atg_person *ret) {
    ret->genos = sample < 0 ? NULL : o->samples[sample].genos;
    ret->dropout = sample < 0 ? 0 : o->samples[sample].dropout;
    ret->dropin = sample < 0 ? 0 : o->samples[sample].dropin;
}

/* log10 LR of a tuple at one marker: the family with the samples in place, against the family and
 * as many unrelated persons, theta's common pool included. */
static double tuple_at(const prop *p, const made_operation *o, uint32_t m, const int32_t *tuple) {
    atg_person with[MADE_PERSONS + MADE_MISSING], beside[MADE_PERSONS + MADE_MISSING];
    const made *f = &o->family;
    uint32_t n = f->n;
    bool any = o->op.n_missing > 1; /* one missing person of whom no relative is typed: nothing */
    double h2;

    for (uint32_t i = 0; i < f->n; i++)
        any |= atg_geno_typed(f->obs[m][i].geno);
    if (!any || !isfinite(loglik(p, o, m, &f->ped))) /* or it contradicts itself */
        return 0;
    memcpy(with, f->persons, sizeof(f->persons));
    memcpy(beside, f->persons, sizeof(f->persons));
    for (uint32_t k = 0; k < o->op.n_missing; k++) {
        put(o, tuple[k], &with[k]);
        if (tuple[k] < 0)
            continue;
        beside[n] = (atg_person){.father = -1, .mother = -1, .sex = f->persons[k].sex};
        put(o, tuple[k], &beside[n++]);
    }
    h2 = loglik(p, o, m, &(atg_pedigree){n, beside});
    return (loglik(p, o, m, &(atg_pedigree){f->n, with}) - h2) / M_LN10;
}

static double tuple_lr(const prop *p, const made_operation *o, const int32_t *tuple) {
    double sum = 0;

    for (uint32_t m = 0; m < o->op.n_markers; m++)
        sum += tuple_at(p, o, m, tuple);
    return sum;
}

static bool next_tuple(int32_t *tuple, uint32_t k) {
    for (uint32_t i = k; i-- > 0;) {
        if (++tuple[i] < SAMPLES)
            return true;
        tuple[i] = -1;
    }
    return false;
}

static bool may_be(const int32_t *tuple, uint32_t k, const bool *allowed) {
    bool any = false;

    for (uint32_t i = 0; i < k; i++) {
        if (tuple[i] < 0)
            continue;
        any = true;
        if (!allowed[i * SAMPLES + (uint32_t)tuple[i]])
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (tuple[j] == tuple[i])
                return false;
    }
    return any;
}

static const double *find(const atg_tuples *t, const int32_t *tuple) {
    for (uint64_t i = 0; i < t->n; i++)
        if (memcmp(t->samples + i * t->n_places, tuple, t->n_places * sizeof(*tuple)) == 0)
            return &t->log10_lr[i];
    return NULL;
}

/* `allowed` as the sexes of an operation do it, and now and then a pair less. */
static void allow(prop *p, const made_operation *o, bool *ret) {
    for (uint32_t k = 0; k < o->op.n_missing; k++)
        for (uint32_t i = 0; i < SAMPLES; i++)
            ret[k * SAMPLES + i] =
                atg_sex_fits(o->samples[i].sex, o->family.persons[k].sex) && prop_chance(p, 0.9);
}

/* A relative's sample, so that more than the impossible is tried. */
static void make_samples(prop *p, made_operation *o, const made_options *options) {
    static const atg_sex sexes[] = {ATG_SEX_MALE, ATG_SEX_FEMALE, ATG_SEX_UNKNOWN};

    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t from = prop_below(p, o->family.n);

        made_sample(p, o, options->x ? sexes[prop_below(p, 2)] : sexes[prop_below(p, 3)], options);
        for (uint32_t m = 0; m < o->op.n_markers && !options->x; m++)
            if (atg_geno_typed(o->family.genos[from][m]) && prop_chance(p, 0.7))
                o->genos[i][m] = o->family.genos[from][m];
    }
}

/* Samples rising, nobody last: tuples are looked up by it. */
static bool in_order(const int32_t *a, const int32_t *b, uint32_t k) {
    for (uint32_t i = 0; i < k; i++)
        if (a[i] != b[i])
            return (uint32_t)a[i] < (uint32_t)b[i];
    return false;
}

static void check_tuples(prop *p, const made_operation *o, const bool *allowed, const char *name) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
    int32_t tuple[MADE_MISSING] = {-1, -1, -1};
    uint64_t n = 0;
    atg_tuples t;
    atg_err err = {0};

    prop_ok(p, atg_family_tuples(arena, &o->op, 0, allowed, true, &t, &err), &err);
    assert_int_equal(t.n_places, o->op.n_missing);
    for (uint64_t i = 1; i < t.n; i++)
        assert_true(
            in_order(t.samples + (i - 1) * t.n_places, t.samples + i * t.n_places, t.n_places));
    while (next_tuple(tuple, t.n_places)) {
        const double *got = find(&t, tuple);
        double want = may_be(tuple, t.n_places, allowed) ? tuple_lr(p, o, tuple) : -INFINITY;

        prop_close_log(p, name, got ? *got : -INFINITY, want, 1e-10);
        n += got != NULL;
    }
    assert_int_equal(t.n, n); /* none twice */
}

static void every_tuple_has_the_lr_of_the_joint_likelihoods(void **state) {
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++)
        for (PROP_EACH(p, SEEDS)) {
            made_options options = kinds[k].options;
            bool allowed[MADE_MISSING * SAMPLES];
            uint32_t n_missing = 1 + prop_below(&p, 3);
            double theta = prop_chance(&p, 0.25) ? prop_between(&p, 0.005, 0.1) : 0;
            made_operation o;

            options.persons = n_missing + 1 + prop_below(&p, 5);
            options.markers = 1 + prop_below(&p, 2);
            options.alleles = theta > 0 ? 3 : 3 + prop_below(&p, 4);
            made_operation_open(&p, &o, &options, n_missing, theta);
            make_samples(&p, &o, &options);
            allow(&p, &o, allowed);
            check_tuples(&p, &o, allowed, kinds[k].name);
        }
}

static void one_place_is_a_pair(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
        made_options options = {
            .persons = 6, .alleles = 5, .markers = 3, .model = -1, .typed = 0.5};
        made_operation o;
        atg_tuples t;
        atg_err err = {0};

        made_operation_open(&p, &o, &options, 1, 0);
        make_samples(&p, &o, &options);
        prop_ok(&p, atg_family_tuples(arena, &o.op, 0, NULL, true, &t, &err), &err);
        for (int32_t i = 0; i < SAMPLES; i++) {
            double per_marker[MADE_MARKERS];
            const double *got = find(&t, &i);

            prop_ok(&p, atg_pair_lr(&o.op, &o.samples[i], 0, true, per_marker, &err), &err);
            prop_close_log(&p, "LR", got ? *got : -INFINITY, atg_combine_lr(&o.op, per_marker),
                           1e-11);
        }
    }
}

static void mutation_can_be_left_out(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
        made_options options = {
            .persons = 5, .alleles = 4, .markers = 2, .model = -1, .typed = 0.5};
        made_operation o;
        atg_tuples off, none;
        atg_err err = {0};

        made_operation_open(&p, &o, &options, 2, 0);
        make_samples(&p, &o, &options);
        prop_ok(&p, atg_family_tuples(arena, &o.op, 0, NULL, false, &off, &err), &err);
        for (uint32_t m = 0; m < o.op.n_markers; m++)
            o.family.markers[m].female = o.family.markers[m].male = (atg_mutation){0};
        prop_ok(&p, atg_family_tuples(arena, &o.op, 0, NULL, true, &none, &err), &err);
        assert_int_equal(off.n, none.n);
        for (uint64_t i = 0; i < off.n; i++)
            assert_true(off.log10_lr[i] == none.log10_lr[i]);
    }
}

static void families_without_missing_or_operations_without_samples_have_no_tuples(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    made_options options = {.persons = 4, .alleles = 3, .markers = 2, .model = 1, .typed = 0.5};
    prop p = prop_seed(1);
    made_operation o;
    atg_tuples t = {.n = 9};

    (void)state;
    made_operation_open(&p, &o, &options, 2, 0);
    assert_int_equal(atg_family_tuples(arena, &o.op, 0, NULL, true, &t, NULL), ATG_OK);
    assert_true(t.n == 0);
    make_samples(&p, &o, &options);
    o.families[0].n_missing = 0;
    t.n = 9;
    assert_int_equal(atg_family_tuples(arena, &o.op, 0, NULL, true, &t, NULL), ATG_OK);
    assert_true(t.n == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tuple_has_the_lr_of_the_joint_likelihoods),
        cmocka_unit_test(one_place_is_a_pair),
        cmocka_unit_test(mutation_can_be_left_out),
        cmocka_unit_test(families_without_missing_or_operations_without_samples_have_no_tuples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
