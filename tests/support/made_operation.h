/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up family as an operation with missing persons, and its LRs by other ways than the
 * compiled tables. */
#ifndef ATG_TESTS_MADE_OPERATION_H
#define ATG_TESTS_MADE_OPERATION_H

#include "made_family.h"

enum { MADE_SAMPLES = 8, MADE_MISSING = 3, MADE_OBS = 80 };

typedef struct made_operation {
    made family;
    atg_operation op;
    atg_family families[1];
    atg_missing missing[MADE_MISSING];
    uint32_t numbers[MADE_MISSING];
    atg_sample samples[MADE_SAMPLES];
    atg_geno genos[MADE_SAMPLES][MADE_MARKERS];
} made_operation;

/* The first `n_missing` persons of a shuffled family are missing: untyped. */
static inline void made_operation_open(prop *p, made_operation *o, const made_options *options,
                                       uint32_t n_missing, double theta) {
    made *f = &o->family;

    memset(o, 0, sizeof(*o));
    made_family(p, f, options);
    for (uint32_t k = 0; k < n_missing; k++) {
        o->missing[k] = (atg_missing){.id = ATG_STR("missing"), .person = k};
        o->numbers[k] = k;
        f->persons[k].genos = NULL;
        for (uint32_t m = 0; m < MADE_MARKERS; m++)
            f->obs[m][k].geno = ATG_UNTYPED;
    }
    o->families[0] = (atg_family){
        .id = ATG_STR("family"), .ped = f->ped, .n_missing = n_missing, .missing = o->numbers};
    o->op = (atg_operation){.params = atg_params_default(),
                            .n_markers = options->markers ? options->markers : 1,
                            .markers = f->markers,
                            .samples = o->samples,
                            .n_families = 1,
                            .families = o->families,
                            .n_missing = n_missing,
                            .missing = o->missing};
    o->op.params.theta = theta;
}

/* One more sample: of somebody whose genes come from nowhere, so that it may or may not fit. */
static inline void made_sample(prop *p, made_operation *o, atg_sex sex,
                               const made_options *options) {
    uint32_t i = o->op.n_samples++;

    o->samples[i] = (atg_sample){.id = ATG_STR("sample"), .sex = sex, .genos = o->genos[i]};
    o->samples[i].dropout = prop_chance(p, 0.5) ? options->dropout : 0;
    o->samples[i].dropin = prop_chance(p, 0.5) ? options->dropin : 0;
    for (uint32_t m = 0; m < o->op.n_markers; m++) {
        const atg_marker *k = &o->op.markers[m];
        bool haploid = k->chrom == ATG_CHROM_X && sex == ATG_SEX_MALE;
        int a = made_draw(p, k->freqs, k->n), b = made_draw(p, k->freqs, k->n);

        o->genos[i][m] =
            prop_chance(p, 0.9) ? made_seen(p, k, haploid ? -1 : a, b, options) : ATG_UNTYPED;
    }
}

/* P(family, `obs` of the person), by brute force. */
static inline double made_seated(const made_operation *o, uint32_t m, uint32_t person,
                                 atg_obs obs) {
    atg_obs all[MADE_PERSONS];

    memcpy(all, o->family.obs[m], sizeof(all));
    all[person] = obs;
    return made_brute(&o->family, m, &o->family.ped, all, o->op.params.theta);
}

/* P(family, `obs` of somebody unrelated of the same sex), with one common pool. */
static inline double made_beside(const made_operation *o, uint32_t m, uint32_t person,
                                 atg_obs obs) {
    atg_person persons[MADE_PERSONS];
    atg_obs all[MADE_PERSONS];
    const made *f = &o->family;

    memcpy(persons, f->persons, sizeof(persons));
    memcpy(all, f->obs[m], sizeof(all));
    persons[f->n] = (atg_person){.father = -1, .mother = -1, .sex = f->persons[person].sex};
    all[f->n] = obs;
    return made_brute(f, m, &(atg_pedigree){f->n + 1, persons}, all, o->op.params.theta);
}

/* Everything that may be seen at a marker: every genotype, clean and with each kind of doubt. */
static inline uint32_t made_observations(const atg_marker *k, bool haploid, atg_obs *ret) {
    static const double doubts[][2] = {{0, 0}, {0.2, 0}, {0.1, 0.05}};
    uint32_t n = 0;

    for (uint32_t d = 0; d < sizeof(doubts) / sizeof(*doubts); d++)
        for (int16_t a = 0; a < k->n; a++) {
            for (int16_t b = a; b < brute_end(k, haploid && d == 0, a); b++)
                if (a != k->silent && b != k->silent)
                    ret[n++] = (atg_obs){{a, b}, doubts[d][0], doubts[d][1]};
            if (a != k->silent)
                ret[n++] = (atg_obs){{a, ATG_ALLELE_UNREAD}, doubts[d][0], doubts[d][1]};
        }
    return n;
}

#endif
