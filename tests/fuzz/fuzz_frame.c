/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are frames that are written the same again, or refused with a sentence. */
#include "ipc/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written as it stood. */
#define CHECK(name)                                                                                \
    static void check_##name(atg_str body) {                                                       \
        static frame_##name v;                                                                     \
        frame_body again = {.n = 0};                                                               \
        atg_err err = {0};                                                                         \
                                                                                                   \
        if (frame_get_##name(body, &v, &err)) {                                                    \
            if (err.code != ATG_EPARSE || !err.msg[0])                                             \
                abort();                                                                           \
            return;                                                                                \
        }                                                                                          \
        frame_put_##name(&again, &v);                                                              \
        if (again.full || again.n != body.n || memcmp(again.p, body.p, body.n) != 0)               \
            abort();                                                                               \
    }

CHECK(hello)
CHECK(picture)
CHECK(faces)
CHECK(face)
CHECK(parse)
CHECK(selftest)
CHECK(done)
CHECK(refused)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    while (size >= FRAME_HEAD) {
        frame f = {.request = 77};
        unsigned char head[FRAME_HEAD];
        atg_err err = {0};
        size_t left = size - FRAME_HEAD;

        if (frame_read(data, &f, &err)) {
            if (err.code != ATG_EPARSE || f.request != 77)
                abort();
            break;
        }
        frame_head(&f, head);
        if (memcmp(head, data, FRAME_HEAD) != 0 || f.length > FRAME_BODY)
            abort();

        atg_str body = {(const char *)data + FRAME_HEAD, f.length < left ? f.length : left};

        check_hello(body);
        check_picture(body);
        check_faces(body);
        check_face(body);
        check_parse(body);
        check_selftest(body);
        check_done(body);
        check_refused(body);
        data += FRAME_HEAD + body.n;
        size = left - body.n;
    }
    return 0;
}
