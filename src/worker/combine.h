/* SPDX-License-Identifier: Apache-2.0 */
/* Several files that make one operation: tables of genotypes, and the frequencies that they are
 * read with. */
#ifndef ATG_WORKER_COMBINE_H
#define ATG_WORKER_COMBINE_H

#include <antigone/formats.h>

typedef struct combine_file {
    const char *name; /* as the user calls it */
    atg_str bytes;
    atg_format format;
    uint32_t n_rows; /* of a table, once it is read */
    const atg_profile_row *rows;
} combine_file;

/* Does it hold an operation by itself? */
bool combine_whole(atg_format format);

/* Read the rows of a table or a CMF. */
int combine_read_rows(atg_arena *arena, combine_file *f, atg_notes *notes, atg_err *err);

/* All rows of all files, one after the other. */
int combine_rows(atg_arena *arena, uint32_t n, const combine_file *files, uint32_t *ret_n,
                 const atg_profile_row **ret, atg_err *err);

/* Which file an error of the joined rows stands in, when only one can be meant; else NULL. */
const combine_file *combine_culprit(uint32_t n, const combine_file *files, const atg_err *err);

#endif
