/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/make.h"

#include <math.h>

enum { MISSING_MAX = 200000 };

atg_exercise_options atg_exercise_default(void) {
    return (atg_exercise_options){
        .seed = 1,
        .n_missing = 60,
        .unlisted = 0.05,
        .not_found = 0.05,
        .degraded = 0.2,
        .partial = 0.2,
        .fragments = 0.11,
        .wrong_relation = 0.02,
        .mutation = {.model = ATG_MUT_EQUAL, .rate = 0.001},
        .male_factor = 3.5,
    };
}

int exercise_short_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Memory is short for an exercise of this size");
}

int exercise_check(const atg_exercise_options *o, atg_err *err) {
    const struct {
        const char *name;
        double value, most;
    } shares[] = {
        {"unlisted", o->unlisted, 0.9},
        {"not found", o->not_found, 1},
        {"degraded", o->degraded, 1},
        {"partial", o->partial, 1},
        {"fragments", o->fragments, 1},
        {"wrong relation", o->wrong_relation, 1},
        {"swapped", o->swapped, 1},
        {"share with own samples", o->own, 1},
        {"theta", o->theta, 0.5},
        {"mutation rate", o->mutation.rate, 1},
        {"mutation rate of men", o->mutation.rate * o->male_factor, 1},
    };

    if (o->n_missing < 1 || o->n_missing > MISSING_MAX)
        return atg_fail(err, ATG_EINVAL, "An exercise has 1 to %d missing, not %u", MISSING_MAX,
                        o->n_missing);
    for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++)
        if (!(shares[i].value >= 0 && shares[i].value <= shares[i].most))
            return atg_fail(err, ATG_EINVAL, "The %s of an exercise must be from 0 to %g, not %g",
                            shares[i].name, shares[i].most, shares[i].value);
    if ((unsigned)o->mutation.model >= ATG_MUT_CUSTOM)
        return atg_fail(err, ATG_EINVAL,
                        "An exercise needs a mutation model that fits every "
                        "marker; a matrix of one's own does not");
    return ATG_OK;
}

/* Names, alleles and frequencies of the caller's markers; the mutation of the options. */
static int copy_marker(atg_arena *arena, const atg_marker *from, const atg_exercise_options *o,
                       atg_marker *to, atg_err *err) {
    atg_str *labels = ATG_GET(arena, atg_str, from->n);
    double *freqs = ATG_GET(arena, double, from->n);
    int16_t *tenths = ATG_GET(arena, int16_t, from->n);

    *to = *from;
    to->name = atg_arena_str(arena, from->name);
    if (!labels || !freqs || !tenths || !to->name.p)
        return exercise_short_of_memory(err);
    for (uint16_t i = 0; i < from->n; i++) {
        labels[i] = atg_arena_str(arena, from->labels[i]);
        if (!labels[i].p)
            return exercise_short_of_memory(err);
        tenths[i] = atg_allele_tenths(labels[i]);
        freqs[i] = from->freqs[i];
    }
    to->labels = labels;
    to->freqs = freqs;
    to->tenths = tenths;
    to->linked_to = -1;
    to->rho = 0.5;
    to->female = to->male = (atg_mutation){.model = ATG_MUT_NONE};
    if (from->chrom != ATG_CHROM_AMELOGENIN) {
        to->female = to->male = o->mutation;
        to->male.rate *= o->male_factor;
    }
    return ATG_OK;
}

static int copy_markers(making *x, uint32_t n, const atg_marker *from, atg_err *err) {
    atg_operation table = {.params = atg_params_default(), .n_markers = n, .markers = from};
    atg_marker *to = ATG_GET(x->arena, atg_marker, n);
    int rc = to ? atg_operation_check(&table, err) : exercise_short_of_memory(err);

    if (!rc && n == 0)
        rc = atg_fail(err, ATG_EINVAL, "An exercise needs at least one marker");
    for (uint32_t m = 0; m < n && !rc; m++)
        rc = copy_marker(x->arena, &from[m], x->options, &to[m], err);
    x->n_markers = n;
    x->markers = to;
    return rc;
}

static double least_frequency(const making *x) {
    double least = 0.499;

    for (uint32_t m = 0; m < x->n_markers; m++)
        for (uint16_t i = 0; i < x->markers[m].n; i++)
            if (x->markers[m].freqs[i] < least)
                least = x->markers[m].freqs[i];
    return least;
}

/* The prior says what was done: not_on_list is the share asked for, kept off 0 and 1 by half a
 * body.  A swap rate above 1e-4 would put the threshold of 0.9995 out of one sample's reach. */
static atg_params params_of(const making *x) {
    atg_params p = atg_params_default();
    double q = x->options->unlisted, half = 0.5 / (x->n_bodies + 1.0);

    p.population = ATG_STR("synthetic, drawn from the given frequencies");
    p.source = ATG_STR("antigone exercise");
    p.theta = x->options->theta;
    p.min_freq = least_frequency(x);
    p.process_error = fmin(fmax(x->options->swapped, 1e-5), 1e-4);
    p.prior.kind = ATG_PRIOR_OPEN;
    p.prior.not_on_list = fmin(fmax(q, half), 1 - half);
    return p;
}

static int finish(making *x, atg_operation *ret, atg_truth *ret_truth, atg_err *err) {
    atg_str name = atg_arena_printf(x->arena, "Exercise: ferry accident, %u missing, seed %llu",
                                    x->options->n_missing, (unsigned long long)x->options->seed);

    if (!name.p)
        return exercise_short_of_memory(err);
    *ret = (atg_operation){
        .name = name,
        .params = params_of(x),
        .n_markers = x->n_markers,
        .markers = x->markers,
        .n_samples = x->n_samples,
        .samples = x->samples,
        .n_families = x->n_families,
        .families = x->families,
        .n_missing = x->options->n_missing,
        .missing = x->missing,
    };
    *ret_truth = (atg_truth){
        .n_samples = x->n_samples,
        .missing_of_sample = x->missing_of_sample,
        .swapped = x->swapped,
        .n_relatives_wrong = x->n_wrong,
        .wrong = x->wrong,
        .options = *x->options,
    };
    return ATG_OK;
}

int atg_exercise_make(atg_arena *arena, uint32_t n_markers, const atg_marker *freqs_markers,
                      const atg_exercise_options *options, atg_operation *ret, atg_truth *ret_truth,
                      atg_err *err) {
    ATG_AUTO(atg_arena) scratch = atg_arena_new(SIZE_MAX / 2);
    making x = {.arena = arena, .scratch = scratch, .options = options};
    /* a stream each, so that what one step draws does not move the others */
    atg_rng seeds = atg_rng_seed(options->seed), rng[4];
    int rc = scratch ? exercise_check(options, err) : exercise_short_of_memory(err);

    for (int i = 0; i < 4; i++)
        rng[i] = atg_rng_seed(atg_rng_next(&seeds));
    if (!rc)
        rc = copy_markers(&x, n_markers, freqs_markers, err);
    if (!rc)
        rc = gene_pool_new(scratch, n_markers, x.markers, options->theta, &x.pool, err);
    if (!rc)
        rc = exercise_families(&x, &rng[0], err);
    if (!rc)
        rc = exercise_genes(&x, &rng[1], err);
    if (!rc)
        rc = exercise_remains(&x, &rng[2], err);
    if (!rc && options->own > 0)
        rc = exercise_own(&x, &rng[3], err);
    return rc ? rc : finish(&x, ret, ret_truth, err);
}
