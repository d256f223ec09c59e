/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures and scans.  Each one that is opened is an entry of the history; none stays in a cache.
 * Nothing is decoded in this process: what comes in goes to the worker, and what comes back is
 * kept. */
#include "server/routes.h"

#include <string.h>

#include "app/pictures.h"
#include "server/changes.h"
#include "server/service_internal.h"
#include "server/source.h"
#include "server/uploaded.h"

enum { SMALL_SIDE = 320, FIRST = 16 };

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

/* ---- decoding ---- */

static int decode(request *q, worker_picture_ask *ask, worker_picture *ret, atg_err *err) {
    int rc;

    ask->deadline_ms = q->s->o.decode_ms;
    rc = q->s->worker ? worker_picture_read(q->s->worker, ask, q->arena, ret, err) : ATG_EIO;
    return request_decoded(q, rc, err);
}

static int reply_picture(request *q, atg_str bytes, atg_err *err) {
    int rc = reply_text(q, MHD_HTTP_OK, "image/jpeg", err);

    if (!rc)
        atg_buf_add(q->out, bytes);
    return rc;
}

/* The stored picture drawn small or blurred, where that was not done when it came; it is kept for
 * the next time.  Why one cannot be drawn could tell what it is. */
static int draw(request *q, const picture_got *from, atg_str bytes, bool sealed, atg_err *err) {
    worker_picture_ask ask = {.in = {.bytes = bytes},
                              .thumbnail = sealed ? 0 : SMALL_SIDE,
                              .seal = sealed ? SMALL_SIDE : 0};
    worker_picture p = {.width = 0};
    int rc = decode(q, &ask, &p, err);

    if (rc && !q->problem && rc != ATG_ENOMEM)
        return request_refuse(q, PROBLEM_UNKNOWN, err, "What is kept here cannot be drawn");
    if (rc)
        return rc;
    bytes = sealed ? p.seal.bytes : p.thumbnail.bytes;
    (void)pictures_keep(request_cases(q), from, sealed ? PICTURE_BLURRED : PICTURE_SMALL, bytes,
                        NULL);
    return reply_picture(q, bytes, err);
}

/* ---- looking ---- */

/* Sealed: who has the role opens it with a reason. */
static int look(request *q, const picture_wish *w, stream_sink to, atg_err *err) {
    int rc = pictures_get(request_cases(q), &q->who, w, to, err);

    if (rc == ATG_EDENIED && !q->who.reason.n)
        return request_refuse(q, PROBLEM_SEALED, err,
                              "This picture is sealed: who may see it says why in "
                              "Antigone-Purpose, which stands in the history");
    return rc;
}

static int show_full(request *q, const picture_wish *w, atg_err *err) {
    ATG_AUTO(outgoing) o = NULL;
    outgoing *given;
    char first[FIRST] = "", tag[OUTGOING_TAG + 1];
    size_t n;
    int rc = outgoing_new(request_cases(q), &o, err);

    if (!rc)
        rc = look(q, w, (stream_sink){outgoing_write, o}, err);
    if (rc)
        return rc;
    n = outgoing_size(o) < sizeof(first) ? (size_t)outgoing_size(o) : sizeof(first);
    rc = outgoing_read(o, 0, first, n, err);
    if (rc)
        return rc;
    outgoing_tag(o, tag);
    given = o;
    o = NULL;
    rc = reply_outgoing(q, MHD_HTTP_OK, type_of((atg_str){first, n}), given, err);
    q->etag = atg_arena_printf(q->arena, "\"%s\"", tag);
    return rc;
}

static int show_small(request *q, const picture_wish *place, bool sealed, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(REPLY_MAX);
    atg_str bytes = {NULL, 0};
    picture_got got = {.whole = false};
    picture_wish w = *place;
    int rc;

    w.form = sealed ? PICTURE_BLURRED : PICTURE_SMALL;
    w.got = &got;
    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    rc = sealed ? pictures_get_unseen(request_cases(q), &q->who, &w, (stream_sink){add_bytes, buf},
                                      err)
                : look(q, &w, (stream_sink){add_bytes, buf}, err);
    if (!rc)
        rc = atg_buf_take(buf, &bytes, err);
    if (rc)
        return rc;
    return got.whole ? draw(q, &got, bytes, sealed, err) : reply_picture(q, bytes, err);
}

