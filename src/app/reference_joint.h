/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATG_APP_REFERENCE_JOINT_H
#define ATG_APP_REFERENCE_JOINT_H

#include <antigone/assign.h>

#include "app/reference_family.h"

/* All assignments of a state. */
typedef struct joint_solution {
    const reference_state *s;
    const family_table *tables; /* by family; n_places 0: nobody of it is missing */
    atg_assign_result got;
    double null; /* log-likelihood with nobody identified */
} joint_solution;

/* Ways to fill the places of the missing persons in play with bodies in play whose pairs are
 * allowed, impossible ones included; NAN when that is too much to count. */
int reference_grid(const reference_state *s, double *ret, atg_err *err);

int reference_joint_solve(const reference_state *s, joint_solution *ret, atg_err *err);

/* Log weight of an assignment {sample: missing or "*"}; who left play must not be in it other than
 * "*" (their pairs are the caller's to check).  -INFINITY: impossible. */
double reference_joint_weight(const joint_solution *j, const json_t *assignment);

/* Mutation off in each family that its own profiles allow. */
int reference_mutation_off(reference_state *s, bool all, atg_err *err);

/* The joint tables of an operation, and jointDVI's. */
int reference_joint(atg_arena *arena, const atg_operation *op, const json_t *root,
                    atg_reference *ret, atg_err *err);
int reference_jointdvi(atg_arena *arena, const atg_operation *op, const json_t *root,
                       atg_reference *ret, atg_err *err);

/* A number, or the text "-Inf"; false when there is neither. */
bool reference_number(const json_t *json, double *ret);

/* The member of an object with this key, or NULL. */
const json_t *reference_member(const json_t *object, atg_str key);

/* Indices by id, or -1. */
int reference_sample_of(const atg_operation *op, const json_t *id);
int reference_missing_of(const atg_operation *op, const json_t *id);

#endif
