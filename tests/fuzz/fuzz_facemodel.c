/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a manifest whose numbers are in their ranges, or refused with a sentence. */
#include "formats/facemodel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const facemodel *m) {
    if (m->bytes == 0 || m->bytes > FACEMODEL_FILE || m->name.n == 0 || m->licence.n == 0)
        abort();
    if (memchr(m->file.p, '/', m->file.n) || m->file.p[0] == '.')
        abort();
    if (m->kind == FACEMODEL_EMBEDDER
            ? m->dimension == 0 || m->dimension > FACEMODEL_DIMENSION || m->input.aligned == 0
            : m->input.step == 0)
        abort();
    for (int i = 0; i < 3; i++)
        if (!isfinite(m->input.mean[i]) || !(m->input.std[i] > 0))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    atg_arena *arena = atg_arena_new(ARENA);
    facemodel m = {.dimension = 77};
    atg_err err = {0};
    int rc =
        arena ? facemodel_read(arena, (atg_str){(const char *)data, size}, &m, &err) : ATG_ENOMEM;

    if (rc == ATG_OK)
        check(&m);
    else if (rc == ATG_ENOMEM || !err.msg[0] || m.dimension != 77)
        abort();
    atg_arena_free(arena);
    return 0;
}
