/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads in pieces, after the model of draft-ietf-httpbis-resumable-upload: begun with their
 * length, sent with PATCH at an offset, asked about with HEAD, given up with DELETE. What is whole
 * is used by naming it as `upload` where a body could stand. */
#include "server/routes.h"

#include <string.h>

#include "app/cases_json.h"
#include "base/bytes.h"
#include "server/feed.h"
#include "server/service_internal.h"

static int taken_here(request *q, atg_err *err) {
    return q->s->uploads ? ATG_OK
                         : request_refuse(q, PROBLEM_UPLOADS, err,
                                          "No uploads are taken here: the operator's log says why");
}

/* ---- answers ---- */

static void put_bytes(json *j, const char *key, uint64_t n) {
    cases_put_number(j, key, (int64_t)n);
}

static void write_upload(json *j, const upload_info *i) {
    char hex[2 * sizeof(i->sha256) + 1];

    json_object_line(j);
    cases_put_id(j, "id", &i->id);
    cases_put_text(j, "for", atg_str_of(upload_uses[i->use]));
    cases_put_text(j, "name", atg_str_of(i->name));
    put_bytes(j, "length", i->length);
    put_bytes(j, "offset", i->size);
    json_key(j, "complete");
    json_bool(j, i->size == i->length);
    cases_put_instant(j, "created", i->created);
    cases_put_instant(j, "expires", i->expires);
    if (i->has_sha256) {
        bytes_hex(i->sha256, sizeof(i->sha256), hex);
        cases_put_text(j, "sha256", atg_str_of(hex));
    }
    json_end(j, '}');
}

/* Where it is, as the draft says it. */
static void head_upload(request *q, const upload_info *i) {
    reply_head(q, "Upload-Offset", "%llu", (unsigned long long)i->size);
    reply_head(q, "Upload-Length", "%llu", (unsigned long long)i->length);
    reply_head(q, "Upload-Complete", "?%d", i->size == i->length);
}

/* What the account may have, and what is left of it. */
static int head_limit(request *q, upload_state *ret, atg_err *err) {
    int rc = upload_holds(q->s->uploads, &q->who, ret, err);

    if (rc)
        return rc;
    reply_head(q, "Upload-Limit", "max-size=%llu, max-append-size=%llu, max-age=%d",
               (unsigned long long)ret->ceiling.one, (unsigned long long)BODY_UPLOAD,
               UPLOAD_KEPT_S);
    q->quota = atg_arena_printf(q->arena, "upload; left=%llu; most=%llu",
                                (unsigned long long)(ret->ceiling.all - ret->held.all),
                                (unsigned long long)ret->ceiling.all);
    return ATG_OK;
}

static int reply_upload(request *q, const upload_info *i, unsigned status, atg_err *err) {
    int rc = reply_json(q, status, err);

    if (rc)
        return rc;
    head_upload(q, i);
    write_upload(&q->j, i);
    return ATG_OK;
}

/* ---- beginning ---- */

static int read_wish(request *q, upload_wish *ret, atg_err *err) {
    const json_t *length = json_object_get(q->json, "length");
    atg_str use = {NULL, 0};
    int at, rc = request_members(q, "!for !length name sha256", err);

    if (!rc)
        rc = request_text(q, "for", &use, err);
    if (!rc)
        rc = request_text(q, "name", &ret->name, err);
    if (!rc)
        rc = request_text(q, "sha256", &ret->sha256, err);
    if (rc)
        return rc;
    at = record_word(upload_uses, use);
    if (at < 0 || at == UPLOAD_MADE)
        return atg_fail(err, ATG_EINVAL, "An upload is for a picture, table, dna or bundle");
    if (!json_is_integer(length) || json_integer_value(length) < 1)
        return atg_fail(err, ATG_EINVAL, "'length' is the number of bytes, 1 or more");
    ret->use = (upload_use)at;
    ret->length = (uint64_t)json_integer_value(length);
    return ATG_OK;
}

static int create(request *q, atg_err *err) {
    upload_wish w = {.use = UPLOAD_PICTURE};
    upload_info info;
    upload_state state;
    char id[UUID_TEXT + 1];
    int rc = taken_here(q, err);

    if (!rc)
        rc = read_wish(q, &w, err);
    if (!rc)
        rc = head_limit(q, &state, err);
    if (!rc)
        rc = upload_new(q->s->uploads, &q->who, &w, &info, err);
    if (!rc)
        rc = head_limit(q, &state, err);
    if (!rc)
        rc = reply_upload(q, &info, MHD_HTTP_CREATED, err);
    if (rc)
        return rc;
    uuid_text(&info.id, id);
    q->location = atg_arena_printf(q->arena, "/api/v1/uploads/%s", id);
    return ATG_OK;
}

