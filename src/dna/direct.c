/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/direct.h>

#include <math.h>
#include <string.h>

#include "dna/kernel.h"
#include "dna/sex.h"

/* Two observations of a person each, 0, 1 or 2 alleles each, the silent one and all others. */
enum { CLASSES = 6, GENOTYPES = CLASSES * (CLASSES + 1) / 2 };

/* One marker with its alleles lumped to those that matter to the two observations. */
typedef struct pair {
    double freqs[CLASSES];
    int16_t allele[CLASSES]; /* the allele that a class stands for; -1: all others */
    atg_marker marker;
    atg_obs x, y;
} pair;

static atg_obs obs_of(const atg_sample *s, uint32_t m) {
    return (atg_obs){s->genos[m], s->dropout, s->dropin};
}

static int16_t class_of(pair *p, const atg_marker *marker, int16_t allele) {
    if (allele < 0)
        return -1;
    for (uint16_t i = 0; i < p->marker.n; i++)
        if (p->allele[i] == allele)
            return (int16_t)i;
    p->allele[p->marker.n] = allele;
    p->freqs[p->marker.n] = marker->freqs[allele];
    return (int16_t)p->marker.n++;
}

static void lump(const atg_marker *marker, atg_obs x, atg_obs y, pair *ret) {
    double others = 1;

    *ret = (pair){.x = x, .y = y};
    ret->x.geno = (atg_geno){class_of(ret, marker, x.geno.a), class_of(ret, marker, x.geno.b)};
    ret->y.geno = (atg_geno){class_of(ret, marker, y.geno.a), class_of(ret, marker, y.geno.b)};
    ret->marker.silent = class_of(ret, marker, marker->silent);
    for (uint16_t i = 0; i < ret->marker.n; i++)
        others -= ret->freqs[i];
    if (others > 0 && ret->marker.n < marker->n) {
        ret->allele[ret->marker.n] = -1;
        ret->freqs[ret->marker.n++] = others;
    }
    ret->marker.freqs = ret->freqs;
}

/* A true genotype and what it gives the two observations. */
typedef struct row {
    int alleles[2];
    double x, y;
} row;

static uint32_t list_genotypes(const pair *p, bool one_copy, row *ret) {
    int n = p->marker.n;
    uint32_t k = 0;

    for (int a = 0; a < n; a++)
        for (int b = one_copy ? -1 : a; b < (one_copy ? 0 : n); b++) {
            row r = {
                {a, b}, kernel_prob(&p->marker, p->x, a, b), kernel_prob(&p->marker, p->y, a, b)};

            if (r.x > 0 || r.y > 0)
                ret[k++] = r;
        }
    return k;
}

/* Probability of drawing the genotype after the alleles counted in `seen`, which it joins
 * (Balding & Nichols 1994). */
static double draw(const pair *p, double theta, const int *alleles, int *seen) {
    double ways = alleles[1] >= 0 && alleles[0] != alleles[1] ? 2 : 1;
    int n_seen = 0;

    for (int i = 0; i < p->marker.n; i++)
        n_seen += seen[i];
    for (int k = 0; k < 2 && alleles[k] >= 0; k++) {
        int a = alleles[k];

        ways *= (seen[a] * theta + (1 - theta) * p->freqs[a]) / (1 + (n_seen - 1) * theta);
        seen[a]++;
        n_seen++;
    }
    return ways;
}

static double draw_first(const pair *p, double theta, const row *r) {
    int seen[CLASSES] = {0};

    return draw(p, theta, r->alleles, seen);
}

/* P(x, y) of two unrelated persons: one common pool of their alleles. */
static double apart_prob(const pair *p, double theta, uint32_t n, const row *rows) {
    double sum = 0, x = 0, y = 0;

    for (uint32_t i = 0; i < n && theta <= 0; i++) {
        double w = draw_first(p, 0, &rows[i]);

        x += w * rows[i].x;
        y += w * rows[i].y;
    }
    for (uint32_t i = 0; i < n && theta > 0; i++)
        for (uint32_t j = 0; j < n && rows[i].x > 0; j++) {
            int seen[CLASSES] = {0};
            double w = draw(p, theta, rows[i].alleles, seen);

            if (rows[j].y > 0)
                sum += w * draw(p, theta, rows[j].alleles, seen) * rows[i].x * rows[j].y;
        }
    return theta > 0 ? sum : x * y;
}

/* Is there a genotype that shows both without drop-out or drop-in? */
static bool explained(pair p, bool one_copy) {
    row rows[GENOTYPES];
    uint32_t n;

    p.x.dropout = p.x.dropin = p.y.dropout = p.y.dropin = 0;
    p.marker.freqs = p.freqs;
    n = list_genotypes(&p, one_copy, rows);
    for (uint32_t i = 0; i < n; i++)
        if (rows[i].x > 0 && rows[i].y > 0)
            return true;
    return false;
}

