/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a text with notes, each of which is found again when they are written one behind
 * the other, or are refused with a place. */
#include "store/witness.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(atg_arena *arena, const witness_notes *notes) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(64 << 20);
    witness_notes again;
    char text[CHECKPOINT_MAX];
    atg_str all;

    if (!buf)
        return;
    for (uint32_t i = 0; i < notes->n; i++)
        atg_buf_add(buf, (atg_str){text, checkpoint_text(&notes->notes[i], text)});
    if (atg_buf_take(buf, &all, NULL))
        return;
    if (witness_parse(arena, "again", all, &again, NULL) || again.n != notes->n || again.strange.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(64 << 20);
    atg_str text = {(const char *)data, size};
    witness_notes notes = {.n = 0};
    atg_err err = {0};
    int rc = arena ? witness_parse(arena, "text", text, &notes, &err) : ATG_ENOMEM;

    if (rc == ATG_EPARSE && !err.msg[0])
        abort();
    if (rc == ATG_OK && notes.n == 0)
        abort();
    if (rc == ATG_OK)
        check_again(arena, &notes);
    return 0;
}
