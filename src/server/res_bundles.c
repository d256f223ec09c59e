/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed bundles between sites: opened on receipt, made and fetched. What others send is looked
 * through by the worker, part by part, before it is opened here; the worker has no key. */
#include "server/routes.h"

#include "app/bundle.h"
#include "app/cases_json.h"
#include "base/mem.h"
#include "server/changes.h"
#include "server/service_internal.h"
#include "server/source.h"
#include "server/uploaded.h"

enum { CHECK_MAX = 1 << 20 };

/* ---- opening ---- */

static int64_t count_of(const json_t *v, const char *key) {
    return json_integer_value(json_object_get(json_object_get(v, key), "count"));
}

/* What the worker said of the parts. */
static int judge(atg_str text, atg_err *err) {
    json_t *v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    bool ended = json_is_true(json_object_get(v, "ended"));
    int64_t parts = json_integer_value(json_object_get(v, "parts"));
    int64_t missing = count_of(v, "missing"), damaged = count_of(v, "damaged");

    json_decref(v);
    if (!v)
        return atg_fail(err, ATG_EIO, "The worker answered with what is no answer");
    if (ended && !missing && !damaged)
        return ATG_OK;
    return atg_fail(err, ATG_EPARSE,
                    "Of this bundle %lld parts are there, %lld of them damaged, %lld missing%s: "
                    "copy it again",
                    (long long)(parts - missing), (long long)damaged, (long long)missing,
                    ended ? "" : ", and its end");
}

static int read_one(void *user, uint64_t at, void *ret, size_t n, atg_err *err) {
    return upload_read(user, at, ret, n, err);
}

static int look_through(request *q, uploaded *u, atg_err *err) {
    worker_source from[WORKER_INPUTS_MAX];
    worker_input in[WORKER_INPUTS_MAX];
    worker_parse_ask ask = {.kind = WORKER_PARSE_BUNDLE,
                            .n = u->n,
                            .in = in,
                            .deadline_ms = q->s->o.decode_ms,
                            .out_max = CHECK_MAX};
    worker_parsed parsed = {.size = 0};
    int rc;

    for (uint32_t i = 0; i < u->n; i++) {
        from[i] = (worker_source){u->of[i].info.length, read_one, &u->of[i].from};
        in[i] = (worker_input){.from = &from[i], .name = atg_str_of(u->of[i].info.name)};
    }
    rc = q->s->worker ? worker_parse(q->s->worker, &ask, q->arena, &parsed, err) : ATG_EIO;
    rc = request_decoded(q, rc, err);
    return rc ? rc : judge(parsed.json, err);
}

static int write_out(request *q, uploaded *u, const char **ret, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < u->n && !rc; i++) {
        char *path = ATG_GET(q->arena, char, UPLOAD_PATH);

        rc = path ? upload_write_out(&u->of[i].from, path, err)
                  : atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");
        ret[i] = path;
    }
    return rc;
}

static int take_in(request *q, uploaded *u, bundle_opened *ret, atg_err *err) {
    const char *paths[WORKER_INPUTS_MAX];
    bundle_order order = {.paths = paths, .progress = request_progress(q)};
    int rc = bundles_check(request_cases(q), &q->who, err);

    if (!rc)
        rc = request_flag(q, "changed_history", &order.changed_history, err);
    if (!rc)
        rc = uploaded_open(q, UPLOAD_BUNDLE, WORKER_INPUTS_MAX, u, err);
    if (!rc)
        rc = look_through(q, u, err);
    if (!rc)
        rc = write_out(q, u, paths, err);
    order.n_paths = u->n;
    return rc ? rc : bundles_open(request_cases(q), &q->who, q->arena, &order, ret, err);
}

static int write_opened(request *q, const bundle_opened *o, atg_err *err) {
    json *j = &q->j;
    int rc = reply_json(q, MHD_HTTP_OK, err);

    if (rc)
        return rc;
    json_begin_object(j);
    cases_put_id(j, "bundle", &o->bundle);
    cases_put_id(j, "operation", &o->operation);
    cases_put_text(j, "from", o->from);
    json_key(j, "before");
    json_bool(j, o->before);
    cases_put_number(j, "added", (int64_t)o->added);
    cases_put_number(j, "updated", (int64_t)o->updated);
    cases_put_number(j, "same", (int64_t)o->same);
    cases_put_number(j, "conflicts", (int64_t)o->conflicts);
    cases_put_number(j, "pictures", (int64_t)o->pictures);
    cases_put_number(j, "erased", (int64_t)o->erased);
    cases_put_number(j, "gone", (int64_t)o->gone);
    cases_put_number(j, "refused", (int64_t)o->refused);
    json_key(j, "told");
    json_begin_array(j);
    for (uint64_t i = 0; i < o->refused && i < BUNDLES_TOLD; i++)
        json_str(j, o->told[i]);
    json_end(j, ']');
    json_end(j, '}');
    return ATG_OK;
}

