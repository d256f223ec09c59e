/* SPDX-License-Identifier: Apache-2.0 */
/* Whole identifications of small operations against every possible assignment. */
#include "testing.h"

#include "made_scene.h"

enum { SEEDS = 40, MEMORY = 1 << 28 };

static const made_options usual = {
    .persons = 5, .alleles = 4, .markers = 3, .model = -1, .typed = 0.6};

static void identify(const prop *p, atg_arena *arena, const atg_operation *op,
                     const atg_identify_options *options, atg_identification *ret) {
    atg_err err = {0};

    prop_ok(p, atg_identify(arena, op, options, NULL, ret, &err), &err);
}

static const atg_assign_pair *joint_pair(const atg_assign_result *r, uint32_t body, uint32_t j) {
    for (uint32_t i = 0; i < r->n_pairs; i++)
        if (r->pairs[i].body == body && r->pairs[i].missing == j)
            return &r->pairs[i];
    return NULL;
}

static const atg_pair_result *pair_of(const atg_identification *id, uint32_t body, uint32_t j) {
    for (uint32_t i = 0; i < id->n_pairs; i++)
        if (id->pairs[i].body == body && id->pairs[i].missing == j)
            return &id->pairs[i];
    return NULL;
}

static void same_pair(const prop *p, const atg_identification *got, const scene_answer *want,
                      uint32_t i, uint32_t j) {
    const atg_assign_pair *pair = joint_pair(&got->assign, i, j);
    const atg_pair_result *shown = pair_of(got, i, j);
    double posterior = want->pair[i][j] / want->total;

    prop_close_log(p, "posterior", pair ? pair->posterior : 0, posterior, 1e-9);
    if (shown)
        prop_close_log(p, "posterior shown", shown->posterior, posterior, 1e-9);
    if (!pair)
        return;
    prop_close_log(p, "GLR", pair->log_glr,
                   log(want->best_with[i][j]) - log(want->best_without[i][j]), 1e-9);
    if (!shown)
        fail_msg("a pair of the joint solution is not shown");
    assert_true(pair->std_error == 0 && shown->std_error == 0);
}

static void same_answer(const prop *p, const scene *s, const atg_identification *got,
                        const scene_answer *want) {
    for (uint32_t i = 0; i < s->op.n_samples; i++) {
        prop_close_log(p, "nobody", got->body_nobody[i], want->nobody[i] / want->total, 1e-9);
        for (uint32_t j = 0; j < s->op.n_missing; j++)
            same_pair(p, got, want, i, j);
    }
    for (uint32_t j = 0; j < s->op.n_missing; j++) {
        double found = 0;

        for (uint32_t i = 0; i < s->op.n_samples; i++)
            found += want->pair[i][j] / want->total;
        prop_close_log(p, "not found", got->missing_nobody[j], 1 - found, 1e-9);
    }
    prop_close_log(p, "best", got->assign.log_best, log(want->best), 1e-9);
    prop_close_log(p, "sum", got->assign.log_z, log(want->total), 1e-9);
    prop_close(p, "possible assignments", got->assign.n_possible, want->n_possible, 0);
}

/* The families' own data must be possible, or they say nothing. */
static bool families_are_possible(const prop *p, const scene *s) {
    static const int32_t nobody[SCENE_MISSING] = {-1, -1, -1, -1, -1, -1};

    for (uint32_t f = 0; f < s->op.n_families; f++)
        if (!isfinite(scene_loglik(p, s, f, nobody)))
            return false;
    return true;
}

static void check(prop *p, const made_options *options, atg_params params, double *given) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
    atg_identification got;
    scene_answer want;
    scene s;

    scene_open(p, &s, options, 0);
    s.op.params = params;
    for (uint32_t i = 0; given && i < SCENE_BODIES * SCENE_MISSING; i++)
        given[i] = prop_chance(p, 0.15) ? 0 : prop_between(p, 0.01, 3);
    if (s.op.n_samples == 0 || !families_are_possible(p, &s))
        return;
    want = scene_solve(p, &s);
    identify(p, arena, &s.op, &(atg_identify_options){.threads = 1, .floor = -2}, &got);
    if (got.n_remaining) /* not the families that are recorded */
        return;
    same_answer(p, &s, &got, &want);
}

