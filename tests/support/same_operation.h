/* SPDX-License-Identifier: Apache-2.0 */
/* Two operations that ought to be the same, compared member by member. */
#ifndef ATG_TESTS_SAME_OPERATION_H
#define ATG_TESTS_SAME_OPERATION_H

#include "testing.h"

static inline void same_text(atg_str a, atg_str b) {
    assert_int_equal(a.n, b.n);
    if (a.n)
        assert_memory_equal(a.p, b.p, a.n);
}

static inline void same_number(double a, double b) {
    assert_true(a == b);
}

static inline void same_mutation(const atg_mutation *a, const atg_mutation *b, uint16_t n) {
    assert_int_equal(a->model, b->model);
    assert_int_equal(a->transform, b->transform);
    same_number(a->rate, b->rate);
    same_number(a->rate2, b->rate2);
    same_number(a->range, b->range);
    assert_int_equal(a->matrix == NULL, b->matrix == NULL);
    for (uint32_t i = 0; a->matrix && b->matrix && i < (uint32_t)n * n; i++)
        same_number(a->matrix[i], b->matrix[i]);
}

static inline void same_marker(const atg_marker *a, const atg_marker *b) {
    same_text(a->name, b->name);
    assert_int_equal(a->chrom, b->chrom);
    assert_int_equal(a->n, b->n);
    for (uint16_t i = 0; i < a->n; i++) {
        same_text(a->labels[i], b->labels[i]);
        same_number(a->freqs[i], b->freqs[i]);
        assert_int_equal(a->tenths[i], b->tenths[i]);
    }
    assert_int_equal(a->silent, b->silent);
    same_mutation(&a->female, &b->female, a->n);
    same_mutation(&a->male, &b->male, a->n);
    assert_int_equal(a->linkage_group, b->linkage_group);
    assert_int_equal(a->linked_to, b->linked_to);
    if (a->linked_to >= 0)
        same_number(a->rho, b->rho);
}

/* No genotypes, and genotypes none of which is typed, are the same. */
static inline void same_genotypes(uint32_t n, const atg_geno *a, const atg_geno *b) {
    for (uint32_t m = 0; m < n; m++) {
        atg_geno x = a ? a[m] : ATG_UNTYPED, y = b ? b[m] : ATG_UNTYPED;

        assert_int_equal(x.a, y.a);
        assert_int_equal(x.b, y.b);
    }
}

static inline void same_mt(const atg_mt *a, const atg_mt *b) {
    assert_int_equal(a->n_ranges, b->n_ranges);
    assert_int_equal(a->n_diffs, b->n_diffs);
    for (uint32_t i = 0; i < a->n_ranges && a->ranges && b->ranges; i++) {
        assert_int_equal(a->ranges[i].from, b->ranges[i].from);
        assert_int_equal(a->ranges[i].to, b->ranges[i].to);
    }
    for (uint32_t i = 0; i < a->n_diffs && a->diffs && b->diffs; i++)
        same_text(a->diffs[i], b->diffs[i]);
}

static inline void same_samples(uint32_t n_markers, uint32_t n, const atg_sample *a,
                                const atg_sample *b) {
    for (uint32_t i = 0; i < n; i++) {
        same_text(a[i].id, b[i].id);
        same_text(a[i].body, b[i].body);
        assert_int_equal(a[i].sex, b[i].sex);
        assert_int_equal(a[i].mixture, b[i].mixture);
        assert_int_equal(a[i].part, b[i].part);
        same_number(a[i].dropout, b[i].dropout);
        same_number(a[i].dropin, b[i].dropin);
        same_genotypes(n_markers, a[i].genos, b[i].genos);
        same_mt(&a[i].mt, &b[i].mt);
    }
}