static int open_bundle(request *q, atg_err *err) {
    bundle_opened opened = {.before = false};
    uploaded u = {.n = 0};
    int rc = take_in(q, &u, &opened, err);

    uploaded_close(&u, !rc);
    return rc ? rc : write_opened(q, &opened, err);
}

/* ---- making ---- */

static int make_bundle(request *q, atg_err *err) {
    char path[UPLOAD_PATH];
    bundle_wish w = {.since = BUNDLES_SINCE_LAST, .to = request_query(q, "to")};
    bundle_made made;
    upload_info info;
    file_row operation;
    bool all = false;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = request_flag(q, "all", &all, err);
    if (!rc)
        rc = changes_confirmed(q, err);
    if (!rc && !q->s->uploads)
        rc = request_refuse(q, PROBLEM_UPLOADS, err, "Nothing can be kept here to be fetched");
    if (!rc)
        rc = upload_new_path(q->s->uploads, path, err);
    if (rc)
        return rc;
    w.operation = operation.id;
    w.since = all ? BUNDLES_ALL : w.since;
    w.path = path;
    w.progress = request_progress(q);
    rc = bundles_make(request_cases(q), &q->who, &w, &made, err);
    if (!rc)
        rc = upload_keep(q->s->uploads, &q->who, path, &info, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_CREATED, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_id(&q->j, "upload", &info.id);
    cases_put_id(&q->j, "bundle", &made.bundle);
    cases_put_number(&q->j, "length", (int64_t)info.length);
    cases_put_number(&q->j, "withheld", (int64_t)made.withheld);
    cases_put_number(&q->j, "lost", (int64_t)made.lost);
    cases_put_instant(&q->j, "expires", info.expires);
    json_end(&q->j, '}');
    return ATG_OK;
}

/* ---- fetching ---- */

static int read_made(void *user, uint64_t at, void *ret, size_t n, atg_err *err) {
    return upload_read(user, at, ret, n, err);
}

static void close_made(void *user) {
    upload_leave(user);
    mem_free(user);
}

static int fetch(request *q, atg_err *err) {
    /* what is sent may outlive the request */
    upload *w = mem_zero(1, sizeof(*w));
    char text[UUID_TEXT + 1];
    upload_info info;
    source from = {.read = read_made, .close = close_made, .user = w};
    uuid id;
    int rc = w ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");

    if (!rc && !q->s->uploads)
        rc = request_refuse(q, PROBLEM_UPLOADS, err, "Nothing is kept here to be fetched");
    if (!rc)
        rc = request_id(q, request_word(q, "upload"), &id, err);
    if (!rc)
        rc = upload_peek(q->s->uploads, &q->who, &id, UPLOAD_MADE, w, &info, err);
    if (rc) {
        mem_free(w);
        return rc;
    }
    from.size = info.length;
    rc = reply_source(q, MHD_HTTP_OK, "application/octet-stream", &from, err);
    uuid_text(&id, text);
    q->etag = atg_arena_printf(q->arena, "\"%s\"", text);
    q->file_name = ATG_STR("attachment; filename=\"antigone.bundle\"");
    return rc;
}

const route routes_bundles[] = {
    {.method = "POST",
     .path = "/api/v1/bundles",
     .flags = ROUTE_LONG | ROUTE_PURPOSE,
     .run = open_bundle,
     .tag = "bundles",
     .summary = "Verify a bundle of another site that was uploaded, and merge it record by record",
     .query = "!upload changed_history",
     .gives = "BundleOpened",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/bundles",
     .flags = ROUTE_LONG | ROUTE_PURPOSE | ROUTE_EXPORTS,
     .run = make_bundle,
     .tag = "bundles",
     .summary =
         "After confirming: seal what is new of an operation for another site, to be fetched",
     .query = "!to all",
     .gives = "BundleMade",
     .status = 201},
    {.method = "GET",
     .path = "/api/v1/uploads/{upload}/content",
     .flags = ROUTE_RANGES,
     .run = fetch,
     .tag = "bundles",
     .summary = "Fetch a bundle that was made; with Range it goes on after a break",
     .gives = "application/octet-stream",
     .status = 200},
    {.method = NULL},
};
