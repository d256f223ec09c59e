/* SPDX-License-Identifier: Apache-2.0 */
/* What an identification says, and what it refuses to say. */
#include "testing.h"

#include <math.h>
#include <stdio.h>

#include "lab.h"

static atg_identification identify(lab *l, const atg_identify_options *options) {
    atg_identify_options plain = {.threads = 1, .floor = -2};
    atg_identification ret;
    atg_err err = {0};

    if (atg_identify(l->arena, &l->op, options ? options : &plain, NULL, &ret, &err))
        fail_msg("%s", err.msg);
    return ret;
}

static const atg_pair_result *pair_of(const atg_identification *id, uint32_t body, uint32_t j) {
    for (uint32_t i = 0; i < id->n_pairs; i++)
        if (id->pairs[i].body == body && id->pairs[i].missing == j)
            return &id->pairs[i];
    fail_msg("no pair of body %u and missing %u", body, j);
    return NULL;
}

static bool says(atg_str text, const char *part) {
    size_t n = strlen(part);

    for (size_t i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, part, n) == 0)
            return true;
    return false;
}

static void rule_says(const atg_pair_result *p, const char *part) {
    if (!says(p->rule, part))
        fail_msg("\"%.*s\" does not say \"%s\"", ATG_FMT(p->rule), part);
}

static void never_established(const atg_identification *id) {
    for (uint32_t i = 0; i < id->n_pairs; i++) {
        assert_true(id->pairs[i].conclusion <= ATG_EXCLUDED && id->pairs[i].rule.n > 0);
        assert_false(says(id->pairs[i].rule, "stablished"));
    }
    for (uint32_t i = 0; i < id->n_next; i++)
        assert_false(says(id->next[i].text, "stablished"));
}

static void a_child_of_typed_parents_is_probable_and_never_more(void **state) {
    lab *l = lab_open(1);
    uint32_t child = lab_parents_of_missing(l, ATG_SEX_FEMALE);
    uint32_t body = lab_body(l, 0, child), other = lab_stranger(l, ATG_SEX_FEMALE);
    atg_identification id = identify(l, NULL);
    const atg_pair_result *p = pair_of(&id, body, 0), *q = pair_of(&id, other, 0);

    (void)state;
    assert_int_equal(p->conclusion, ATG_PROBABLE);
    assert_true(p->in_best && p->posterior > 0.9999999 && p->log10_lr > 8);
    rule_says(p, "reaches the threshold 0.9995");
    assert_int_equal(q->conclusion, ATG_EXCLUDED);
    assert_true(q->n_incompatible > 2 && q->log10_lr < -2);
    rule_says(q, "impossible without mutation");
    assert_int_equal(id.body_conclusion[body], ATG_PROBABLE);
    assert_int_equal(id.missing_conclusion[0], ATG_PROBABLE);
    assert_true(p->per_marker && p->n_lines == id.n_lines && p->n_markers == LAB_MARKERS);
    never_established(&id);
    lab_close(l);
}

/* Give this typed person the genes of nobody's relative. */
static void replace(lab *l, uint32_t f, uint32_t person) {
    memcpy(l->genos[f][person], l->seen[lab_stranger(l, ATG_SEX_FEMALE)],
           sizeof(l->genos[f][person]));
    l->op.n_samples--;
}

/* And it is said without saying what was found. */
static void neutral(const atg_identification *id) {
    static const char *const words[] = {"patern", "F0-", "unrelated", "left out"};

    for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++) {
        for (uint32_t i = 0; i < id->n_next; i++)
            assert_false(says(id->next[i].text, words[w]));
        for (uint32_t i = 0; i < id->n_pairs; i++)
            assert_false(says(id->pairs[i].rule, words[w]));
    }
}

