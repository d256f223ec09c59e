/* SPDX-License-Identifier: Apache-2.0 */
/* Whole exercises, made, identified and scored: who can be named is named, and wrong names are as
 * rare as the posteriors say.
 *
 *     test_ferries SEEDS MISSING [plain] [stepwise]
 *
 * "plain": nobody is in parts and every reported relation is right. */
#include "ferry.h"

#include <math.h>

enum { SEEDS_MAX = 100 };

static struct {
    uint32_t n_seeds, n_missing;
    bool plain, stepwise;
} given;

/* Of all ferries. */
static struct {
    atg_arena *arenas[SEEDS_MAX];
    struct made made[SEEDS_MAX];
    atg_identification runs[SEEDS_MAX];
    uint32_t n_provable, n_named;
} fleet;

/* The pair that the run kept of this body and this missing person, or NULL. */
static const atg_pair_result *find_pair(const atg_identification *run, const char *body,
                                        const char *missing) {
    for (uint32_t i = 0; i < run->n_pairs; i++) {
        const atg_pair_result *pair = &run->pairs[i];

        if (atg_str_eq(run->merged->samples[pair->body].id, atg_str_of(body)) &&
            atg_str_eq(run->op->missing[pair->missing].id, atg_str_of(missing)))
            return pair;
    }
    return NULL;
}

static bool named(const atg_identification *run, const atg_pair_result *pair) {
    return pair && pair->posterior >= run->op->params.threshold && pair->conclusion == ATG_PROBABLE;
}

/* Does the family report something that is not so? */
static bool misreported(const struct made *x, const char *missing) {
    uint32_t m = 0;

    while (!atg_str_eq(x->op.missing[m].id, atg_str_of(missing)))
        m++;
    for (uint32_t i = 0; i < x->truth.n_relatives_wrong; i++)
        if (x->truth.wrong[i].family == x->op.missing[m].family)
            return true;
    return false;
}

static void tell(const struct made *x, const char *body, const char *missing,
                 const atg_pair_result *pair) {
    print_message("seed %u: %s is provably %s%s; log10 LR %.1f, posterior %.6f: %.*s\n",
                  (unsigned)x->truth.options.seed, body, missing,
                  misreported(x, missing) ? " (of a family with a wrong relation)" : "",
                  pair ? pair->log10_lr : NAN, pair ? pair->posterior : NAN,
                  ATG_FMT(pair ? pair->rule : ATG_STR("not kept")));
}

/* Was this sample put together with others by the run?  Then the run's body has another name. */
static const char *body_name(const atg_identification *run, const char *id) {
    for (uint32_t i = 0; i < run->merged->n_samples; i++) {
        const atg_body *b = &run->bodies[run->body_of_sample[i]];

        for (uint32_t k = 0; k < b->n_samples; k++) {
            const atg_sample *s = &run->op->samples[b->samples[k]];

            if (atg_str_eq(s->id, atg_str_of(id)) || atg_str_eq(s->body, atg_str_of(id)))
                return run->merged->samples[i].id.p;
        }
    }
    return id;
}

static void count_provable(const struct made *x, const atg_identification *run) {
    static char line[LINE];
    FILE *out = run_program(x, "");

    while (fgets(line, sizeof(line), out)) {
        json_t *root = json_loads(line, 0, NULL);
        const char *truth = json_string_value(json_object_get(root, "truth"));
        const char *body = json_string_value(json_object_get(root, "body"));

        assert_non_null(body);
        if (truth && json_is_true(json_object_get(root, "provable"))) {
            const atg_pair_result *pair = find_pair(run, body_name(run, body), truth);

            fleet.n_provable++;
            fleet.n_named += named(run, pair);
            if (!named(run, pair))
                tell(x, body, truth, pair);
        }
        json_decref(root);
    }
    assert_int_equal(pclose(out), 0);
}

static void sail(uint32_t i) {
    atg_exercise_options o = atg_exercise_default();
    const atg_identify_options how = {.threads = 2, .floor = -2, .no_details = true};
    atg_err err = {0};
    atg_frequencies freqs;

    fleet.arenas[i] = atg_arena_new((size_t)4 << 30);
    assert_non_null(fleet.arenas[i]);
    freqs = shipped(fleet.arenas[i], "fusion6c");
    o.seed = i + 1;
    o.n_missing = given.n_missing;
    if (given.plain)
        o.fragments = o.wrong_relation = 0;
    if (given.stepwise)
        o.mutation =
            (atg_mutation){.model = ATG_MUT_STEPWISE, .rate = 0.001, .rate2 = 1e-5, .range = 0.1};
    fleet.made[i] = make(&o, freqs.n_markers, freqs.markers, fleet.arenas[i]);
    if (atg_identify(fleet.arenas[i], &fleet.made[i].op, &how, NULL, &fleet.runs[i], &err))
        fail_msg("seed %u: %s", i + 1, err.msg);
    count_provable(&fleet.made[i], &fleet.runs[i]);
    clean_up(&fleet.made[i]);
}

static void print_score(const atg_score *s) {
    print_message("%u ferries of %u missing: %u bodies, %u named of %u provable\n", given.n_seeds,
                  given.n_missing, s->n_bodies, fleet.n_named, fleet.n_provable);
    print_message("named %u, wrong %u, predicted %.3g (99 %%: %g), bound %.2g\n", s->n_named,
                  s->n_wrong, s->predicted_wrong, s->wrong_q99, s->wrong_bound95);
    print_message("missed %u: conflict %u, symmetric %u, few markers %u, weak family %u\n",
                  s->n_missed, s->missed_conflict, s->missed_symmetric, s->missed_few_markers,
                  s->missed_weak_family);
    print_message("Cllr %.4f (%.4f to %.4f), at least %.4f\n", s->cllr, s->cllr_lower,
                  s->cllr_upper, s->cllr_min);
    for (int i = 0; i < 5; i++)
        print_message("posterior %g to %g: %u of %u true, mean %.5f, interval %.4f to %.4f\n",
                      s->bins[i].from, s->bins[i].to, s->bins[i].n_true, s->bins[i].n,
                      s->bins[i].mean_posterior, s->bins[i].lower, s->bins[i].upper);
}

static void who_can_be_named_is_named_and_wrong_names_are_as_rare_as_predicted(void **state) {
    const atg_identification *runs[SEEDS_MAX];
    const atg_truth *truths[SEEDS_MAX];
    atg_score score;

    (void)state;
    for (uint32_t i = 0; i < given.n_seeds; i++) {
        sail(i);
        runs[i] = &fleet.runs[i];
        truths[i] = &fleet.made[i].truth;
    }
    assert_int_equal(atg_exercise_score_runs(given.n_seeds, runs, truths, &score, NULL), ATG_OK);
    print_score(&score);
    assert_true(fleet.n_named >= 0.99 * fleet.n_provable);
    assert_true(score.n_wrong <= score.wrong_q99);
    for (uint32_t i = 0; i < given.n_seeds; i++)
        atg_arena_free(fleet.arenas[i]);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_can_be_named_is_named_and_wrong_names_are_as_rare_as_predicted),
    };

    given.n_seeds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    given.n_missing = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 60;
    for (int i = 3; i < argc; i++) {
        given.plain = given.plain || strcmp(argv[i], "plain") == 0;
        given.stepwise = given.stepwise || strcmp(argv[i], "stepwise") == 0;
    }
    if (given.n_seeds > SEEDS_MAX)
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
