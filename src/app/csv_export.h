/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of files out, as CSV that a spreadsheet opens without running anything (base/csv.h).
 *
 * Only the columns that this account may see, and never those that the description of the records
 * keeps from every export (pictures, genotypes).  Relatives' profiles do not leave this way: an
 * operation file for a named recipient holds those whose donors agreed (docs/formats.md). */
#ifndef ATG_APP_CSV_EXPORT_H
#define ATG_APP_CSV_EXPORT_H

#include <antigone/operation.h>

#include "app/outgoing.h"

/* All files of a kind of an operation that were not withdrawn, by code; the right to export and a
 * reason are needed, and it stands in the history of the operation. */
int cases_export_table(cases *c, const actor *who, const uuid *operation, record_kind kind,
                       outgoing *to, uint32_t *ret_n, atg_err *err);
/* The same into memory. */
int cases_export_csv(cases *c, const actor *who, const uuid *operation, record_kind kind,
                     atg_buf *buf, uint32_t *ret_n, atg_err *err);

/* The DNA of an operation, as `recipient` may have it (NULL: the working file, which stays with
 * this operation): an operation to be written in a format. */
int cases_export_dna(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                     const char *recipient, atg_operation *ret, atg_err *err);

#endif
