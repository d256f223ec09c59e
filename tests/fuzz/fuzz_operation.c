/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include <stdlib.h>

enum { ARENA = 64 << 20, OUT = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written, read and written again: both texts are the same. */
static void round_trip(atg_arena *arena, const atg_operation *op) {
    ATG_AUTO(atg_buf) first = atg_buf_new(OUT);
    ATG_AUTO(atg_buf) second = atg_buf_new(OUT);
    atg_operation again;
    atg_str a, b;

    if (!first || !second)
        return;
    if (op->params.population.n == 0)
        abort();
    if (atg_operation_write_json(op, NULL, first, NULL))
        return; /* larger than the buffer */
    if (atg_buf_take(first, &a, NULL) || atg_operation_read_json(arena, a, &again, NULL, NULL))
        abort();
    if (atg_operation_write_json(&again, NULL, second, NULL) || atg_buf_take(second, &b, NULL) ||
        !atg_str_eq(a, b))
        abort();
}

/* What is read keeps every rule of the records; what is not, has a reason and leaves no trace. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str bytes = {(const char *)data, size};
    atg_operation op = {.n_markers = 77};
    atg_err err = {0};

    if (!arena)
        return 0;
    (void)atg_format_guess(ATG_STR("x"), bytes);

    int rc = atg_operation_read_json(arena, bytes, &op, atg_notes_new(arena), &err);

    if (rc) {
        if (op.n_markers != 77 || !err.msg[0] || err.code != rc ||
            (err.line == 0) != (err.col == 0))
            abort();
        return 0;
    }
    if (atg_operation_check(&op, &err))
        abort();
    round_trip(arena, &op);
    return 0;
}
