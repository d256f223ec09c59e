/* SPDX-License-Identifier: Apache-2.0 */
/* Names of things in requests: Last-Event-ID and Upload-Offset, the revision of If-Match, the
 * identifiers of jobs, uploads and records.  What is read is written the same, or it is refused and
 * nothing is written. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_digits(atg_str text) {
    uint64_t x = 77;
    char again[24];

    if (!request_digits(text, &x)) {
        assert(x == 77);
        return;
    }
    assert(text.n <= 18 && x <= INT64_MAX);
    (void)snprintf(again, sizeof(again), "%0*" PRIu64, (int)text.n, x);
    assert(atg_str_eq(text, atg_str_of(again)));
}

static void check_revision(request *q, atg_str text) {
    int64_t rev = -77;
    atg_err err = {0};

    q->if_match = text;
    if (request_revision(q, &rev, &err))
        assert(rev == -77 && err.msg[0] && q->problem == PROBLEM_CHANGED);
    else
        assert(rev >= 0 && memchr(text.p, '"', text.n));
}

static void check_id(request *q, atg_str text) {
    static const uuid none;
    uuid id = none, same = none;
    char again[UUID_TEXT + 1];
    atg_err err = {0};

    if (request_id(q, text, &id, &err)) {
        assert(uuid_none(&id) && err.msg[0]);
        return;
    }
    assert(uuid_valid(&id) && uuid_read(text, &same) && uuid_cmp(&id, &same) == 0);
    uuid_text(&id, again);
    assert(atg_str_eq(text, atg_str_of(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    atg_str text = {(const char *)data, size};
    request q = {.id = ""};

    check_digits(text);
    check_revision(&q, text);
    check_id(&q, text);
    return 0;
}
