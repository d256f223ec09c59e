/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the service, and what it refuses in the words of the command line. */
#include "cli/remote.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "cli/input.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "server/target.h"
#include "server/tls.h"

enum { JOB_NAP_MS = 50, JOB_NAP_MOST_MS = 1000 };

static const size_t answer_max = (size_t)300 << 20;

/* ---- parts of requests ---- */

atg_buf *remote_body(json *ret_j) {
    atg_buf *buf = atg_buf_new(REMOTE_BODY);

    if (!buf)
        return NULL;
    *ret_j = json_new(buf);
    json_object_line(ret_j);
    return buf;
}

atg_str remote_word(store_session *s, atg_str text) {
    return target_encode(s->arena, text);
}

atg_str remote_id(store_session *s, const uuid *id) {
    char text[UUID_TEXT + 1];

    uuid_text(id, text);
    return atg_arena_str(s->arena, atg_str_of(text));
}

/* ---- what is refused ---- */

bool remote_was(const store_session *s, const char *problem) {
    return strcmp(s->r->problem, problem) == 0;
}

typedef struct refusal {
    const char *problem;
    int code;
    const char *words; /* in place of what the service says; NULL: its own */
} refusal;

/* By type, then by status: what a later version of the service says is understood too. */
static const refusal refusals[] = {
    {"not-let-in", ATG_EDENIED, NULL},
    {"no-session", ATG_EDENIED, "The session has ended: log in again with 'antigone login'"},
    {"code-required", ATG_EDENIED, NULL},
    {"denied", ATG_EDENIED, NULL},
    {"confirmation-required", ATG_EDENIED, NULL},
    {"second-factor-required", ATG_EDENIED, NULL},
    {"purpose-required", ATG_EDENIED, "Write the reason for this: --reason TEXT"},
    {"sealed", ATG_EDENIED, NULL},
    {"password-change-required", ATG_EDENIED, NULL},
    {"not-found", ATG_ENOTFOUND, NULL},
    {"conflict", ATG_ECONFLICT, NULL},
    {"changed", ATG_ECONFLICT, NULL},
    {"too-large", ATG_ELIMIT, NULL},
    {"content", ATG_EPARSE, NULL},
    {"quota", ATG_ELIMIT, NULL},
    {"rate", ATG_ELIMIT, NULL},
    {"store", ATG_EIO, "The service cannot reach its store: try again; nothing was changed"},
};

static int code_of(const char *problem, long status) {
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        if (strcmp(refusals[i].problem, problem) == 0)
            return refusals[i].code;
    return status >= 500                    ? ATG_EIO
           : status == 401 || status == 403 ? ATG_EDENIED
           : status == 404                  ? ATG_ENOTFOUND
                                            : ATG_EINVAL;
}

static const char *words_of(const char *problem) {
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        if (strcmp(refusals[i].problem, problem) == 0)
            return refusals[i].words;
    return NULL;
}

static void keep_problem(remote *r, const json_t *all) {
    const char *type = json_string_value(json_object_get(all, "type"));
    const char *word = type ? strrchr(type, ':') : NULL;

    (void)snprintf(r->problem, sizeof(r->problem), "%s", word ? word + 1 : "none");
}

static int refuse_with(store_session *s, const json_t *all, long status, uint32_t wait_s,
                       atg_err *err) {
    remote *r = s->r;
    const char *detail = json_string_value(json_object_get(all, "detail"));
    const char *number = json_string_value(json_object_get(all, "instance"));
    const char *own;
    int rc;

    keep_problem(r, all);
    own = words_of(r->problem);
    rc = code_of(r->problem, status);
    if (own || detail)
        rc = atg_fail(err, rc, "%s", own ? own : detail);
    else if (all && rc == ATG_EIO)
        rc =
            atg_fail(err, rc, "The service at %s failed: its operator finds why in its log (%.60s)",
                     r->place.host, number ? number : "");
    else
        rc =
            atg_fail(err, rc, "What answers at %s is no service of Antigone, or of another version",
                     r->place.host);
    if (err && all) {
        err->line = (uint32_t)json_integer_value(json_object_get(all, "line"));
        err->col = (uint32_t)json_integer_value(json_object_get(all, "column"));
    }
    if (wait_s && rc == ATG_ELIMIT && err && !strstr(err->msg, "wait"))
        rc = atg_fail(err, rc, "%s: try again in %u s",
                      atg_arena_str(s->arena, atg_str_of(err->msg)).p, wait_s);
    if (remote_was(s, "no-session"))
        kept_session_forget(&r->place);
    return rc;
}

static int refuse(store_session *s, const http_answer *got, atg_err *err) {
    json_auto_t *all = got->problem ? json_loadb(got->body.p, got->body.n, 0, NULL) : NULL;

    return refuse_with(s, all, got->status, got->wait_s, err);
}

/* ---- asking ---- */

