/* SPDX-License-Identifier: Apache-2.0 */
/* The words of antigone-truth/1, for its writer and its reader. */
#ifndef ATG_EXERCISE_TRUTH_H
#define ATG_EXERCISE_TRUTH_H

#include <antigone/exercise.h>

#define TRUTH_SCHEMA "antigone-truth/1"

enum { TRUTH_MODELS = 6, TRUTH_TRANSFORMS = 5, TRUTH_NUMBERS = 14 };

/* By atg_mutation_model and atg_mutation_transform. */
extern const char *const truth_models[TRUTH_MODELS];
extern const char *const truth_transforms[TRUTH_TRANSFORMS];

/* The numbers of the options by name; the seed is text because it has 64 bits. */
typedef struct truth_number {
    const char *key;
    size_t at;  /* offset in atg_exercise_options */
    bool whole; /* uint32_t; else double */
} truth_number;
extern const truth_number truth_numbers[TRUTH_NUMBERS];

#endif
