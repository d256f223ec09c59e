/* SPDX-License-Identifier: Apache-2.0 */
#include "app/identify.h"

#include <antigone/dna.h>

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

enum { BEST = 20, TOP = 10 };

double atg_process_error(double log10_lr, double e, uint32_t n) {
    double lr = pow(10, log10_lr);

    if (e == 0)
        return log10_lr;
    if (isinf(lr)) /* the limit of the formula */
        return log10((1 - e) / e * (n ? n : 1));
    return log10(((1 - e) * lr + e) / (1 + e / (n ? n : 1) * (lr - 1)));
}

double identify_used(const identify *run, double log10_lr) {
    if (run->options.raw)
        return log10_lr;
    return atg_process_error(log10_lr, run->op->params.process_error, run->op->n_samples);
}

double identify_counted(const atg_operation *op, double *per_marker) {
    bool independent[ATG_MARKERS_MAX];
    double sum = 0;

    atg_independent_markers(op, independent);
    for (uint32_t m = 0; m < op->n_markers; m++) {
        if (!independent[m])
            per_marker[m] = NAN;
        else if (!isnan(per_marker[m]))
            sum += per_marker[m];
    }
    return sum;
}

atg_sex identify_sex(const atg_operation *op, uint32_t missing) {
    const atg_missing *who = &op->missing[missing];

    return op->families[who->family].ped.persons[who->person].sex;
}

const candidate *identify_find(const identify *run, uint32_t body, uint32_t missing) {
    uint64_t low = run->of_missing[missing], high = run->of_missing[missing + 1];

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;

        if (run->candidates[mid].body < body)
            low = mid + 1;
        else
            high = mid;
    }
    return low < run->of_missing[missing + 1] && run->candidates[low].body == body
               ? &run->candidates[low]
               : NULL;
}

void identify_close(identify *run) {
    for (uint32_t f = 0; run->ways && f < run->op->n_families; f++)
        mem_free(run->ways[f].least);
    mem_free(run->candidates);
    mem_free(run->of_missing);
}

/* Merged sample -> body. */
static int index_bodies(atg_arena *arena, const atg_operation *merged, uint32_t n,
                        const atg_body *bodies, const int32_t **ret, atg_err *err) {
    int32_t *map = ATG_GET(arena, int32_t, merged->n_samples + 1);
    uint32_t k = 0;

    if (!map)
        return atg_fail(err, ATG_ENOMEM, "Out of memory merging bodies");
    for (uint32_t i = 0; i < n; i++)
        if (bodies[i].refused.n == 0 && k < merged->n_samples)
            map[k++] = (int32_t)i;
    *ret = map;
    return ATG_OK;
}

/* One-to-one assignments that the sexes allow: bodies of each sex against missing of each sex do
 * not interact unless sex is unknown, so the exact count is left to small operations. */
static double count_assignments(const atg_operation *op) {
    uint32_t men[2] = {0, 0}, women[2] = {0, 0};
    double product = 1;

    for (uint32_t i = 0; i < op->n_samples; i++) {
        men[0] += op->samples[i].sex == ATG_SEX_MALE;
        women[0] += op->samples[i].sex == ATG_SEX_FEMALE;
    }
    for (uint32_t j = 0; j < op->n_missing; j++) {
        men[1] += identify_sex(op, j) == ATG_SEX_MALE;
        women[1] += identify_sex(op, j) == ATG_SEX_FEMALE;
    }
    if (men[0] + women[0] < op->n_samples || men[1] + women[1] < op->n_missing)
        return NAN;
    for (int s = 0; s < 2; s++) {
        uint32_t n = s ? women[0] : men[0], m = s ? women[1] : men[1];
        double term = 1, sum = 1;

        for (uint32_t k = 0; k < n && k < m && isfinite(sum); k++) {
            term *= (double)(n - k) * (m - k) / (k + 1.0);
            sum += term;
        }
        product *= sum;
    }
    return product;
}

static int stages(identify *run, atg_identification *ret, atg_err *err) {
    int rc = identify_compare(run, err);

    if (!rc && run->whole)
        rc = atg_exclusion_matrix(run->arena, run->op, run->options.threads, run->progress,
                                  &run->exclusions, err);
    if (!rc)
        rc = identify_jointly(run, err);
    if (!rc)
        rc = identify_conclude(run, ret, err);
    if (!rc)
        rc = identify_related(run, ret, err);
    if (!rc && !run->options.no_details)
        rc = identify_next(run, ret, err);
    return rc;
}

static double seconds_now(void) {
    struct timespec t;

    return clock_gettime(CLOCK_MONOTONIC, &t) ? 0 : (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int atg_identify(atg_arena *arena, const atg_operation *op, const atg_identify_options *options,
                 const atg_progress *progress, atg_identification *ret, atg_err *err) {
    atg_operation *merged = ATG_GET(arena, atg_operation, 1);
    atg_operation joined = *op;
    double start = seconds_now();
    atg_identification made = {
        .op = op, .merged = merged, .engine = ATG_STR("antigone " ATG_VERSION)};
    identify run = {.arena = arena, .op = merged, .options = *options, .progress = progress};
    int rc = atg_operation_check(op, err);

    if (!merged)
        return atg_fail(err, ATG_ENOMEM, "Out of memory starting an identification");
    run.options.best = options->best ? options->best : BEST;
    run.options.n_top = options->n_top ? options->n_top : TOP;
    if (!rc && !options->raw)
        rc = identify_reassociate(&run, op, &joined, err);
    if (!rc)
        rc = atg_merge_bodies(arena, &joined, &made.n_bodies, &made.bodies, err);
    if (!rc)
        rc = atg_merged_operation(arena, &joined, made.n_bodies, made.bodies, merged, err);
    if (!rc)
        rc = index_bodies(arena, merged, made.n_bodies, made.bodies, &made.body_of_sample, err);
    if (!rc)
        rc = atg_check_families(arena, merged, &made.checks, err);
    if (!rc) {
        made.n_checks = op->n_families;
        made.n_assignments = count_assignments(merged);
        run.checks = made.checks;
        rc = identify_remaining(&run, merged, err);
    }
    if (!rc) {
        run.whole = (uint64_t)merged->n_samples * merged->n_missing <= IDENTIFY_WHOLE;
        rc = stages(&run, &made, err);
    }
    identify_close(&run);
    if (rc)
        return rc;
    made.assign = run.assign;
    made.least_share = run.least_share;
    made.n_remaining = run.n_remaining;
    made.remaining = run.remaining;
    made.body_nobody = run.assign.body_nobody;
    made.missing_nobody = run.assign.missing_nobody;
    made.seconds = seconds_now() - start;
    *ret = made;
    return ATG_OK;
}
