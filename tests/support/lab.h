/* SPDX-License-Identifier: Apache-2.0 */
/* Operations written by hand for tests, person by person, with genes dropped from one seed:
 * twenty markers, so that a parent or a child is proof enough. */
#ifndef ATG_TESTS_LAB_H
#define ATG_TESTS_LAB_H

#include "exercise_markers.h"
#include "testing.h"

enum {
    LAB_MARKERS = 20,
    LAB_ALL = LAB_MARKERS + 3, /* and one each of X, Y, amelogenin */
    LAB_FAMILIES = 4,
    LAB_PERSONS = 12,
    LAB_MISSING = 8,
    LAB_BODIES = 12,
};

typedef struct lab {
    atg_arena *arena;
    atg_rng rng;
    atg_operation op;
    atg_family families[LAB_FAMILIES];
    atg_person persons[LAB_FAMILIES][LAB_PERSONS];
    atg_geno genos[LAB_FAMILIES][LAB_PERSONS][LAB_ALL]; /* of everybody, typed or not */
    uint32_t numbers[LAB_FAMILIES][LAB_MISSING];
    atg_missing missing[LAB_MISSING];
    atg_sample samples[LAB_BODIES];
    atg_geno seen[LAB_BODIES][LAB_ALL];
} lab;

/* What is known of a person. */
typedef enum lab_role { LAB_UNTYPED, LAB_TYPED, LAB_IS_MISSING } lab_role;

static inline int lab_draw(lab *l, const atg_marker *m) {
    double x = atg_rng_unit(&l->rng);

    for (uint16_t a = 0; a + 1 < m->n; a++) {
        if (x < m->freqs[a])
            return a;
        x -= m->freqs[a];
    }
    return m->n - 1;
}

static inline lab *lab_open(uint64_t seed) {
    atg_arena *arena = atg_arena_new(1 << 30);
    lab *l = arena ? ATG_GET(arena, lab, 1) : NULL;
    atg_marker *markers = arena ? table_markers(arena, LAB_MARKERS) : NULL;

    if (!l || !markers)
        fail_msg("out of memory");
    for (uint32_t m = 0; m < LAB_MARKERS; m++)
        markers[m].female = markers[m].male = (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.001};
    l->arena = arena;
    l->rng = atg_rng_seed(seed);
    l->op = (atg_operation){.name = ATG_STR("lab"),
                            .params = atg_params_default(),
                            .n_markers = LAB_ALL,
                            .markers = markers,
                            .samples = l->samples,
                            .families = l->families,
                            .missing = l->missing};
    return l;
}

static inline void lab_close(lab *l) {
    atg_arena_free(l->arena);
}

static inline uint32_t lab_family(lab *l) {
    uint32_t f = l->op.n_families++;

    l->families[f] = (atg_family){.id = atg_arena_printf(l->arena, "F%u", f),
                                  .ped = {0, l->persons[f]},
                                  .missing = l->numbers[f]};
    return f;
}

/* X, Y and amelogenin are left untyped: they have tests of their own. */
static inline void lab_genes(lab *l, uint32_t f, uint32_t i) {
    const atg_person *p = &l->persons[f][i];

    for (uint32_t m = 0; m < LAB_ALL; m++) {
        int16_t a[2];

        for (int s = 0; s < 2; s++) {
            int32_t parent = s ? p->father : p->mother;
            atg_geno from = parent < 0 ? ATG_UNTYPED : l->genos[f][parent][m];

            a[s] = (int16_t)(parent < 0                  ? lab_draw(l, &l->op.markers[m])
                             : atg_rng_below(&l->rng, 2) ? from.a
                                                         : from.b);
        }
        l->genos[f][i][m] = m < LAB_MARKERS ? (atg_geno){a[0], a[1]} : ATG_UNTYPED;
    }
}

/* A person of family f; parents -1 for a founder. */
static inline uint32_t lab_person(lab *l, uint32_t f, int father, int mother, atg_sex sex,
                                  lab_role role) {
    uint32_t i = l->families[f].ped.n++;

    l->persons[f][i] = (atg_person){.id = atg_arena_printf(l->arena, "F%u-%u", f, i),
                                    .father = father,
                                    .mother = mother,
                                    .sex = sex,
                                    .genos = role == LAB_TYPED ? l->genos[f][i] : NULL};
    lab_genes(l, f, i);
    if (role == LAB_IS_MISSING) {
        uint32_t j = l->op.n_missing++;

        l->missing[j] =
            (atg_missing){.id = atg_arena_printf(l->arena, "M%u", j), .family = f, .person = i};
        l->numbers[f][l->families[f].n_missing++] = j;
    }
    return i;
}

/* A body with the genes of this person. */
static inline uint32_t lab_body(lab *l, uint32_t f, uint32_t person) {
    uint32_t i = l->op.n_samples++;

    memcpy(l->seen[i], l->genos[f][person], sizeof(l->seen[i]));
    l->samples[i] = (atg_sample){.id = atg_arena_printf(l->arena, "B%u", i),
                                 .sex = l->persons[f][person].sex,
                                 .genos = l->seen[i]};
    return i;
}

/* A body of nobody's family. */
static inline uint32_t lab_stranger(lab *l, atg_sex sex) {
    uint32_t i = l->op.n_samples++;

    for (uint32_t m = 0; m < LAB_ALL; m++)
        for (int s = 0; s < 2; s++) {
            int16_t a = -1;

            if (m < LAB_MARKERS)
                a = (int16_t)lab_draw(l, &l->op.markers[m]);
            *(s ? &l->seen[i][m].b : &l->seen[i][m].a) = a;
        }
    l->samples[i] =
        (atg_sample){.id = atg_arena_printf(l->arena, "B%u", i), .sex = sex, .genos = l->seen[i]};
    return i;
}

/* Father and mother typed, their child missing; returns the child. */
static inline uint32_t lab_parents_of_missing(lab *l, atg_sex sex) {
    uint32_t f = lab_family(l);

    (void)lab_person(l, f, -1, -1, ATG_SEX_MALE, LAB_TYPED);
    (void)lab_person(l, f, -1, -1, ATG_SEX_FEMALE, LAB_TYPED);
    return lab_person(l, f, 0, 1, sex, LAB_IS_MISSING);
}

#endif
