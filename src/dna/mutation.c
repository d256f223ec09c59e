/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/dna.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dna/mutation.h"

/* Indices of the alleles that take part: all but the silent one, which never mutates. */
static uint32_t visible(const atg_marker *m, uint16_t *ret) {
    uint32_t n = 0;

    for (uint16_t i = 0; i < m->n; i++)
        if (i != m->silent)
            ret[n++] = i;
    return n;
}

typedef struct work {
    const atg_marker *marker;
    const atg_mutation *mutation;
    uint32_t n; /* visible alleles */
    uint16_t index[ATG_ALLELES_MAX];
    double p[ATG_ALLELES_MAX]; /* their frequencies, summing to 1 */
    double *a;                 /* n * n */
} work;

/* What does not mutate stays; rounding below 0 is 0. */
static int close_rows(work *w, atg_err *err) {
    for (uint32_t i = 0; i < w->n; i++) {
        double sum = 0;

        for (uint32_t j = 0; j < w->n; j++)
            if (j != i)
                sum += w->a[i * w->n + j];
        if (!(sum <= 1 + 1e-12))
            return atg_fail(err, ATG_EINVAL,
                            "The mutation model of %.*s is not possible: its allele %.*s would "
                            "mutate with a probability above 1; lower the rate or choose another "
                            "model",
                            ATG_FMT(w->marker->name), ATG_FMT(w->marker->labels[w->index[i]]));
        w->a[i * w->n + i] = sum < 1 ? 1 - sum : 0;
    }
    return ATG_OK;
}

static void equal(work *w) {
    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t j = 0; j < w->n; j++)
            w->a[i * w->n + j] = w->mutation->rate / (w->n - 1);
}

static void proportional(work *w) {
    double sum = 0;

    for (uint32_t i = 0; i < w->n; i++)
        sum += w->p[i] * (1 - w->p[i]);
    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t j = 0; j < w->n; j++)
            w->a[i * w->n + j] = w->mutation->rate / sum * w->p[j];
}

static int need_repeats(const work *w, bool integers, atg_err *err) {
    for (uint32_t i = 0; i < w->n; i++) {
        int16_t t = w->marker->tenths[w->index[i]];

        if (t < 0 || (integers && t % 10))
            return atg_fail(err, ATG_EINVAL,
                            "The allele %.*s of %.*s is not %s, which this mutation model needs; "
                            "choose equal or proportional mutation for this marker",
                            ATG_FMT(w->marker->labels[w->index[i]]), ATG_FMT(w->marker->name),
                            integers ? "a whole number of repeats" : "a number of repeats");
    }
    return ATG_OK;
}

/* Between two alleles, in tenths of a repeat, that whole repeats lie between. */
static int whole_steps(int from, int to) {
    return abs(to - from) / 10;
}

static int stepwise(work *w, atg_err *err) {
    const int16_t *tenths = w->marker->tenths;
    int rc = need_repeats(w, false, err);

    for (uint32_t i = 0; i < w->n && !rc; i++) {
        int ti = tenths[w->index[i]];
        double sum = 0;
        uint32_t others = 0;

        for (uint32_t j = 0; j < w->n; j++) {
            int tj = tenths[w->index[j]];

            if (tj % 10 != ti % 10)
                others++;
            else if (j != i)
                sum += pow(w->mutation->range, whole_steps(ti, tj));
        }
        for (uint32_t j = 0; j < w->n; j++) {
            int tj = tenths[w->index[j]];

            w->a[i * w->n + j] =
                tj % 10 == ti % 10
                    ? w->mutation->rate * pow(w->mutation->range, whole_steps(ti, tj)) / sum
                    : w->mutation->rate2 / others;
        }
    }
    return rc;
}

static int onestep(work *w, atg_err *err) {
    const int16_t *tenths = w->marker->tenths;
    int rc = need_repeats(w, true, err);

    for (uint32_t i = 0; i < w->n && !rc; i++) {
        uint32_t near = 0;

        for (uint32_t j = 0; j < w->n; j++)
            near += abs(tenths[w->index[i]] - tenths[w->index[j]]) == 10;
        for (uint32_t j = 0; j < w->n; j++)
            w->a[i * w->n + j] =
                abs(tenths[w->index[i]] - tenths[w->index[j]]) == 10 ? w->mutation->rate / near : 0;
    }
    return rc;
}

