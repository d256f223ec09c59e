/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/operation.h>

#include <math.h>

#include "base/map.h"

atg_params atg_params_default(void) {
    return (atg_params){.threshold = 0.9995, .min_log10_lr = 4, .max_incompatible = 2};
}

int atg_operation_marker(const atg_operation *op, atg_str name) {
    for (uint32_t i = 0; i < op->n_markers; i++)
        if (atg_str_eq(op->markers[i].name, name))
            return (int)i;
    for (uint32_t i = 0; i < op->n_markers; i++)
        if (atg_marker_same_name(op->markers[i].name, name))
            return (int)i;
    return -1;
}

double atg_prior_odds(const atg_operation *op, uint32_t sample, uint32_t missing) {
    const atg_prior *prior = &op->params.prior;
    double n = prior->n_expected ? prior->n_expected : op->n_missing;

    if (prior->given)
        return prior->given[(size_t)sample * op->n_missing + missing];
    switch (prior->kind) {
    case ATG_PRIOR_CLOSED:
        return n > 1 ? 1 / (n - 1) : 1;
    case ATG_PRIOR_OPEN:
        return (1 - prior->not_on_list) / (prior->not_on_list * n);
    case ATG_PRIOR_FLAT:
        break;
    }
    return 1;
}

bool atg_consent_given(const atg_family *family, uint32_t person, const char *recipient) {
    if (!recipient)
        return true;
    for (uint32_t i = 0; i < family->n_consents; i++)
        if (family->consents[i].person == person &&
            atg_str_eq(family->consents[i].recipient, atg_str_of(recipient)))
            return true;
    return false;
}

static int check_allele(const atg_marker *m, uint16_t i, atg_err *err) {
    if (!(m->freqs[i] > 0 && m->freqs[i] <= 1))
        return atg_fail(err, ATG_EINVAL,
                        "The frequency of %.*s at %.*s is %g; it must be above 0 and at most 1",
                        ATG_FMT(m->labels[i]), ATG_FMT(m->name), m->freqs[i]);
    if (atg_marker_allele(m, m->labels[i]) != i)
        return atg_fail(err, ATG_EINVAL, "The allele %.*s of %.*s is there twice",
                        ATG_FMT(m->labels[i]), ATG_FMT(m->name));
    return ATG_OK;
}

static int check_alleles(const atg_marker *m, atg_err *err) {
    double sum = 0;
    int rc = ATG_OK;

    if (m->n == 0 || m->n > ATG_ALLELES_MAX)
        return atg_fail(err, ATG_ELIMIT, "Marker %.*s has %u alleles; 1 to %d are possible",
                        ATG_FMT(m->name), m->n, ATG_ALLELES_MAX);
    for (uint16_t i = 0; i < m->n && !rc; i++) {
        rc = check_allele(m, i, err);
        sum += m->freqs[i];
    }
    if (rc)
        return rc;
    if (fabs(sum - 1) > 1e-3)
        return atg_fail(err, ATG_EINVAL, "The frequencies of %.*s sum to %.6g, not 1",
                        ATG_FMT(m->name), sum);
    if (m->silent < -1 || m->silent >= m->n)
        return atg_fail(err, ATG_EINVAL, "The silent allele of %.*s is not in its table",
                        ATG_FMT(m->name));
    return ATG_OK;
}

static int check_mutation(const atg_marker *m, const atg_mutation *mut, atg_err *err) {
    if (!(mut->rate >= 0 && mut->rate <= 1 && mut->rate2 >= 0 && mut->rate2 <= 1))
        return atg_fail(err, ATG_EINVAL, "A mutation rate of %.*s is not in 0 to 1",
                        ATG_FMT(m->name));
    if (mut->model == ATG_MUT_CUSTOM && !mut->matrix)
        return atg_fail(err, ATG_EINVAL, "The mutation matrix of %.*s is missing",
                        ATG_FMT(m->name));
    return ATG_OK;
}

