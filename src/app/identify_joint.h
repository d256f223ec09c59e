/* SPDX-License-Identifier: Apache-2.0 */
/* From the pairs that are listed to the tuples of each family, and their weights. */
#ifndef ATG_APP_IDENTIFY_JOINT_H
#define ATG_APP_IDENTIFY_JOINT_H

#include <antigone/dna.h>

#include "app/identify.h"
#include "base/parallel.h"

typedef struct joint {
    identify *run;
    double *weight;                     /* per candidate: prior odds times LR used */
    bool *listed;                       /* per candidate */
    double *body_total, *missing_total; /* 1 + sum of weights */
    double *body_else; /* per body: weight of "somebody else or nobody", at least 1 */
    atg_assign_family *families;
    struct each_way {
        atg_assign_family *tuples; /* in each way; NULL where there is one only */
    } * in_way;                    /* per family */
    atg_arena *arenas[PARALLEL_MAX];
} joint;

/* The tuples of one family over the bodies listed for it, weighed; fills families[family] and,
 * where there are several ways to rely on it, in_way[family].  The tuples live in `arena`. */
int joint_family(joint *g, uint32_t family, atg_arena *arena, atg_err *err);

#endif
