/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "face/calibrate_parts.h"

enum { FOLDS = 10, REPLICATES = 500, REPLICATES_MAX = 10000, BOOTSTRAP_PAIRS = 50000 };

/* A pair and its number among the caller's. */
typedef struct known {
    float score;
    uint32_t probe, person, index;
} known;

typedef struct fit {
    const face_calibrate_options *options;
    face_calibration *ret;
    uint32_t n_persons;
    size_t n;
    known *pairs;     /* sorted by score */
    cllr_case *cases; /* the same order; weights as the step at hand sets them */
    double *costs;    /* of each pair, by the curve of the other persons */
    cllr_pool *pools;
    uint32_t *of_person; /* folds, then how often each was drawn */
    atg_rng rng;
} fit;

static bool is_true(const known *p) {
    return p->probe == p->person;
}

static int compare_pairs(const void *a, const void *b) {
    const known *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    if (x->probe != y->probe)
        return x->probe < y->probe ? -1 : 1;
    return (x->person > y->person) - (x->person < y->person);
}

static int check_options(const face_calibrate_options *o, atg_err *err) {
    if (o->method != FACE_LOGISTIC && o->method != FACE_PAV)
        return atg_fail(err, ATG_EINVAL, "No such method of calibration");
    if (o->cap != 0 && !(o->cap > 0 && o->cap <= FACE_CAP))
        return atg_fail(err, ATG_EINVAL,
                        "The cap of a face is a log10 LR above 0 and not above %g; it can be "
                        "lowered, never raised",
                        FACE_CAP);
    if (o->replicates > REPLICATES_MAX)
        return atg_fail(err, ATG_EINVAL, "At most %d replicates are drawn", REPLICATES_MAX);
    return ATG_OK;
}

static int check_pairs(uint32_t n_persons, uint64_t n, const face_pair *pairs, atg_err *err) {
    if (n > FACE_PAIRS_MAX || n_persons > FACE_PAIRS_MAX)
        return atg_fail(err, ATG_ELIMIT, "At most %d comparisons make a calibration",
                        FACE_PAIRS_MAX);
    for (uint64_t i = 0; i < n; i++)
        if (!isfinite(pairs[i].score) || pairs[i].probe >= n_persons ||
            pairs[i].person >= n_persons)
            return atg_fail(err, ATG_EINVAL,
                            "Comparison %llu has no finite score or a person that is not there",
                            (unsigned long long)i + 1);
    return ATG_OK;
}

/* Persons with a true pair, and with a false one as the probe. */
static void count_cases(fit *f) {
    face_calibration *c = f->ret;

    for (size_t i = 0; i < f->n; i++) {
        uint32_t bit = is_true(&f->pairs[i]) ? 1 : 2, *of = &f->of_person[f->pairs[i].probe];

        c->n_true += bit == 1;
        c->n_false += bit == 2;
        c->n_cases += bit == 1 && !(*of & 1);
        c->n_others += bit == 2 && !(*of & 2);
        *of |= bit;
    }
}

static int check_enough(const fit *f, atg_err *err) {
    const face_calibration *c = f->ret;
    double mean[2] = {0, 0};

    if (c->n_cases < FACE_CASES_MIN || c->n_others < FACE_CASES_MIN)
        return atg_fail(err, ATG_EINVAL,
                        "A calibration needs %d closed cases with a true pair and %d with a false "
                        "one; there are %u and %u. With fewer, not one error among them would "
                        "still not show that errors are below one in ten, which a likelihood "
                        "ratio of 10 says",
                        FACE_CASES_MIN, FACE_CASES_MIN, c->n_cases, c->n_others);
    for (size_t i = 0; i < f->n; i++)
        mean[is_true(&f->pairs[i])] +=
            (double)f->pairs[i].score / (double)(is_true(&f->pairs[i]) ? c->n_true : c->n_false);
    if (!(mean[1] > mean[0]))
        return atg_fail(err, ATG_EINVAL,
                        "True pairs do not score higher than false ones (%.3f against %.3f in the "
                        "mean): this model says nothing about these pictures",
                        mean[1], mean[0]);
    return ATG_OK;
}

static double fewest(const fit *f) {
    return f->ret->n_cases < f->ret->n_others ? f->ret->n_cases : f->ret->n_others;
}

static double capped(double lr, double cap) {
    return fmax(-cap, fmin(cap, lr));
}

static bool is_of(const fit *f, size_t pair, uint32_t part) {
    return f->of_person[f->pairs[pair].probe] == part ||
           f->of_person[f->pairs[pair].person] == part;
}

