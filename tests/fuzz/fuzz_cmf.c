/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Rows have ids, calls an allele and a place; a broken file gives nothing but a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)64 << 20);
    atg_str bytes = {(const char *)data, size};
    const atg_profile_row *rows = NULL;
    uint32_t n = 77;
    atg_err err = {0};
    int rc;

    if (!arena)
        return 0;
    rc = atg_cmf_read(arena, bytes, &n, &rows, atg_notes_new(arena), &err);
    if (rc) {
        if (n != 77 || rows || !err.msg[0] || err.code != rc)
            abort();
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (rows[i].id.n == 0 || rows[i].line == 0)
            abort();
        for (uint32_t k = 0; k < rows[i].n_calls; k++)
            if (rows[i].calls[k].a.n == 0 || rows[i].calls[k].a.p[0] == '-' ||
                rows[i].calls[k].marker.n == 0 || rows[i].calls[k].line == 0)
                abort();
    }
    return 0;
}
