/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes are a query, a line feed, and the texts of a record's fields, one a line.  Folding what is
 * folded changes nothing; what the record answers is found by its tokens; what tokens say surely,
 * the record answers. */
#include "search_plan.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA = 64 << 20, FIELD = 4000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool x) {
    if (!x)
        abort();
}

static void check_folding(atg_arena *arena, atg_str text) {
    fold_text once, twice;
    fold_word *words;
    uint32_t n;
    atg_str again;

    if (fold_read(arena, text, &once, NULL) || fold_utf8(arena, once.cp, once.n, &again, NULL) ||
        fold_read(arena, again, &twice, NULL))
        return;
    require(once.n == twice.n && memcmp(once.cp, twice.cp, once.n * sizeof(*once.cp)) == 0);
    if (fold_words(arena, &once, FIELD, &words, &n, NULL))
        return;
    for (uint32_t i = 0; i < n; i++)
        require(words[i].n >= 1 && words[i].n <= FOLD_WORD);
}

static void set(record *r, uint32_t field, atg_str text) {
    r->fields[field].known = text.n > 0;
    r->fields[field].text = text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint32_t fields[] = {MISSING_FAMILY_NAME, MISSING_GIVEN_NAME, MISSING_LAST_PLACE,
                                      MISSING_EXTERNAL,    MISSING_BORN,       MISSING_STORY};
    static const key256 key = {{1, 2, 3}};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str rest = {(const char *)data, size}, query = atg_str_cut(&rest, '\n'), sorted;
    record *r = arena ? record_new(arena, RECORD_MISSING) : NULL;
    plan_verdict v;

    if (!r)
        return 0;
    r->code = ATG_STR("AM-K3-000123");
    check_folding(arena, query);
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields) && rest.n; i++) {
        atg_str line = atg_str_cut(&rest, '\n');

        line.n = line.n < FIELD ? line.n : FIELD;
        check_folding(arena, line);
        set(r, fields[i], line);
    }
    if (tokens_sort_key(arena, query, &sorted, NULL) == ATG_OK)
        require(sorted.n <= FILE_SORT_MAX);
    if (plan_try(arena, &key, query, r, &v) == ATG_OK && v.read) {
        require(!v.answered || v.found);
        require(!v.sure || v.answered);
    }
    return 0;
}
