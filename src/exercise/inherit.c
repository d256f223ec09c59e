/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/make.h"

/* What is wrong with a reported relation: the person who gave the sample is a stranger, or a
 * child or sibling has another father than the family says. */
enum wrong { RIGHT = 0, STRANGER, OTHER_FATHER };

/* Each typed relative in turn is taken with probability wanted / left (Knuth's algorithm S), so
 * the number comes out exactly. */
static enum wrong choose_wrong(making *x, atg_rng *rng, uint32_t *left, uint32_t f, uint32_t i) {
    const atg_person *p = &x->families[f].ped.persons[i];
    uint32_t wanted = exercise_share(x->options->wrong_relation, x->n_typed) - x->n_wrong;

    if (atg_rng_below(rng, (*left)--) >= wanted)
        return RIGHT;
    x->wrong[x->n_wrong++] = (struct atg_truth_wrong){f, i};
    return p->father >= 0 && atg_rng_below(rng, 2) ? OTHER_FATHER : STRANGER;
}

static void drop_person(const making *x, atg_rng *rng, const atg_person *p, enum wrong wrong,
                        hap *family, hap *ret) {
    const hap *father = NULL, *mother = NULL;

    if (p->father >= 0 && wrong != OTHER_FATHER)
        father = family + (size_t)p->father * x->n_markers;
    if (p->mother >= 0)
        mother = family + (size_t)p->mother * x->n_markers;
    genes_child(x->pool, rng, father, mother, p->sex, ret);
}

static int drop_family(making *x, atg_rng *rng, uint32_t f, uint32_t *left, hap *haps) {
    const atg_family *fam = &x->families[f];
    hap *spare = haps + (size_t)fam->ped.n * x->n_markers;

    for (uint32_t i = 0; i < fam->ped.n; i++) {
        atg_person *p = &x->drafts[f].persons[i];
        hap *mine = haps + (size_t)i * x->n_markers, *read = mine;
        bool typed = x->drafts[f].typed >> i & 1U;
        enum wrong wrong = typed ? choose_wrong(x, rng, left, f, i) : RIGHT;
        atg_geno *genos = typed ? ATG_GET(x->arena, atg_geno, x->n_markers) : NULL;

        if (typed && !genos)
            return ATG_ENOMEM;
        drop_person(x, rng, p, wrong, haps, mine);
        if (wrong == STRANGER)
            genes_found(x->pool, rng, p->sex, read = spare);
        if (typed)
            genes_read(x->pool, read, genos);
        p->genos = genos;
    }
    for (uint32_t k = 0; k < fam->n_missing; k++)
        genes_read(x->pool, haps + (size_t)x->missing[fam->missing[k]].person * x->n_markers,
                   x->true_genos + (size_t)fam->missing[k] * x->n_markers);
    return ATG_OK;
}

int exercise_genes(making *x, atg_rng *rng, atg_err *err) {
    uint32_t most = 0, left = x->n_typed;
    hap *haps;

    for (uint32_t f = 0; f < x->n_families; f++)
        if (x->families[f].ped.n > most)
            most = x->families[f].ped.n;
    haps = ATG_GET(x->scratch, hap, (size_t)(most + 1) * x->n_markers);
    x->true_genos = ATG_GET(x->scratch, atg_geno, (size_t)x->options->n_missing * x->n_markers);
    x->wrong = ATG_GET(x->arena, struct atg_truth_wrong,
                       exercise_share(x->options->wrong_relation, x->n_typed));
    if (!haps || !x->true_genos || !x->wrong)
        return exercise_short_of_memory(err);
    for (uint32_t f = 0; f < x->n_families; f++)
        if (drop_family(x, rng, f, &left, haps))
            return exercise_short_of_memory(err);
    return ATG_OK;
}
