/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/dna.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dna/compiler.h"

typedef struct pair {
    elim *e;
    view views[2];
    matrices mats[2];
    own_list own;
    peel_switches *switches; /* one per marker */
} pair;

static void pair_close(pair *p) {
    for (int k = 0; k < 2; k++) {
        view_free(&p->views[k]);
        matrices_free(&p->mats[k]);
    }
    mem_free(p->own.p);
    elim_free(p->e);
    mem_free(p->switches);
}

static int add_marker(pair *p, int k, const atg_marker *markers, uint32_t m,
                      const atg_pedigree *ped, atg_err *err) {
    atg_obs obs[ATG_PEDIGREE_MAX];
    bool seen[ATG_ALLELES_MAX] = {false};
    int rc = matrices_make(&markers[m], &p->mats[k], err);

    compiler_observe(markers, m, ped, obs);
    if (!rc)
        rc = compiler_own(&markers[m], m, ped, &p->own, err);
    for (uint32_t i = 0; i < ped->n; i++)
        compiler_seen(&obs[i], seen);
    for (uint32_t i = 0; i < p->own.n; i++)
        compiler_seen(&p->own.p[i].obs, seen);
    if (!rc)
        rc = view_make(&p->views[k], &p->mats[k], seen, VIEW_SUM, err);
    if (!rc)
        peel_add(p->e,
                 &(peel_input){.ped = ped,
                               .view = &p->views[k],
                               .freq = p->views[k].freq,
                               .obs = obs,
                               .n_own = p->own.n,
                               .own = p->own.p,
                               .plain = true},
                 &p->switches[k]);
    return rc;
}

/* Each marker's tables hold 1/2 for either switch; together they are equal with probability
 * 1 - rho. */
static void couple(pair *p, double rho, const atg_pedigree *ped) {
    for (uint32_t i = 0; i < ped->n; i++)
        for (int s = 0; s < 2; s++) {
            if (!p->switches[0].has[i][s] || !p->switches[1].has[i][s])
                continue;

            uint32_t vars[2] = {p->switches[0].var[i][s], p->switches[1].var[i][s]};
            double *cells = elim_table(p->e, 2, vars);

            for (int c = 0; cells && c < 4; c++)
                cells[c] = c == 0 || c == 3 ? 2 * (1 - rho) : 2 * rho;
        }
}

int atg_loglik_linked(const atg_marker *markers, uint32_t m1, uint32_t m2, double rho,
                      const atg_pedigree *ped, double *ret, atg_err *err) {
    pair p = {.e = elim_new(), .switches = mem_zero(2, sizeof(peel_switches))};
    double value, scale;
    int rc = p.e && p.switches ? ATG_OK : ATG_ENOMEM;

    if (rc)
        (void)atg_fail(err, rc, "Out of memory computing a likelihood");
    if (!rc)
        rc = add_marker(&p, 0, markers, m1, ped, err);
    if (!rc)
        rc = add_marker(&p, 1, markers, m2, ped, err);
    if (!rc) {
        couple(&p, rho, ped);
        rc = elim_run(p.e, 0, NULL, &value, &scale, err);
    }
    pair_close(&p);
    if (!rc)
        *ret = log(value) + scale;
    return rc;
}
