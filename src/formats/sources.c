/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <antigone/formats.h>

bool atg_format_is_whole(atg_format format) {
    return format == ATG_FORMAT_OPERATION || format == ATG_FORMAT_REFERENCE ||
           format == ATG_FORMAT_FAMILIAS;
}

int atg_source_read(atg_arena *arena, atg_source *f, atg_notes *notes, atg_err *err) {
    return f->format == ATG_FORMAT_CMF
               ? atg_cmf_read(arena, f->bytes, &f->n_rows, &f->rows, notes, err)
               : atg_table_read(arena, f->bytes, &f->n_rows, &f->rows, notes, err);
}

int atg_sources_join(atg_arena *arena, uint32_t n, const atg_source *files, uint32_t *ret_n,
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

/* Does any of the rows, or of their genotypes, stand on this line of its file? */
static bool rows_on(uint32_t n, const atg_profile_row *list, uint32_t line) {
    for (uint32_t i = 0; i < n; i++) {
        if (list[i].line == line)
            return true;
        for (uint32_t k = 0; k < list[i].n_calls; k++)
            if (list[i].calls[k].line == line)
                return true;
    }
    return false;
}

const atg_source *atg_sources_culprit(uint32_t n, const atg_source *files, const atg_err *err) {
    const atg_source *found = NULL;

    for (uint32_t i = 0; err->line && i < n; i++) {
        if (!rows_on(files[i].n_rows, files[i].rows, err->line))
            continue;
        if (found)
            return NULL;
        found = &files[i];
    }
    return found;
}
