/* SPDX-License-Identifier: Apache-2.0 */
/* A part too large for the exact solution: Markov chains over its assignments. */
#ifndef ATG_MATCH_ASSIGN_SAMPLE_H
#define ATG_MATCH_ASSIGN_SAMPLE_H

#include "match/assign_exact.h"

enum { SAMPLE_CHAINS = 4 };

typedef struct sample_options {
    uint64_t seed;
    uint32_t n_samples; /* kept sweeps per chain */
    uint32_t threads;
} sample_options;

int sample_part(const problem *pr, uint32_t index, const sample_options *o,
                const atg_progress *progress, answer *ret, atg_err *err);

#endif
