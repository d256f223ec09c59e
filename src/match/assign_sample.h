/* SPDX-License-Identifier: Apache-2.0 */
/* A part too large for the exact solution: Markov chains over its assignments. */
#ifndef ATG_MATCH_ASSIGN_SAMPLE_H
#define ATG_MATCH_ASSIGN_SAMPLE_H

#include "match/assign_exact.h"

enum { SAMPLE_CHAINS = 4 };

typedef struct sample_options {
    uint64_t seed;
    uint32_t n_samples; /* kept sweeps per chain; 0: by the size of the part */
    uint32_t threads;
    size_t memory; /* for the search for the best */
    const atg_progress *progress;
} sample_options;

/* Posteriors with standard errors, the largest R-hat, and the best assignments found. */
int sample_part(const problem *pr, uint32_t index, const sample_options *o, answer *ret,
                atg_err *err);

#endif
