/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/theta.h"

#include <math.h>

#include "base/mem.h"
#include "dna/quadrature.h"

typedef struct sticks {
    double weight[ATG_ALLELES_MAX + 1];  /* parameters of the Dirichlet distribution */
    uint32_t n;                          /* classes that founders can have */
    uint32_t order[ATG_ALLELES_MAX + 1]; /* rarest first, so that 1 - v loses no digits */
    uint32_t nodes;                      /* per stick */
    double *x, *w;                       /* (n - 1) * nodes */
} sticks;

static void sort_rarest_first(const view *v, sticks *s) {
    s->n = 0;
    for (uint32_t c = 0; c < v->n; c++) {
        uint32_t i = s->n;

        if (!(s->weight[c] > 0))
            continue;
        for (; i > 0 && s->weight[s->order[i - 1]] > s->weight[c]; i--)
            s->order[i] = s->order[i - 1];
        s->order[i] = c;
        s->n++;
    }
}

static int make_rules(sticks *s, atg_err *err) {
    size_t nodes = s->nodes;
    double tail = 0;
    int rc = ATG_OK;

    for (uint32_t i = s->n; i-- > 0 && !rc;) {
        double w = s->weight[s->order[i]];

        if (i + 1 < s->n)
            rc = quadrature_beta(w, tail, s->nodes, s->x + i * nodes, s->w + i * nodes, err);
        tail += w;
    }
    return rc;
}

double theta_log_known(const view *v, double theta, const double *known) {
    double log_p = 0;
    uint32_t drawn = 0;

    for (uint32_t c = 0; c < v->n; c++)
        for (uint32_t b = 0; b < known[c]; b++, drawn++)
            log_p +=
                log((b * theta + (1 - theta) * v->freq[c]) / (1 + ((double)drawn - 1) * theta));
    return log_p;
}

/* All combinations of nodes, the last stick fastest. */
static int walk(const sticks *s, theta_fn *fn, void *user, atg_err *err) {
    uint32_t at[ATG_ALLELES_MAX + 1] = {0};
    double freq[ATG_ALLELES_MAX + 1] = {0};

    for (;;) {
        double left = 1, weight = 1;
        uint32_t i = s->n - 1;

        for (uint32_t k = 0; k + 1 < s->n; k++) {
            double x = s->x[k * s->nodes + at[k]];

            freq[s->order[k]] = left * x;
            left *= 1 - x;
            weight *= s->w[k * s->nodes + at[k]];
        }
        freq[s->order[s->n - 1]] = left;

        int rc = fn(user, freq, weight, err);

        if (rc)
            return rc;
        while (i > 0 && ++at[i - 1] == s->nodes)
            at[--i] = 0;
        if (i == 0)
            return ATG_OK;
    }
}

static double mass_of(const view *v, double theta, const double *known, uint32_t c) {
    return v->freq[c] * (1 - theta) / theta + (known ? known[c] : 0);
}

double theta_nodes(const view *v, double theta, const double *known, uint32_t degree) {
    double total = 1;
    uint32_t n = 0, nodes = degree / 2 + 1;

    for (uint32_t c = 0; c < v->n && theta > 0; c++)
        n += mass_of(v, theta, known, c) > 0;
    for (uint32_t i = 0; i + 1 < n; i++)
        total *= nodes;
    return total;
}

double theta_mass(const view *v, double theta, const double *known, double *freq) {
    double sum = 0;

    for (uint32_t c = 0; c < v->n; c++) {
        freq[c] = mass_of(v, theta, known, c);
        sum += freq[c];
    }
    for (uint32_t c = 0; c < v->n; c++)
        freq[c] /= sum;
    return sum;
}

int theta_integrate(const view *v, double theta, const double *known, uint32_t degree, theta_fn *fn,
                    void *user, atg_err *err) {
    sticks s = {.nodes = degree / 2 + 1};
    double total = 1;

    if (theta == 0)
        return fn(user, v->freq, 1, err);
    for (uint32_t c = 0; c < v->n; c++)
        s.weight[c] = mass_of(v, theta, known, c);
    sort_rarest_first(v, &s);
    for (uint32_t i = 0; i + 1 < s.n; i++)
        total *= s.nodes;
    if (total > THETA_NODES_MAX || s.nodes > QUADRATURE_MAX)
        return atg_fail(err, ATG_ELIMIT,
                        "With theta %g the marker %.*s would need %.3g evaluations (%u classes of "
                        "alleles, %u founder alleles); the limit is %d",
                        theta, ATG_FMT(v->marker->name), total, s.n, degree, THETA_NODES_MAX);

    MEM_AUTO double *x = mem_alloc(2 * (size_t)s.n * s.nodes * sizeof(double));

    if (!x)
        return atg_fail(err, ATG_ENOMEM, "Out of memory integrating over theta");
    s.x = x;
    s.w = x + (size_t)s.n * s.nodes;

    int rc = make_rules(&s, err);

    return rc ? rc : walk(&s, fn, user, err);
}