static int check_marker(const atg_marker *m, uint32_t index, atg_err *err) {
    int rc = check_alleles(m, err);

    if (!rc)
        rc = check_mutation(m, &m->female, err);
    if (!rc)
        rc = check_mutation(m, &m->male, err);
    if (rc)
        return rc;
    if (m->linked_to < -1 || m->linked_to >= (int)index)
        return atg_fail(err, ATG_EINVAL, "%.*s must be linked to an earlier marker",
                        ATG_FMT(m->name));
    if (m->linked_to >= 0 && !(m->rho >= 0 && m->rho <= 0.5))
        return atg_fail(err, ATG_EINVAL, "The recombination fraction of %.*s is not in 0 to 0.5",
                        ATG_FMT(m->name));
    return ATG_OK;
}

/* Two markers of one chromosome, and neither in another pair. */
static int check_pair(const atg_operation *op, uint32_t m, atg_err *err) {
    const atg_marker *second = &op->markers[m];

    if (second->linked_to < 0)
        return ATG_OK;
    if (op->markers[second->linked_to].chrom != second->chrom ||
        (second->chrom != ATG_CHROM_AUTOSOMAL && second->chrom != ATG_CHROM_X))
        return atg_fail(err, ATG_EINVAL, "%.*s is linked to a marker of another chromosome",
                        ATG_FMT(second->name));
    for (uint32_t k = 0; k < m; k++)
        if (op->markers[k].linked_to == second->linked_to ||
            (k == (uint32_t)second->linked_to && op->markers[k].linked_to >= 0))
            return atg_fail(err, ATG_EINVAL,
                            "%.*s is linked to %.*s, which is in a linked pair already; take one "
                            "of them out",
                            ATG_FMT(second->name), ATG_FMT(op->markers[second->linked_to].name));
    return ATG_OK;
}

static int check_params(const atg_params *p, atg_err *err) {
    if (!(p->theta >= 0 && p->theta <= 0.5))
        return atg_fail(err, ATG_EINVAL, "Theta is %g; it must be between 0 and 0.5", p->theta);
    if (!(p->process_error >= 0 && p->process_error < 0.5))
        return atg_fail(err, ATG_EINVAL, "The process error is %g; it must be from 0 to below 0.5",
                        p->process_error);
    if (!(p->threshold >= 0.9995 && p->threshold < 1))
        return atg_fail(err, ATG_EINVAL,
                        "The threshold is %g; it may be raised and never set below 0.9995",
                        p->threshold);
    if (p->prior.kind == ATG_PRIOR_OPEN && !(p->prior.not_on_list > 0 && p->prior.not_on_list < 1))
        return atg_fail(err, ATG_EINVAL,
                        "The share that is not on the list is %g; it must be between 0 and 1",
                        p->prior.not_on_list);
    if (!isfinite(p->min_log10_lr) || !(p->min_freq >= 0 && p->min_freq < 0.5))
        return atg_fail(err, ATG_EINVAL,
                        "The minimum LR or minimum frequency is not a number in "
                        "its range");
    return ATG_OK;
}

/* Alleles of a table of n, or unread ones, the unread one second. */
static bool is_of_table(atg_geno u, int n) {
    return u.a >= -1 && u.b >= -1 && u.a < n && u.b < n && (u.a >= 0 || u.b < 0);
}

static int check_genos(const atg_operation *op, const atg_geno *genos, atg_str who, atg_err *err) {
    for (uint32_t m = 0; genos && m < op->n_markers; m++) {
        int n = op->markers[m].n, silent = op->markers[m].silent;

        if (!is_of_table(genos[m], n))
            return atg_fail(err, ATG_EINVAL, "%.*s has an allele at %.*s that its table lacks",
                            ATG_FMT(who), ATG_FMT(op->markers[m].name));
        if (silent >= 0 && (genos[m].a == silent || genos[m].b == silent))
            return atg_fail(err, ATG_EINVAL, "%.*s shows the silent allele of %.*s", ATG_FMT(who),
                            ATG_FMT(op->markers[m].name));
    }
    return ATG_OK;
}

static int check_sample(const atg_operation *op, const atg_sample *s, atg_err *err) {
    if (!s->genos)
        return atg_fail(err, ATG_EINVAL, "Sample %.*s has no table of genotypes", ATG_FMT(s->id));
    if (!(s->dropout >= 0 && s->dropout < 1 && s->dropin >= 0 && s->dropin < 1))
        return atg_fail(err, ATG_EINVAL,
                        "Drop-out and drop-in of sample %.*s must be from 0 to below 1",
                        ATG_FMT(s->id));
    return check_genos(op, s->genos, s->id, err);
}

