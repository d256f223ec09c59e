/* SPDX-License-Identifier: Apache-2.0 */
/* Range and If-Range of a request, and the Content-Range that answers them: what is sent lies
 * inside of what there is, and is what the answer says.
 *
 *     input    size (8 bytes, big-endian) | if-range: 0 none, 1 the ETag, else another (1) | Range
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "server/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OK = 200, PARTIAL = 206, BEFORE = 9 };

static const char *header(const request *q, const char *name) {
    for (size_t i = 0; i < REPLY_HEADS && q->heads[i].name; i++)
        if (strcmp(q->heads[i].name, name) == 0)
            return q->heads[i].text.p;
    return NULL;
}

static void check_part(const request *q, const source *s) {
    char want[100];

    assert(q->status == PARTIAL && s->n > 0 && s->first < s->size && s->n <= s->size - s->first);
    (void)snprintf(want, sizeof(want), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, s->first,
                   s->first + s->n - 1, s->size);
    assert(header(q, "Content-Range") && strcmp(header(q, "Content-Range"), want) == 0);
}

static void check_none(const request *q, const source *s) {
    const char *is = header(q, "Content-Range");
    char want[100];

    (void)snprintf(want, sizeof(want), "bytes */%" PRIu64, s->size);
    assert(is && strcmp(is, want) == 0);
}

static void check_all(const request *q, const source *s) {
    assert(q->status == OK && s->first == 0 && s->n == s->size && !header(q, "Content-Range"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    source s = {.size = 0};
    request q = {.arena = arena, .status = OK, .etag = ATG_STR("\"7\""), .source = &s};
    bool chosen;

    if (!arena || size < BEFORE)
        return 0;
    /* a file has no more bytes than off_t can say */
    s.size = bytes_get64(data) >> 1;
    q.if_range = data[8] == 0 ? (atg_str){NULL, 0} : data[8] == 1 ? q.etag : ATG_STR("\"8\"");
    q.range = (atg_str){(const char *)data + BEFORE, size - BEFORE};
    chosen = source_choose(&q);
    if (!chosen)
        check_none(&q, &s);
    else if (q.status == PARTIAL)
        check_part(&q, &s);
    else
        check_all(&q, &s);
    /* of another ETag nothing is left out */
    if (data[8] > 1)
        check_all(&q, &s);
    return 0;
}
