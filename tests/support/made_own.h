/* SPDX-License-Identifier: Apache-2.0 */
/* Own samples of the missing persons of a made-up family. */
#ifndef ATG_TESTS_MADE_OWN_H
#define ATG_TESTS_MADE_OWN_H

#include "made_operation.h"

enum { MADE_OWNS = 3, MADE_OWN_ALL = MADE_OWNS * MADE_MISSING };

typedef struct made_own {
    atg_own list[MADE_MISSING][MADE_OWNS];
    atg_geno genos[MADE_MISSING][MADE_OWNS][MADE_MARKERS];
} made_own;

/* Mostly what genes dropped through the family gave, now and then of somebody else. */
static inline atg_geno made_own_geno(prop *p, const made_operation *o, uint32_t k, uint32_t m,
                                     const made_options *options) {
    const atg_marker *marker = &o->op.markers[m];
    bool haploid = marker->chrom == ATG_CHROM_X && o->family.persons[k].sex == ATG_SEX_MALE;
    int a = made_draw(p, marker->freqs, marker->n), b = made_draw(p, marker->freqs, marker->n);

    if (atg_geno_typed(o->family.genos[k][m]) && prop_chance(p, 0.7))
        return o->family.genos[k][m];
    return prop_chance(p, 0.8) ? made_seen(p, marker, haploid ? -1 : a, b, options) : ATG_UNTYPED;
}

/* Each missing person gets from `least` to `most` own samples. */
static inline void made_own_give(prop *p, made_operation *o, const made_options *options,
                                 uint32_t least, uint32_t most, made_own *ret) {
    static const char *const ids[MADE_OWNS] = {"brush", "razor", "biopsy"};

    memset(ret, 0, sizeof(*ret));
    for (uint32_t k = 0; k < o->op.n_missing; k++) {
        uint32_t n = least + prop_below(p, most - least + 1);

        for (uint32_t i = 0; i < n && i < MADE_OWNS; i++) {
            ret->list[k][i] = (atg_own){.id = atg_str_of(ids[i]),
                                        .genos = ret->genos[k][i],
                                        .dropout = prop_chance(p, 0.5) ? options->dropout : 0,
                                        .dropin = prop_chance(p, 0.5) ? options->dropin : 0};
            for (uint32_t m = 0; m < o->op.n_markers; m++)
                ret->genos[k][i][m] = made_own_geno(p, o, k, m, options);
        }
        o->family.persons[k].n_own = n;
        o->family.persons[k].own = ret->list[k];
    }
}

/* P(family, own samples, `obs` in place of what the persons have), by brute force. */
static inline double made_own_brute(const made_operation *o, uint32_t m, const atg_pedigree *ped,
                                    const atg_obs *obs) {
    const made *f = &o->family;
    brute_own own[MADE_OWN_ALL];
    brute b = {.marker = &f->markers[m],
               .ped = ped,
               .obs = obs,
               .own = own,
               .mut = {f->matrix[m][0], f->matrix[m][1]},
               .theta = o->op.params.theta};

    for (uint32_t k = 0; k < o->op.n_missing; k++)
        for (uint32_t i = 0; i < f->persons[k].n_own; i++) {
            const atg_own *s = &f->persons[k].own[i];

            own[b.n_own++] = (brute_own){k, {s->genos[m], s->dropout, s->dropin}};
        }
    brute_parents_first(ped, b.order);
    return brute_walk(ped->n, brute_ways, brute_take, &b);
}

#endif