/* Steps are counted along the table of alleles, as pedmut does. */
static int dawid(work *w, atg_err *err) {
    double sum = 0;
    int rc = need_repeats(w, true, err);

    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t j = 0; j < w->n; j++)
            if (i != j)
                sum += pow(w->mutation->range, abs((int)i - (int)j));
    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t j = 0; j < w->n; j++)
            w->a[i * w->n + j] =
                w->mutation->rate * pow(w->mutation->range, abs((int)i - (int)j)) / sum / w->p[i];
    return rc;
}

/* Stationary distribution of a, by the elimination of Grassmann, Taksar & Heyman (1985), which
 * subtracts nothing and so keeps every component to full relative precision. */
static int stationary(const work *w, double *ret) {
    uint32_t n = w->n;
    MEM_AUTO double *a = mem_alloc((size_t)n * n * sizeof(double));

    if (!a)
        return ATG_ENOMEM;
    memcpy(a, w->a, (size_t)n * n * sizeof(double));
    for (uint32_t k = n - 1; k > 0; k--) {
        double sum = 0;

        for (uint32_t j = 0; j < k; j++)
            sum += a[k * n + j];
        if (!(sum > 0))
            return ATG_EINVAL;
        for (uint32_t i = 0; i < k; i++)
            a[i * n + k] /= sum;
        for (uint32_t i = 0; i < k; i++)
            for (uint32_t j = 0; j < k; j++)
                a[i * n + j] += a[i * n + k] * a[k * n + j];
    }

    double total = ret[0] = 1;

    for (uint32_t k = 1; k < n; k++) {
        ret[k] = 0;
        for (uint32_t i = 0; i < k; i++)
            ret[k] += ret[i] * a[i * n + k];
        total += ret[k];
    }
    for (uint32_t k = 0; k < n; k++)
        ret[k] /= total;
    return ATG_OK;
}

static double expected_rate(const work *w, const double *p) {
    double rate = 0;

    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t j = 0; j < w->n; j++)
            if (j != i)
                rate += p[i] * w->a[i * w->n + j];
    return rate;
}

static int scale_rows(work *w, const double *factors, atg_err *err) {
    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t j = 0; j < w->n; j++)
            w->a[i * w->n + j] *= factors[i];
    return close_rows(w, err);
}

static int stabilise_pm(work *w, atg_err *err) {
    double v[ATG_ALLELES_MAX], factors[ATG_ALLELES_MAX];
    int rc = stationary(w, v);

    if (rc)
        return atg_fail(err, rc, "The mutation model of %.*s has no stationary distribution",
                        ATG_FMT(w->marker->name));

    double k = expected_rate(w, w->p) / expected_rate(w, v);

    for (uint32_t i = 0; i < w->n; i++)
        factors[i] = k * v[i] / w->p[i];
    return scale_rows(w, factors, err);
}

/* Metropolis-Hastings, Barker and the proportional reversible transform. */
static int reversible(work *w, atg_err *err) {
    uint32_t n = w->n;
    atg_mutation_transform how = w->mutation->transform;
    double before = expected_rate(w, w->p), factors[ATG_ALLELES_MAX];

    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < i; j++) {
            double to = w->p[i] * w->a[i * n + j], fro = w->p[j] * w->a[j * n + i];
            double flow = how == ATG_MUT_MH   ? fmin(to, fro)
                          : how == ATG_MUT_PR ? (to + fro) / 2
                          : to + fro > 0      ? to * fro / (to + fro)
                                              : 0;

            w->a[i * n + j] = flow / w->p[i];
            w->a[j * n + i] = flow / w->p[j];
        }

    double after = expected_rate(w, w->p);

    for (uint32_t i = 0; i < n; i++)
        factors[i] = how == ATG_MUT_PR || !(after > 0) ? 1 : before / after;
    return scale_rows(w, factors, err);
}

static int check(const atg_marker *m, const atg_mutation *mu, atg_err *err) {
    bool ranged = mu->model == ATG_MUT_STEPWISE || mu->model == ATG_MUT_DAWID;

    if (!(mu->rate >= 0 && mu->rate <= 1 && mu->rate2 >= 0 && mu->rate + mu->rate2 <= 1))
        return atg_fail(err, ATG_EINVAL, "The mutation rate of %.*s is not between 0 and 1",
                        ATG_FMT(m->name));
    if (ranged && !(mu->range > 0 && mu->range < 1))
        return atg_fail(err, ATG_EINVAL, "The mutation range of %.*s is not between 0 and 1",
                        ATG_FMT(m->name));
    return ATG_OK;
}

/* Rates at which nothing mutates. */
static bool never(const atg_mutation *mu) {
    bool across = mu->model == ATG_MUT_STEPWISE && mu->rate2 > 0;

    return mu->model == ATG_MUT_NONE || (mu->rate == 0 && !across);
}