static void
a_family_that_contradicts_itself_excludes_nobody_and_is_left_with_the_rest(void **state) {
    lab *l = lab_open(2);
    uint32_t f = lab_family(l);

    (void)state;
    (void)lab_person(l, f, -1, -1, ATG_SEX_MALE, LAB_TYPED);
    (void)lab_person(l, f, -1, -1, ATG_SEX_FEMALE, LAB_TYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING);
    (void)lab_person(l, f, 0, 1, ATG_SEX_FEMALE, LAB_TYPED);
    replace(l, f, 3);

    uint32_t true_one = lab_body(l, f, 2), other = lab_stranger(l, ATG_SEX_MALE);
    atg_identification id = identify(l, NULL);
    const atg_pair_result *p = pair_of(&id, true_one, 0);
    double lr[LAB_ALL];

    assert_false(id.checks[0].fits);
    assert_int_equal(pair_of(&id, other, 0)->conclusion, ATG_INSUFFICIENT);
    assert_true(id.missing_conclusion[0] != ATG_EXCLUDED);
    assert_int_equal(id.n_remaining, 1);
    assert_true(id.remaining[0].family == 0 && id.remaining[0].person == 3);
    assert_int_equal(p->conclusion, ATG_PROBABLE);
    rule_says(p, "concluded on the remaining relatives");
    rule_says(p, "another reference is needed");
    neutral(&id);
    never_established(&id);
    /* as if the sister had never been typed */
    l->persons[f][3].genos = NULL;
    assert_int_equal(atg_pair_lr(&l->op, &l->samples[true_one], 0, true, lr, NULL), ATG_OK);
    assert_true(p->log10_lr == pair_of(&id, true_one, 0)->log10_lr);
    assert_true(fabs(atg_combine_lr(&l->op, lr) - p->log10_lr) < 1e-9);
    lab_close(l);
}

/* A brother and a sister who are not each other's: either may be the missing person's. */
static uint32_t lab_two_ways(lab *l) {
    uint32_t f = lab_family(l);

    for (int k = 0; k < 2; k++)
        (void)lab_person(l, f, -1, -1, k ? ATG_SEX_FEMALE : ATG_SEX_MALE, LAB_UNTYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING);
    (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_TYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_FEMALE, LAB_TYPED);
    return f;
}

/* What is shown is the least of what two runs say, each without one of the two. */
static void with_two_ways_to_rely_on_a_family_the_weaker_counts(void **state) {
    uint32_t n_tried = 0;

    (void)state;
    for (uint64_t seed = 20; seed < 40; seed++) {
        lab *l = lab_open(seed);
        uint32_t f = lab_two_ways(l), n_bodies = 4;

        if (seed % 3 == 0) /* one more of the family is missing */
            (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING);
        l->op.params.process_error = seed % 2 ? 0.001 : 0;
        replace(l, f, seed % 4 < 2 ? 3 : 4);
        (void)lab_body(l, f, 2);
        (void)lab_stranger(l, ATG_SEX_MALE);
        (void)lab_body(l, f, 3);
        (void)lab_body(l, f, 4);
        l->samples[3].sex = ATG_SEX_MALE;
        (void)lab_parents_of_missing(l, ATG_SEX_MALE);
        (void)lab_body(l, 1, 2);

        atg_identification both = identify(l, NULL), alone[2];

        if (both.checks[f].fits) {
            lab_close(l);
            continue;
        }
        assert_int_equal(both.n_remaining, 2);
        for (uint32_t k = 0; k < 2; k++) {
            l->persons[f][3 + k].genos = NULL;
            alone[k] = identify(l, NULL);
            l->persons[f][3 + k].genos = l->genos[f][3 + k];
        }
        for (uint32_t c = 0; c < n_bodies * l->families[f].n_missing; c++) {
            uint32_t i = c % n_bodies, j = c / n_bodies;
            const atg_pair_result *p = pair_of(&both, i, j);
            const atg_pair_result *x = pair_of(&alone[0], i, j), *y = pair_of(&alone[1], i, j);
            double mean, least;

            least = fmin(fmin(x->posterior, y->posterior), p->posterior);
            assert_true(fabs(p->least_posterior - least) < 1e-9);
            /* a mean of the two, but for the process error's curvature */
            assert_true(p->posterior >= fmin(x->posterior, y->posterior) - 1e-3);
            assert_true(fabs(p->least_log10_lr - fmin(x->log10_lr, y->log10_lr)) < 1e-9);
            mean = log10((pow(10, x->log10_lr) + pow(10, y->log10_lr)) / 2);
            assert_true(fabs(p->log10_lr - mean) < 1e-9);
            assert_true(p->conclusion != ATG_EXCLUDED);
        }
        n_tried++;
        neutral(&both);
        lab_close(l);
    }
    assert_true(n_tried > 5);
}