static void posteriors_are_sums_over_every_assignment(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS))
        check(&p, &usual, atg_params_default(), NULL);
}

static void posteriors_follow_the_process_error(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        atg_params params = atg_params_default();

        params.process_error = prop_between(&p, 0.0001, 0.1);
        check(&p, &usual, params, NULL);
    }
}

static void posteriors_follow_the_prior(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        atg_params params = atg_params_default();
        static double given[SCENE_BODIES * SCENE_MISSING];
        bool written = prop_chance(&p, 0.4);

        params.prior.kind = prop_chance(&p, 0.5) ? ATG_PRIOR_CLOSED : ATG_PRIOR_OPEN;
        params.prior.not_on_list = prop_between(&p, 0.05, 0.9);
        params.prior.n_expected = prop_below(&p, 2) * 40;
        params.prior.given = written ? given : NULL;
        check(&p, &usual, params, written ? given : NULL);
    }
}

static void posteriors_take_doubtful_profiles_and_x_markers(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        made_options o = usual;

        o.dropout = 0.1;
        o.partial = true;
        o.x = prop_chance(&p, 0.3);
        check(&p, &o, atg_params_default(), NULL);
    }
}

/* Raw means: the numbers of the reference, so the process error is left out. */
static void a_raw_run_knows_no_process_error(void **state) {
    (void)state;
    for (PROP_EACH(p, 20)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
        atg_identification got;
        scene_answer want;
        scene s;

        scene_open(&p, &s, &usual, 0);
        if (s.op.n_samples == 0 || !families_are_possible(&p, &s))
            continue;
        want = scene_solve(&p, &s);
        s.op.params.process_error = 0.2;
        identify(&p, arena, &s.op, &(atg_identify_options){.threads = 1, .raw = true}, &got);
        same_answer(&p, &s, &got, &want);
        for (uint32_t i = 0; i < got.n_pairs; i++)
            assert_true(got.pairs[i].log10_lr_used == got.pairs[i].log10_lr);
    }
}

/* What is shown of each marker, where it is shown: the LR, and whether mutation is needed. */
static void same_markers(const atg_pair_result *pair, uint32_t n_markers, const double *lr,
                         const double *plain) {
    for (uint32_t m = 0; m < n_markers && pair->per_marker; m++)
        assert_true(pair->per_marker[m] == lr[m] || (isnan(pair->per_marker[m]) && isnan(lr[m])));
    for (uint32_t m = 0; m < n_markers && pair->mutation_needed; m++)
        assert_true(pair->mutation_needed[m] == (isinf(plain[m]) && plain[m] < 0));
}

/* The pair's own numbers are those of the engine. */
static void pairs_show_the_lr_of_the_engine(void **state) {
    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
        double theta = prop_chance(&p, 0.3) ? 0.02 : 0;
        atg_identification got;
        scene s;

        scene_open(&p, &s, &usual, theta);
        s.op.params.process_error = 0.01;
        identify(&p, arena, &s.op, &(atg_identify_options){.threads = 1}, &got);
        if (got.n_remaining)
            continue;
        for (uint32_t k = 0; k < got.n_pairs; k++) {
            const atg_pair_result *pair = &got.pairs[k];
            double lr[MADE_MARKERS], plain[MADE_MARKERS], sum;
            uint32_t n = 0, against = 0;
            atg_pedigree ped = s.families[s.missing[pair->missing].family].ped;
            atg_err err = {0};

            prop_ok(&p,
                    atg_pair_lr(got.merged, &got.merged->samples[pair->body], pair->missing, true,
                                lr, &err),
                    &err);
            prop_ok(&p,
                    atg_pair_lr(got.merged, &got.merged->samples[pair->body], pair->missing, false,
                                plain, &err),
                    &err);
            sum = atg_combine_lr(got.merged, lr);
            for (uint32_t m = 0; m < s.op.n_markers; m++) {
                atg_marker kept = s.op.markers[m], all[MADE_MARKERS];
                double own = 0;

                kept.female = kept.male = (atg_mutation){0};
                all[m] = kept;
                prop_ok(&p, atg_loglik(all, m, &ped, 0, &own, &err), &err);
                n += !isnan(plain[m]) && isfinite(own);
                against += isinf(plain[m]) && plain[m] < 0;
            }
            same_markers(pair, s.op.n_markers, lr, plain);
            prop_close_log(&p, "LR", pair->log10_lr, sum, 1e-10);
            prop_close_log(&p, "LR used", pair->log10_lr_used,
                           atg_process_error(sum, 0.01, got.merged->n_samples), 1e-10);
            assert_int_equal(pair->n_markers, n);
            assert_int_equal(pair->n_incompatible, against);
        }
    }
}

