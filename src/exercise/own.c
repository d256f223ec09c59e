/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/make.h"

/* Whose things were kept: each missing person as likely as any other, as many as the share says. */
static int give(making *x, atg_rng *rng, uint32_t missing, atg_err *err) {
    const atg_missing *m = &x->missing[missing];
    atg_person *who = &x->drafts[m->family].persons[m->person];
    atg_own *own = ATG_GET(x->arena, atg_own, 1);
    atg_geno *genos = ATG_GET(x->arena, atg_geno, x->n_markers);
    atg_sample read = {.part = false};

    if (!own || !genos)
        return exercise_short_of_memory(err);
    exercise_type_sample(x, rng, x->true_genos + (size_t)missing * x->n_markers, who->sex, &read,
                         genos);
    *own = (atg_own){.id = ATG_STR("toothbrush"), .genos = genos, .dropout = read.dropout};
    who->own = own;
    who->n_own = 1;
    return ATG_OK;
}

int exercise_own(making *x, atg_rng *rng, atg_err *err) {
    uint32_t n = x->options->n_missing, wanted = exercise_share(x->options->own, n);
    int rc = ATG_OK;

    for (uint32_t i = 0; i < n && !rc; i++) {
        if (atg_rng_below(rng, n - i) >= wanted)
            continue;
        wanted--;
        rc = give(x, rng, i, err);
    }
    return rc;
}
