/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference_state.h"

#include <math.h>
#include <string.h>

/* dvir lets a threshold be missed by the square root of the machine's epsilon. */
static const double slack = 1.5e-8;

static bool named(const json_t *list, atg_str id) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (atg_str_eq(reference_text(json_array_get(list, i)), id))
            return true;
    return false;
}

static bool candidate(const atg_operation *op, const json_t *pairings, uint32_t body,
                      uint32_t missing) {
    const atg_missing *who = &op->missing[missing];
    const atg_sample *sample = &op->samples[body];
    const json_t *list = json_object_getn(pairings, sample->id.p ? sample->id.p : "", sample->id.n);

    return list ? named(list, who->id)
                : atg_sex_fits(sample->sex, op->families[who->family].ped.persons[who->person].sex);
}

int reference_state_new(atg_arena *arena, const atg_operation *op, const json_t *pairings,
                        reference_state *ret, atg_err *err) {
    reference_state s = {.arena = arena,
                         .op = *op,
                         .families = ATG_GET(arena, atg_family, op->n_families + 1),
                         .body = ATG_GET(arena, bool, op->n_samples + 1),
                         .missing = ATG_GET(arena, bool, op->n_missing + 1),
                         .allowed = ATG_GET(arena, bool, (size_t)op->n_samples * op->n_missing + 1),
                         .mutation = ATG_GET(arena, bool, op->n_families + 1)};

    if (!s.families || !s.body || !s.missing || !s.allowed || !s.mutation)
        return atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");
    for (uint32_t f = 0; f < op->n_families; f++) {
        s.families[f] = op->families[f];
        s.mutation[f] = true;
    }
    s.op.families = s.families;
    for (uint32_t j = 0; j < op->n_missing; j++)
        s.missing[j] = true;
    for (uint32_t i = 0; i < op->n_samples; i++) {
        s.body[i] = true;
        for (uint32_t j = 0; j < op->n_missing; j++)
            s.allowed[i * op->n_missing + j] = candidate(op, pairings, i, j);
    }
    *ret = s;
    return ATG_OK;
}

bool reference_in_play(const reference_state *s, uint32_t body, uint32_t missing) {
    return s->body[body] && s->missing[missing] && s->allowed[body * s->op.n_missing + missing];
}

uint32_t reference_left(const reference_state *s, uint32_t family) {
    uint32_t n = 0;

    for (uint32_t j = 0; j < s->op.n_missing; j++)
        n += s->op.missing[j].family == family && s->missing[j];
    return n;
}

int reference_seat(reference_state *s, uint32_t body, uint32_t missing, atg_err *err) {
    const atg_missing *who = &s->op.missing[missing];
    atg_family *family = &s->families[who->family];
    atg_person *persons = ATG_GET(s->arena, atg_person, family->ped.n);
    uint32_t *places = ATG_GET(s->arena, uint32_t, family->n_missing + 1), n = 0;

    if (!persons || !places)
        return atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");
    memcpy(persons, family->ped.persons, family->ped.n * sizeof(*persons));
    persons[who->person].genos = s->op.samples[body].genos;
    for (uint32_t i = 0; i < family->n_missing; i++)
        if (family->missing[i] != missing)
            places[n++] = family->missing[i];
    family->ped.persons = persons;
    family->missing = places;
    family->n_missing = n;
    s->body[body] = s->missing[missing] = false;
    return ATG_OK;
}

int reference_lr_matrix(const reference_state *s, double *ret, atg_err *err) {
    for (uint32_t i = 0; i < s->op.n_samples; i++)
        for (uint32_t j = 0; j < s->op.n_missing; j++) {
            double got[ATG_MARKERS_MAX];
            double *cell = &ret[i * s->op.n_missing + j];
            int rc;

            *cell = NAN;
            if (!reference_in_play(s, i, j))
                continue;
            rc = atg_pair_lr(&s->op, &s->op.samples[i], j, s->mutation[s->op.missing[j].family],
                             got, err);
            if (rc)
                return rc;
            *cell = pow(10, atg_combine_lr(&s->op, got));
        }
    return ATG_OK;
}

static int marker_loglik(const atg_operation *op, uint32_t m, const atg_pedigree *ped,
                         bool mutation, double *ret, atg_err *err) {
    atg_marker plain[ATG_MARKERS_MAX];

    if (mutation)
        return atg_loglik(op->markers, m, ped, 0, ret, err);
    plain[m] = op->markers[m];
    plain[m].female = plain[m].male = (atg_mutation){0};
    return atg_loglik(plain, m, ped, 0, ret, err);
}

int reference_family_loglik(const atg_operation *op, uint32_t family, bool mutation, double *ret,
                            atg_err *err) {
    double sum = 0;

    for (uint32_t m = 0; m < op->n_markers; m++) {
        double got;
        int rc = marker_loglik(op, m, &op->families[family].ped, mutation, &got, err);

        if (rc)
            return rc;
        sum += got;
    }
    *ret = sum;
    return ATG_OK;
}

