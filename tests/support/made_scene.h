/* SPDX-License-Identifier: Apache-2.0 */
/* A small made-up operation: a few families with missing persons, bodies of some of them and of
 * others, all drawn from one seed; and its joint answer by going through every assignment. */
#ifndef ATG_TESTS_MADE_SCENE_H
#define ATG_TESTS_MADE_SCENE_H

#include "made_family.h"

enum { SCENE_FAMILIES = 3, SCENE_MISSING = 6, SCENE_BODIES = 5 };

typedef struct scene {
    made families[SCENE_FAMILIES];
    char ids[SCENE_FAMILIES * MADE_PERSONS + SCENE_MISSING + SCENE_BODIES][16];
    uint32_t n_ids;
    atg_family list[SCENE_FAMILIES];
    uint32_t numbers[SCENE_FAMILIES][SCENE_MISSING];
    atg_missing missing[SCENE_MISSING];
    atg_sample samples[SCENE_BODIES];
    atg_geno genos[SCENE_BODIES][MADE_MARKERS];
    double given[SCENE_BODIES * SCENE_MISSING];
    atg_operation op;
} scene;

static inline atg_str scene_id(scene *s, const char *kind) {
    char *id = s->ids[s->n_ids];

    (void)snprintf(id, sizeof(s->ids[0]), "%s-%u", kind, s->n_ids++);
    return atg_str_of(id);
}

/* A body: of missing person k of family f, or of nobody on the list. */
static inline void scene_body(prop *p, scene *s, const made_options *o, uint32_t f, uint32_t k) {
    uint32_t i = s->op.n_samples++;
    const made *from = &s->families[f];

    s->samples[i] =
        (atg_sample){.id = scene_id(s, "body"), .sex = from->persons[k].sex, .genos = s->genos[i]};
    if (!o->x && prop_chance(p, 0.2))
        s->samples[i].sex = ATG_SEX_UNKNOWN;
    s->samples[i].dropout = prop_chance(p, 0.5) ? o->dropout : 0;
    memcpy(s->genos[i], from->genos[k], sizeof(s->genos[i]));
    for (uint32_t m = 0; m < s->op.n_markers; m++)
        if (prop_chance(p, 0.1))
            s->genos[i][m] = ATG_UNTYPED;
}

static inline void scene_family(prop *p, scene *s, const made_options *o, uint32_t n_missing) {
    uint32_t f = s->op.n_families++;
    made *family = &s->families[f];

    s->list[f] = (atg_family){.id = scene_id(s, "family"),
                              .ped = family->ped,
                              .n_missing = n_missing,
                              .missing = s->numbers[f]};
    for (uint32_t i = 0; i < family->n; i++)
        family->persons[i].id = scene_id(s, "person");
    for (uint32_t k = 0; k < n_missing; k++) {
        s->numbers[f][k] = s->op.n_missing;
        s->missing[s->op.n_missing++] =
            (atg_missing){.id = scene_id(s, "missing"), .family = f, .person = k};
        family->persons[k].genos = NULL;
    }
    for (uint32_t i = n_missing; i < family->n; i++)
        if (!prop_chance(p, o->typed))
            family->persons[i].genos = NULL;
}

/* `o` says what families are like; o->typed is the share of relatives who are typed. */
static inline void scene_open(prop *p, scene *s, const made_options *o, double theta) {
    made_options whole = *o;
    uint32_t n_families = 1 + prop_below(p, SCENE_FAMILIES);

    memset(s, 0, sizeof(*s));
    s->op = (atg_operation){.name = ATG_STR("scene"),
                            .params = atg_params_default(),
                            .n_markers = o->markers,
                            .markers = s->families[0].markers,
                            .samples = s->samples,
                            .families = s->list,
                            .missing = s->missing};
    s->op.params.theta = theta;
    whole.typed = 1;
    for (uint32_t f = 0; f < n_families; f++) {
        uint32_t n_missing = 1 + prop_below(p, 2);

        made_family(p, &s->families[f], &whole);
        for (uint32_t k = 0; k < n_missing && s->op.n_samples < SCENE_BODIES; k++)
            if (prop_chance(p, 0.7))
                scene_body(p, s, o, f, k);
        if (s->op.n_samples < SCENE_BODIES && prop_chance(p, 0.3))
            scene_body(p, s, o, f, n_missing); /* a relative who nobody misses */
        scene_family(p, s, o, n_missing);
    }
    s->op.samples = s->samples;
}

/* One missing person of whom no relative is typed at a marker: nothing is compared there. */
static inline bool scene_silent(const scene *s, uint32_t f, uint32_t m) {
    bool any = s->list[f].n_missing > 1;

    for (uint32_t i = 0; i < s->families[f].n; i++)
        any |=
            s->families[f].persons[i].genos && atg_geno_typed(s->families[f].persons[i].genos[m]);
    return !any;
}

