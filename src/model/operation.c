/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/operation.h>

#include <math.h>

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

static int check_marker(const atg_marker *m, uint32_t index, atg_err *err) {
    double sum = 0;

    if (m->n == 0 || m->n > ATG_ALLELES_MAX)
        return atg_fail(err, ATG_ELIMIT, "Marker %.*s has %u alleles; 1 to %d are possible",
                        ATG_FMT(m->name), m->n, ATG_ALLELES_MAX);
    for (uint16_t i = 0; i < m->n; i++) {
        if (!(m->freqs[i] > 0 && m->freqs[i] <= 1))
            return atg_fail(err, ATG_EINVAL,
                            "The frequency of %.*s at %.*s is %g; it must be above 0 and at most 1",
                            ATG_FMT(m->labels[i]), ATG_FMT(m->name), m->freqs[i]);
        sum += m->freqs[i];
    }
    if (fabs(sum - 1) > 1e-3)
        return atg_fail(err, ATG_EINVAL, "The frequencies of %.*s sum to %.6g, not 1",
                        ATG_FMT(m->name), sum);
    if (m->linked_to >= (int)index)
        return atg_fail(err, ATG_EINVAL, "%.*s must be linked to an earlier marker",
                        ATG_FMT(m->name));
    if (m->linked_to >= 0 && !(m->rho >= 0 && m->rho <= 0.5))
        return atg_fail(err, ATG_EINVAL, "The recombination fraction of %.*s is not in 0 to 0.5",
                        ATG_FMT(m->name));
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
        return atg_fail(err, ATG_EINVAL, "The minimum LR or minimum frequency is not a number in "
                                         "its range");
    return ATG_OK;
}

static int check_genos(const atg_operation *op, const atg_geno *genos, atg_str who, atg_err *err) {
    for (uint32_t m = 0; genos && m < op->n_markers; m++) {
        int n = op->markers[m].n;

        if (genos[m].a < -1 || genos[m].b < -1 || genos[m].a >= n || genos[m].b >= n ||
            (genos[m].a < 0 && genos[m].b >= 0))
            return atg_fail(err, ATG_EINVAL, "%.*s has an allele at %.*s that its table lacks",
                            ATG_FMT(who), ATG_FMT(op->markers[m].name));
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

static int check_family(const atg_operation *op, uint32_t f, atg_err *err) {
    const atg_family *fam = &op->families[f];
    int rc = atg_pedigree_check(&fam->ped, err);

    for (uint32_t i = 0; i < fam->ped.n && !rc; i++)
        rc = check_genos(op, fam->ped.persons[i].genos, fam->ped.persons[i].id, err);
    for (uint32_t i = 0; i < fam->n_missing && !rc; i++) {
        const atg_missing *m = fam->missing[i] < op->n_missing ? &op->missing[fam->missing[i]]
                                                               : NULL;

        if (!m || m->family != f || m->person >= fam->ped.n)
            rc = atg_fail(err, ATG_EINVAL, "Family %.*s lists a missing person who is not its own",
                          ATG_FMT(fam->id));
        else if (fam->ped.persons[m->person].genos)
            rc = atg_fail(err, ATG_EINVAL,
                          "The missing person %.*s has genotypes; enter them as a direct sample",
                          ATG_FMT(m->id));
    }
    return rc;
}

int atg_operation_check(const atg_operation *op, atg_err *err) {
    int rc = check_params(&op->params, err);

    if (!rc && op->n_markers > ATG_MARKERS_MAX)
        rc = atg_fail(err, ATG_ELIMIT, "More than %d markers", ATG_MARKERS_MAX);
    for (uint32_t i = 0; i < op->n_markers && !rc; i++)
        rc = check_marker(&op->markers[i], i, err);
    for (uint32_t i = 0; i < op->n_samples && !rc; i++)
        rc = check_sample(op, &op->samples[i], err);
    for (uint32_t i = 0; i < op->n_staff && !rc; i++)
        rc = check_sample(op, &op->staff[i], err);
    for (uint32_t f = 0; f < op->n_families && !rc; f++)
        rc = check_family(op, f, err);
    return rc;
}
