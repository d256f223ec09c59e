/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "face/calibrate_parts.h"

enum { STEPS_MAX = 100, STRAIGHT_KNOTS = 33 };

/* Standard deviation of the normal prior of the slope, in ln LR for a standard deviation of the
 * scores: wide, yet it holds the slope where the two kinds do not overlap. */
static const double prior_slope = 4;

/* Scores brought to mean 0 and deviation 1, both kinds weighing the same. */
typedef struct standard {
    double mean, deviation, weight[2];
} standard;

static bool standardise(const cllr_case *cases, size_t n, standard *ret) {
    double sum[2] = {0, 0}, square[2] = {0, 0}, weight[2] = {0, 0}, means[2], variance = 0;

    for (size_t i = 0; i < n; i++) {
        double w = (double)cases[i].weight;

        weight[cases[i].is_true] += w;
        sum[cases[i].is_true] += w * cases[i].score;
        square[cases[i].is_true] += w * cases[i].score * cases[i].score;
    }
    if (weight[0] <= 0 || weight[1] <= 0)
        return false;
    for (int k = 0; k < 2; k++) {
        means[k] = sum[k] / weight[k];
        variance += fmax(0, square[k] / weight[k] - means[k] * means[k]) / 2;
    }
    *ret = (standard){(means[0] + means[1]) / 2,
                      sqrt(variance) > 1e-9 ? sqrt(variance) : 1e-9,
                      {weight[0], weight[1]}};
    return true;
}

/* Half the mean cost of each kind, in nats, and the prior. */
static double objective(const cllr_case *cases, size_t n, const standard *s, double prior,
                        const double at[2]) {
    double cost[2] = {0, 0};

    for (size_t i = 0; i < n; i++) {
        double z = at[0] + at[1] * (cases[i].score - s->mean) / s->deviation;

        if (cases[i].weight > 0)
            cost[cases[i].is_true] +=
                (double)cases[i].weight * cllr_cost(z / M_LN10, cases[i].is_true);
    }
    return (cost[0] / s->weight[0] + cost[1] / s->weight[1]) / 2 + prior * at[1] * at[1] / 2;
}

/* Newton's step: minus the inverse of the second derivatives times the first. */
static void newton(const cllr_case *cases, size_t n, const standard *s, double prior,
                   const double at[2], double ret[2]) {
    double g0 = 0, g1 = prior * at[1], h00 = 0, h01 = 0, h11 = prior, det;

    for (size_t i = 0; i < n; i++) {
        double x = (cases[i].score - s->mean) / s->deviation;
        double p = 1 / (1 + exp(-(at[0] + at[1] * x)));
        double w = (double)cases[i].weight / s->weight[cases[i].is_true] / 2;
        double g = w * (p - cases[i].is_true), h = w * p * (1 - p);

        g0 += g;
        g1 += g * x;
        h00 += h;
        h01 += h * x;
        h11 += h * x * x;
    }
    det = h00 * h11 - h01 * h01;
    ret[0] = -(h11 * g0 - h01 * g1) / det;
    ret[1] = -(h00 * g1 - h01 * g0) / det;
}

/* Go along `step`, half as far until it is no worse; false when it never is. */
static bool go(const cllr_case *cases, size_t n, const standard *s, double prior, double at[2],
               const double step[2], double *now) {
    double part = 1;

    if (!isfinite(step[0]) || !isfinite(step[1]))
        return false;
    for (int i = 0; i < 20; i++) {
        double next[2] = {at[0] + part * step[0], at[1] + part * step[1]};
        double then = objective(cases, n, s, prior, next);

        if (then <= *now) {
            at[0] = next[0];
            at[1] = next[1];
            *now = then;
            return true;
        }
        part /= 2;
    }
    return false;
}

static void fit_logistic(face_curve *curve, const cllr_case *cases, size_t n, const standard *s,
                         double prior) {
    double at[2] = {0, 0}, step[2], now = objective(cases, n, s, prior, at);

    for (int i = 0; i < STEPS_MAX; i++) {
        newton(cases, n, s, prior, at, step);
        if (!go(cases, n, s, prior, at, step, &now) || fabs(step[0]) + fabs(step[1]) < 1e-9)
            break;
    }
    curve->slope = at[1] / s->deviation / M_LN10;
    curve->intercept = at[0] / M_LN10 - curve->slope * s->mean;
}

bool face_curve_fit(face_curve *curve, const cllr_case *cases, size_t n, double n_cases) {
    standard s;

    if (!standardise(cases, n, &s))
        return false;
    if (curve->method == FACE_LOGISTIC) {
        fit_logistic(curve, cases, n, &s, 1 / (2 * n_cases * prior_slope * prior_slope));
        return true;
    }
    curve->n = cllr_pools(cases, n, curve->pools);
    curve->all = s.weight[0] + s.weight[1];
    curve->all_true = s.weight[1];
    return true;
}

static double within_ends(double lr) {
    return fmax(-FACE_LR_END, fmin(FACE_LR_END, lr));
}

static double pool_lr(const face_curve *c, size_t i) {
    return within_ends(cllr_pool_lr(&c->pools[i], c->all, c->all_true));
}

double face_curve_at(const face_curve *c, double score) {
    size_t low = 0, high = c->n;

    if (c->method == FACE_LOGISTIC)
        return within_ends(c->intercept + c->slope * score);
    /* the first pool that ends at or above the score */
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (c->pools[middle].high < score)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == c->n)
        return pool_lr(c, c->n - 1);
    if (low == 0 || score >= c->pools[low].low)
        return pool_lr(c, low);

    double from = c->pools[low - 1].high, share = (score - from) / (c->pools[low].low - from);

    return pool_lr(c, low - 1) * (1 - share) + pool_lr(c, low) * share;
}

/* Both ends of each pool, those beyond the cap as one at either side; evenly picked ones when
 * there are too many. */
static uint32_t pool_knots(const face_curve *c, face_knot *ret) {
    size_t first = 0, last = c->n - 1, count;
    uint32_t n = 0;

    while (first < last && pool_lr(c, first + 1) <= -FACE_CAP)
        first++;
    while (last > first && pool_lr(c, last - 1) >= FACE_CAP)
        last--;
    count = last - first + 1 < FACE_KNOTS_MAX / 2 ? last - first + 1 : FACE_KNOTS_MAX / 2;
    for (size_t k = 0; k < count; k++) {
        size_t i = count > 1 ? first + k * (last - first) / (count - 1) : first;

        ret[n++] = (face_knot){.score = c->pools[i].low, .log10_lr = pool_lr(c, i)};
        if (c->pools[i].high > c->pools[i].low)
            ret[n++] = (face_knot){.score = c->pools[i].high, .log10_lr = pool_lr(c, i)};
    }
    return n;
}

uint32_t face_curve_knots(const face_curve *c, face_knot ret[FACE_KNOTS_MAX]) {
    if (c->method == FACE_PAV)
        return pool_knots(c, ret);
    /* where it matters, and as far beyond the cap on either side: the interval bends there */
    for (uint32_t i = 0; i < STRAIGHT_KNOTS; i++) {
        double lr = 2 * FACE_CAP * (2.0 * i / (STRAIGHT_KNOTS - 1) - 1);

        ret[i] = (face_knot){.score = (lr - c->intercept) / c->slope, .log10_lr = lr};
    }
    return STRAIGHT_KNOTS;
}