static int show(request *q, atg_err *err) {
    static const char *const forms[] = {"full", "thumbnail", "sealed", NULL};
    picture_wish w = {.field = 0};
    int form = 0, rc = read_place(q, &w, err);

    if (!rc)
        rc = request_choice(q, "form", forms, &form, err);
    if (!rc)
        rc = form < 1 ? show_full(q, &w, err) : show_small(q, &w, form == 2, err);
    if (!rc)
        q->file_name =
            atg_arena_printf(q->arena, "inline; filename=\"%s-%s\"", record_types[w.kind].name,
                             record_field(w.kind, w.field)->name);
    return rc;
}

/* ---- putting in ---- */

/* Ridges are compared line by line: no loss is added to theirs.  All forms are made at once, so
 * that who looks needs no worker. */
static int clean(request *q, record_kind kind, const worker_input *in, worker_picture *ret,
                 atg_err *err) {
    worker_picture_ask ask = {.in = *in,
                              .clean = kind == RECORD_RIDGE ? WORKER_CLEAN_PNG : WORKER_CLEAN_AUTO,
                              .clean_max = BODY_PICTURE,
                              .thumbnail = SMALL_SIDE,
                              .seal = SMALL_SIDE};

    return decode(q, &ask, ret, err);
}

/* A form that cannot be kept is made when somebody looks. */
static void keep_forms(request *q, const record *r, uint32_t field, const worker_picture *p) {
    picture_got from = {.operation = r->operation, .person = r->file};

    memcpy(from.hash.bytes, r->fields[field].hash, HASH_SIZE);
    (void)pictures_keep(request_cases(q), &from, PICTURE_SMALL, p->thumbnail.bytes, NULL);
    (void)pictures_keep(request_cases(q), &from, PICTURE_BLURRED, p->seal.bytes, NULL);
}

static int put_bytes(request *q, const picture_wish *w, uploaded *u, record *r, atg_err *err) {
    worker_input in = {.name = {NULL, 0}};
    worker_picture p = {.width = 0};
    int rc = pictures_check(request_cases(q), &q->who, r, w->field, err);

    if (!rc)
        rc = uploaded_open(q, UPLOAD_PICTURE, 1, u, err);
    if (!rc && !u->n && !q->body)
        rc = request_refuse(q, PROBLEM_REQUEST, err, "The body is to be the picture");
    if (!rc)
        rc = u->n ? uploaded_input(u, 0, &in, err) : atg_buf_take(q->body, &in.bytes, err);
    if (!rc)
        rc = clean(q, w->kind, &in, &p, err);
    if (!rc)
        rc = pictures_put(request_cases(q), &q->who, r, w->field, p.clean.bytes,
                          &r->fields[w->field], err);
    if (!rc)
        keep_forms(q, r, w->field, &p);
    return rc;
}

static int put(request *q, atg_err *err) {
    picture_wish w = {.field = 0};
    seen s = {.r = NULL};
    uploaded u = {.n = 0};
    int rc = read_place(q, &w, err);

    if (!rc)
        rc = changes_unchanged(q, &s, err);
    if (!rc)
        rc = put_bytes(q, &w, &u, s.r, err);
    if (!rc)
        rc = changes_apply(q, CHANGE_EDIT, s.r, err);
    uploaded_close(&u, !rc);
    return rc;
}

const route routes_pictures[] = {
    {.method = "GET",
     .path = "/api/v1/records/{kind}/{id}/picture/{field}",
     .flags = ROUTE_LOOKS | ROUTE_RANGES,
     .run = show,
     .tag = "pictures",
     .summary = "A picture or scan; those of the dead are sealed until a purpose is given",
     .query = "form",
     .gives = "image/*",
     .status = 200},
    {.method = "PUT",
     .path = "/api/v1/records/{kind}/{id}/picture/{field}",
     .flags = ROUTE_MATCH | ROUTE_LONG | ROUTE_RAW,
     .body = BODY_PICTURE,
     .run = put,
     .tag = "pictures",
     .summary = "Put a picture in: it is kept upright, and without what it tells about its camera",
     .query = "upload",
     .takes = "image/*",
     .gives = "Changed",
     .status = 200},
    {.method = NULL},
};