int reference_sample_loglik(const atg_operation *op, uint32_t sample, double *ret, atg_err *err) {
    const atg_sample *s = &op->samples[sample];
    double sum = 0;

    for (uint32_t m = 0; m < op->n_markers; m++) {
        double got;
        int rc =
            atg_loglik_obs(&op->markers[m], (atg_obs){s->genos[m], 0, 0}, s->sex, 0, &got, err);

        if (rc)
            return rc;
        sum += got;
    }
    *ret = sum;
    return ATG_OK;
}

int reference_inconsistent(const atg_operation *op, uint32_t family, bool *at, uint32_t *ret,
                           atg_err *err) {
    uint32_t n = 0;

    for (uint32_t m = 0; m < op->n_markers; m++) {
        double loglik;
        int rc = marker_loglik(op, m, &op->families[family].ped, false, &loglik, err);

        if (rc)
            return rc;
        if (at)
            at[m] = !isfinite(loglik);
        n += !isfinite(loglik);
    }
    *ret = n;
    return ATG_OK;
}

int reference_incompatible(const atg_operation *op, uint32_t sample, uint32_t missing,
                           uint32_t *ret, atg_err *err) {
    const atg_missing *who = &op->missing[missing];
    const atg_pedigree *ped = &op->families[who->family].ped;
    atg_person persons[ATG_PEDIGREE_MAX];
    atg_family seated = op->families[who->family];
    atg_operation one = *op;

    memcpy(persons, ped->persons, ped->n * sizeof(*persons));
    persons[who->person].genos = op->samples[sample].genos;
    seated.ped.persons = persons;
    one.families = &seated;
    return reference_inconsistent(&one, 0, NULL, ret, err);
}

static int count_pairs(const reference_state *s, double *ret, atg_err *err) {
    for (uint32_t i = 0; i < s->op.n_samples; i++)
        for (uint32_t j = 0; j < s->op.n_missing; j++) {
            uint32_t n;
            int rc;

            ret[i * s->op.n_missing + j] = NAN;
            if (!reference_in_play(s, i, j))
                continue;
            rc = reference_incompatible(&s->op, i, j, &n, err);
            if (rc)
                return rc;
            ret[i * s->op.n_missing + j] = n;
        }
    return ATG_OK;
}

/* The smallest of `n` numbers, each `stride` apart, without NANs; INFINITY when there is none. */
static double smallest(const double *at, uint32_t n, uint32_t stride) {
    double ret = INFINITY;

    for (uint32_t i = 0; i < n; i++)
        ret = fmin(ret, at[(size_t)i * stride]);
    return ret;
}

