/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are rows of cells with their places, or refused with a sentence. */
#include "formats/tablejson.h"

#include <stdlib.h>

enum { ARENA = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int look(void *user, const csv_field *fields, uint32_t n, atg_err *err) {
    (void)user;
    (void)err;
    if (n < 1 || n > CSV_FIELDS_MAX)
        abort();
    for (uint32_t i = 0; i < n; i++)
        if (!fields[i].line || !fields[i].col || !fields[i].text.p)
            abort();
    return ATG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    atg_arena *arena = atg_arena_new(ARENA);
    atg_err err = {0};
    int rc = arena ? tablejson_read(arena, (atg_str){(const char *)data, size}, look, NULL, &err)
                   : ATG_ENOMEM;

    if (rc == ATG_ENOMEM || (rc && !err.msg[0]))
        abort();
    atg_arena_free(arena);
    return 0;
}