/* One profile under two names: it does not matter whose it is. */
static void what_holds_in_every_way_is_concluded(void **state) {
    lab *l = lab_open(41);
    uint32_t f = lab_family(l);

    (void)state;
    (void)lab_person(l, f, -1, -1, ATG_SEX_MALE, LAB_UNTYPED);
    (void)lab_person(l, f, -1, -1, ATG_SEX_FEMALE, LAB_TYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING);
    for (int k = 0; k < 2; k++)
        (void)lab_person(l, f, 0, 1, ATG_SEX_FEMALE, LAB_TYPED);
    memcpy(l->genos[f][4], l->genos[f][3], sizeof(l->genos[f][4]));

    uint32_t body = lab_body(l, f, 2);
    atg_identification id = identify(l, NULL);
    const atg_pair_result *p = pair_of(&id, body, 0);

    assert_false(id.checks[0].fits);
    assert_int_equal(id.n_remaining, 2);
    assert_int_equal(p->conclusion, ATG_PROBABLE);
    rule_says(p, "remaining relatives");
    assert_non_null(p->per_marker);
    assert_true(fabs(atg_combine_lr(&l->op, p->per_marker) - p->least_log10_lr) < 1e-9);
    lab_close(l);
}

static void bodies_and_missing_of_unknown_sex_get_candidates(void **state) {
    lab *l = lab_open(3);
    uint32_t girl = lab_parents_of_missing(l, ATG_SEX_FEMALE);
    uint32_t someone = lab_parents_of_missing(l, ATG_SEX_UNKNOWN);
    uint32_t one = lab_body(l, 0, girl), two = lab_body(l, 1, someone);

    (void)state;
    l->samples[one].sex = ATG_SEX_UNKNOWN;
    l->samples[two].sex = ATG_SEX_MALE;

    atg_identification id = identify(l, NULL);

    assert_int_equal(pair_of(&id, one, 0)->conclusion, ATG_PROBABLE);
    assert_int_equal(pair_of(&id, two, 1)->conclusion, ATG_PROBABLE);
    l->samples[one].sex = ATG_SEX_MALE; /* and a sex that does not fit has none */
    id = identify(l, NULL);
    for (uint32_t i = 0; i < id.n_pairs; i++)
        assert_true(id.pairs[i].missing != 0);
    assert_true(id.missing_nobody[0] == 1);
    lab_close(l);
}

static void files_are_compared_at_the_markers_that_both_have(void **state) {
    lab *l = lab_open(4);
    uint32_t child = lab_parents_of_missing(l, ATG_SEX_MALE);
    uint32_t body = lab_body(l, 0, child), blank = lab_body(l, 0, child);
    double lr[LAB_ALL], sum = 0;

    (void)state;
    for (uint32_t m = 0; m < LAB_ALL; m++) {
        if (m >= 14)
            l->seen[body][m] = ATG_UNTYPED; /* the body's kit */
        if (m < 4) {
            l->genos[0][0][m] = ATG_UNTYPED; /* the family's kit */
            l->genos[0][1][m] = ATG_UNTYPED;
        }
        l->seen[blank][m] = m < 4 ? l->seen[blank][m] : ATG_UNTYPED;
    }

    atg_identification id = identify(l, NULL);
    const atg_pair_result *p = pair_of(&id, body, 0), *q = pair_of(&id, blank, 0);

    assert_int_equal(atg_pair_lr(&l->op, &l->samples[body], 0, true, lr, NULL), ATG_OK);
    for (uint32_t m = 0; m < LAB_ALL; m++) {
        assert_true(isnan(lr[m]) == (m < 4 || m >= 14));
        sum += isnan(lr[m]) ? 0 : lr[m];
    }
    assert_int_equal(p->n_markers, 10);
    assert_true(fabs(p->log10_lr - sum) < 1e-9);
    assert_int_equal(p->conclusion, ATG_PROBABLE);
    assert_int_equal(q->n_markers, 0);
    assert_int_equal(q->conclusion, ATG_INSUFFICIENT);
    rule_says(q, "No marker");
    lab_close(l);
}

