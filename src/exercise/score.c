/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/exercise.h>
#include <antigone/lineage.h>

#include <math.h>

#include "base/mem.h"
#include "exercise/calibration.h"

/* With fewer runs than this the bootstrap resamples bodies. */
enum { RUNS_RESAMPLED = 10 };

struct scoring {
    atg_score *ret;
    calibration_unit *units;
    uint32_t n_units;
    cllr_case *pairs;
    size_t n_pairs;
    double *doubts; /* 1 - posterior of each body that was named */
    double posterior_sum[CALIBRATION_BINS];
    bool unit_is_run;
};

/* What is known of a missing person of one run. */
struct fate {
    bool found, named, symmetric;
    const atg_pair_result *pair; /* the true pair with the highest LR */
};

static bool body_is(const atg_identification *run, const atg_truth *truth, uint32_t body,
                    uint32_t missing) {
    const atg_body *b = &run->bodies[run->body_of_sample[body]];

    for (uint32_t i = 0; i < b->n_samples; i++)
        if (truth->missing_of_sample[b->samples[i]] == (int32_t)missing)
            return true;
    return false;
}

static bool body_swapped(const atg_identification *run, const atg_truth *truth, uint32_t body) {
    const atg_body *b = &run->bodies[run->body_of_sample[body]];

    for (uint32_t i = 0; i < b->n_samples; i++)
        if (truth->swapped[b->samples[i]])
            return true;
    return false;
}

/* The pairs of a body stand together, the most probable first. */
static void score_name(struct scoring *s, const atg_identification *run, const atg_truth *truth,
                       const atg_pair_result *best, struct fate *fates) {
    atg_score *ret = s->ret;

    if (best->posterior < run->op->params.threshold || best->conclusion != ATG_PROBABLE)
        return;
    s->doubts[ret->n_named++] = fmax(0, 1 - best->posterior);
    if (body_is(run, truth, best->body, best->missing)) {
        ret->n_right++;
        fates[best->missing].named = true;
    } else {
        ret->n_wrong++;
        ret->n_wrong_swapped += body_swapped(run, truth, best->body);
    }
}

static void score_pair(struct scoring *s, const atg_identification *run, const atg_truth *truth,
                       const atg_pair_result *pair, struct fate *fates) {
    bool is_true = body_is(run, truth, pair->body, pair->missing);
    uint32_t unit = s->n_units + (s->unit_is_run ? 0 : pair->body);
    int bin = calibration_bin(pair->posterior);
    struct fate *fate = &fates[pair->missing];

    if (is_true && (!fate->pair || pair->log10_lr > fate->pair->log10_lr))
        fate->pair = pair;
    if (isnan(pair->log10_lr) || body_swapped(run, truth, pair->body))
        return;
    s->pairs[s->n_pairs++] = (cllr_case){pair->log10_lr, 1, is_true};
    calibration_add(&s->units[unit], pair->log10_lr, pair->posterior, is_true);
    if (bin >= 0)
        s->posterior_sum[bin] += pair->posterior;
}

static bool has_references(const atg_identification *run, uint32_t missing) {
    const atg_pedigree *ped = &run->op->families[run->op->missing[missing].family].ped;

    for (uint32_t i = 0; i < ped->n; i++)
        if (ped->persons[i].genos)
            return true;
    return false;
}

/* Markers that a complete profile is compared at. */
static uint32_t n_usable(const atg_operation *op) {
    uint32_t n = 0;

    for (uint32_t m = 0; m < op->n_markers; m++)
        n += op->markers[m].chrom == ATG_CHROM_AUTOSOMAL || op->markers[m].chrom == ATG_CHROM_X;
    return n;
}

/* Would this pair be named if there were no other body and no other missing person? */
static bool strong_alone(const atg_identification *run, const atg_pair_result *pair) {
    double odds =
        atg_prior_odds(run->merged, pair->body, pair->missing) * pow(10, pair->log10_lr_used);

    return odds / (1 + odds) >= run->op->params.threshold || isinf(odds);
}

static void score_missed(atg_score *ret, const atg_identification *run, uint32_t missing,
                         const struct fate *fate) {
    const atg_pair_result *pair = fate->pair;
    uint32_t *reason = &ret->missed_weak_family;
    bool referenced = has_references(run, missing);

    if (referenced && pair && pair->log10_lr_used >= 0 && fate->symmetric)
        reason = &ret->missed_symmetric;
    else if (referenced && (!pair || pair->log10_lr_used < 0 || strong_alone(run, pair)))
        reason = &ret->missed_conflict;
    else if (referenced && pair->n_markers * 3 < n_usable(run->op) * 2)
        reason = &ret->missed_few_markers;
    ret->n_missed++;
    ++*reason;
}