/* ---- looking ---- */

static int list(request *q, atg_err *err) {
    upload_info *all;
    upload_state state;
    uint32_t n = 0;
    int rc = taken_here(q, err);

    if (!rc)
        rc = upload_list(q->s->uploads, &q->who, q->arena, &all, &n, err);
    if (!rc)
        rc = head_limit(q, &state, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "limits");
    json_object_line(&q->j);
    put_bytes(&q->j, "one", state.ceiling.one);
    put_bytes(&q->j, "all", state.ceiling.all);
    put_bytes(&q->j, "waiting", state.held.all);
    cases_put_number(&q->j, "uploads", state.ceiling.n);
    for (int use = 0; use < UPLOAD_USES; use++)
        put_bytes(&q->j, upload_uses[use], upload_most[use]);
    json_end(&q->j, '}');
    json_key(&q->j, "uploads");
    json_begin_array(&q->j);
    for (uint32_t i = 0; i < n; i++)
        write_upload(&q->j, &all[i]);
    json_end(&q->j, ']');
    json_end(&q->j, '}');
    return ATG_OK;
}

static int show(request *q, atg_err *err) {
    upload_info info;
    uuid id;
    int rc = taken_here(q, err);

    if (!rc)
        rc = request_id(q, request_word(q, "upload"), &id, err);
    if (!rc)
        rc = upload_look(q->s->uploads, &q->who, &id, &info, err);
    return rc ? rc : reply_upload(q, &info, MHD_HTTP_OK, err);
}

static int give_up(request *q, atg_err *err) {
    uuid id;
    int rc = taken_here(q, err);

    if (!rc)
        rc = request_id(q, request_word(q, "upload"), &id, err);
    if (!rc)
        rc = upload_remove(q->s->uploads, &q->who, &id, err);
    return rc ? rc : reply_empty(q);
}

/* ---- a piece ---- */

static int read_offset(request *q, uint64_t *ret, atg_err *err) {
    return request_digits(atg_str_trim(q->upload_offset), ret)
               ? ATG_OK
               : request_refuse(q, PROBLEM_REQUEST, err,
                                "Upload-Offset is to be the byte at which this goes on");
}

static int begin_piece(request *q, atg_err *err) {
    upload_info info = {.length = 0};
    upload_piece p = {.n = q->length};
    int rc = taken_here(q, err);

    if (!rc)
        rc = request_id(q, request_word(q, "upload"), &p.id, err);
    if (!rc)
        rc = read_offset(q, &p.offset, err);
    if (!rc)
        rc = feed_new(q, err);
    if (rc)
        return rc;
    rc = upload_begin(q->s->uploads, &q->who, &p, &q->feed->to, &info, err);
    if (rc && info.length)
        head_upload(q, &info);
    if (rc == ATG_ECONFLICT && info.size != p.offset)
        q->problem = PROBLEM_OFFSET;
    return rc;
}

static int end_piece(request *q, atg_err *err) {
    upload_info info;
    int rc = feed_rest(q, err);

    if (!rc)
        rc = upload_end(&q->feed->to, &info, err);
    feed_free(q);
    return rc ? rc : reply_upload(q, &info, MHD_HTTP_OK, err);
}

const route routes_uploads[] = {
    {.method = "POST",
     .path = "/api/v1/uploads",
     .body = BODY_SMALL,
     .run = create,
     .tag = "uploads",
     .summary = "Begin an upload: what it is for, and how long it will be",
     .takes = "NewUpload",
     .gives = "Upload",
     .status = 201},
    {.method = "GET",
     .path = "/api/v1/uploads",
     .run = list,
     .tag = "uploads",
     .summary = "One's own uploads that wait, and how much may wait",
     .gives = "Uploads",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/uploads/{upload}",
     .run = show,
     .tag = "uploads",
     .summary = "How far an upload is: Upload-Offset, with HEAD alone too",
     .gives = "Upload",
     .status = 200},
    {.method = "PATCH",
     .path = "/api/v1/uploads/{upload}",
     .flags = ROUTE_RAW,
     .body = BODY_UPLOAD,
     .begin = begin_piece,
     .run = end_piece,
     .tag = "uploads",
     .summary = "The next piece, from Upload-Offset on; of one that breaks off what came is kept",
     .takes = "application/partial-upload",
     .gives = "Upload",
     .status = 200},
    {.method = "DELETE",
     .path = "/api/v1/uploads/{upload}",
     .run = give_up,
     .tag = "uploads",
     .summary = "Give an upload up",
     .status = 204},
    {.method = NULL},
};
