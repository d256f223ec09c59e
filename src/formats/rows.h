/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of atg_operation_of_rows(). */
#ifndef ATG_FORMATS_ROWS_H
#define ATG_FORMATS_ROWS_H

#include "formats/familydraft.h"
#include "formats/markerset.h"

typedef struct rows {
    atg_arena *arena;
    atg_notes *notes;
    atg_err *err;
    uint32_t n;
    const atg_profile_row *rows;
    marker_set set;
    map *spellings; /* of markers, as written -> index in the set, or ROWS_LEFT_OUT */
    uint32_t clock; /* rows whose calls were read */
    uint32_t seen[ATG_MARKERS_MAX];
    map *ids;           /* of samples, then of missing */
    family_draft draft; /* the family in hand, with its map of ids */
} rows;

enum { ROWS_LEFT_OUT = ATG_MARKERS_MAX };

/* Make the markers that the rows have and the frequencies know, in the order of the frequencies. */
int rows_markers(rows *r, const atg_frequencies *freqs, const atg_mutation *female,
                 const atg_mutation *male);

/* The calls of a row, with a place for each marker. */
int rows_genotypes(rows *r, const atg_profile_row *row, bool *ret_typed, const atg_geno **ret);

/* Fail at a row with what another module found. */
int rows_fail(rows *r, const atg_profile_row *row, const atg_err *e);
int rows_nomem(rows *r);

#endif