static int ask(store_session *s, const remote_ask *q, http_answer *ret, atg_err *err) {
    http_ask a = {.method = q->method,
                  .path = q->path,
                  .token = atg_str_of(s->r->token),
                  .purpose = s->who.reason,
                  .rev = q->rev,
                  .type = q->json ? "application/json" : q->type,
                  .body = q->bytes,
                  .again = q->again || strcmp(q->method, "GET") == 0,
                  .job = q->job,
                  .last = q->last,
                  .most = answer_max,
                  .to = q->to};
    int rc = ATG_OK;

    if (!q->path.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a request");
    if (q->json)
        rc = atg_buf_take(q->json, &a.body, err);
    s->r->problem[0] = '\0';
    if (!rc)
        rc = http_send(s->r->h, &a, ret, err);
    return rc || ret->status < 300 ? rc : refuse(s, ret, err);
}

int remote_bytes(store_session *s, const remote_ask *q, atg_str *ret, atg_err *err) {
    http_answer got = {.status = 0};
    int rc = ask(s, q, &got, err);

    /* a wrong code is no reason to ask without end */
    if (rc && remote_was(s, "confirmation-required") && !s->r->confirming) {
        rc = remote_confirm(s, err);
        if (!rc)
            rc = ask(s, q, &got, err);
    }
    if (!rc)
        *ret = got.body;
    return rc;
}

int remote_done(store_session *s, const remote_ask *q, atg_err *err) {
    atg_str nothing;

    return remote_bytes(s, q, &nothing, err);
}

int remote_json(store_session *s, const remote_ask *q, json_t **ret, atg_err *err) {
    atg_str text;
    int rc = remote_bytes(s, q, &text, err);
    json_t *all =
        rc ? NULL : json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);

    if (rc)
        return rc;
    if (!all)
        return remote_strange(s, err);
    *ret = all;
    return ATG_OK;
}

/* ---- jobs ---- */

static bool is_over(const char *state) {
    return strcmp(state, "waiting") != 0 && strcmp(state, "running") != 0;
}

/* How far it is.  False: somebody asked to stop. */
static bool show_job(const store_session *s, const json_t *job) {
    const char *phase = json_string_value(json_object_get(job, "phase"));
    const atg_progress *p = s->r->progress;

    return p->step(p->user, phase && *phase ? phase : "waiting",
                   (uint64_t)remote_number(job, "done"), (uint64_t)remote_number(job, "total"));
}

static int stop_job(store_session *s, atg_str path, atg_err *err) {
    int rc = remote_done(
        s, &(remote_ask){.method = "DELETE", .path = path, .again = true, .last = true}, err);

    /* it may have ended meanwhile: then it is done */
    if (rc)
        return atg_fail(err, ATG_EIO,
                        "It could not be cancelled: it is not known whether it was done. Look "
                        "before doing it again");
    return atg_fail(err, ATG_ECANCEL, "Stopped");
}

/* What a job that has ended gives is kept in `*job`. */
static int end_of(store_session *s, json_t **job, atg_err *err) {
    const char *state = json_string_value(json_object_get(*job, "state"));
    json_t *result = json_object_get(*job, "result");

    progress_clear();
    if (strcmp(state, "failed") == 0)
        return refuse_with(s, json_object_get(*job, "problem"), (long)remote_number(*job, "status"),
                           0, err);
    if (strcmp(state, "cancelled") == 0)
        return atg_fail(err, ATG_ECANCEL, "Somebody cancelled it");
    if (!json_is_object(result))
        return remote_strange(s, err);
    json_incref(result);
    json_decref(*job);
    *job = result;
    return ATG_OK;
}

static int follow(store_session *s, json_t **job, atg_err *err) {
    const char *id = json_string_value(json_object_get(*job, "id"));
    atg_str path =
        id ? atg_arena_printf(s->arena, "/api/v1/jobs/%s", remote_word(s, atg_str_of(id)).p)
           : (atg_str){NULL, 0};
    uint32_t ms = JOB_NAP_MS;

    for (;;) {
        const char *state = json_string_value(json_object_get(*job, "state"));
        json_t *now = NULL;
        int rc;

        if (!id || !state)
            return remote_strange(s, err);
        if (is_over(state))
            return end_of(s, job, err);
        if (!show_job(s, *job) || !http_nap(ms))
            return stop_job(s, path, err);
        ms = ms * 2 > JOB_NAP_MOST_MS ? JOB_NAP_MOST_MS : ms * 2;
        rc = remote_json(s, &(remote_ask){.method = "GET", .path = path}, &now, err);
        if (rc)
            return rc;
        json_decref(*job);
        *job = now;
    }
}

int remote_job(store_session *s, const remote_ask *q, json_t **ret, atg_err *err) {
    json_t *got = NULL;
    int rc = remote_json(s, q, &got, err);

    if (!rc && json_object_get(got, "state"))
        rc = follow(s, &got, err);
    if (rc)
        json_decref(got);
    else
        *ret = got;
    return rc;
}

/* ---- opening ---- */

