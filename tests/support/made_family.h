/* SPDX-License-Identifier: Apache-2.0 */
/* Small made-up families for properties: any shape, loops included, genes dropped through it, and
 * markers with every mutation model. */
#ifndef ATG_TESTS_MADE_FAMILY_H
#define ATG_TESTS_MADE_FAMILY_H

#include "brute.h"
#include "prop.h"

enum { MADE_PERSONS = 16, MADE_MARKERS = 4, MADE_ALLELES = 8 };

/* What a made-up family may have; 0 or false: not. */
typedef struct made_options {
    uint32_t persons, alleles, markers;
    int model; /* -1: any of the models below */
    bool x, silent, partial, inbred;
    double dropout, dropin, typed;
} made_options;

typedef struct made {
    uint32_t n;
    atg_pedigree ped;
    atg_person persons[MADE_PERSONS];
    atg_geno genos[MADE_PERSONS][MADE_MARKERS];
    atg_marker markers[MADE_MARKERS];
    double freqs[MADE_MARKERS][MADE_ALLELES];
    atg_str labels[MADE_MARKERS][MADE_ALLELES];
    int16_t tenths[MADE_MARKERS][MADE_ALLELES];
    double given[MADE_MARKERS][2][MADE_ALLELES * MADE_ALLELES];  /* custom matrices */
    double matrix[MADE_MARKERS][2][MADE_ALLELES * MADE_ALLELES]; /* of mothers, of fathers */
    char text[MADE_MARKERS][MADE_ALLELES][8];
    atg_obs obs[MADE_MARKERS][MADE_PERSONS]; /* as the persons have them */
} made;

/* Models by number; some pair different models of mothers and fathers. */
static const struct made_model {
    const char *name;
    atg_mutation_model female, male;
    atg_mutation_transform transform;
    bool integers;
} made_models[] = {
    {"no mutation", ATG_MUT_NONE, ATG_MUT_NONE, ATG_MUT_AS_IS, false},
    {"equal", ATG_MUT_EQUAL, ATG_MUT_EQUAL, ATG_MUT_AS_IS, false},
    {"proportional", ATG_MUT_PROPORTIONAL, ATG_MUT_PROPORTIONAL, ATG_MUT_AS_IS, false},
    {"equal from fathers only", ATG_MUT_NONE, ATG_MUT_EQUAL, ATG_MUT_AS_IS, false},
    {"equal, proportional", ATG_MUT_EQUAL, ATG_MUT_PROPORTIONAL, ATG_MUT_AS_IS, false},
    {"stepwise", ATG_MUT_STEPWISE, ATG_MUT_STEPWISE, ATG_MUT_AS_IS, false},
    {"onestep", ATG_MUT_ONESTEP, ATG_MUT_ONESTEP, ATG_MUT_AS_IS, true},
    {"dawid", ATG_MUT_DAWID, ATG_MUT_DAWID, ATG_MUT_AS_IS, true},
    {"custom", ATG_MUT_CUSTOM, ATG_MUT_CUSTOM, ATG_MUT_AS_IS, false},
    {"proportional, stepwise", ATG_MUT_PROPORTIONAL, ATG_MUT_STEPWISE, ATG_MUT_AS_IS, false},
    {"stepwise, PM", ATG_MUT_STEPWISE, ATG_MUT_STEPWISE, ATG_MUT_PM, false},
    {"equal, MH", ATG_MUT_EQUAL, ATG_MUT_EQUAL, ATG_MUT_MH, false},
    {"stepwise, BA", ATG_MUT_STEPWISE, ATG_MUT_STEPWISE, ATG_MUT_BA, false},
    {"equal, PR", ATG_MUT_EQUAL, ATG_MUT_EQUAL, ATG_MUT_PR, false},
};

enum { MADE_MODELS = sizeof(made_models) / sizeof(*made_models), MADE_LUMPED = 5 };

/* Random, but no allele rare: transforms to stationary models stay possible. */
static inline void made_shares(prop *p, uint32_t n, double *ret) {
    double sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += ret[i] = prop_between(p, 0.3, 1);
    for (uint32_t i = 0; i < n; i++)
        ret[i] /= sum;
}

