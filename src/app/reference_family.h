/* SPDX-License-Identifier: Apache-2.0 */
/* A family of several missing persons taken jointly, as dviSolve does. */
#ifndef ATG_APP_REFERENCE_FAMILY_H
#define ATG_APP_REFERENCE_FAMILY_H

#include "app/reference_rows.h"

/* Fill the rows of the family's missing persons and of the bodies found to be them; these bodies
 * leave.  `lr` are the LRs of the pairs, NAN where there is none. */
int reference_family_rows(reference_state *s, uint32_t family, double threshold, const double *lr,
                          solve_tables *ret, atg_err *err);

/* Every way to fill the places of a family with bodies in play, "nobody" in all of them last. */
typedef struct family_table {
    uint32_t n_places;
    const uint32_t *missing;
    uint64_t n;
    const int32_t *bodies; /* n * n_places, -1: nobody */
    const double *log_lr;
} family_table;

int reference_family_table(const reference_state *s, uint32_t family, family_table *ret,
                           atg_err *err);

#endif