static inline void same_owns(uint32_t n_markers, const atg_person *p, const atg_person *q) {
    assert_int_equal(p->n_own, q->n_own);
    for (uint32_t i = 0; i < p->n_own && p->own && q->own; i++) {
        const atg_own *a = &p->own[i], *b = &q->own[i];

        same_text(a->id, b->id);
        same_number(a->dropout, b->dropout);
        same_number(a->dropin, b->dropin);
        same_genotypes(n_markers, a->genos, b->genos);
        same_mt(&a->mt, &b->mt);
    }
}

static inline void same_family(uint32_t n_markers, const atg_family *a, const atg_family *b) {
    same_text(a->id, b->id);
    assert_int_equal(a->ped.n, b->ped.n);
    for (uint32_t i = 0; i < a->ped.n; i++) {
        const atg_person *p = &a->ped.persons[i], *q = &b->ped.persons[i];

        same_text(p->id, q->id);
        assert_int_equal(p->father, q->father);
        assert_int_equal(p->mother, q->mother);
        assert_int_equal(p->sex, q->sex);
        assert_int_equal(p->implicit, q->implicit);
        same_number(p->inbreeding, q->inbreeding);
        same_genotypes(n_markers, p->genos, q->genos);
        same_mt(&p->mt, &q->mt);
        same_owns(n_markers, p, q);
        if (p->genos) {
            same_number(p->dropout, q->dropout);
            same_number(p->dropin, q->dropin);
        }
    }
    assert_int_equal(a->n_missing, b->n_missing);
    for (uint32_t i = 0; i < a->n_missing; i++)
        assert_int_equal(a->missing[i], b->missing[i]);
    assert_int_equal(a->n_consents, b->n_consents);
    for (uint32_t i = 0; i < a->n_consents; i++) {
        assert_int_equal(a->consents[i].person, b->consents[i].person);
        same_text(a->consents[i].recipient, b->consents[i].recipient);
        same_text(a->consents[i].until, b->consents[i].until);
    }
}

static inline void same_params(const atg_operation *a, const atg_operation *b) {
    const atg_params *p = &a->params, *q = &b->params;

    same_text(p->population, q->population);
    same_text(p->source, q->source);
    same_number(p->theta, q->theta);
    same_number(p->min_freq, q->min_freq);
    assert_int_equal(p->n_population, q->n_population);
    same_number(p->process_error, q->process_error);
    same_number(p->threshold, q->threshold);
    same_number(p->min_log10_lr, q->min_log10_lr);
    assert_int_equal(p->max_incompatible, q->max_incompatible);
    assert_int_equal(p->prior.kind, q->prior.kind);
    same_number(p->prior.not_on_list, q->prior.not_on_list);
    assert_int_equal(p->prior.n_expected, q->prior.n_expected);
    for (uint32_t s = 0; s < a->n_samples; s++)
        for (uint32_t m = 0; m < a->n_missing; m++)
            same_number(atg_prior_odds(a, s, m), atg_prior_odds(b, s, m));
}

static inline void same_operation(const atg_operation *a, const atg_operation *b) {
    same_text(a->name, b->name);
    assert_int_equal(a->n_markers, b->n_markers);
    assert_int_equal(a->n_samples, b->n_samples);
    assert_int_equal(a->n_families, b->n_families);
    assert_int_equal(a->n_missing, b->n_missing);
    assert_int_equal(a->n_staff, b->n_staff);
    same_params(a, b);
    for (uint32_t m = 0; m < a->n_markers; m++)
        same_marker(&a->markers[m], &b->markers[m]);
    same_samples(a->n_markers, a->n_samples, a->samples, b->samples);
    same_samples(a->n_markers, a->n_staff, a->staff, b->staff);
    for (uint32_t f = 0; f < a->n_families; f++)
        same_family(a->n_markers, &a->families[f], &b->families[f]);
    for (uint32_t i = 0; i < a->n_missing; i++) {
        same_text(a->missing[i].id, b->missing[i].id);
        assert_int_equal(a->missing[i].family, b->missing[i].family);
        assert_int_equal(a->missing[i].person, b->missing[i].person);
    }
}

#endif
