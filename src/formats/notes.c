/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include <stdarg.h>
#include <stdio.h>

atg_notes *atg_notes_new(atg_arena *arena) {
    atg_notes *notes = ATG_GET(arena, atg_notes, 1);

    if (!notes)
        return NULL;
    notes->text = ATG_GET(arena, atg_str, ATG_NOTES_MAX);
    return notes->text ? notes : NULL;
}

void atg_note(atg_notes *notes, atg_arena *arena, const char *fmt, ...) {
    char text[1000];
    va_list ap;
    atg_str kept;

    if (!notes || notes->n == ATG_NOTES_MAX)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    kept = atg_arena_str(arena, atg_str_of(text));
    if (kept.p)
        notes->text[notes->n++] = kept;
}