static void samples_of_one_body_are_one_body(void **state) {
    lab *l = lab_open(5);
    uint32_t child = lab_parents_of_missing(l, ATG_SEX_MALE);
    uint32_t left = lab_body(l, 0, child), right = lab_body(l, 0, child);

    (void)state;
    (void)lab_stranger(l, ATG_SEX_MALE);
    l->samples[left].body = l->samples[right].body = ATG_STR("BODY");
    for (uint32_t m = 0; m < 8; m++) {
        l->seen[left][m] = ATG_UNTYPED;
        l->seen[right][m + 8] = ATG_UNTYPED;
    }

    atg_identification id = identify(l, NULL);

    assert_int_equal(id.n_bodies, 2);
    assert_int_equal(id.merged->n_samples, 2);
    assert_int_equal(id.bodies[id.body_of_sample[0]].n_samples, 2);
    assert_true(atg_str_eq(id.merged->samples[0].id, ATG_STR("BODY")));
    assert_int_equal(pair_of(&id, 0, 0)->conclusion, ATG_PROBABLE);
    assert_int_equal(pair_of(&id, 0, 0)->n_markers, LAB_MARKERS);
    lab_close(l);
}

/* Two bones that nobody knew to be of one person must not dispute the same name. */
static void parts_of_one_person_are_brought_together_by_their_dna(void **state) {
    lab *l = lab_open(6);
    uint32_t child = lab_parents_of_missing(l, ATG_SEX_MALE);

    (void)state;
    (void)lab_body(l, 0, child);
    (void)lab_body(l, 0, child);

    atg_identification id = identify(l, NULL);

    assert_int_equal(id.merged->n_samples, 1);
    assert_int_equal(id.body_conclusion[0], ATG_PROBABLE);
    lab_close(l);
}

static void a_mixture_takes_no_part(void **state) {
    lab *l = lab_open(7);
    uint32_t body = lab_body(l, 0, lab_parents_of_missing(l, ATG_SEX_MALE));

    (void)state;
    l->samples[body].mixture = true;

    atg_identification id = identify(l, NULL);

    assert_int_equal(id.n_bodies, 1);
    assert_true(id.bodies[0].refused.n > 0);
    assert_int_equal(id.merged->n_samples, 0);
    assert_int_equal(id.n_pairs, 0);
    lab_close(l);
}

static void siblings_who_cannot_be_told_apart_are_named_and_not_told_apart(void **state) {
    lab *l = lab_open(8);
    uint32_t f = lab_family(l);

    (void)state;
    (void)lab_person(l, f, -1, -1, ATG_SEX_MALE, LAB_TYPED);
    (void)lab_person(l, f, -1, -1, ATG_SEX_FEMALE, LAB_TYPED);
    for (int k = 0; k < 2; k++)
        (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING);
    for (uint32_t k = 0; k < 2; k++)
        (void)lab_body(l, f, 2 + k);

    atg_identification id = identify(l, NULL);

    assert_int_equal(id.assign.n_symmetries, 1);
    assert_int_equal(id.assign.symmetries[0].n, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(id.body_nobody[i] < 1e-6);
        for (uint32_t j = 0; j < 2; j++) {
            const atg_pair_result *p = pair_of(&id, i, j);

            assert_true(fabs(p->posterior - 0.5) < 1e-6);
            assert_int_equal(p->conclusion, ATG_POSSIBLE);
        }
    }
    lab_close(l);
}

