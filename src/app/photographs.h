/* SPDX-License-Identifier: Apache-2.0 */
/* Photographs of an exercise (docs/exercise.md, "Portraits") into its cases: those of the missing
 * as their informants gave and confirmed them, those of the dead into the remains files.  Files are
 * found by the number that the exercise gave them; no file is made. */
#ifndef ATG_APP_PHOTOGRAPHS_H
#define ATG_APP_PHOTOGRAPHS_H

#include "app/cases.h"

typedef struct photographs_wanted {
    uuid operation;
    atg_str list;       /* the bytes of portraits.json */
    const char *folder; /* that it stands in: paths in it are relative */
    bool recoveries; /* enter the recovery of each of the dead instead: somebody else does that */
} photographs_wanted;

typedef struct photographs_done {
    uint32_t missing, remains, known; /* photographs (or recoveries); there already */
} photographs_done;

/* Each file is a change of its own; repeating it adds what is not there. */
int photographs_load(cases *c, const actor *who, const photographs_wanted *wanted,
                     const atg_progress *progress, photographs_done *ret, atg_err *err);

#endif