/* Persons fall into ten parts at random; the pairs of a part's probes are weighed by what the pairs
 * without any of its persons say. */
static int cross_validate(fit *f, atg_err *err) {
    double cost[2] = {0, 0}, weight[2] = {0, 0};

    for (uint32_t i = 0; i < f->n_persons; i++)
        f->of_person[i] = (uint32_t)atg_rng_below(&f->rng, FOLDS);
    for (uint32_t part = 0; part < FOLDS; part++) {
        face_curve curve = {.method = f->options->method, .pools = f->pools};

        for (size_t i = 0; i < f->n; i++)
            f->cases[i].weight = is_of(f, i, part) ? 0.0F : 1.0F;
        if (!face_curve_fit(&curve, f->cases, f->n, fewest(f)))
            return atg_fail(err, ATG_EINVAL,
                            "The cases cannot be divided: all true pairs are of too few persons");
        for (size_t i = 0; i < f->n; i++) {
            double lr;

            if (f->of_person[f->pairs[i].probe] != part)
                continue;
            lr = capped(face_curve_at(&curve, f->cases[i].score), f->ret->cap);
            f->costs[i] = cllr_cost(lr, f->cases[i].is_true);
            if (f->options->lrs)
                f->options->lrs[f->pairs[i].index] = lr;
            cost[f->cases[i].is_true] += f->costs[i];
            weight[f->cases[i].is_true]++;
        }
    }
    f->ret->cllr = cllr_of(cost, weight);
    return ATG_OK;
}

/* Of many false pairs every so many are enough for an interval. */
static void thin(fit *f) {
    uint64_t every = f->ret->n_false / BOOTSTRAP_PAIRS + 1, n_false = 0;
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++) {
        bool keep = f->cases[i].is_true || n_false++ % every == 0;

        if (!keep)
            continue;
        f->pairs[kept] = f->pairs[i];
        f->cases[kept] = f->cases[i];
        f->costs[kept++] = f->costs[i];
    }
    f->n = kept;
}

/* Draw persons; a pair comes as often as both of its persons were drawn. */
static double draw(fit *f) {
    double cost[2] = {0, 0}, weight[2] = {0, 0};

    memset(f->of_person, 0, f->n_persons * sizeof(*f->of_person));
    for (uint32_t i = 0; i < f->n_persons; i++)
        f->of_person[atg_rng_below(&f->rng, f->n_persons)]++;
    for (size_t i = 0; i < f->n; i++) {
        cllr_case *c = &f->cases[i];
        uint32_t of_probe = f->of_person[f->pairs[i].probe];
        double w = c->is_true ? of_probe : (double)of_probe * f->of_person[f->pairs[i].person];

        c->weight = (float)w;
        cost[c->is_true] += w * f->costs[i];
        weight[c->is_true] += w;
    }
    return cllr_of(cost, weight);
}

static void set_interval(double *values, size_t n, double *ret_lower, double *ret_upper) {
    cllr_sort_values(values, n);
    *ret_lower = cllr_quantile(values, n, 0.025);
    *ret_upper = cllr_quantile(values, n, 0.975);
}

static int bootstrap(fit *f, atg_err *err) {
    uint32_t replicates = f->options->replicates ? f->options->replicates : REPLICATES;
    face_calibration *c = f->ret;
    MEM_AUTO double *values = mem_zero((size_t)(c->n_knots + 1) * replicates, sizeof(*values));
    double *cllrs;
    size_t drawn = 0;

    if (!values)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the calibration of faces");
    cllrs = values + (size_t)c->n_knots * replicates;
    thin(f);
    for (uint32_t r = 0; r < replicates; r++) {
        face_curve curve = {.method = c->method, .pools = f->pools};
        double cllr = draw(f);

        if (isnan(cllr) || !face_curve_fit(&curve, f->cases, f->n, fewest(f)))
            continue; /* not both kinds among those drawn */
        cllrs[drawn] = cllr;
        for (uint32_t k = 0; k < c->n_knots; k++)
            values[(size_t)k * replicates + drawn] = face_curve_at(&curve, c->knots[k].score);
        drawn++;
    }
    set_interval(cllrs, drawn, &c->cllr_lower, &c->cllr_upper);
    for (uint32_t k = 0; k < c->n_knots; k++) {
        face_knot *knot = &c->knots[k];

        set_interval(values + (size_t)k * replicates, drawn, &knot->lower, &knot->upper);
        knot->lower = fmin(knot->lower, knot->log10_lr);
        knot->upper = fmax(knot->upper, knot->log10_lr);
    }
    return ATG_OK;
}