/* Two brothers are found, one of them is missed: whom both fit is not "no family fits". */
static void a_body_that_fits_somebody_taken_by_another_is_told_so(void **state) {
    enum { BROTHERS = 12 };
    uint32_t n_told = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= BROTHERS; seed++) {
        lab *l = lab_open(seed);
        uint32_t f = lab_family(l);
        atg_identification id;

        (void)lab_person(l, f, -1, -1, ATG_SEX_MALE, LAB_TYPED);
        (void)lab_person(l, f, -1, -1, ATG_SEX_FEMALE, LAB_UNTYPED);
        (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING);
        (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_UNTYPED);
        (void)lab_body(l, f, 2);
        (void)lab_body(l, f, 3);
        id = identify(l, NULL);
        for (uint32_t k = 0; k < id.n_next; k++) {
            const atg_next_step *step = &id.next[k];

            if (step->of_missing || id.assign.best[step->index] == 0 ||
                pair_of(&id, step->index, 0)->posterior < 0.01 ||
                pair_of(&id, step->index, 0)->log10_lr <= 0)
                continue;
            assert_true(says(step->text, "another body fits that person better"));
            n_told++;
        }
        lab_close(l);
    }
    assert_true(n_told > 0);
}

/* A grandfather is recognised by his grandchild only once his son, dead too, is in his place. */
static void nobody_is_identified_by_elimination(void **state) {
    lab *l = lab_open(12);
    uint32_t f = lab_family(l);

    (void)state;
    (void)lab_person(l, f, -1, -1, ATG_SEX_MALE, LAB_IS_MISSING); /* 0 grandfather */
    (void)lab_person(l, f, -1, -1, ATG_SEX_FEMALE, LAB_UNTYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING); /* 2 son */
    (void)lab_person(l, f, -1, -1, ATG_SEX_FEMALE, LAB_TYPED);  /* 3 his wife */
    (void)lab_person(l, f, 2, 3, ATG_SEX_FEMALE, LAB_TYPED);    /* 4 his daughter */

    uint32_t old = lab_body(l, f, 0), son = lab_body(l, f, 2);
    atg_identification id = identify(l, NULL);
    const atg_pair_result *p = pair_of(&id, old, 0);

    assert_int_equal(pair_of(&id, son, 1)->conclusion, ATG_PROBABLE);
    assert_true(p->posterior > 0.9995 && p->log10_lr < 4);
    assert_int_equal(p->conclusion, ATG_POSSIBLE);
    rule_says(p, "nobody is identified by elimination");
    lab_close(l);
}

static void the_signed_threshold_and_minimum_are_kept(void **state) {
    lab *l = lab_open(9);
    uint32_t body = lab_body(l, 0, lab_parents_of_missing(l, ATG_SEX_MALE));
    atg_identification id = identify(l, NULL);
    double lr = pair_of(&id, body, 0)->log10_lr;

    (void)state;
    assert_int_equal(pair_of(&id, body, 0)->conclusion, ATG_PROBABLE);
    l->op.params.min_log10_lr = lr + 0.1;
    id = identify(l, NULL);
    assert_int_equal(pair_of(&id, body, 0)->conclusion, ATG_POSSIBLE);
    rule_says(pair_of(&id, body, 0), "below the signed minimum");
    l->op.params.min_log10_lr = 4;
    l->op.params.process_error = 0.01; /* one sample cannot reach 0.9995 then */
    id = identify(l, NULL);
    assert_int_equal(pair_of(&id, body, 0)->conclusion, ATG_POSSIBLE);
    assert_true(pair_of(&id, body, 0)->posterior < 0.9995);
    rule_says(pair_of(&id, body, 0), "below the threshold");
    assert_true(pair_of(&id, body, 0)->log10_lr == lr); /* the raw LR stays visible */
    lab_close(l);
}

