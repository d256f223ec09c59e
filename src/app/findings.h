/* SPDX-License-Identifier: Apache-2.0 */
/* What a comparison found, written into the files: hypotheses and their lines of evidence. */
#ifndef ATG_APP_FINDINGS_H
#define ATG_APP_FINDINGS_H

#include <antigone/identification.h>

#include "app/cases.h"
#include "app/operation_load.h"
#include "app/standby.h"

typedef struct findings {
    cases *c;
    const loaded *in;
    const atg_identification *run;
} findings;

/* Write hypotheses for pairs that are possible or better, that are part of the most probable
 * assignment, or among the best of their body; those that stand already say what is found now,
 * and are written only when it is something else.  `*ret_n` grows by what was written. */
int findings_write(findings *f, uint32_t *ret_n, atg_err *err);

/* The same for pairs that were compared by themselves (standby.h), ordered by remains: new ones,
 * and those whose LR is another now.  The joint solution writes over them. */
int findings_write_pairs(cases *c, const standby_pair *pairs, uint32_t n, uint32_t *ret_n,
                         atg_err *err);

#endif
