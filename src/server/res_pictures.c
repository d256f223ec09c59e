/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures and scans.  Each one that is opened is an entry of the history; none stays in a cache.
 */
#include "server/routes.h"

#include <string.h>

#include "app/pictures.h"

static int add_bytes(void *user, atg_str bytes, atg_err *err) {
    (void)err;
    atg_buf_add(user, bytes);
    return ATG_OK;
}

/* By its first bytes; what is none of these is a template of friction ridges. */
static const char *type_of(atg_str bytes) {
    if (bytes.n > 3 && memcmp(bytes.p, "\xff\xd8\xff", 3) == 0)
        return "image/jpeg";
    if (bytes.n > 8 && memcmp(bytes.p, "\x89PNG\r\n\x1a\n", 8) == 0)
        return "image/png";
    if (bytes.n > 12 && memcmp(bytes.p, "RIFF", 4) == 0 && memcmp(bytes.p + 8, "WEBP", 4) == 0)
        return "image/webp";
    return "application/octet-stream";
}

static int read_place(request *q, picture_wish *ret, atg_err *err) {
    int kind = record_kind_of(request_word(q, "kind")), f;

    if (kind < 0)
        return request_refuse(q, PROBLEM_UNKNOWN, err, "There is no such kind of record");
    f = record_field_of((record_kind)kind, request_word(q, "field"));
    if (f < 0 || record_field((record_kind)kind, (uint32_t)f)->kind != FIELD_BLOB)
        return request_refuse(q, PROBLEM_UNKNOWN, err, "There is no such picture");
    ret->kind = (record_kind)kind;
    ret->field = (uint32_t)f;
    return request_id(q, request_word(q, "id"), &ret->id, err);
}

static int show(request *q, atg_err *err) {
    picture_wish w = {.field = 0};
    atg_str bytes;
    int rc = read_place(q, &w, err);

    if (!rc)
        rc = reply_text(q, MHD_HTTP_OK, "application/octet-stream", err);
    if (!rc)
        rc = pictures_get(request_cases(q), &q->who, &w, (stream_sink){add_bytes, q->out}, err);
    /* sealed: who has the role opens it with a reason */
    if (rc == ATG_EDENIED && !q->who.reason.n)
        return request_refuse(q, PROBLEM_SEALED, err,
                              "This picture is sealed: who may see it says why in "
                              "Antigone-Purpose, which stands in the history");
    if (!rc)
        rc = atg_buf_take(q->out, &bytes, err);
    if (rc)
        return rc;
    q->type = type_of(bytes);
    q->file_name = atg_arena_printf(q->arena, "inline; filename=\"%s-%s\"",
                                    record_types[w.kind].name, record_field(w.kind, w.field)->name);
    return ATG_OK;
}

const route routes_pictures[] = {
    {.method = "GET",
     .path = "/api/v1/records/{kind}/{id}/picture/{field}",
     .flags = ROUTE_LOOKS,
     .run = show,
     .tag = "pictures",
     .summary = "A picture or scan; those of the dead are sealed until a purpose is given",
     .gives = "image/*",
     .status = 200},
    {.method = NULL},
};