/* Of a linked pair the first marker counts; what is shown adds up to the LR that it is concluded
 * on. */
static void a_linked_marker_neither_counts_nor_is_shown(void **state) {
    uint32_t n_shown = 0;

    (void)state;
    for (PROP_EACH(p, SEEDS)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
        atg_marker markers[MADE_MARKERS];
        atg_identification got;
        scene s;

        scene_open(&p, &s, &usual, 0);
        memcpy(markers, s.op.markers, s.op.n_markers * sizeof(*markers));
        markers[1].linked_to = 0;
        markers[1].rho = 0.1;
        s.op.markers = markers;
        identify(&p, arena, &s.op, &(atg_identify_options){.threads = 1}, &got);
        for (uint32_t k = 0; k < got.n_pairs; k++) {
            const atg_pair_result *pair = &got.pairs[k];
            double sum = 0;

            if (!pair->per_marker || got.n_remaining)
                continue;
            for (uint32_t m = 0; m < s.op.n_markers; m++)
                sum += isnan(pair->per_marker[m]) ? 0 : pair->per_marker[m];
            assert_true(isnan(pair->per_marker[1]));
            prop_close_log(&p, "LR", pair->log10_lr, sum, 1e-10);
            n_shown++;
        }
    }
    assert_true(n_shown > 10);
}

static void the_process_error_follows_its_formula(void **state) {
    static const struct {
        double log10_lr, e;
        uint32_t n;
    } cases[] = {{0, 0.01, 10},
                 {3, 0.01, 10},
                 {-3, 0.01, 10},
                 {8, 0.001, 100},
                 {20, 0.001, 7},
                 {5, 0.4, 1},
                 {-(double)INFINITY, 0.01, 10}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        double lr = pow(10, cases[i].log10_lr), e = cases[i].e, n = cases[i].n;
        double want = log10(((1 - e) * lr + e) / (1 + e / n * (lr - 1)));

        assert_true(fabs(atg_process_error(cases[i].log10_lr, e, cases[i].n) - want) < 1e-12);
        assert_true(atg_process_error(cases[i].log10_lr, 0, cases[i].n) == cases[i].log10_lr);
    }
    /* the limit of large LRs, beyond what a double holds too */
    assert_true(fabs(atg_process_error(400, 0.01, 10) - log10(0.99 / 0.01 * 10)) < 1e-12);
    assert_true(fabs(atg_process_error(300, 0.01, 10) - log10(0.99 / 0.01 * 10)) < 1e-12);
    /* one sample cannot bring the posterior above about 1 - e: here against n equal others */
    for (int k = 0; k < 7; k++) {
        double e = 0.0001 * pow(3, k);
        double odds = pow(10, atg_process_error(300, e, 50)) / 50;

        assert_true(odds / (1 + odds) < 1 - e + 1e-9);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posteriors_are_sums_over_every_assignment),
        cmocka_unit_test(posteriors_follow_the_process_error),
        cmocka_unit_test(posteriors_follow_the_prior),
        cmocka_unit_test(posteriors_take_doubtful_profiles_and_x_markers),
        cmocka_unit_test(a_raw_run_knows_no_process_error),
        cmocka_unit_test(pairs_show_the_lr_of_the_engine),
        cmocka_unit_test(a_linked_marker_neither_counts_nor_is_shown),
        cmocka_unit_test(the_process_error_follows_its_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