static void too_many_mutations_are_not_probable(void **state) {
    lab *l = lab_open(10);
    uint32_t f = lab_family(l);

    (void)state;
    for (int k = 0; k < 2; k++)
        (void)lab_person(l, f, -1, -1, k ? ATG_SEX_FEMALE : ATG_SEX_MALE, LAB_TYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING);

    uint32_t body = lab_body(l, f, 2), n = 0;

    for (uint32_t m = 0; m < LAB_MARKERS && n < 3; m++) { /* three alleles that no parent has */
        atg_geno father = l->genos[f][0][m], mother = l->genos[f][1][m];

        for (int a = 0; a < TABLE_ALLELES; a++)
            if (a != father.a && a != father.b && a != mother.a && a != mother.b) {
                l->seen[body][m].a = (int16_t)a;
                n++;
                break;
            }
    }

    atg_identification id = identify(l, NULL);
    const atg_pair_result *p = pair_of(&id, body, 0);

    assert_int_equal(p->n_incompatible, 3);
    assert_true(p->conclusion != ATG_PROBABLE);
    l->op.params.max_incompatible = 3;
    id = identify(l, NULL);
    assert_false(says(pair_of(&id, body, 0)->rule, "impossible without mutation"));
    lab_close(l);
}

static void relatives_among_the_bodies_are_told_without_a_family(void **state) {
    lab *l = lab_open(11);
    uint32_t f = lab_family(l);

    (void)state;
    for (int k = 0; k < 2; k++)
        (void)lab_person(l, f, -1, -1, k ? ATG_SEX_FEMALE : ATG_SEX_MALE, LAB_UNTYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_UNTYPED);
    (void)lab_body(l, f, 0);
    (void)lab_body(l, f, 2);
    (void)lab_stranger(l, ATG_SEX_MALE);

    atg_identification id = identify(l, NULL);

    assert_int_equal(id.n_related, 1);
    assert_true(id.related[0].x == 0 && id.related[0].y == 1);
    assert_true(atg_str_eq(id.related[0].relation, ATG_STR("parent and child")));
    assert_true(id.related[0].log10_lr > 4);
    lab_close(l);
}

static void empty_operations_have_empty_answers(void **state) {
    lab *l = lab_open(13);
    atg_identification id = identify(l, NULL);

    (void)state;
    assert_true(id.n_pairs == 0 && id.n_bodies == 0 && id.n_assignments == 1);
    (void)lab_stranger(l, ATG_SEX_MALE);
    id = identify(l, NULL);
    assert_true(id.n_pairs == 0 && id.body_nobody[0] == 1);
    (void)lab_parents_of_missing(l, ATG_SEX_FEMALE);
    id = identify(l, NULL);
    assert_true(id.n_pairs == 0 && id.missing_nobody[0] == 1);
    l->op.n_samples = 0;
    id = identify(l, NULL);
    assert_true(id.n_pairs == 0 && id.missing_nobody[0] == 1);
    (void)lab_family(l); /* nobody at all */
    id = identify(l, NULL);
    assert_true(id.n_checks == 2);
    l->op.n_markers = 0;
    (void)lab_stranger(l, ATG_SEX_FEMALE);
    id = identify(l, NULL);
    assert_int_equal(pair_of(&id, 0, 0)->conclusion, ATG_INSUFFICIENT);
    lab_close(l);
}

static void same_text(atg_str a, atg_str b) {
    assert_true(atg_str_eq(a, b));
}

