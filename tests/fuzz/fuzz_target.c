/* SPDX-License-Identifier: Apache-2.0 */
/* Targets of requests: whatever comes, what is read is UTF-8 without control characters, has no dot
 * segments and no name twice, and reads back from its own encoding. */
#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "server/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(atg_arena *arena, atg_str text) {
    atg_str again;

    for (size_t i = 0; i < text.n;) {
        size_t n = utf8_len(text.p + i, text.n - i);

        assert(n && (unsigned char)text.p[i] >= 0x20);
        i += n;
    }
    assert(target_decode(arena, target_encode(arena, text), true, &again, NULL) == ATG_OK);
    assert(atg_str_eq(again, text));
}

static void check_names(const target *t) {
    for (uint32_t i = 0; i < t->n_query; i++)
        for (uint32_t k = 0; k < i; k++)
            assert(!atg_str_eq(t->query[i].name, t->query[k].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(4 << 20);
    target t;
    atg_err err = {0};

    if (!arena || target_read(arena, (atg_str){(const char *)data, size}, &t, &err))
        return 0;
    for (uint32_t i = 0; i < t.n; i++) {
        check(arena, t.segment[i]);
        assert(t.segment[i].n && !memchr(t.segment[i].p, '/', t.segment[i].n));
        assert(strcmp(t.segment[i].p, "..") != 0);
    }
    for (uint32_t i = 0; i < t.n_query; i++) {
        check(arena, t.query[i].name);
        check(arena, t.query[i].value);
    }
    check_names(&t);
    return 0;
}