static int fit_all(fit *f, atg_err *err) {
    face_curve curve = {.method = f->options->method, .pools = f->pools};
    face_calibration *c = f->ret;
    int rc;

    count_cases(f);
    rc = check_enough(f, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < f->n; i++)
        f->cases[i] = (cllr_case){(double)f->pairs[i].score, 1, is_true(&f->pairs[i])};
    c->cllr_min = cllr_min(f->pools, cllr_pools(f->cases, f->n, f->pools));
    if (!face_curve_fit(&curve, f->cases, f->n, fewest(f)) ||
        (c->method == FACE_LOGISTIC && !(curve.slope > 0)))
        return atg_fail(err, ATG_EINVAL, "The scores do not rise with the truth");
    c->n_knots = face_curve_knots(&curve, c->knots);
    rc = cross_validate(f, err);
    return rc ? rc : bootstrap(f, err);
}

int face_calibrate(const face_version *version, uint32_t n_persons, uint64_t n,
                   const face_pair *pairs, const face_calibrate_options *options,
                   face_calibration *ret, atg_err *err) {
    face_calibration made = {.version = *version,
                             .method = options->method,
                             .cap = options->cap > 0 ? options->cap : FACE_CAP};
    int rc = check_options(options, err);

    if (!rc)
        rc = check_pairs(n_persons, n, pairs, err);
    if (rc)
        return rc;

    MEM_AUTO known *sorted = mem_zero(n, sizeof(*sorted));
    MEM_AUTO cllr_case *cases = mem_zero(n, sizeof(*cases));
    MEM_AUTO double *costs = mem_zero(n, sizeof(*costs));
    MEM_AUTO cllr_pool *pools = mem_zero(n, sizeof(*pools));
    MEM_AUTO uint32_t *of_person = mem_zero(n_persons, sizeof(*of_person));
    fit f = {.options = options,
             .ret = &made,
             .n_persons = n_persons,
             .n = n,
             .pairs = sorted,
             .cases = cases,
             .costs = costs,
             .pools = pools,
             .of_person = of_person,
             .rng = atg_rng_seed(options->seed)};

    if (!sorted || !cases || !costs || !pools || !of_person)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the calibration of faces");
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = (known){pairs[i].score, pairs[i].probe, pairs[i].person, i};
    if (n)
        qsort(sorted, n, sizeof(*sorted), compare_pairs);
    rc = fit_all(&f, err);
    if (!rc)
        *ret = made;
    return rc;
}

double face_least_cllr(double cap) {
    return log2(1 + pow(10, -cap));
}

int face_calibration_check(const face_calibration *c, atg_err *err) {
    bool good = c->cap > 0 && c->cap <= FACE_CAP && c->n_cases >= FACE_CASES_MIN &&
                c->n_others >= FACE_CASES_MIN && c->n_knots >= 2 && c->n_knots <= FACE_KNOTS_MAX &&
                (c->method == FACE_LOGISTIC || c->method == FACE_PAV);

    for (uint32_t i = 0; good && i < c->n_knots; i++) {
        const face_knot *k = &c->knots[i];

        good = isfinite(k->score) && isfinite(k->log10_lr) && isfinite(k->lower) &&
               isfinite(k->upper) && k->lower <= k->log10_lr && k->log10_lr <= k->upper &&
               (i == 0 || (k->score > k[-1].score && k->log10_lr >= k[-1].log10_lr));
    }
    if (good)
        return ATG_OK;
    return atg_fail(err, ATG_EINVAL, "The stored calibration of faces is damaged: fit it again");
}

face_lr face_weigh(const face_calibration *c, const face_version *version, double score,
                   double cap) {
    uint32_t i = 1;
    double share;
    face_lr lr;

    if (!c || !face_version_same(&c->version, version) || !isfinite(score) || !(cap > 0) ||
        face_calibration_check(c, NULL))
        return (face_lr){.calibrated = false};
    cap = fmin(fmin(cap, c->cap), FACE_CAP);
    while (i + 1 < c->n_knots && c->knots[i].score < score)
        i++;

    const face_knot *a = &c->knots[i - 1], *b = &c->knots[i];

    share = fmax(0, fmin(1, (score - a->score) / (b->score - a->score)));
    lr.calibrated = true;
    lr.log10_lr = capped(a->log10_lr + share * (b->log10_lr - a->log10_lr), cap);
    lr.lower = capped(a->lower + share * (b->lower - a->lower), cap);
    lr.upper = capped(a->upper + share * (b->upper - a->upper), cap);
    return lr;
}
