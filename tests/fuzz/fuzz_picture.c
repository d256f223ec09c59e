/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a picture whose stripped form is a picture of the same size that stripping leaves
 * as it is, or refused with a sentence. */
#include "formats/picture.h"

#include <stdlib.h>

enum { ARENA = 64 << 20, GROWN = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    atg_arena *arena = atg_arena_new(ARENA);
    picture once = {.width = 77}, twice = {0};
    atg_err err = {0};
    int rc =
        arena ? picture_strip(arena, (atg_str){(const char *)data, size}, &once, &err) : ATG_ENOMEM;

    if (rc == ATG_OK) {
        if (picture_strip(arena, once.bytes, &twice, &err) ||
            !atg_str_eq(once.bytes, twice.bytes) || once.format != twice.format ||
            once.width != twice.width || once.height != twice.height ||
            once.orientation != twice.orientation)
            abort();
        if (once.width == 0 || once.height == 0 || once.width > PICTURE_SIDE ||
            once.height > PICTURE_SIDE || once.orientation < 1 || once.orientation > 8 ||
            once.bytes.n > size + GROWN)
            abort();
    } else if (rc == ATG_ENOMEM || !err.msg[0] || once.width != 77) {
        abort();
    }
    atg_arena_free(arena);
    return 0;
}
