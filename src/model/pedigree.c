/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/pedigree.h>

int atg_pedigree_find(const atg_pedigree *ped, atg_str id) {
    for (uint32_t i = 0; i < ped->n; i++)
        if (atg_str_eq(ped->persons[i].id, id))
            return (int)i;
    return -1;
}

static int check_parents(const atg_pedigree *ped, const atg_person *p, atg_err *err) {
    int32_t n = (int32_t)ped->n;

    if ((p->father < 0) != (p->mother < 0))
        return atg_fail(err, ATG_EINVAL, "%.*s has one parent only; name both, typed or not",
                        ATG_FMT(p->id));
    if (p->father < 0)
        return ATG_OK;
    if (p->father >= n || p->mother >= n)
        return atg_fail(err, ATG_EINVAL, "A parent of %.*s is not in the family", ATG_FMT(p->id));
    if (p->father == p->mother)
        return atg_fail(err, ATG_EINVAL, "Father and mother of %.*s are one person",
                        ATG_FMT(p->id));
    if (ped->persons[p->father].sex == ATG_SEX_FEMALE)
        return atg_fail(err, ATG_EINVAL, "The father of %.*s is recorded as female",
                        ATG_FMT(p->id));
    if (ped->persons[p->mother].sex == ATG_SEX_MALE)
        return atg_fail(err, ATG_EINVAL, "The mother of %.*s is recorded as male", ATG_FMT(p->id));
    return ATG_OK;
}

int atg_pedigree_check(const atg_pedigree *ped, atg_err *err) {
    bool placed[ATG_PEDIGREE_MAX] = {false};
    uint32_t n_placed = 0;

    if (ped->n > ATG_PEDIGREE_MAX)
        return atg_fail(err, ATG_ELIMIT, "More than %d persons in one family", ATG_PEDIGREE_MAX);
    for (uint32_t i = 0; i < ped->n; i++) {
        int rc = check_parents(ped, &ped->persons[i], err);

        if (rc)
            return rc;
    }
    for (bool more = true; more;) { /* parents before children: whoever is left is in a cycle */
        more = false;
        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *p = &ped->persons[i];

            if (placed[i] || (p->father >= 0 && !(placed[p->father] && placed[p->mother])))
                continue;
            placed[i] = more = true;
            n_placed++;
        }
    }
    for (uint32_t i = 0; i < ped->n && n_placed < ped->n; i++)
        if (!placed[i])
            return atg_fail(err, ATG_EINVAL, "%.*s is among his or her own ancestors",
                            ATG_FMT(ped->persons[i].id));
    return ATG_OK;
}