int reference_exclude(reference_state *s, double max, reference_excluded *ret, bool *ret_changed,
                      atg_err *err) {
    uint32_t n_samples = s->op.n_samples, n_missing = s->op.n_missing;
    reference_excluded e = {ATG_GET(s->arena, double, (size_t)n_samples *n_missing + 1),
                            ATG_GET(s->arena, double, n_samples + 1),
                            ATG_GET(s->arena, double, n_missing + 1)};
    bool changed = false;
    int rc = e.n && e.body && e.missing
                 ? count_pairs(s, e.n, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");

    if (rc)
        return rc;
    for (uint32_t i = 0; i < n_samples; i++) {
        double least = smallest(&e.n[(size_t)i * n_missing], n_missing, 1);

        e.body[i] = s->body[i] && least > max ? least : NAN;
        changed |= !isnan(e.body[i]);
    }
    for (uint32_t j = 0; j < n_missing; j++) {
        double least = smallest(&e.n[j], n_samples, n_missing);

        e.missing[j] = s->missing[j] && least > max ? least : NAN;
        changed |= !isnan(e.missing[j]);
    }
    for (uint32_t i = 0; i < n_samples; i++)
        s->body[i] &= isnan(e.body[i]);
    for (uint32_t j = 0; j < n_missing; j++)
        s->missing[j] &= isnan(e.missing[j]);
    for (uint32_t c = 0; c < n_samples * n_missing; c++)
        if (s->allowed[c] && e.n[c] > max) {
            s->allowed[c] = false;
            changed = true;
        }
    if (ret_changed)
        *ret_changed = changed;
    *ret = e;
    return ATG_OK;
}

/* Is this LR above all others of its row and column? */
static bool undisputed(const reference_state *s, const double *lr, uint32_t body, uint32_t missing,
                       double threshold, bool strict) {
    uint32_t columns = s->op.n_missing;
    double own = lr[body * columns + missing], most = (strict ? 1 : own / threshold) + slack;
    bool ret = own >= threshold - slack;

    for (uint32_t j = 0; j < columns && ret; j++)
        ret = j == missing || isnan(lr[body * columns + j]) || lr[body * columns + j] <= most;
    for (uint32_t i = 0; i < s->op.n_samples && ret; i++)
        ret = i == body || isnan(lr[i * columns + missing]) || lr[i * columns + missing] <= most;
    return ret;
}

static bool has_pair(const reference_state *s, uint32_t body) {
    for (uint32_t j = 0; j < s->op.n_missing; j++)
        if (reference_in_play(s, body, j))
            return true;
    return false;
}

/* All matches of one step at once; then the bodies that have no pair left leave. */
static int take_step(reference_state *s, double threshold, bool strict, uint32_t step,
                     reference_steps *ret, atg_err *err) {
    uint32_t first = ret->n;

    for (uint32_t j = 0; j < s->op.n_missing; j++)
        for (uint32_t i = 0; i < s->op.n_samples; i++)
            if (undisputed(s, ret->lr, i, j, threshold, strict))
                ret->at[ret->n++] = (reference_step){(int32_t)i, (int32_t)j, step,
                                                     ret->lr[i * s->op.n_missing + j]};
    for (uint32_t k = first; k < ret->n; k++) {
        int rc = reference_seat(s, (uint32_t)ret->at[k].body, (uint32_t)ret->at[k].missing, err);

        if (rc)
            return rc;
    }
    for (uint32_t i = 0; i < s->op.n_samples && ret->n > first; i++)
        if (s->body[i] && !has_pair(s, i)) {
            ret->at[ret->n++] = (reference_step){(int32_t)i, -1, step, NAN};
            s->body[i] = false;
        }
    return ATG_OK;
}

static bool any(const bool *at, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (at[i])
            return true;
    return false;
}

int reference_undisputed(reference_state *s, double threshold, bool strict, reference_steps *ret,
                         bool *ret_changed, atg_err *err) {
    uint32_t n_samples = s->op.n_samples, n_missing = s->op.n_missing;
    size_t cells = (size_t)n_samples * n_missing;
    reference_steps steps = {.at = ATG_GET(s->arena, reference_step, n_samples + 1),
                             .lr = ATG_GET(s->arena, double, cells + 1),
                             .body = ATG_GET(s->arena, bool, n_samples + 1),
                             .missing = ATG_GET(s->arena, bool, n_missing + 1)};
    bool changed = false;

    if (!steps.at || !steps.lr || !steps.body || !steps.missing)
        return atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");
    for (size_t c = 0; c < cells; c++)
        steps.lr[c] = NAN;
    for (uint32_t step = 1; any(s->body, n_samples) && any(s->missing, n_missing); step++) {
        uint32_t before = steps.n;
        int rc = reference_lr_matrix(s, steps.lr, err);

        memcpy(steps.body, s->body, n_samples * sizeof(bool));
        memcpy(steps.missing, s->missing, n_missing * sizeof(bool));
        if (!rc)
            rc = take_step(s, threshold, strict, step, &steps, err);
        if (rc)
            return rc;
        if (steps.n == before)
            break;
        changed = true;
    }
    for (size_t c = 0; c < cells; c++)
        if (s->allowed[c] && steps.lr[c] == 0) {
            s->allowed[c] = false;
            changed = true;
        }
    if (ret_changed)
        *ret_changed = changed;
    *ret = steps;
    return ATG_OK;
}

static bool typed(const atg_person *person, uint32_t n_markers) {
    for (uint32_t m = 0; m < n_markers && person->genos; m++)
        if (atg_geno_typed(person->genos[m]))
            return true;
    return false;
}

/* Is there anybody typed or missing who shares ancestors with this person? */
static bool related(const reference_state *s, const atg_family *family, uint32_t person,
                    const double *kinship) {
    for (uint32_t p = 0; p < family->ped.n; p++)
        if (p != person && kinship[person * family->ped.n + p] > 0 &&
            typed(&family->ped.persons[p], s->op.n_markers))
            return true;
    for (uint32_t k = 0; k < family->n_missing; k++) {
        uint32_t p = s->op.missing[family->missing[k]].person;

        if (p != person && kinship[person * family->ped.n + p] > 0)
            return true;
    }
    return false;
}

int reference_nonidentifiable(const reference_state *s, bool *at, atg_err *err) {
    for (uint32_t f = 0; f < s->op.n_families; f++) {
        const atg_family *family = &s->families[f];
        double *kinship = ATG_GET(s->arena, double, (size_t)family->ped.n * family->ped.n + 1);
        int rc = kinship ? atg_kinship(&family->ped, false, kinship, err)
                         : atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");

        if (rc)
            return rc;
        for (uint32_t k = 0; k < family->n_missing; k++) {
            uint32_t j = family->missing[k];

            at[j] = !related(s, family, s->op.missing[j].person, kinship);
        }
    }
    return ATG_OK;
}
