/* SPDX-License-Identifier: Apache-2.0 */
/* The probability of what was seen in a small pedigree, by going through every ordered genotype
 * of every person: slow, short, and without a line of the engine.  The sampling formula with
 * theta is taken as it is written, one founder allele after another. */
#ifndef ATG_TESTS_BRUTE_H
#define ATG_TESTS_BRUTE_H

#include <antigone/antigone.h>

#include <string.h>

enum { BRUTE_ALLELES = 16 };

/* One more thing seen of a person. */
typedef struct brute_own {
    uint32_t person;
    atg_obs obs;
} brute_own;

typedef struct brute {
    const atg_marker *marker;
    const atg_pedigree *ped;
    const atg_obs *obs; /* one per person */
    uint32_t n_own;
    const brute_own *own;
    const double *mut[2]; /* from mothers, from fathers; NULL: alleles are kept */
    double theta;
    uint32_t order[ATG_PEDIGREE_MAX]; /* parents first */
    int pat[ATG_PEDIGREE_MAX], mat[ATG_PEDIGREE_MAX];
    uint32_t n_drawn, drawn_of[BRUTE_ALLELES];
    int drawn[2 * ATG_PEDIGREE_MAX];
    uint32_t drawn_before[ATG_PEDIGREE_MAX]; /* by those earlier in the order */
} brute;

/* One past the last b of the genotypes a/b, a <= b; one copy is written a/a. */
static inline int16_t brute_end(const atg_marker *m, bool haploid, int16_t a) {
    return (int16_t)(haploid ? a + 1 : m->n);
}

/* Everybody, parents before their children. */
static inline void brute_parents_first(const atg_pedigree *ped, uint32_t *ret) {
    bool placed[ATG_PEDIGREE_MAX] = {false};
    uint32_t n = 0;

    while (n < ped->n)
        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *p = &ped->persons[i];

            if (placed[i] || (p->father >= 0 && !(placed[p->father] && placed[p->mother])))
                continue;
            placed[i] = true;
            ret[n++] = i;
        }
}

/* How many ways there are at step `at`, and the probability of one given those taken before. */
typedef uint32_t brute_ways_fn(const void *user, uint32_t at);
typedef double brute_take_fn(void *user, uint32_t at, uint32_t way);

/* The sum over all ways to take n steps. */
static inline double brute_walk(uint32_t n, brute_ways_fn *ways, brute_take_fn *take, void *user) {
    uint32_t way[ATG_PEDIGREE_MAX] = {0}, at = 0;
    double before[ATG_PEDIGREE_MAX] = {1}, sum = 0;

    for (;;) {
        if (way[at] == ways(user, at)) {
            if (at == 0)
                return sum;
            at--;
            continue;
        }

        double p = before[at] * take(user, at, way[at]++);

        if (p > 0 && at + 1 < n) {
            before[++at] = p;
            way[at] = 0;
        } else {
            sum += p;
        }
    }
}

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

/* P(a copy stays, or is lost). */
static inline double brute_kept(const atg_obs *o, bool lost) {
    return lost ? o->dropout : 1 - o->dropout;
}

/* One allele read, the other not: the laboratory has allowed for drop-out already. */
static inline double brute_half_seen(const brute *b, const atg_obs *o, int x, int y) {
    if (o->geno.a == b->marker->silent)
        return 0;
    return x == o->geno.a || y == o->geno.a ? 1 : o->dropin * b->marker->freqs[o->geno.a];
}

/* P(seen | copies x and y); y -1: there is one copy only. */
static inline double brute_seen(const brute *b, const atg_obs *o, int x, int y) {
    double sum = 0;

    if (o->geno.a < 0)
        return 1;
    if (o->geno.b < 0)
        return brute_half_seen(b, o, x, y);
    for (int lost = 0; lost < (y < 0 ? 2 : 4); lost++) {
        int x_left = lost & 1 ? -1 : x, y_left = lost & 2 ? -1 : y;
        double p = brute_kept(o, lost & 1) * (y < 0 ? 1 : brute_kept(o, lost & 2));

        sum += p * (1 - o->dropin) * brute_left(b, o, x_left, y_left, -1);
        for (int z = 0; z < b->marker->n; z++)
            sum += p * o->dropin * b->marker->freqs[z] * brute_left(b, o, x_left, y_left, z);
    }
    return sum;
}

static inline double brute_draw(brute *b, int allele) {
    double p = b->marker->freqs[allele];
    double m = b->n_drawn, of = b->drawn_of[allele]++;

    b->drawn[b->n_drawn++] = allele;
    return b->theta == 0 ? p : (of * b->theta + (1 - b->theta) * p) / (1 + (m - 1) * b->theta);
}

static inline void brute_undraw(brute *b, uint32_t n_drawn) {
    while (b->n_drawn > n_drawn)
        b->drawn_of[b->drawn[--b->n_drawn]]--;
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

/* Ordered pairs of alleles, and for an inbred founder one allele twice; one copy: alleles. */
static inline uint32_t brute_ways(const void *user, uint32_t at) {
    const brute *b = user;
    const atg_person *q = &b->ped->persons[b->order[at]];
    uint32_t n = b->marker->n;

    if (brute_haploid(b, b->order[at]))
        return n;
    return n * n + (q->father < 0 && q->inbreeding > 0 ? n : 0);
}

/* A founder: alleles drawn one after the other, or both the same with his inbreeding. */
static inline double brute_founder(brute *b, uint32_t i, bool same) {
    double f = b->ped->persons[i].inbreeding;

    if (b->pat[i] < 0)
        return brute_draw(b, b->mat[i]);
    if (same)
        return f * brute_draw(b, b->mat[i]);

    double first = (1 - f) * brute_draw(b, b->pat[i]);

    return first * brute_draw(b, b->mat[i]);
}

static inline double brute_take(void *user, uint32_t at, uint32_t way) {
    brute *b = user;
    uint32_t n = b->marker->n, i = b->order[at];
    const atg_person *person = &b->ped->persons[i];
    bool haploid = brute_haploid(b, i), same = way >= n * n;
    double p;

    if (way == 0)
        b->drawn_before[at] = b->n_drawn;
    brute_undraw(b, b->drawn_before[at]);
    b->mat[i] = (int)(way % n);
    b->pat[i] = same ? b->mat[i] : (int)(way / n);
    if (haploid)
        b->pat[i] = -1;
    p = brute_seen(b, &b->obs[i], b->mat[i], b->pat[i]);
    for (uint32_t k = 0; k < b->n_own; k++)
        if (b->own[k].person == i)
            p *= brute_seen(b, &b->own[k].obs, b->mat[i], b->pat[i]);
    if (p == 0)
        return 0;
    if (person->father < 0)
        return p * brute_founder(b, i, same);
    return p * brute_pass(b, 0, (uint32_t)person->mother, b->mat[i]) *
           (haploid ? 1 : brute_pass(b, 1, (uint32_t)person->father, b->pat[i]));
}

/* P(everything in obs); `female` and `male` are the mutation matrices, or NULL. */
static inline double brute_probability(const atg_marker *marker, const double *female,
                                       const double *male, const atg_pedigree *ped,
                                       const atg_obs *obs, double theta) {
    brute b = {.marker = marker, .ped = ped, .obs = obs, .mut = {female, male}, .theta = theta};

    brute_parents_first(ped, b.order);
    return brute_walk(ped->n, brute_ways, brute_take, &b);
}

#endif
