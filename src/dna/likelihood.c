/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/dna.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dna/compiler.h"

static bool has_likelihood(const atg_marker *m) {
    return m->chrom == ATG_CHROM_AUTOSOMAL || m->chrom == ATG_CHROM_X;
}

int atg_loglik(const atg_marker *markers, uint32_t m, const atg_pedigree *ped, double theta,
               double *ret, atg_err *err) {
    ATG_AUTO(atg_compiler) c = atg_compiler_new();
    atg_obs obs[ATG_PEDIGREE_MAX];
    kept k;

    if (!c)
        return atg_fail(err, ATG_ENOMEM, "Out of memory computing a likelihood");
    if (!has_likelihood(&markers[m])) {
        *ret = 0;
        return ATG_OK;
    }
    compiler_observe(markers, m, ped, obs);

    int rc = compiler_keep(
        c,
        &(kept_input){
            .marker = &markers[m], .at = m, .ped = ped, .obs = obs, .theta = theta, .keep = -1},
        &k, err);

    if (!rc)
        *ret = log(k.total) + k.log;
    return rc;
}

int atg_loglik_obs(const atg_marker *marker, atg_obs obs, atg_sex sex, double theta, double *ret,
                   atg_err *err) {
    bool haploid = marker->chrom == ATG_CHROM_X && sex == ATG_SEX_MALE;
    ATG_AUTO(atg_compiler) c = atg_compiler_new();
    atg_obs_set set = {1, &obs};
    const obs_plan *plan;
    double sum = 0;

    if (!atg_geno_typed(obs.geno)) {
        *ret = 0;
        return ATG_OK;
    }
    if (!c)
        return atg_fail(err, ATG_ENOMEM, "Out of memory computing a likelihood");

    int rc = compiler_plan(c, marker, &set, haploid, &plan, err);

    if (rc)
        return rc;
    for (uint32_t k = plan->from[0]; k < plan->from[1]; k++) {
        const obs_entry *e = &plan->entries[k];
        double p = marker->freqs[e->a], q = marker->freqs[e->b];

        sum += e->k * (haploid        ? p
                       : e->a == e->b ? p * (theta + (1 - theta) * p)
                                      : 2 * (1 - theta) * p * q);
    }
    *ret = log(sum);
    return ATG_OK;
}

int atg_genotype_distribution(const atg_person_at *of, double *ret, double *ret_loglik,
                              atg_err *err) {
    const atg_marker *marker = &of->markers[of->marker];
    ATG_AUTO(atg_compiler) own = of->compiler ? NULL : atg_compiler_new();
    atg_compiler *c = of->compiler ? of->compiler : own;
    uint32_t n = marker->n;
    MEM_AUTO double *pairs = mem_zero((size_t)n * n, sizeof(double));
    atg_obs obs[ATG_PEDIGREE_MAX];
    kept k;

    if (!c || !pairs)
        return atg_fail(err, ATG_ENOMEM, "Out of memory computing a distribution");
    compiler_observe(of->markers, of->marker, of->ped, obs);

    int rc = compiler_keep(c,
                           &(kept_input){.marker = marker,
                                         .at = of->marker,
                                         .ped = of->ped,
                                         .obs = obs,
                                         .theta = of->theta,
                                         .keep = (int)of->person,
                                         .alone = true,
                                         .full = atg_geno_typed(obs[of->person].geno)},
                           &k, err);

    if (rc)
        return rc;
    compiler_spread(&c->view, k.num, k.haploid, of->theta, pairs);
    for (uint32_t b = 0; b < n; b++)
        for (uint32_t a = 0; a <= b; a++)
            ret[b * (b + 1) / 2 + a] =
                (k.haploid && a != b) || !(k.total > 0) ? 0 : pairs[a * n + b] / k.total;
    *ret_loglik = log(k.total) + k.log;
    return ATG_OK;
}

static double share_of(const double *dist, uint32_t a, uint32_t b) {
    return a < b ? dist[b * (b + 1) / 2 + a] : dist[a * (a + 1) / 2 + b];
}

/* Is it impossible that the person shows what somebody with the alleles a and b shows?  A silent
 * allele is not seen, and whoever shows nothing is not excluded. */
static bool excludes(const atg_marker *m, const double *dist, uint32_t a, uint32_t b) {
    uint32_t s = (uint32_t)m->silent;

    if (m->silent < 0)
        return share_of(dist, a, b) == 0;
    a = a == s ? b : a;
    b = b == s ? a : b;
    if (a == s)
        return false;
    return share_of(dist, a, b) == 0 && (a != b || share_of(dist, a, s) == 0);
}

static double excluded_share(const atg_marker *m, const double *dist, bool haploid) {
    double excluded = 0;

    for (uint32_t b = 0; b < m->n; b++)
        for (uint32_t a = haploid ? b : 0; a <= b; a++) {
            double p = m->freqs[a], q = m->freqs[b];

            if (excludes(m, dist, a, b))
                excluded += haploid ? p : a == b ? p * p : 2 * p * q;
        }
    return excluded;
}

int atg_exclusion_power(const atg_marker *markers, uint32_t m, const atg_pedigree *ped,
                        uint32_t person, double *ret, atg_err *err) {
    uint32_t n = markers[m].n;
    MEM_AUTO double *dist = mem_zero((size_t)n * (n + 1) / 2, sizeof(double));
    MEM_AUTO atg_marker *alone = mem_zero(m + 1, sizeof(*alone));
    bool haploid = markers[m].chrom == ATG_CHROM_X && ped->persons[person].sex == ATG_SEX_MALE;
    double loglik = 0;

    if (!dist || !alone)
        return atg_fail(err, ATG_ENOMEM, "Out of memory computing the power of exclusion");
    alone[m] = markers[m];
    alone[m].female = alone[m].male = (atg_mutation){0};

    int rc = atg_genotype_distribution(&(atg_person_at){alone, m, ped, person, 0, NULL}, dist,
                                       &loglik, err);

    if (rc)
        return rc;
    *ret = isfinite(loglik) ? excluded_share(&alone[m], dist, haploid) : 0;
    return ATG_OK;
}