static inline double scene_loglik(const prop *p, const scene *s, uint32_t f, const int32_t *who) {
    atg_person persons[MADE_PERSONS];
    double sum = 0;
    atg_err err = {0};

    memcpy(persons, s->families[f].persons, sizeof(persons));
    for (uint32_t k = 0; k < s->list[f].n_missing; k++)
        if (who[k] >= 0) {
            persons[k].genos = s->samples[who[k]].genos;
            persons[k].dropout = s->samples[who[k]].dropout;
        }
    for (uint32_t m = 0; m < s->op.n_markers; m++) {
        double one = 0;

        if (scene_silent(s, f, m))
            continue;
        prop_ok(
            p,
            atg_loglik(s->op.markers, m, &(atg_pedigree){s->families[f].n, persons}, 0, &one, &err),
            &err);
        sum += one;
    }
    return sum;
}

/* log LR of putting who[k] into the places of family f, against nobody; theta 0. */
static inline double scene_tuple(const prop *p, const scene *s, uint32_t f, const int32_t *who) {
    int32_t nobody[SCENE_MISSING];
    double alone = 0;
    atg_err err = {0};

    for (uint32_t k = 0; k < s->list[f].n_missing; k++) {
        nobody[k] = -1;
        for (uint32_t m = 0; m < s->op.n_markers && who[k] >= 0; m++) {
            const atg_sample *b = &s->samples[who[k]];
            double one = 0;

            if (scene_silent(s, f, m))
                continue;
            prop_ok(p,
                    atg_loglik_obs(&s->op.markers[m], (atg_obs){b->genos[m], b->dropout, 0},
                                   s->families[f].persons[k].sex, 0, &one, &err),
                    &err);
            alone += one;
        }
    }
    return scene_loglik(p, s, f, who) - scene_loglik(p, s, f, nobody) - alone;
}

/* With process error e a sample of the tuple is with probability e not what its label says, and
 * then says nothing about the family; against it stands what the population of N samples says. */
static inline double scene_weight(const prop *p, const scene *s, uint32_t f, const int32_t *who) {
    double e = s->op.params.process_error, n = s->op.n_samples, sum = 0, against = 1;
    uint32_t k = s->list[f].n_missing;

    if (!isfinite(scene_tuple(p, s, f, who)))
        return 0; /* what is impossible stays so */
    for (uint32_t swapped = 0; swapped < 1U << k; swapped++) {
        int32_t left[SCENE_MISSING] = {0};
        double chance = 1;

        for (uint32_t i = 0; i < k; i++) {
            bool out = swapped >> i & 1;

            left[i] = out ? -1 : who[i];
            if (who[i] >= 0)
                chance *= out ? e : 1 - e;
            else if (out)
                chance = 0; /* nobody cannot be swapped */
        }
        if (chance > 0)
            sum += chance * exp(scene_tuple(p, s, f, left));
    }
    for (uint32_t i = 0; i < k; i++) {
        int32_t alone[SCENE_MISSING] = {-1, -1, -1, -1, -1, -1};

        alone[i] = who[i];
        if (who[i] >= 0)
            against *= (1 + e / n * (exp(scene_tuple(p, s, f, alone)) - 1)) /
                       atg_prior_odds(&s->op, (uint32_t)who[i], s->numbers[f][i]);
    }
    return sum / against;
}

typedef struct scene_answer {
    double total, pair[SCENE_BODIES][SCENE_MISSING], nobody[SCENE_BODIES];
    double best_with[SCENE_BODIES][SCENE_MISSING], best_without[SCENE_BODIES][SCENE_MISSING];
    double best, n_possible;
} scene_answer;

static inline void scene_add(const scene *s, const int32_t *who, double weight, scene_answer *a) {
    uint32_t n = s->op.n_missing;

    a->total += weight;
    a->n_possible += weight > 0;
    a->best = fmax(a->best, weight);
    for (uint32_t i = 0; i < s->op.n_samples; i++) {
        bool any = false;

        for (uint32_t j = 0; j < n; j++) {
            bool is = who[j] == (int32_t)i;
            double *best = is ? &a->best_with[i][j] : &a->best_without[i][j];

            *best = fmax(*best, weight);
            a->pair[i][j] += is ? weight : 0;
            any |= is;
        }
        a->nobody[i] += any ? 0 : weight;
    }
}

/* Nobody is two persons, and the sexes allow it. */
static inline bool scene_is_possible(const scene *s, const int32_t *who) {
    for (uint32_t k = 0; k < s->op.n_missing; k++) {
        atg_sex sex = s->families[s->missing[k].family].persons[s->missing[k].person].sex;

        if (who[k] < 0)
            continue;
        for (uint32_t q = 0; q < k; q++)
            if (who[q] == who[k])
                return false;
        if (!atg_sex_fits(s->samples[who[k]].sex, sex))
            return false;
    }
    return true;
}

/* Every one-to-one assignment that the sexes allow. */
static inline scene_answer scene_solve(const prop *p, const scene *s) {
    int32_t who[SCENE_MISSING] = {-1, -1, -1, -1, -1, -1};
    scene_answer a = {0};
    uint32_t n = s->op.n_missing;

    for (;;) {
        double weight = scene_is_possible(s, who) ? 1 : 0;
        uint32_t j = n;

        for (uint32_t f = 0, at = 0; f < s->op.n_families && weight > 0;
             at += s->list[f++].n_missing)
            weight *= scene_weight(p, s, f, who + at);
        scene_add(s, who, weight, &a);
        while (j > 0 && ++who[j - 1] == (int32_t)s->op.n_samples)
            who[--j] = -1;
        if (j == 0)
            return a;
    }
}

#endif