static void same_result(const atg_identification *a, const atg_identification *b) {
    assert_int_equal(a->n_pairs, b->n_pairs);
    for (uint32_t i = 0; i < a->n_pairs; i++) {
        const atg_pair_result *p = &a->pairs[i], *q = &b->pairs[i];

        assert_true(p->body == q->body && p->missing == q->missing);
        assert_true(p->log10_lr == q->log10_lr && p->posterior == q->posterior);
        assert_true(p->conclusion == q->conclusion && p->n_incompatible == q->n_incompatible);
        same_text(p->rule, q->rule);
    }
    assert_int_equal(a->n_next, b->n_next);
    for (uint32_t i = 0; i < a->n_next; i++)
        same_text(a->next[i].text, b->next[i].text);
    for (uint32_t i = 0; i < a->merged->n_samples; i++)
        assert_true(a->body_nobody[i] == b->body_nobody[i]);
    assert_true(a->assign.log_z == b->assign.log_z);
}

static lab *everything(void) {
    lab *l = lab_open(14);
    uint32_t f, child = lab_parents_of_missing(l, ATG_SEX_FEMALE);

    (void)lab_body(l, 0, child);
    f = lab_family(l);
    for (int k = 0; k < 2; k++)
        (void)lab_person(l, f, -1, -1, k ? ATG_SEX_FEMALE : ATG_SEX_MALE,
                         k ? LAB_TYPED : LAB_IS_MISSING);
    for (int k = 0; k < 2; k++)
        (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_IS_MISSING);
    (void)lab_body(l, f, 0);
    (void)lab_body(l, f, 2);
    f = lab_family(l);
    for (int k = 0; k < 2; k++)
        (void)lab_person(l, f, -1, -1, k ? ATG_SEX_FEMALE : ATG_SEX_MALE, LAB_UNTYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_MALE, LAB_TYPED);
    (void)lab_person(l, f, 0, 1, ATG_SEX_FEMALE, LAB_IS_MISSING);
    (void)lab_body(l, f, 3);
    (void)lab_stranger(l, ATG_SEX_UNKNOWN);
    f = lab_family(l); /* a mother and a daughter who share nothing: two ways */
    (void)lab_person(l, f, -1, -1, ATG_SEX_FEMALE, LAB_TYPED);
    (void)lab_person(l, f, -1, -1, ATG_SEX_MALE, LAB_IS_MISSING);
    (void)lab_person(l, f, 1, 0, ATG_SEX_FEMALE, LAB_TYPED);
    (void)lab_body(l, f, 1);
    for (uint32_t m = 0; m < LAB_MARKERS; m++)
        for (int k = 0; k < 2; k++)
            l->genos[f][k ? 2 : 0][m] = (atg_geno){(int16_t)k, (int16_t)k};
    return l;
}

static void the_answer_does_not_depend_on_threads_or_on_the_run(void **state) {
    lab *l = everything();
    atg_identification one = identify(l, &(atg_identify_options){.threads = 1, .seed = 5});

    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        atg_identification again =
            identify(l, &(atg_identify_options){.threads = threads, .seed = 5});

        same_result(&one, &again);
    }
    lab_close(l);
}

typedef struct stopper {
    uint64_t left;
} stopper;

static bool stop_after(void *user, const char *phase, uint64_t done, uint64_t total) {
    stopper *s = user;

    (void)phase;
    assert_true(total == 0 || done <= total);
    return s->left-- > 0;
}

static void it_stops_where_it_is_asked_to(void **state) {
    lab *l = everything();
    uint64_t steps = 0;
    int rc = ATG_ECANCEL;

    (void)state;
    for (; rc == ATG_ECANCEL; steps++) {
        stopper s = {steps};
        atg_progress progress = {stop_after, &s};
        atg_identification id;
        atg_arena *arena = atg_arena_new(1 << 28);
        size_t live = mem_live();

        rc = atg_identify(arena, &l->op, &(atg_identify_options){.threads = 1}, &progress, &id,
                          NULL);
        assert_true(rc == ATG_OK || rc == ATG_ECANCEL);
        assert_true(mem_live() >= live); /* blocks of the arena only */
        atg_arena_free(arena);
    }
    assert_true(steps > 5);
    lab_close(l);
}

