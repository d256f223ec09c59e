/* SPDX-License-Identifier: Apache-2.0 */
/* The probability of what was seen in a small pedigree, by going through every ordered genotype
 * of every person: slow, short, and without a line of the engine.  The sampling formula with
 * theta is taken as it is written, one founder allele after another. */
#ifndef ATG_TESTS_BRUTE_H
#define ATG_TESTS_BRUTE_H

#include <antigone/antigone.h>

#include <string.h>

enum { BRUTE_ALLELES = 16 };

typedef struct brute {
    const atg_marker *marker;
    const atg_pedigree *ped;
    const atg_obs *obs;   /* one per person */
    const double *mut[2]; /* from mothers, from fathers; NULL: alleles are kept */
    double theta;
    uint32_t order[ATG_PEDIGREE_MAX]; /* parents first */
    int pat[ATG_PEDIGREE_MAX], mat[ATG_PEDIGREE_MAX];
    uint32_t drawn, drawn_of[BRUTE_ALLELES];
} brute;

/* One way in which the copies and an extra allele end: which alleles are left to be seen? */
static inline double brute_left(const brute *b, const atg_obs *o, int left1, int left2, int extra) {
    int all[3] = {left1, left2, extra}, distinct[3], n = 0;

    for (int i = 0; i < 3; i++) {
        bool known = all[i] < 0 || all[i] == b->marker->silent;

        for (int k = 0; k < n && !known; k++)
            known = distinct[k] == all[i];
        if (!known)
            distinct[n++] = all[i];
    }
    if (o->geno.a == o->geno.b)
        return n == 1 && distinct[0] == o->geno.a;
    return n == 2 && ((distinct[0] == o->geno.a && distinct[1] == o->geno.b) ||
                      (distinct[0] == o->geno.b && distinct[1] == o->geno.a));
}

/* P(seen | copies x and y); y -1: there is one copy only. */
static inline double brute_seen(const brute *b, const atg_obs *o, int x, int y) {
    double sum = 0;

    if (o->geno.a < 0)
        return 1;
    if (o->geno.b < 0)
        return o->geno.a == b->marker->silent     ? 0
               : x == o->geno.a || y == o->geno.a ? 1
                                                  : o->dropin * b->marker->freqs[o->geno.a];
    for (int lost_x = 0; lost_x < 2; lost_x++)
        for (int lost_y = 0; lost_y < (y < 0 ? 1 : 2); lost_y++) {
            double p = (lost_x ? o->dropout : 1 - o->dropout) * (y < 0    ? 1
                                                                 : lost_y ? o->dropout
                                                                          : 1 - o->dropout);
            int x_left = lost_x ? -1 : x, y_left = lost_y ? -1 : y;

            sum += p * (1 - o->dropin) * brute_left(b, o, x_left, y_left, -1);
            for (int z = 0; z < b->marker->n; z++)
                sum += p * o->dropin * b->marker->freqs[z] * brute_left(b, o, x_left, y_left, z);
        }
    return sum;
}

static inline double brute_draw(brute *b, int allele) {
    double p = b->marker->freqs[allele];
    double m = b->drawn++, of = b->drawn_of[allele]++;

    return b->theta == 0 ? p : (of * b->theta + (1 - b->theta) * p) / (1 + (m - 1) * b->theta);
}

static inline void brute_undraw(brute *b, int allele) {
    b->drawn--;
    b->drawn_of[allele]--;
}

static inline double brute_pass(const brute *b, int father, uint32_t parent, int to) {
    const double *mut = b->mut[father];
    int from[2] = {b->pat[parent], b->mat[parent]};
    double sum = 0;

    for (int k = 0; k < 2; k++)
        sum += from[k] < 0 ? 0 : mut ? mut[from[k] * b->marker->n + to] : from[k] == to;
    return from[0] < 0 ? sum : sum / 2;
}

static inline bool brute_haploid(const brute *b, uint32_t person) {
    return b->marker->chrom == ATG_CHROM_X && b->ped->persons[person].sex == ATG_SEX_MALE;
}

static inline double brute_from(brute *b, uint32_t at);

/* A founder: alleles drawn one after the other, or both the same with his inbreeding. */
static inline double brute_founder(brute *b, uint32_t at, uint32_t i) {
    double f = brute_haploid(b, i) ? 0 : b->ped->persons[i].inbreeding, sum = 0;

    if (!brute_haploid(b, i)) {
        double first = (1 - f) * brute_draw(b, b->pat[i]);
        double both = first > 0 ? first * brute_draw(b, b->mat[i]) : 0;

        if (both > 0)
            sum += both * brute_from(b, at + 1);
        if (first > 0)
            brute_undraw(b, b->mat[i]);
        brute_undraw(b, b->pat[i]);
        if (b->pat[i] != b->mat[i])
            return sum;
    }
    if (!brute_haploid(b, i) && f == 0)
        return sum;

    double one = brute_draw(b, b->mat[i]) * (brute_haploid(b, i) ? 1 : f);

    if (one > 0)
        sum += one * brute_from(b, at + 1);
    brute_undraw(b, b->mat[i]);
    return sum;
}

/* The sum over the persons from place `at` in the order on, given those before. */
static inline double brute_from(brute *b, uint32_t at) {
    double sum = 0;

    if (at == b->ped->n)
        return 1;

    uint32_t i = b->order[at];
    const atg_person *person = &b->ped->persons[i];
    bool haploid = brute_haploid(b, i);

    for (int pat = haploid ? -1 : 0; pat < (haploid ? 0 : b->marker->n); pat++)
        for (int mat = 0; mat < b->marker->n; mat++) {
            double p = brute_seen(b, &b->obs[i], mat, pat);

            b->pat[i] = pat;
            b->mat[i] = mat;
            if (p > 0 && person->father >= 0)
                p *= brute_pass(b, 0, (uint32_t)person->mother, mat) *
                     (haploid ? 1 : brute_pass(b, 1, (uint32_t)person->father, pat));
            if (p > 0)
                sum += p * (person->father < 0 ? brute_founder(b, at, i) : brute_from(b, at + 1));
        }
    return sum;
}

/* P(everything in obs); `female` and `male` are the mutation matrices, or NULL. */
static inline double brute_probability(const atg_marker *marker, const double *female,
                                       const double *male, const atg_pedigree *ped,
                                       const atg_obs *obs, double theta) {
    brute b = {.marker = marker, .ped = ped, .obs = obs, .mut = {female, male}, .theta = theta};
    bool placed[ATG_PEDIGREE_MAX] = {false};
    uint32_t n = 0;

    while (n < ped->n)
        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *p = &ped->persons[i];

            if (placed[i] || (p->father >= 0 && !(placed[p->father] && placed[p->mother])))
                continue;
            placed[i] = true;
            b.order[n++] = i;
        }
    return brute_from(&b, 0);
}

#endif