static int check_person(const atg_operation *op, const atg_person *p, atg_err *err) {
    if (!(p->dropout >= 0 && p->dropout < 1 && p->dropin >= 0 && p->dropin < 1))
        return atg_fail(err, ATG_EINVAL, "Drop-out and drop-in of %.*s must be from 0 to below 1",
                        ATG_FMT(p->id));
    if (!(p->inbreeding >= 0 && p->inbreeding <= 1))
        return atg_fail(err, ATG_EINVAL, "The inbreeding coefficient of %.*s is not in 0 to 1",
                        ATG_FMT(p->id));
    return check_genos(op, p->genos, p->id, err);
}

static int check_own(const atg_operation *op, const atg_own *own, atg_str who, atg_err *err) {
    if (!own->genos)
        return atg_fail(err, ATG_EINVAL, "The own sample %.*s of %.*s has no table of genotypes",
                        ATG_FMT(own->id), ATG_FMT(who));
    if (!(own->dropout >= 0 && own->dropout < 1 && own->dropin >= 0 && own->dropin < 1))
        return atg_fail(err, ATG_EINVAL,
                        "Drop-out and drop-in of the own sample %.*s must be from 0 to below 1",
                        ATG_FMT(own->id));
    return check_genos(op, own->genos, own->id, err);
}

static bool is_missing(const atg_operation *op, const atg_family *fam, uint32_t person) {
    for (uint32_t i = 0; i < fam->n_missing; i++)
        if (op->missing[fam->missing[i]].person == person)
            return true;
    return false;
}

static bool is_named(const atg_person *p, uint32_t before, atg_str id) {
    for (uint32_t k = 0; k < before; k++)
        if (atg_str_eq(p->own[k].id, id))
            return true;
    return false;
}

/* Own samples are those of missing persons; anybody else has genotypes. */
static int check_owns(const atg_operation *op, const atg_family *fam, uint32_t i, atg_err *err) {
    const atg_person *p = &fam->ped.persons[i];
    int rc = ATG_OK;

    if (p->n_own > ATG_OWN_MAX)
        return atg_fail(err, ATG_ELIMIT, "%.*s has more than %d own samples", ATG_FMT(p->id),
                        ATG_OWN_MAX);
    if (p->n_own && !is_missing(op, fam, i))
        return atg_fail(err, ATG_EINVAL,
                        "%.*s has own samples but is not missing; enter them as genotypes",
                        ATG_FMT(p->id));
    for (uint32_t k = 0; k < p->n_own && !rc; k++) {
        rc = check_own(op, &p->own[k], p->id, err);
        if (!rc && is_named(p, k, p->own[k].id))
            rc = atg_fail(err, ATG_EINVAL, "The own sample %.*s of %.*s is there twice",
                          ATG_FMT(p->own[k].id), ATG_FMT(p->id));
    }
    return rc;
}

static int check_listed(const atg_operation *op, uint32_t f, uint32_t i, atg_err *err) {
    const atg_family *fam = &op->families[f];
    const atg_missing *m = fam->missing[i] < op->n_missing ? &op->missing[fam->missing[i]] : NULL;

    if (!m || m->family != f || m->person >= fam->ped.n)
        return atg_fail(err, ATG_EINVAL, "Family %.*s lists a missing person who is not its own",
                        ATG_FMT(fam->id));
    if (fam->ped.persons[m->person].genos || fam->ped.persons[m->person].mt.n_ranges)
        return atg_fail(err, ATG_EINVAL,
                        "The missing person %.*s has genotypes or mtDNA; enter them as an own "
                        "sample",
                        ATG_FMT(m->id));
    return ATG_OK;
}

