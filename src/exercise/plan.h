/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of families that an exercise is made of, before anybody has genes. */
#ifndef ATG_EXERCISE_PLAN_H
#define ATG_EXERCISE_PLAN_H

#include <antigone/pedigree.h>

enum { PLAN_MAX = 16 };

typedef struct plan_person {
    const char *role;      /* "mother", "brother"; of the missing too */
    int8_t father, mother; /* indices in the plan, or -1; parents come before children */
    atg_sex sex;
    bool typed, missing;
} plan_person;

typedef struct plan {
    uint32_t n, n_missing;
    plan_person persons[PLAN_MAX];
} plan;

/* A family with 1 to `most` missing, drawn from the mix of docs/exercise.md; most >= 1. */
void plan_draw(atg_rng *rng, uint32_t most, plan *ret);

#endif
