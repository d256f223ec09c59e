/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/dna.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dna/compiler.h"

/* log10 LR of every observation of one marker. */
static void read_off(const atg_compiler *c, const kept *k, const obs_plan *plan, double theta,
                     double *pairs, double *ret) {
    uint32_t n = plan->marker->n;
    double *pool = pairs + (size_t)n * n;

    compiler_spread(&c->view, k->num, k->haploid, theta, pairs);
    if (theta > 0)
        compiler_spread(&c->view, k->den, k->haploid, theta, pool);
    for (uint32_t i = 0; i < plan->n_obs; i++) {
        double num = plan_sum(plan, i, pairs);
        double den = theta > 0 ? plan_sum(plan, i, pool) : k->total * plan->prob[i];

        /* a family whose own data are impossible says nothing */
        ret[i] = !(k->total > 0) || !(den > 0) ? 0 : log10(num / den);
    }
}

typedef struct job {
    atg_compiler *c;
    const atg_operation *op;
    const atg_pedigree *ped;
    uint32_t person;
    bool inbred;
    atg_obs *obs;
    double *pairs;
} job;

static bool informative(const job *j, uint32_t m) {
    atg_chrom chrom = j->op->markers[m].chrom;

    if (chrom != ATG_CHROM_AUTOSOMAL && chrom != ATG_CHROM_X)
        return false;
    if (chrom == ATG_CHROM_X && j->ped->persons[j->person].sex == ATG_SEX_UNKNOWN)
        return false;
    compiler_observe(j->op->markers, m, j->ped, j->obs);
    j->obs[j->person].geno = ATG_UNTYPED;
    for (uint32_t i = 0; i < j->ped->n; i++)
        if (atg_geno_typed(j->obs[i].geno) || compiler_has_own(&j->ped->persons[i], m))
            return true;
    return false;
}

static int compile_marker(const job *j, uint32_t m, const atg_obs_set *set, double *ret,
                          atg_err *err) {
    const atg_marker *marker = &j->op->markers[m];
    double theta = j->op->params.theta;
    bool read[ATG_ALLELES_MAX] = {false};
    const obs_plan *plan;
    kept k;

    for (uint32_t i = 0; i < set->n && j->inbred; i++)
        compiler_seen(&set->obs[i], read);

    int rc = compiler_keep(j->c,
                           &(kept_input){.marker = marker,
                                         .at = m,
                                         .ped = j->ped,
                                         .obs = j->obs,
                                         .theta = theta,
                                         .keep = (int)j->person},
                           &k, err);

    if (!rc)
        rc = compiler_plan(j->c, marker, set, k.haploid, &plan, err);
    if (!rc)
        read_off(j->c, &k, plan, theta, j->pairs, ret);
    return rc;
}

int atg_compile(atg_compiler *c, const atg_operation *op, uint32_t missing, const atg_obs_set *sets,
                double **ret, atg_err *err) {
    const atg_missing *who = &op->missing[missing];
    atg_obs obs[ATG_PEDIGREE_MAX];
    size_t most = 0;
    job j = {
        .c = c, .op = op, .ped = &op->families[who->family].ped, .person = who->person, .obs = obs};

    for (uint32_t m = 0; m < op->n_markers; m++)
        most = op->markers[m].n > most ? op->markers[m].n : most;

    MEM_AUTO double *pairs = mem_alloc(2 * most * most * sizeof(double));

    if (!pairs)
        return atg_fail(err, ATG_ENOMEM, "Out of memory compiling a family");
    j.pairs = pairs;
    j.inbred = compiler_inbred(j.ped, j.person);
    for (uint32_t m = 0; m < op->n_markers; m++) {
        int rc = ATG_OK;

        if (informative(&j, m))
            rc = compile_marker(&j, m, &sets[m], ret[m], err);
        else
            memset(ret[m], 0, sets[m].n * sizeof(**ret));
        if (rc)
            return rc;
    }
    return ATG_OK;
}

/* The markers without mutation, for one comparison. */
static atg_marker *without_mutation(const atg_operation *op) {
    atg_marker *markers = mem_alloc(op->n_markers * sizeof(*markers));

    for (uint32_t m = 0; markers && m < op->n_markers; m++) {
        markers[m] = op->markers[m];
        markers[m].female = markers[m].male = (atg_mutation){0};
    }
    return markers;
}

/* The family with the sample in the missing person's place. */
static void seat(const atg_pedigree *ped, uint32_t person, const atg_sample *sample,
                 atg_person *ret) {
    memcpy(ret, ped->persons, ped->n * sizeof(*ret));
    ret[person].genos = sample->genos;
    ret[person].dropout = sample->dropout;
    ret[person].dropin = sample->dropin;
}

/* log10 LR of marker m given the earlier marker that it is linked to, so that the values of all
 * markers still add up. */
