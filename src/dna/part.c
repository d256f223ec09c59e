/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/part.h"

#include "base/mem.h"

/* Spread from `person` through trios; a person in `reached` who is not fixed pulls in all trios
 * that he or she is in.  `as_child` marks trios by their child. */
static void spread(const atg_pedigree *ped, const bool *fixed, uint32_t person, bool *reached,
                   bool *as_child) {
    reached[person] = true;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t c = 0; c < ped->n; c++) {
            int32_t f = ped->persons[c].father, m = ped->persons[c].mother;

            if (f < 0 || as_child[c])
                continue;
            if (!(reached[c] && !fixed[c]) && !(reached[f] && !fixed[f]) &&
                !(reached[m] && !fixed[m]))
                continue;
            as_child[c] = reached[c] = reached[f] = reached[m] = more = true;
        }
    }
}

int part_make(const atg_pedigree *ped, const bool *fixed, uint32_t person, part *ret,
              atg_err *err) {
    bool reached[ATG_PEDIGREE_MAX] = {false}, as_child[ATG_PEDIGREE_MAX] = {false};
    uint32_t n = 0;

    spread(ped, fixed, person, reached, as_child);
    for (uint32_t i = 0; i < ped->n; i++)
        ret->at[i] = reached[i] ? (int32_t)n++ : -1;
    ret->persons = mem_alloc(n * sizeof(*ret->persons));
    if (!ret->persons)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    for (uint32_t i = 0; i < ped->n; i++) {
        atg_person *p;

        if (!reached[i])
            continue;
        p = &ret->persons[ret->at[i]];
        *p = ped->persons[i];
        p->father = as_child[i] ? ret->at[p->father] : -1;
        p->mother = as_child[i] ? ret->at[p->mother] : -1;
    }
    ret->ped = (atg_pedigree){n, ret->persons};
    return ATG_OK;
}

void part_free(part *p) {
    mem_free(p->persons);
}
