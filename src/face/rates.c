/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/lineage.h>

#include <math.h>

#include "base/mem.h"
#include "face/calibrate.h"

static const double alpha = 0.025; /* at either side */

/* What is known of one person. */
typedef struct tally {
    float best; /* true score */
    bool is_case, is_probe;
} tally;

static void finish(face_rates *r) {
    uint64_t whole;

    r->enough = r->n_cases >= FACE_CASES_MIN && r->n_probes >= FACE_CASES_MIN;
    r->miss = r->n_cases ? (double)r->n_missed / r->n_cases : NAN;
    r->miss_lower = atg_clopper_pearson_lower(r->n_missed, r->n_cases, alpha);
    r->miss_upper = atg_clopper_pearson_upper(r->n_missed, r->n_cases, alpha);
    r->match = r->n_false ? (double)r->n_matched / (double)r->n_false : NAN;
    /* pairs of one person depend on each other: as if each probe were one case */
    whole = r->n_false ? r->n_matched * r->n_probes / r->n_false : 0;
    r->match_lower = atg_clopper_pearson_lower(whole, r->n_probes, alpha);
    whole += whole * r->n_false < r->n_matched * r->n_probes;
    r->match_upper = atg_clopper_pearson_upper(whole, r->n_probes, alpha);
}

int face_group_rates(uint32_t n_persons, uint64_t n, const face_pair *pairs,
                     const face_grouping *groups, double threshold, face_rates *ret, atg_err *err) {
    MEM_AUTO tally *tallies = mem_zero(n_persons, sizeof(*tallies));

    if (!tallies)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the rates of groups");
    for (uint32_t g = 0; g < groups->n; g++)
        ret[g] = (face_rates){0};
    for (uint64_t i = 0; i < n; i++) {
        const face_pair *p = &pairs[i];

        if (p->probe >= n_persons || p->person >= n_persons)
            return atg_fail(err, ATG_EINVAL, "Comparison %llu has a person that is not there",
                            (unsigned long long)i + 1);

        tally *t = &tallies[p->probe];
        uint32_t g = groups->of[p->probe];

        if (p->probe == p->person) {
            t->best = t->is_case ? fmaxf(t->best, p->score) : p->score;
            t->is_case = true;
        } else if (g < groups->n && g == groups->of[p->person]) {
            t->is_probe = true;
            ret[g].n_false++;
            ret[g].n_matched += (double)p->score >= threshold;
        }
    }
    for (uint32_t i = 0; i < n_persons; i++) {
        uint32_t g = groups->of[i];

        if (g >= groups->n)
            continue;
        ret[g].n_cases += tallies[i].is_case;
        ret[g].n_missed += tallies[i].is_case && (double)tallies[i].best < threshold;
        ret[g].n_probes += tallies[i].is_probe;
    }
    for (uint32_t g = 0; g < groups->n; g++)
        finish(&ret[g]);
    return ATG_OK;
}
