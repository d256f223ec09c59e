/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read keeps every rule of the records; what is not, has a reason and leaves no trace. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)64 << 20);
    atg_str bytes = {(const char *)data, size};
    atg_operation op = {.n_markers = 77};
    atg_err err = {0};
    int rc = arena ? atg_familias_read(arena, bytes, &op, atg_notes_new(arena), &err) : ATG_ENOMEM;

    if (!arena)
        return 0;
    if (rc) {
        if (op.n_markers != 77 || !err.msg[0] || err.code != rc)
            abort();
        return 0;
    }
    if (atg_operation_check(&op, &err))
        abort();
    return 0;
}
