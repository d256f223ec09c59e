/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of making an exercise hand to each other. */
#ifndef ATG_EXERCISE_MAKE_H
#define ATG_EXERCISE_MAKE_H

#include <antigone/exercise.h>

#include "exercise/genes.h"

/* A family while its members may still be written to. */
typedef struct draft {
    atg_person *persons;
    uint16_t typed; /* a bit a person; PLAN_MAX of them */
} draft;

typedef struct making {
    atg_arena *arena;   /* of the result */
    atg_arena *scratch; /* of this call */
    const atg_exercise_options *options;
    gene_pool *pool;
    uint32_t n_markers;
    const atg_marker *markers;
    atg_family *families;
    draft *drafts; /* one a family */
    uint32_t n_families;
    atg_missing *missing;
    uint32_t n_typed;     /* relatives */
    atg_geno *true_genos; /* n_missing * n_markers, as a perfect typing of the missing reads */
    uint32_t n_wrong;
    struct atg_truth_wrong *wrong;
    uint32_t n_unlisted, n_bodies; /* persons found: nobody on the list; all */
    uint32_t n_samples;
    atg_sample *samples;
    int32_t *missing_of_sample;
    bool *swapped;
} making;

int exercise_check(const atg_exercise_options *options, atg_err *err);
int exercise_short_of_memory(atg_err *err);

/* Families with their members, nobody with genotypes. */
int exercise_families(making *x, atg_rng *rng, atg_err *err);
/* Genes for everybody, the reported relations that are wrong among them. */
int exercise_genes(making *x, atg_rng *rng, atg_err *err);
/* Who is found, in how many parts, and what the laboratory reads of them. */
int exercise_remains(making *x, atg_rng *rng, atg_err *err);
/* What is from the missing persons before. */
int exercise_own(making *x, atg_rng *rng, atg_err *err);
/* The laboratory's part of it: drop-out and markers lost. */
void exercise_type_sample(const making *x, atg_rng *rng, const atg_geno *truth, atg_sex sex,
                          atg_sample *sample, atg_geno *ret);

/* round(share * n) for a share in [0, 1] */
static inline uint32_t exercise_share(double share, uint32_t n) {
    return (uint32_t)(share * n + 0.5);
}

#endif
