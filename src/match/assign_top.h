/* SPDX-License-Identifier: Apache-2.0 */
/* The best assignments of a part. */
#ifndef ATG_MATCH_ASSIGN_TOP_H
#define ATG_MATCH_ASSIGN_TOP_H

#include "match/assign_exact.h"

/* The best `k` (at least 1) assignments of the part, after joint_solve.  `threads`: as there. */
int top_part(const exact_part *x, const joint *jt, uint32_t k, uint32_t threads, pool *keep,
             const ranked **ret);

#endif
