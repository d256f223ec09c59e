/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says which item the others are.  An item that is read is written, read and written
 * again as the same bytes; others are refused with a sentence. */
#include "formats/bundle_items.h"

#include <stdlib.h>

enum { ARENA = 64 << 20, WRITTEN = 32 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read an item and append what is written of it. */
typedef int again_fn(atg_arena *arena, atg_str bytes, atg_buf *buf, atg_err *err);

/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define AGAIN(name, ...)                                                                           \
    static int name##_again(atg_arena *arena, atg_str bytes, atg_buf *buf, atg_err *err) {         \
        bundle_##name is;                                                                          \
        int rc = bundle_read_##name(__VA_ARGS__, &is, err);                                        \
                                                                                                   \
        (void)arena;                                                                               \
        if (rc == ATG_OK)                                                                          \
            bundle_write_##name(buf, &is);                                                         \
        return rc;                                                                                 \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

AGAIN(manifest, arena, bytes)
AGAIN(tombstone, bytes)
AGAIN(notice, arena, bytes)
AGAIN(file, bytes)
AGAIN(picture, bytes)
AGAIN(entry, arena, bytes)
AGAIN(total, bytes)

static int record_again(atg_arena *arena, atg_str bytes, atg_buf *buf, atg_err *err) {
    bundle_record is;
    int rc = bundle_read_record(arena, bytes, &is, err);

    if (rc == ATG_OK)
        bundle_write_record(buf, &is, NULL, NULL);
    return rc;
}

static again_fn *const again[] = {
    [BUNDLE_MANIFEST] = manifest_again, [BUNDLE_TOMBSTONE] = tombstone_again,
    [BUNDLE_NOTICE] = notice_again,     [BUNDLE_FILE] = file_again,
    [BUNDLE_PICTURE] = picture_again,   [BUNDLE_ENTRY] = entry_again,
    [BUNDLE_TOTAL] = total_again,       [BUNDLE_RECORD] = record_again,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    atg_arena *arena = atg_arena_new(ARENA);
    atg_buf *once = atg_buf_new(WRITTEN), *twice = atg_buf_new(WRITTEN);
    atg_str first, second;
    atg_err err = {0};
    size_t kind;
    int rc;

    if (!arena || !once || !twice)
        abort();
    kind = size ? data[0] : 0;
    if (kind >= sizeof(again) / sizeof(*again) || !again[kind]) {
        rc = ATG_EINVAL;
    } else {
        rc = again[kind](arena, (atg_str){(const char *)data + 1, size - 1}, once, &err);
        if (rc && (!err.msg[0] || (rc != ATG_EPARSE && rc != ATG_ELIMIT)))
            abort();
    }
    if (rc == ATG_OK &&
        (atg_buf_take(once, &first, &err) || again[kind](arena, first, twice, &err) ||
         atg_buf_take(twice, &second, &err) || !atg_str_eq(first, second)))
        abort();
    atg_buf_free(once);
    atg_buf_free(twice);
    atg_arena_free(arena);
    return 0;
}
