/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/make.h"
#include "exercise/plan.h"

/* "F012-brother", the second one "F012-brother-2". */
static atg_str relative_id(atg_arena *arena, atg_str family, const plan *p, uint32_t i) {
    uint32_t nth = 1;

    for (uint32_t k = 0; k < i; k++)
        nth += !p->persons[k].missing && p->persons[k].role == p->persons[i].role;
    return nth == 1
               ? atg_arena_printf(arena, "%.*s-%s", ATG_FMT(family), p->persons[i].role)
               : atg_arena_printf(arena, "%.*s-%s-%u", ATG_FMT(family), p->persons[i].role, nth);
}

static int add_person(making *x, const plan *p, uint32_t i, atg_family *fam, atg_person *ret,
                      atg_err *err) {
    const plan_person *from = &p->persons[i];

    *ret = (atg_person){.father = from->father, .mother = from->mother, .sex = from->sex};
    if (from->missing) {
        uint32_t at = fam->missing[0] + fam->n_missing;

        ret->id = atg_arena_printf(x->arena, "AM-FE-%06u", at + 1);
        x->missing[at] = (atg_missing){ret->id, x->n_families, i};
        fam->n_missing++;
    } else {
        ret->id = relative_id(x->arena, fam->id, p, i);
    }
    return ret->id.p ? ATG_OK : exercise_short_of_memory(err);
}

/* `first` is the index of the family's first missing person. */
static int add_family(making *x, const plan *p, uint32_t first, atg_err *err) {
    atg_family *fam = &x->families[x->n_families];
    atg_person *persons = ATG_GET(x->arena, atg_person, p->n);
    uint32_t *missing = ATG_GET(x->arena, uint32_t, p->n_missing);
    int rc = ATG_OK;

    fam->id = atg_arena_printf(x->arena, "F%03u", x->n_families + 1);
    if (!persons || !missing || !fam->id.p)
        return exercise_short_of_memory(err);
    for (uint32_t i = 0; i < p->n_missing; i++)
        missing[i] = first + i;
    fam->missing = missing;
    fam->ped = (atg_pedigree){p->n, persons};
    for (uint32_t i = 0; i < p->n && !rc; i++) {
        rc = add_person(x, p, i, fam, &persons[i], err);
        if (p->persons[i].typed) {
            x->drafts[x->n_families].typed |= (uint16_t)(1U << i);
            x->n_typed++;
        }
    }
    x->drafts[x->n_families].persons = persons;
    x->n_families++;
    return rc;
}

int exercise_families(making *x, atg_rng *rng, atg_err *err) {
    uint32_t n = x->options->n_missing, done = 0;
    int rc = ATG_OK;

    x->families = ATG_GET(x->arena, atg_family, n);
    x->missing = ATG_GET(x->arena, atg_missing, n);
    x->drafts = ATG_GET(x->scratch, draft, n);
    if (!x->families || !x->missing || !x->drafts)
        return exercise_short_of_memory(err);
    while (done < n && !rc) {
        plan p;

        plan_draw(rng, n - done, &p);
        rc = add_family(x, &p, done, err);
        done += p.n_missing;
    }
    return rc;
}