static inline atg_mutation made_mutation(prop *p, made *f, uint32_t m, int sex,
                                         const struct made_model *model) {
    double *matrix = f->given[m][sex];
    uint32_t n = f->markers[m].n;

    for (uint32_t i = 0; i < n; i++) {
        made_shares(p, n, matrix + (size_t)i * n);
        for (uint32_t j = 0; j < n; j++)
            matrix[i * n + j] = 0.1 * matrix[i * n + j] + (i == j ? 0.9 : 0);
    }
    atg_mutation ret = {.model = sex ? model->male : model->female,
                        .transform = model->transform,
                        .matrix = matrix};

    ret.rate = prop_between(p, 0.01, 0.06);
    ret.rate2 = prop_between(p, 0.001, 0.01);
    ret.range = prop_between(p, 0.1, 0.5);
    return ret;
}

static inline void made_marker(prop *p, made *f, uint32_t m, const made_options *o) {
    const struct made_model *model =
        &made_models[o->model < 0 ? prop_below(p, MADE_MODELS) : (uint32_t)o->model];
    atg_marker *k = &f->markers[m];
    int16_t silent = -1;
    atg_err err = {0};

    if (o->silent)
        silent = (int16_t)prop_below(p, o->alleles);
    *k = (atg_marker){.name = ATG_STR("M"),
                      .chrom = o->x ? ATG_CHROM_X : ATG_CHROM_AUTOSOMAL,
                      .n = (uint16_t)o->alleles,
                      .labels = f->labels[m],
                      .freqs = f->freqs[m],
                      .tenths = f->tenths[m],
                      .silent = silent,
                      .linked_to = -1};
    for (uint32_t i = 0; i < o->alleles; i++) {
        bool between = !model->integers && i == 2;

        f->tenths[m][i] = (int16_t)(100 + 10 * i + (between ? 3 : 0));
        (void)snprintf(f->text[m][i], sizeof(f->text[m][i]), between ? "%d.3" : "%d",
                       f->tenths[m][i] / 10);
        f->labels[m][i] = atg_str_of(f->text[m][i]);
    }
    made_shares(p, o->alleles, f->freqs[m]);
    k->female = made_mutation(p, f, m, 0, model);
    k->male = made_mutation(p, f, m, 1, model);
    (void)snprintf(p->about, sizeof(p->about), "%s%s", model->name, o->x ? ", X" : "");
    prop_ok(p, atg_mutation_matrix(k, &k->female, f->matrix[m][0], &err), &err);
    prop_ok(p, atg_mutation_matrix(k, &k->male, f->matrix[m][1], &err), &err);
}

static inline atg_sex made_sex(prop *p, uint32_t i) {
    if (i < 2)
        return i == 0 ? ATG_SEX_MALE : ATG_SEX_FEMALE;
    return prop_chance(p, 0.5) ? ATG_SEX_MALE : ATG_SEX_FEMALE;
}

/* One of the first n persons, of this sex. */
static inline int32_t made_parent(prop *p, const atg_person *persons, uint32_t n, atg_sex sex) {
    uint32_t i;

    do
        i = prop_below(p, n);
    while (persons[i].sex != sex);
    return (int32_t)i;
}

static inline void made_shuffle(prop *p, uint32_t n, uint32_t *ret) {
    for (uint32_t i = 0; i < n; i++)
        ret[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t k = prop_below(p, i), swap = ret[i - 1];

        ret[i - 1] = ret[k];
        ret[k] = swap;
    }
}

/* Anybody may be a parent of anybody later in the list; then the list is shuffled. */
static inline void made_shape(prop *p, made *f, const made_options *o) {
    uint32_t founders = 2 + prop_below(p, o->persons > 3 ? o->persons / 2 : 1), place[MADE_PERSONS];
    atg_person persons[MADE_PERSONS] = {0};

    f->n = o->persons;
    for (uint32_t i = 0; i < f->n; i++) {
        persons[i] = (atg_person){.father = -1, .mother = -1};
        persons[i].sex = made_sex(p, i);
        if (i < founders) {
            persons[i].inbreeding = o->inbred && prop_chance(p, 0.5) ? prop_between(p, 0, 0.3) : 0;
            continue;
        }
        persons[i].father = made_parent(p, persons, i, ATG_SEX_MALE);
        persons[i].mother = made_parent(p, persons, i, ATG_SEX_FEMALE);
    }
    made_shuffle(p, f->n, place);
    for (uint32_t i = 0; i < f->n; i++) {
        atg_person *q = &f->persons[place[i]];

        *q = persons[i];
        q->father = q->father < 0 ? -1 : (int32_t)place[q->father];
        q->mother = q->mother < 0 ? -1 : (int32_t)place[q->mother];
    }
    f->ped = (atg_pedigree){f->n, f->persons};
}

