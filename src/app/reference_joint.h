/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATG_APP_REFERENCE_JOINT_H
#define ATG_APP_REFERENCE_JOINT_H

#include "app/reference.h"

/* The joint tables of an operation; `null` is the log-likelihood with nobody identified. */
int reference_joint(atg_arena *arena, const atg_operation *op, const json_t *results, double null,
                    atg_reference *ret, atg_err *err);

/* A number, or the text "-Inf"; false when there is neither. */
bool reference_number(const json_t *json, double *ret);

/* The member of an object with this key, or NULL. */
const json_t *reference_member(const json_t *object, atg_str key);

#endif