/* Digits alone count: how they were told may differ. */
static bool same_digits(const char *a, const char *b) {
    for (;; a++, b++) {
        a += strspn(a, ": \t");
        b += strspn(b, ": \t");
        if (strncasecmp(a, b, 1) != 0)
            return false;
        if (!*a)
            return true;
    }
}

/* The authority whose fingerprint was told, kept from now on. */
static int by_fingerprint(const args *a, store_session *s, atg_str *ret_path) {
    http_options o = {.place = &s->r->place};
    char print[TLS_FINGERPRINT + 1];
    atg_str pem = {NULL, 0};
    atg_err err = {0};
    int rc = http_authority(&o, s->arena, &pem, &err);

    if (!rc)
        rc = tls_fingerprint_of(pem.p, print, &err);
    if (!rc && !same_digits(print, a->value[OPT_FINGERPRINT]))
        rc = atg_fail(&err, ATG_EDENIED,
                      "The authority that %s shows has another fingerprint, %s: somebody is in "
                      "between, or it was told wrong. Nothing was sent",
                      s->r->place.host, print);
    if (!rc)
        rc = kept_authority_write(&s->r->place, s->arena, pem, ret_path, &err);
    return rc ? cli_fail(NULL, &err) : EXIT_DONE;
}

const char *remote_authority_named(const args *a) {
    const char *path = a->value[OPT_CA];

    if (!path)
        path = getenv("ANTIGONE_CA"); /* NOLINT(concurrency-mt-unsafe): one thread */
    return path && *path ? path : NULL;
}

/* GnuTLS passes over what it cannot read. */
static int check_authority(store_session *s, const char *path) {
    char print[TLS_FINGERPRINT + 1];
    atg_str pem;
    atg_err err = {0};
    int code = input_bytes(s->arena, path, &pem);

    if (code)
        return code;
    pem = atg_arena_str(s->arena, pem);
    return !pem.p || tls_fingerprint_of(pem.p, print, &err) ? cli_fail(path, &err) : EXIT_DONE;
}

static int find_authority(const args *a, store_session *s, atg_str *ret) {
    const char *path = remote_authority_named(a);

    *ret = (atg_str){NULL, 0};
    if (path) {
        *ret = atg_str_of(path);
        return check_authority(s, path);
    }
    /* that of a card is another one */
    if (a->value[OPT_FINGERPRINT] && !cli_takes(a->command, OPT_CARD))
        return by_fingerprint(a, s, ret);
    (void)kept_authority(&s->r->place, s->arena, ret);
    return EXIT_DONE;
}

int remote_open(const args *a, const char *server, store_session *ret) {
    remote *r = ATG_GET(ret->arena, remote, 1);
    http_options o = {.progress = progress_start(a)};
    atg_str authority;
    atg_err err = {0};
    int code;

    ret->r = r;
    if (!r)
        return cli_write(NULL, NULL);
    r->a = a;
    r->progress = o.progress;
    if (http_place_of(server, &r->place, &err))
        return cli_usage(a->command, "%s", err.msg);
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return cli_write(NULL, NULL);
    code = find_authority(a, ret, &authority);
    if (code)
        return code;
    o.place = &r->place;
    o.authority = authority.p;
    return http_open(&o, &r->h, &err) ? cli_fail(NULL, &err) : EXIT_DONE;
}

const backend backend_remote = {
    .let_in = remote_let_in,
    .log_in = remote_log_in,
    .log_out = remote_log_out,
    .close = remote_close,
    .password = remote_password,
    .code_new = remote_code_new,
    .code_confirm = remote_code_confirm,
    .find = remote_find,
    .operations = remote_operations,
    .list = remote_list,
    .search = remote_search,
    .file = remote_file,
    .history = remote_history,
    .get = remote_get,
    .change = remote_change,
    .picture_put = remote_picture_put,
    .picture_get = remote_picture_get,
    .leads = remote_leads,
    .duplicates = remote_duplicates,
    .merge = remote_merge,
    .unmerge = remote_unmerge,
    .import_table = remote_import_table,
    .import_dna = remote_import_dna,
    .export_table = remote_export_table,
    .export_dna = remote_export_dna,
    .erase = remote_erase,
    .erase_due = remote_erase_due,
    .faces_read = remote_faces_read,
    .face_search = remote_face_search,
    .face_leads = remote_face_leads,
    .face_fit = remote_face_fit,
    .face_report = remote_face_report,
    .user_list = remote_user_list,
    .user_add = remote_user_add,
    .user_reset = remote_user_reset,
    .user_block = remote_user_block,
    .user_grant = remote_user_grant,
    .verify = remote_verify,
    .checkpoint = remote_checkpoint,
    .key = remote_key,
    .export_history = remote_export_history,
    .site_card = remote_site_card,
    .site_add = remote_site_add,
    .site_remove = remote_site_remove,
    .site_join = remote_site_join,
    .site_list = remote_site_list,
    .conflicts = remote_conflicts,
    .decide = remote_decide,
};
