/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/dna.h>

#include <string.h>

#include "base/mem.h"

/* Parents before children. */
static uint32_t by_generation(const atg_pedigree *ped, uint32_t *order) {
    bool placed[ATG_PEDIGREE_MAX] = {false};
    uint32_t n = 0;

    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *p = &ped->persons[i];

            if (placed[i] || (p->father >= 0 && !(placed[p->father] && placed[p->mother])))
                continue;
            placed[i] = more = true;
            order[n++] = i;
        }
    }
    return n;
}

/* Kinship of `i` with an earlier person `j`: the mean over i's parents, for X of the mother alone
 * where i is a man. */
static double with_earlier(const atg_pedigree *ped, bool x, uint32_t i, uint32_t j,
                           const double *k) {
    const atg_person *p = &ped->persons[i];

    if (p->father < 0)
        return 0;
    if (x && p->sex == ATG_SEX_MALE)
        return k[(size_t)p->mother * ped->n + j];
    return (k[(size_t)p->father * ped->n + j] + k[(size_t)p->mother * ped->n + j]) / 2;
}

static double with_self(const atg_pedigree *ped, bool x, uint32_t i, const double *k) {
    const atg_person *p = &ped->persons[i];

    if (x && p->sex == ATG_SEX_MALE)
        return 1;
    if (p->father < 0)
        return (1 + p->inbreeding) / 2;
    return (1 + k[(size_t)p->father * ped->n + p->mother]) / 2;
}

int atg_kinship(const atg_pedigree *ped, bool x, double *ret, atg_err *err) {
    uint32_t order[ATG_PEDIGREE_MAX];
    int rc = atg_pedigree_check(ped, err);

    if (rc)
        return rc;

    uint32_t n = by_generation(ped, order);

    for (uint32_t a = 0; a < n; a++) {
        uint32_t i = order[a];

        for (uint32_t b = 0; b < a; b++) {
            uint32_t j = order[b];

            ret[(size_t)i * ped->n + j] = ret[(size_t)j * ped->n + i] =
                with_earlier(ped, x, i, j, ret);
        }
        ret[(size_t)i * ped->n + i] = with_self(ped, x, i, ret);
    }
    return ATG_OK;
}