static void every_failed_allocation_is_told_and_leaks_nothing(void **state) {
    lab *l = everything();
    int rc = ATG_ENOMEM;

    (void)state;
    l->op.params.process_error = 0.001;
    l->op.n_markers = 3; /* a small one, for there are many allocations */
    for (long n = 0; rc == ATG_ENOMEM; n++) {
        size_t before = mem_live(), refused;
        atg_arena *arena = atg_arena_new(1 << 28);
        atg_identification id;
        atg_err err = {0};

        assert_non_null(arena);
        refused = mem_refused();
        mem_fail_after(n);
        rc = atg_identify(arena, &l->op, &(atg_identify_options){.threads = 1}, NULL, &id, &err);
        mem_fail_after(-1);
        if (rc ? rc != ATG_ENOMEM || !err.msg[0] : mem_refused() != refused)
            fail_msg("allocation %ld: code %d, \"%s\"", n, rc, err.msg);
        atg_arena_free(arena);
        if (mem_live() != before)
            fail_msg("allocation %ld: %zu blocks leaked", n, mem_live() - before);
    }
    lab_close(l);
}

static void every_ceiling_of_memory_gives_the_whole_answer_or_none(void **state) {
    lab *l = everything();
    atg_identify_options options = {.threads = 1, .seed = 3};
    int rc = ATG_ENOMEM;

    (void)state;
    l->op.n_markers = 3;

    atg_identification whole = identify(l, &options), id;

    for (size_t limit = 0; rc == ATG_ENOMEM; limit += 160) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(limit);
        atg_err err = {0};

        rc = atg_identify(arena, &l->op, &options, NULL, &id, &err);
        if (rc && (rc != ATG_ENOMEM || !err.msg[0]))
            fail_msg("%zu bytes: code %d, \"%s\"", limit, rc, err.msg);
        if (!rc)
            same_result(&whole, &id);
    }
    lab_close(l);
}

static void what_breaks_a_rule_is_refused(void **state) {
    lab *l = everything();
    atg_identification id;
    atg_err err = {0};

    (void)state;
    l->op.params.threshold = 0.9;
    assert_int_equal(
        atg_identify(l->arena, &l->op, &(atg_identify_options){.threads = 1}, NULL, &id, &err),
        ATG_EINVAL);
    assert_non_null(strstr(err.msg, "0.9995"));
    lab_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_of_typed_parents_is_probable_and_never_more),
        cmocka_unit_test(
            a_family_that_contradicts_itself_excludes_nobody_and_is_left_with_the_rest),
        cmocka_unit_test(with_two_ways_to_rely_on_a_family_the_weaker_counts),
        cmocka_unit_test(what_holds_in_every_way_is_concluded),
        cmocka_unit_test(bodies_and_missing_of_unknown_sex_get_candidates),
        cmocka_unit_test(files_are_compared_at_the_markers_that_both_have),
        cmocka_unit_test(samples_of_one_body_are_one_body),
        cmocka_unit_test(parts_of_one_person_are_brought_together_by_their_dna),
        cmocka_unit_test(a_mixture_takes_no_part),
        cmocka_unit_test(siblings_who_cannot_be_told_apart_are_named_and_not_told_apart),
        cmocka_unit_test(a_body_that_fits_somebody_taken_by_another_is_told_so),
        cmocka_unit_test(nobody_is_identified_by_elimination),
        cmocka_unit_test(the_signed_threshold_and_minimum_are_kept),
        cmocka_unit_test(too_many_mutations_are_not_probable),
        cmocka_unit_test(relatives_among_the_bodies_are_told_without_a_family),
        cmocka_unit_test(empty_operations_have_empty_answers),
        cmocka_unit_test(the_answer_does_not_depend_on_threads_or_on_the_run),
        cmocka_unit_test(it_stops_where_it_is_asked_to),
        cmocka_unit_test(every_failed_allocation_is_told_and_leaks_nothing),
        cmocka_unit_test(every_ceiling_of_memory_gives_the_whole_answer_or_none),
        cmocka_unit_test(what_breaks_a_rule_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