static void read_fates(const atg_identification *run, const atg_truth *truth, struct fate *fates) {
    for (uint32_t i = 0; i < truth->n_samples; i++)
        if (truth->missing_of_sample[i] >= 0)
            fates[truth->missing_of_sample[i]].found = true;
    for (uint32_t i = 0; i < run->assign.n_symmetries; i++)
        for (uint32_t k = 0; k < run->assign.symmetries[i].n; k++)
            fates[run->assign.symmetries[i].missing[k]].symmetric = true;
}

static int score_run(struct scoring *s, const atg_identification *run, const atg_truth *truth,
                     atg_err *err) {
    MEM_AUTO struct fate *fates = mem_zero(run->op->n_missing, sizeof(*fates));
    uint32_t before = UINT32_MAX;

    if (!fates)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the score");
    read_fates(run, truth, fates);
    for (uint32_t i = 0; i < run->n_pairs; i++) {
        const atg_pair_result *pair = &run->pairs[i];

        if (pair->body != before)
            score_name(s, run, truth, pair, fates);
        before = pair->body;
        score_pair(s, run, truth, pair, fates);
    }
    s->ret->n_bodies += run->n_bodies;
    for (uint32_t m = 0; m < run->op->n_missing; m++) {
        s->ret->n_missing_found += fates[m].found;
        if (fates[m].found && !fates[m].named)
            score_missed(s->ret, run, m, &fates[m]);
    }
    s->n_units += s->unit_is_run ? 1 : run->merged->n_samples;
    return ATG_OK;
}

static int summarise(struct scoring *s, atg_err *err) {
    atg_score *ret = s->ret;
    calibration_unit total = {0};
    uint32_t quantile = 0;
    int rc;

    for (uint32_t i = 0; i < s->n_units; i++)
        calibration_sum(&total, &s->units[i]);
    for (uint32_t i = 0; i < ret->n_named; i++)
        ret->predicted_wrong += s->doubts[i];
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        atg_reliability_bin *bin = &ret->bins[i];

        bin->from = calibration_edges[i];
        bin->to = calibration_edges[i + 1];
        bin->n = total.bin_n[i];
        bin->n_true = total.bin_true[i];
        bin->mean_posterior = bin->n ? s->posterior_sum[i] / bin->n : NAN;
    }
    ret->wrong_bound95 =
        ret->n_named ? atg_clopper_pearson_upper(ret->n_wrong, ret->n_named, 0.05) : 1;
    ret->cllr = calibration_cllr(&total);
    rc = calibration_cllr_min(s->pairs, s->n_pairs, &ret->cllr_min, err);
    if (!rc)
        rc = calibration_quantile(s->doubts, ret->n_named, 0.99, &quantile, err);
    ret->wrong_q99 = quantile;
    return rc ? rc : calibration_intervals(s->units, s->n_units, ret, err);
}

int atg_exercise_score_runs(uint32_t n, const atg_identification *const *runs,
                            const atg_truth *const *truths, atg_score *ret, atg_err *err) {
    MEM_AUTO calibration_unit *units = NULL;
    MEM_AUTO cllr_case *pairs = NULL;
    MEM_AUTO double *doubts = NULL;
    size_t n_pairs = 0, n_bodies = 0;
    atg_score score = {0};
    int rc = ATG_OK;

    for (uint32_t i = 0; i < n; i++) {
        n_pairs += runs[i]->n_pairs;
        n_bodies += runs[i]->merged->n_samples;
        if (runs[i]->op->n_samples != truths[i]->n_samples)
            return atg_fail(err, ATG_EINVAL,
                            "The truth is of %u samples and the operation has %u; it belongs to "
                            "another operation",
                            truths[i]->n_samples, runs[i]->op->n_samples);
    }
    if (n_bodies > UINT32_MAX)
        return atg_fail(err, ATG_ELIMIT, "More than %u bodies cannot be scored at once",
                        UINT32_MAX);
    units = mem_zero(n_bodies + n, sizeof(*units));
    pairs = mem_zero(n_pairs, sizeof(*pairs));
    doubts = mem_zero(n_bodies, sizeof(*doubts));
    if (!units || !pairs || !doubts)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the score of %zu pairs", n_pairs);

    struct scoring s = {.ret = &score, .units = units, .pairs = pairs, .doubts = doubts};

    s.unit_is_run = n >= RUNS_RESAMPLED;
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = score_run(&s, runs[i], truths[i], err);
    if (!rc)
        rc = summarise(&s, err);
    if (!rc)
        *ret = score;
    return rc;
}

int atg_exercise_score(const atg_identification *run, const atg_truth *truth, atg_score *ret,
                       atg_err *err) {
    return atg_exercise_score_runs(1, &run, &truth, ret, err);
}