static int given_linked(const atg_operation *op, uint32_t m, const atg_sample *sample,
                        uint32_t missing, double *per_marker, atg_err *err) {
    const atg_missing *who = &op->missing[missing];
    const atg_pedigree *ped = &op->families[who->family].ped;
    uint32_t first = (uint32_t)op->markers[m].linked_to;
    atg_person persons[ATG_PEDIGREE_MAX];
    atg_pedigree seated = {ped->n, persons};
    double with = 0, without = 0, alone[2] = {0, 0};
    int rc;

    seat(ped, who->person, sample, persons);
    rc = atg_loglik_linked(op->markers, first, m, op->markers[m].rho, &seated, &with, err);
    if (!rc)
        rc = atg_loglik_linked(op->markers, first, m, op->markers[m].rho, ped, &without, err);
    for (int k = 0; k < 2 && !rc; k++) {
        uint32_t at = k ? m : first;

        rc = atg_loglik_obs(&op->markers[at],
                            (atg_obs){sample->genos[at], sample->dropout, sample->dropin},
                            ped->persons[who->person].sex, 0, &alone[k], err);
    }
    if (!rc && isfinite(without)) /* else the family's own data leave nothing to be given */
        per_marker[m] = isfinite(per_marker[first])
                            ? (with - without - alone[0] - alone[1]) / M_LN10 - per_marker[first]
                            : -INFINITY;
    return rc;
}

static int add_linked(const atg_operation *op, const atg_sample *sample, uint32_t missing,
                      double *ret, atg_err *err) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        int first = op->markers[m].linked_to;

        if (first < 0 || isnan(ret[m]))
            continue;
        if (isnan(ret[first])) /* nothing to be linked with */
            continue;
        if (op->params.theta > 0) {
            ret[m] = NAN;
            continue;
        }

        int rc = given_linked(op, m, sample, missing, ret, err);

        if (rc)
            return rc;
    }
    return ATG_OK;
}

/* What the sample shows at each marker; nothing at X markers where its sex is unknown. */
static void sets_of(const atg_operation *op, const atg_sample *sample, atg_obs *obs,
                    atg_obs_set *sets) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        bool blind = op->markers[m].chrom == ATG_CHROM_X && sample->sex == ATG_SEX_UNKNOWN;

        obs[m] = (atg_obs){sample->genos[m], sample->dropout, sample->dropin};
        sets[m] = (atg_obs_set){atg_geno_typed(obs[m].geno) && !blind, &obs[m]};
    }
}

int atg_pair_lr(const atg_operation *op, const atg_sample *sample, uint32_t missing, bool mutation,
                double *ret, atg_err *err) {
    atg_obs obs[ATG_MARKERS_MAX], seen[ATG_PEDIGREE_MAX];
    atg_obs_set sets[ATG_MARKERS_MAX] = {0};
    double *to[ATG_MARKERS_MAX], values[ATG_MARKERS_MAX] = {0};
    const atg_missing *who = &op->missing[missing];
    job j = {.op = op, .ped = &op->families[who->family].ped, .person = who->person, .obs = seen};
    atg_operation plain = *op;
    MEM_AUTO atg_marker *markers = mutation ? NULL : without_mutation(op);
    ATG_AUTO(atg_compiler) c = atg_compiler_new();

    if (!c || (!mutation && !markers))
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a pair");
    if (markers)
        plain.markers = markers;
    for (uint32_t m = 0; m < ATG_MARKERS_MAX; m++)
        to[m] = &values[m];
    sets_of(op, sample, obs, sets);

    int rc = atg_compile(c, &plain, missing, sets, to, err);

    if (rc)
        return rc;
    for (uint32_t m = 0; m < op->n_markers; m++)
        values[m] = sets[m].n && informative(&j, m) ? values[m] : NAN;
    rc = add_linked(&plain, sample, missing, values, err);
    if (!rc)
        memcpy(ret, values, op->n_markers * sizeof(*ret));
    return rc;
}

double compiler_heterozygosity(const atg_marker *m) {
    double homozygous = 0;

    for (uint16_t i = 0; i < m->n; i++)
        homozygous += m->freqs[i] * m->freqs[i];
    return 1 - homozygous;
}

void atg_independent_markers(const atg_operation *op, bool *ret) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        const atg_marker *marker = &op->markers[m];

        ret[m] = (marker->chrom == ATG_CHROM_AUTOSOMAL || marker->chrom == ATG_CHROM_X) &&
                 marker->linked_to < 0;
        for (uint32_t k = 0; k < m && ret[m] && marker->linkage_group; k++) {
            if (!ret[k] || op->markers[k].linkage_group != marker->linkage_group)
                continue;
            if (compiler_heterozygosity(&op->markers[k]) >= compiler_heterozygosity(marker))
                ret[m] = false;
            else
                ret[k] = false;
        }
    }
}

double atg_combine_lr(const atg_operation *op, const double *per_marker) {
    bool independent[ATG_MARKERS_MAX];
    double sum = 0;

    atg_independent_markers(op, independent);
    for (uint32_t m = 0; m < op->n_markers; m++) {
        int first = op->markers[m].linked_to;

        if ((independent[m] || (first >= 0 && independent[first])) && !isnan(per_marker[m]))
            sum += per_marker[m];
    }
    return sum;
}
