/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/combine.h"

#include <string.h>

bool combine_whole(atg_format format) {
    return format == ATG_FORMAT_OPERATION || format == ATG_FORMAT_REFERENCE ||
           format == ATG_FORMAT_FAMILIAS;
}

int combine_read_rows(atg_arena *arena, combine_file *f, atg_notes *notes, atg_err *err) {
    return f->format == ATG_FORMAT_CMF
               ? atg_cmf_read(arena, f->bytes, &f->n_rows, &f->rows, notes, err)
               : atg_table_read(arena, f->bytes, &f->n_rows, &f->rows, notes, err);
}

int combine_rows(atg_arena *arena, uint32_t n, const combine_file *files, uint32_t *ret_n,
                 const atg_profile_row **ret, atg_err *err) {
    atg_profile_row *rows;
    uint32_t all = 0;

    for (uint32_t i = 0; i < n; i++)
        all += files[i].n_rows;
    rows = ATG_GET(arena, atg_profile_row, all ? all : 1);
    if (!rows)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for %u rows of genotypes", all);
    all = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (files[i].n_rows)
            memcpy(rows + all, files[i].rows, files[i].n_rows * sizeof(*rows));
        all += files[i].n_rows;
    }
    *ret_n = all;
    *ret = rows;
    return ATG_OK;
}

const combine_file *combine_culprit(uint32_t n, const combine_file *files, const atg_err *err) {
    const combine_file *found = NULL;

    for (uint32_t i = 0; err->line && i < n; i++) {
        if (!atg_profile_rows_on(files[i].n_rows, files[i].rows, err->line))
            continue;
        if (found)
            return NULL;
        found = &files[i];
    }
    return found;
}