/* LR at one marker typed in both; NAN where the observations are impossible for anybody. */
static double marker_lr(const atg_marker *marker, const atg_obs obs[2], bool one_copy, double theta,
                        bool *ret_differ) {
    row rows[GENOTYPES];
    pair p;

    *ret_differ = true;
    if (obs_certain(obs[0]) && obs_certain(obs[1]) && !geno_same(obs[0].geno, obs[1].geno))
        return 0;
    lump(marker, obs[0], obs[1], &p);

    uint32_t n = list_genotypes(&p, one_copy, rows);
    double same = 0, apart = apart_prob(&p, theta, n, rows);

    for (uint32_t i = 0; i < n; i++)
        if (rows[i].x > 0 && rows[i].y > 0)
            same += draw_first(&p, theta, &rows[i]) * rows[i].x * rows[i].y;
    *ret_differ = !explained(p, one_copy);
    return apart > 0 ? same / apart : (double)NAN;
}

/* The sex that both have if they are one person; unknown leaves X markers out. */
static atg_sex common_sex(const atg_operation *op, const atg_sample *x, const atg_sample *y) {
    if (x->sex == y->sex && x->sex != ATG_SEX_UNKNOWN)
        return x->sex;
    if (x->sex != ATG_SEX_UNKNOWN && y->sex != ATG_SEX_UNKNOWN)
        return ATG_SEX_UNKNOWN;
    if (x->sex != ATG_SEX_UNKNOWN || y->sex != ATG_SEX_UNKNOWN)
        return x->sex != ATG_SEX_UNKNOWN ? x->sex : y->sex;
    return sex_two_x(op, x->genos) >= 0 || sex_two_x(op, y->genos) >= 0 ? ATG_SEX_FEMALE
                                                                        : ATG_SEX_UNKNOWN;
}

int atg_direct_compare(const atg_operation *op, const atg_sample *x, const atg_sample *y,
                       atg_direct *ret, double *ret_per_marker, atg_err *err) {
    double log10_lr[ATG_MARKERS_MAX];
    atg_direct sum = {0};
    atg_sex sex;

    if (!x->genos || !y->genos || op->n_markers > ATG_MARKERS_MAX)
        return atg_fail(err, ATG_EINVAL,
                        "Samples %.*s and %.*s cannot be compared: one has no "
                        "table of genotypes, or there are more than %d markers",
                        ATG_FMT(x->id), ATG_FMT(y->id), ATG_MARKERS_MAX);
    sex = common_sex(op, x, y);
    for (uint32_t m = 0; m < op->n_markers; m++) {
        const atg_marker *marker = &op->markers[m];
        const atg_obs obs[2] = {obs_of(x, m), obs_of(y, m)};
        bool is_x = marker->chrom == ATG_CHROM_X, differ = false;

        log10_lr[m] = (double)NAN;
        if (x->mixture || y->mixture || !atg_geno_typed(obs[0].geno) ||
            !atg_geno_typed(obs[1].geno) || (is_x && sex == ATG_SEX_UNKNOWN) ||
            (!is_x && marker->chrom != ATG_CHROM_AUTOSOMAL))
            continue;
        log10_lr[m] =
            log10(marker_lr(marker, obs, is_x && sex == ATG_SEX_MALE, op->params.theta, &differ));
        sum.n_compared += !isnan(log10_lr[m]);
        sum.n_different += !isnan(log10_lr[m]) && differ;
    }

    sum.log10_lr = atg_combine_lr(op, log10_lr);
    if (ret_per_marker)
        memcpy(ret_per_marker, log10_lr, op->n_markers * sizeof(*log10_lr));
    *ret = sum;
    return ATG_OK;
}

/* Is the missing person's sex, and the sample's, enough for this marker? */
static bool is_open(const atg_marker *marker, const atg_sample *sample, const atg_person *who) {
    return marker->chrom == ATG_CHROM_AUTOSOMAL ||
           (marker->chrom == ATG_CHROM_X && sample->sex != ATG_SEX_UNKNOWN &&
            who->sex != ATG_SEX_UNKNOWN);
}

uint32_t atg_own_compared(const atg_operation *op, const atg_sample *sample, uint32_t missing,
                          bool *ret) {
    const atg_missing *m = &op->missing[missing];
    const atg_person *who = &op->families[m->family].ped.persons[m->person];
    uint32_t n = 0;

    for (uint32_t i = 0; i < op->n_markers; i++) {
        bool own = false;

        for (uint32_t k = 0; k < who->n_own && !sample->mixture; k++)
            own |= atg_geno_typed(who->own[k].genos[i]);
        own = own && atg_geno_typed(sample->genos[i]) && is_open(&op->markers[i], sample, who);
        n += own;
        if (ret)
            ret[i] = own;
    }
    return n;
}