static inline int made_draw(prop *p, const double *shares, int n) {
    double x = atg_rng_unit(&p->rng);

    for (int i = 0; i + 1 < n; i++) {
        if (x < shares[i])
            return i;
        x -= shares[i];
    }
    return n - 1;
}

/* What a laboratory may see of a true genotype. */
static inline atg_geno made_seen(prop *p, const atg_marker *k, int pat, int mat,
                                 const made_options *o) {
    int a = pat < 0 ? mat : pat, b = mat;

    if (prop_chance(p, o->dropout / 2))
        a = b;
    if (o->dropin > 0 && prop_chance(p, 0.1))
        b = (int)prop_below(p, k->n);
    if (a == k->silent)
        a = b;
    if (b == k->silent)
        b = a;
    if (a == k->silent)
        return ATG_UNTYPED;
    if (o->partial && prop_chance(p, 0.2))
        b = ATG_ALLELE_UNREAD;
    return (atg_geno){(int16_t)a, (int16_t)b};
}

/* An allele of a parent with these two (from the mother; from the father, or -1); NULL: of nobody,
 * as founders have. */
static inline int made_passed(prop *p, const made *f, uint32_t m, int sex, const int *parent) {
    const atg_marker *k = &f->markers[m];
    int from;

    if (!parent)
        return made_draw(p, k->freqs, k->n);
    from = parent[1] >= 0 && prop_chance(p, 0.5) ? parent[1] : parent[0];
    return made_draw(p, f->matrix[m][sex] + (size_t)from * k->n, k->n);
}

/* Drop genes through the pedigree and see some of them. */
static inline void made_genes(prop *p, made *f, uint32_t m, const made_options *o) {
    const atg_marker *k = &f->markers[m];
    int genes[MADE_PERSONS][2] = {{0}};
    uint32_t order[MADE_PERSONS] = {0};

    brute_parents_first(&f->ped, order);
    for (uint32_t n = 0; n < f->n; n++) {
        uint32_t i = order[n];
        const atg_person *q = &f->persons[i];
        bool haploid = k->chrom == ATG_CHROM_X && q->sex == ATG_SEX_MALE;

        genes[i][0] = made_passed(p, f, m, 0, q->mother < 0 ? NULL : genes[q->mother]);
        genes[i][1] = -1;
        if (!haploid)
            genes[i][1] = made_passed(p, f, m, 1, q->father < 0 ? NULL : genes[q->father]);
        f->genos[i][m] =
            prop_chance(p, o->typed) ? made_seen(p, k, genes[i][1], genes[i][0], o) : ATG_UNTYPED;
    }
}

static inline void made_observe(made *f, uint32_t n_markers) {
    for (uint32_t m = 0; m < n_markers; m++)
        for (uint32_t i = 0; i < f->n; i++)
            f->obs[m][i] = (atg_obs){f->genos[i][m], f->persons[i].dropout, f->persons[i].dropin};
}

static inline void made_family(prop *p, made *f, const made_options *o) {
    memset(f, 0, sizeof(*f));
    made_shape(p, f, o);
    for (uint32_t m = 0; m < (o->markers ? o->markers : 1); m++) {
        made_marker(p, f, m, o);
        made_genes(p, f, m, o);
    }
    for (uint32_t i = 0; i < f->n; i++) {
        f->persons[i].genos = f->genos[i];
        f->persons[i].dropout = o->dropout > 0 && prop_chance(p, 0.5) ? o->dropout : 0;
        f->persons[i].dropin = o->dropin > 0 && prop_chance(p, 0.5) ? o->dropin : 0;
    }
    made_observe(f, o->markers ? o->markers : 1);
}

/* The brute-force probability at marker m, with `obs` in place of what the persons have. */
static inline double made_brute(const made *f, uint32_t m, const atg_pedigree *ped,
                                const atg_obs *obs, double theta) {
    return brute_probability(&f->markers[m], f->matrix[m][0], f->matrix[m][1], ped, obs, theta);
}

/* The same models as matrices, which the engine does not lump. */
static inline void made_unlump(made *f, uint32_t m) {
    for (int s = 0; s < 2; s++)
        *(s ? &f->markers[m].male : &f->markers[m].female) =
            (atg_mutation){.model = ATG_MUT_CUSTOM, .matrix = f->matrix[m][s]};
}

#endif
