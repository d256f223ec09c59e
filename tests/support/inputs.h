/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of readers: the fuzzers' seeds, changed a little, and what came out of them. */
#ifndef ATG_TESTS_INPUTS_H
#define ATG_TESTS_INPUTS_H

#include "testing.h"

#include "base/file.h"

enum { INPUT_ARENA = 16 << 20 };

/* A seed of the fuzzer `target`. */
static inline atg_str seed_of(atg_arena *arena, const char *target, const char *name) {
    const char *folder = getenv("ATG_CORPUS_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    atg_str path = atg_arena_printf(arena, "%s/%s/%s", folder ? folder : ".", target, name);
    atg_str bytes = {0};
    atg_err err = {0};

    assert_non_null(path.p);
    if (file_read(arena, path.p, INPUT_ARENA, &bytes, &err))
        fail_msg("%s", err.msg);
    return bytes;
}

/* `text` with the first `from` replaced. */
static inline atg_str with(atg_arena *arena, atg_str text, const char *from, const char *to) {
    const char *at = memmem(text.p, text.n, from, strlen(from));
    size_t head;

    assert_non_null(at);
    head = (size_t)(at - text.p);
    return atg_arena_printf(arena, "%.*s%s%.*s", (int)head, text.p, to,
                            (int)(text.n - head - strlen(from)), at + strlen(from));
}

static inline bool noted(const atg_notes *notes, const char *part) {
    for (uint32_t i = 0; i < notes->n; i++)
        if (memmem(notes->text[i].p, notes->text[i].n, part, strlen(part)))
            return true;
    return false;
}

static inline void assert_is(atg_str got, const char *want) {
    if (!atg_str_eq(got, atg_str_of(want)))
        fail_msg("\"%.*s\" is not \"%s\"", ATG_FMT(got), want);
}

#endif
