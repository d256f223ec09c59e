/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a bitmap with all of its pixels, or refused with a sentence. */
#include "formats/bmp.h"

#include <stdlib.h>

enum { ARENA = 64 << 20, PIXELS = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    atg_arena *arena = atg_arena_new(ARENA);
    bmp b = {.width = 77};
    atg_err err = {0};
    int rc =
        arena ? bmp_read(arena, (atg_str){(const char *)data, size}, PIXELS, &b, &err) : ATG_ENOMEM;
    unsigned sum = 0;

    if (rc == ATG_OK) {
        if (b.width == 0 || b.height == 0 || (uint64_t)b.width * b.height > PIXELS)
            abort();
        for (size_t i = 0; i < 3 * (size_t)b.width * b.height; i++)
            sum += b.rgb[i];
        if (sum > 3 * 255 * PIXELS)
            abort();
    } else if (rc == ATG_ENOMEM || !err.msg[0] || b.width != 77) {
        abort();
    }
    atg_arena_free(arena);
    return 0;
}