static int fill(work *w, atg_err *err) {
    int rc = ATG_OK;

    switch (w->mutation->model) {
    case ATG_MUT_EQUAL:
        equal(w);
        break;
    case ATG_MUT_PROPORTIONAL:
        proportional(w);
        break;
    case ATG_MUT_STEPWISE:
        rc = stepwise(w, err);
        break;
    case ATG_MUT_ONESTEP:
        rc = onestep(w, err);
        break;
    case ATG_MUT_DAWID:
        rc = dawid(w, err);
        break;
    case ATG_MUT_NONE:
    case ATG_MUT_CUSTOM:
        break;
    }
    if (!rc)
        rc = close_rows(w, err);
    if (rc || w->mutation->transform == ATG_MUT_AS_IS)
        return rc;
    return w->mutation->transform == ATG_MUT_PM ? stabilise_pm(w, err) : reversible(w, err);
}

static int custom(const atg_marker *m, const atg_mutation *mu, double *ret, atg_err *err) {
    if (!mu->matrix)
        return atg_fail(err, ATG_EINVAL, "The mutation matrix of %.*s is missing",
                        ATG_FMT(m->name));
    for (uint16_t i = 0; i < m->n; i++) {
        double sum = 0;

        for (uint16_t j = 0; j < m->n; j++) {
            double x = mu->matrix[i * m->n + j];

            if (!(x >= 0 && x <= 1))
                return atg_fail(err, ATG_EINVAL,
                                "Row %d of the mutation matrix of %.*s has a value outside 0 to 1",
                                i + 1, ATG_FMT(m->name));
            sum += x;
        }
        if (fabs(sum - 1) > 1e-6)
            return atg_fail(err, ATG_EINVAL, "Row %d of the mutation matrix of %.*s sums to %.9g",
                            i + 1, ATG_FMT(m->name), sum);
    }
    memcpy(ret, mu->matrix, (size_t)m->n * m->n * sizeof(*ret));
    return ATG_OK;
}

int atg_mutation_matrix(const atg_marker *m, const atg_mutation *mu, double *ret, atg_err *err) {
    work w = {.marker = m, .mutation = mu};
    double total = 0;

    if (mu->model == ATG_MUT_CUSTOM)
        return custom(m, mu, ret, err);

    int rc = check(m, mu, err);

    if (rc)
        return rc;
    w.n = visible(m, w.index);
    for (uint32_t i = 0; i < w.n; i++)
        total += w.p[i] = m->freqs[w.index[i]];
    for (uint32_t i = 0; i < w.n; i++)
        w.p[i] /= m->silent >= 0 ? total : 1;

    MEM_AUTO double *a = mem_zero((size_t)w.n * w.n, sizeof(double));

    if (!a)
        return atg_fail(err, ATG_ENOMEM, "Out of memory making a mutation matrix");
    w.a = a;
    rc = w.n > 1 && !never(mu) ? fill(&w, err) : close_rows(&w, err);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < (uint32_t)m->n * m->n; i++)
        ret[i] = i / m->n == i % m->n;
    for (uint32_t i = 0; i < w.n; i++)
        for (uint32_t j = 0; j < w.n; j++)
            ret[w.index[i] * m->n + w.index[j]] = a[i * w.n + j];
    return ATG_OK;
}

mutation_form mutation_form_of(const atg_marker *m, const atg_mutation *mu) {
    double sum = 0, total = 0;
    uint32_t n = m->n - (m->silent >= 0);

    if (mu->model == ATG_MUT_CUSTOM)
        return (mutation_form){.kind = MUTATION_GENERAL};
    if (never(mu) || n < 2)
        return (mutation_form){.kind = MUTATION_IDENTITY};
    if (mu->transform != ATG_MUT_AS_IS)
        return (mutation_form){.kind = MUTATION_GENERAL};
    if (mu->model == ATG_MUT_EQUAL)
        return (mutation_form){.kind = MUTATION_UNIFORM, .fresh = mu->rate * n / (n - 1)};
    if (mu->model != ATG_MUT_PROPORTIONAL)
        return (mutation_form){.kind = MUTATION_GENERAL};
    for (uint16_t i = 0; i < m->n; i++)
        total += i == m->silent ? 0 : m->freqs[i];
    if (m->silent < 0)
        total = 1;
    for (uint16_t i = 0; i < m->n; i++)
        sum += i == m->silent ? 0 : m->freqs[i] / total * (1 - m->freqs[i] / total);
    return (mutation_form){.kind = MUTATION_POPULATION, .fresh = mu->rate / sum};
}
