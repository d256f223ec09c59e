/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a truth of this operation, or refused with a sentence. */
#include "exercise_markers.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    atg_arena *arena;
    atg_operation op;
} ferry;

static void make_ferry(void) {
    atg_exercise_options o = atg_exercise_default();
    atg_truth truth;

    o.n_missing = 6;
    o.fragments = 0.5;
    ferry.arena = atg_arena_new(1 << 24);
    if (!ferry.arena || atg_exercise_make(ferry.arena, table_size(1), table_markers(ferry.arena, 1),
                                          &o, &ferry.op, &truth, NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 24);
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 24);
    atg_err err = {0};
    atg_truth truth, again;
    atg_str text;

    if (!ferry.arena)
        make_ferry();
    if (atg_truth_read_json(arena, (atg_str){(const char *)data, size}, &ferry.op, &truth, &err)) {
        if (!err.msg[0])
            abort();
        return 0;
    }
    for (uint32_t i = 0; i < truth.n_samples; i++)
        if (truth.missing_of_sample[i] < -1 ||
            truth.missing_of_sample[i] >= (int32_t)ferry.op.n_missing)
            abort();
    if (atg_truth_write_json(&truth, &ferry.op, buf, &err) || atg_buf_take(buf, &text, &err) ||
        atg_truth_read_json(arena, text, &ferry.op, &again, &err))
        abort();
    return 0;
}