static int check_family(const atg_operation *op, uint32_t f, atg_err *err) {
    const atg_family *fam = &op->families[f];
    int rc = atg_pedigree_check(&fam->ped, err);

    for (uint32_t i = 0; i < fam->ped.n && !rc; i++)
        rc = check_person(op, &fam->ped.persons[i], err);
    for (uint32_t i = 0; i < fam->n_missing && !rc; i++)
        rc = check_listed(op, f, i, err);
    for (uint32_t i = 0; i < fam->ped.n && !rc; i++)
        rc = check_owns(op, fam, i, err);
    for (uint32_t i = 0; i < fam->n_consents && !rc; i++)
        if (fam->consents[i].person >= fam->ped.n)
            rc = atg_fail(err, ATG_EINVAL, "Family %.*s has a consent of somebody else",
                          ATG_FMT(fam->id));
    return rc;
}

/* The missing person with this index must be in the list of his family. */
static int check_missing(const atg_operation *op, uint32_t i, atg_err *err) {
    const atg_missing *m = &op->missing[i];
    const atg_family *fam = m->family < op->n_families ? &op->families[m->family] : NULL;

    for (uint32_t k = 0; fam && k < fam->n_missing; k++)
        if (fam->missing[k] == i)
            return ATG_OK;
    return atg_fail(err, ATG_EINVAL, "No family lists the missing person %.*s", ATG_FMT(m->id));
}

/* `id` is the first record's; the records are `stride` bytes apart. */
static int check_ids(const char *what, uint32_t n, const atg_str *id, size_t stride, atg_err *err) {
    __attribute__((cleanup(map_freep))) map *ids = map_new();
    int rc = ids ? ATG_OK : ATG_ENOMEM;

    for (uint32_t i = 0; i < n && !rc; i++) {
        rc = map_add(ids, *id, i);
        if (rc == ATG_ECONFLICT)
            return atg_fail(err, ATG_EINVAL, "The %s %.*s is there twice", what, ATG_FMT(*id));
        id = (const atg_str *)(const void *)((const char *)id + stride);
    }
    return rc ? atg_fail(err, rc, "Out of memory checking the operation") : ATG_OK;
}

static int check_all_ids(const atg_operation *op, atg_err *err) {
    int rc = ATG_OK;

    if (op->n_samples)
        rc = check_ids("sample", op->n_samples, &op->samples->id, sizeof(*op->samples), err);
    if (!rc && op->n_staff)
        rc = check_ids("sample of staff", op->n_staff, &op->staff->id, sizeof(*op->staff), err);
    if (!rc && op->n_families)
        rc = check_ids("family", op->n_families, &op->families->id, sizeof(*op->families), err);
    if (!rc && op->n_missing)
        rc =
            check_ids("missing person", op->n_missing, &op->missing->id, sizeof(*op->missing), err);
    return rc;
}

static int check_given_odds(const atg_operation *op, atg_err *err) {
    const double *given = op->params.prior.given;

    for (uint32_t i = 0; given && i < op->n_samples; i++)
        for (uint32_t j = 0; j < op->n_missing; j++, given++)
            if (!(*given >= 0 && isfinite(*given)))
                return atg_fail(err, ATG_EINVAL,
                                "The prior odds of sample %.*s and missing person %.*s are %g; "
                                "they must be 0 or more",
                                ATG_FMT(op->samples[i].id), ATG_FMT(op->missing[j].id), *given);
    return ATG_OK;
}

int atg_operation_check(const atg_operation *op, atg_err *err) {
    int rc = check_params(&op->params, err);

    if (!rc && op->n_markers > ATG_MARKERS_MAX)
        rc = atg_fail(err, ATG_ELIMIT, "More than %d markers", ATG_MARKERS_MAX);
    for (uint32_t i = 0; i < op->n_markers && !rc; i++)
        rc = check_marker(&op->markers[i], i, err);
    for (uint32_t i = 0; i < op->n_markers && !rc; i++)
        rc = check_pair(op, i, err);
    for (uint32_t i = 0; i < op->n_samples && !rc; i++)
        rc = check_sample(op, &op->samples[i], err);
    for (uint32_t i = 0; i < op->n_staff && !rc; i++)
        rc = check_sample(op, &op->staff[i], err);
    for (uint32_t f = 0; f < op->n_families && !rc; f++)
        rc = check_family(op, f, err);
    for (uint32_t i = 0; i < op->n_missing && !rc; i++)
        rc = check_missing(op, i, err);
    if (!rc)
        rc = check_given_odds(op, err);
    return rc ? rc : check_all_ids(op, err);
}
